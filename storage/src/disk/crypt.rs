//! Files that are encrypted on their way to a disk, and decrypted on their way back.
//!
//! Owns which files those are, the header that tells their key, and the key stream. What is a
//! batch, and when a segment is full, is the log's as ever: positions and lengths are those of the
//! bytes behind the header, and nothing else of a file changes. The header stands there twice, a
//! page apart, for without it everything behind it would be lost with one sector.
//!
//! A file has a key of its own, derived from one of the operator's and 24 random bytes in its
//! header, and is encrypted with AES-256 in counter mode, by position. Whatever has been written
//! somewhere once is never written there again: [`DiskFile::takes`] says no, and a write is an
//! error. So a file that was opened to go on takes nothing more, since nobody knows what stood
//! behind its end before the machine stopped: the log begins another.
//!
//! Invariant: no two different texts are encrypted with the same key stream.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use aes::Aes256;
use ctr::cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherSeek};
use ctr::{Ctr128BE, CtrCore};
use tidewire_protocol::batch::{self, EncryptionKey, EncryptionKeys};
use tidewire_protocol::crc::crc32c;

use super::{Disk, DiskFile, OpenMode, read_up_to_at, write_all_vectored_at};
use crate::log::SNAPSHOT_MAGIC;

const HEADER_LEN: usize = 64;
/// Where the header stands again: no sector has both.
const COPY_AT: usize = 4096;
/// Bytes before the first that is the log's.
pub(crate) const BODY_AT: usize = 2 * COPY_AT;
const MAGIC: &[u8; 8] = b"TWATREST";
const VERSION: u32 = 1;
const SALT_LEN: usize = 24;
const CHECK_LEN: usize = 8;
/// Bytes encrypted at once: more is written in several steps.
const STEP_BYTES: usize = 256 << 10;

/// Suffixes of the files with records and what is remembered of them: segments, snapshots, and
/// segments that are being mended.
const SUFFIXES: [&str; 5] = ["log", "next", "state", "state-new", "mend"];

/// A file's key, expanded.
type Cipher = Aes256;

/// The key stream from a position on.
fn stream(cipher: &Cipher, at: u64) -> Ctr128BE<Cipher> {
    let core = CtrCore::inner_iv_init(cipher.clone(), &[0; 16].into());
    let mut stream = Ctr128BE::from_core(core);
    stream.seek(at);
    stream
}

/// Encrypts or decrypts. Not generic, so that it is compiled, and optimised, in this crate.
fn apply(mut stream: Ctr128BE<Cipher>, bytes: &mut [u8]) {
    stream.apply_keystream(bytes);
}

thread_local! {
    /// What is about to be written, encrypted.
    static STEP: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Where the random bytes of headers come from.
#[derive(Clone)]
struct Salts(Arc<dyn Fn() -> io::Result<[u8; SALT_LEN]> + Send + Sync>);

impl fmt::Debug for Salts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salts")
    }
}

/// A disk whose segments and snapshots are encrypted, if there is a key. Cloning shares it.
#[derive(Clone, Debug)]
pub struct EncryptedDisk<D> {
    disk: D,
    keys: Arc<EncryptionKeys>,
    salts: Salts,
    /// Whether files are looked at at all.
    looks: bool,
}

/// A file of an [`EncryptedDisk`].
#[derive(Debug)]
pub struct EncryptedFile<F>(Kind<F>);

#[derive(Debug)]
enum Kind<F> {
    /// As it is on the disk below.
    Plain(F),
    Sealed(Sealed<F>),
}

#[derive(Debug)]
struct Sealed<F> {
    file: F,
    /// Of what is begun anew.
    key: EncryptionKey,
    salts: Salts,
    state: RwLock<State>,
}

struct State {
    form: Form,
    /// Nothing may be written before this position.
    written: u64,
}

/// What the bytes of a file are.
enum Form {
    /// Those of before there was a key: read as they are, and not written.
    Plain,
    /// Nothing yet, not even a whole header.
    Unbegun,
    /// A header, and what is encrypted.
    Sealed(Box<Cipher>),
}

impl Form {
    /// Bytes before the first that is the log's.
    fn before(&self) -> u64 {
        if matches!(self, Self::Sealed(_)) { BODY_AT as u64 } else { 0 }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = match self.form {
            Form::Plain => "plain",
            Form::Unbegun => "unbegun",
            Form::Sealed(_) => "sealed",
        };
        write!(f, "State({form}, {})", self.written)
    }
}

/// Why a file cannot be read or written: the words are in its text.
#[derive(Debug)]
struct CannotDecrypt {
    text: String,
    /// No key helps.
    lost: bool,
}

impl fmt::Display for CannotDecrypt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for CannotDecrypt {}

fn cannot(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, CannotDecrypt { text, lost: false })
}

fn cannot_decrypt(error: &io::Error) -> Option<&CannotDecrypt> {
    error.get_ref()?.downcast_ref()
}

/// Whether an error is one of this module's: trying again does not help.
pub(crate) fn is_cannot_decrypt(error: &io::Error) -> bool {
    cannot_decrypt(error).is_some()
}

/// Whether it says that a file is whole, and its key not there.
pub(crate) fn is_key_missing(error: &io::Error) -> bool {
    cannot_decrypt(error).is_some_and(|error| !error.lost)
}

/// Whether it says that nothing tells the file's key any more.
pub(crate) fn is_header_lost(error: &io::Error) -> bool {
    cannot_decrypt(error).is_some_and(|error| error.lost)
}

impl<D: Disk> EncryptedDisk<D> {
    /// A disk over `disk`: the last of the keys is for new files, the others read older ones.
    /// Without a key nothing is encrypted.
    pub fn new(disk: D, keys: EncryptionKeys) -> Self {
        let salts = || -> io::Result<[u8; SALT_LEN]> {
            let mut salt = [0; SALT_LEN];
            getrandom::fill(&mut salt).map_err(|error| {
                io::Error::other(format!("the system gives no random bytes: {error}"))
            })?;
            Ok(salt)
        };
        Self { disk, keys: Arc::new(keys), salts: Salts(Arc::new(salts)), looks: true }
    }

    /// The disk below as it is: what is encrypted is not even told from what is not. For
    /// simulations that count calls.
    pub fn passing(disk: D) -> Self {
        Self { looks: false, ..Self::new(disk, EncryptionKeys::default()) }
    }

    /// The same with random bytes of a simulation's own, so that a seed gives the same files
    /// again. Anywhere else this gives the records away: nothing hides them but that no two
    /// files ever have the same 24 bytes.
    #[must_use]
    pub fn with_salts(
        self,
        salts: impl Fn() -> [u8; SALT_LEN] + Send + Sync + 'static,
    ) -> Self {
        Self { salts: Salts(Arc::new(move || -> io::Result<_> { Ok(salts()) })), ..self }
    }

    fn create(&self, path: &Path, key: EncryptionKey) -> io::Result<EncryptedFile<D::File>> {
        let file = self.disk.open(path, OpenMode::CreateNew)?;
        let begun = begin(&file, &key, &self.salts).and_then(|state| {
            // What is called a segment has a header, whatever happens: without, it could not be
            // told from one that was damaged. A `.next` is synced before it is called so.
            if suffix(path) == Some("log") {
                file.sync_data()?;
            }
            Ok(state)
        });
        match begun {
            Ok(state) => Ok(self.sealed(file, key, state)),
            Err(error) => {
                drop(file);
                let _ = self.disk.remove_file(path);
                Err(error)
            }
        }
    }

    fn sealed(
        &self,
        file: D::File,
        key: EncryptionKey,
        state: State,
    ) -> EncryptedFile<D::File> {
        let (salts, state) = (self.salts.clone(), RwLock::new(state));
        EncryptedFile(Kind::Sealed(Sealed { file, key, salts, state }))
    }

    fn open_existing(&self, path: &Path, mode: OpenMode) -> io::Result<EncryptedFile<D::File>> {
        let file = self.disk.open(path, mode)?;
        if mode == OpenMode::ReadWrite {
            // A header that only claims to be on the disk must not be gone on with.
            file.forget_cached();
        }
        let form = self.recognise(path, &file)?;
        let Some(key) = self.keys.last() else {
            return Ok(EncryptedFile(Kind::Plain(file)));
        };
        let empty = match form {
            Form::Unbegun => true,
            Form::Sealed(_) => file.len()? <= BODY_AT as u64,
            Form::Plain => false,
        };
        let state = if empty && mode == OpenMode::ReadWrite {
            // Whoever is to go on with an empty file begins it anew, with a key stream that nobody
            // has used.
            begin(&file, key, &self.salts)?
        } else {
            State { form, written: u64::MAX }
        };
        Ok(self.sealed(file, key.clone(), state))
    }

    /// What a file is, as its first bytes say. None is called unbegun, which would be written
    /// over, that can hold anything: what is neither one nor the other is plain, and for the log
    /// to judge, or an error.
    fn recognise(&self, path: &Path, file: &D::File) -> io::Result<Form> {
        let mut first = [0; HEADER_LEN];
        let held = read_up_to_at(file, &mut first, 0)?;
        let whole = file.len()?;
        if held == 0 {
            return Ok(Form::Unbegun);
        }
        let damage = match Header::read(&first) {
            Ok(header) => return self.form_of(&header, whole),
            // Before the second header is looked for: in a plain file somebody's record may have
            // the bytes of one.
            Err(NoHeader::Other) if is_plain(path, &first[..held], whole) => {
                return Ok(Form::Plain);
            }
            Err(damage) => damage,
        };
        let mut second = [0; HEADER_LEN];
        if read_up_to_at(file, &mut second, COPY_AT as u64)? == HEADER_LEN {
            match Header::read(&second) {
                Ok(header) => return self.form_of(&header, whole),
                Err(NoHeader::Version(version)) => return Err(unknown_version(version)),
                Err(NoHeader::Damaged | NoHeader::Other) => {}
            }
        }
        if let NoHeader::Version(version) = damage {
            return Err(unknown_version(version));
        }
        let ours = MAGIC.starts_with(&first[..held.min(MAGIC.len())]);
        if whole <= BODY_AT as u64 {
            // The header was not finished, and nothing stands behind it.
            let unbegun = ours || is_zero(file, whole)?;
            return Ok(if unbegun { Form::Unbegun } else { Form::Plain });
        }
        match suffix(path) {
            // It was never synced: nothing in it was ever promised.
            Some("next") if ours || !self.keys.is_empty() => Ok(Form::Unbegun),
            // Where there are keys, what is neither is no plain segment, which would be cut off
            // where it is torn: its header is gone.
            Some("log") if ours || !self.keys.is_empty() => {
                let text = "it begins neither with a batch nor with the header that tells its \
                            key, and where that stands again it is damaged, too";
                let inner = CannotDecrypt { text: text.to_owned(), lost: true };
                Err(io::Error::new(io::ErrorKind::InvalidData, inner))
            }
            // A snapshot that is not good is passed over.
            _ => Ok(Form::Plain),
        }
    }

    fn form_of(&self, header: &Header, whole: u64) -> io::Result<Form> {
        let id = header.key_id;
        let Some(key) = self.keys.get(id) else {
            let text = format!("it is encrypted at rest with key {id}: there is {}", self.keys);
            return Err(cannot(text));
        };
        if key.check() != header.check {
            let text = format!("it is encrypted at rest with another key {id} than this one");
            return Err(cannot(text));
        }
        if whole < BODY_AT as u64 {
            return Ok(Form::Unbegun);
        }
        Ok(Form::Sealed(cipher_of(key, &header.salt)))
    }
}

fn unknown_version(version: u32) -> io::Error {
    cannot(format!(
        "its header has version {version}, this version of Tidewire knows only {VERSION}"
    ))
}

/// Whether a file of so many bytes, of before there was a key, begins so. That which a disk gives
/// for a sector that it lost does not, whatever the file's name says; a batch of which a bit or
/// two were changed does.
fn is_plain(path: &Path, head: &[u8], whole: u64) -> bool {
    match suffix(path) {
        Some("log" | "next") => {
            let Some(head) = head.first_chunk::<HEADER_LEN>() else { return false };
            let (base, rest) = head.split_at(8);
            let has_base = base_of(path).is_some_and(|of| of.to_le_bytes() == *base);
            let batch_len = u32::from_le_bytes([rest[20], rest[21], rest[22], rest[23]]);
            let looks_like_one = head[32] == batch::FORMAT
                && batch_len as usize >= batch::HEADER_LEN
                && u64::from(batch_len) <= whole;
            looks_like_one || (has_base && rest.iter().any(|byte| *byte != 0))
        }
        Some("state") => head.starts_with(SNAPSHOT_MAGIC),
        _ => false,
    }
}

/// Whether a small file has nothing but zeros.
fn is_zero(file: &impl DiskFile, len: u64) -> io::Result<bool> {
    let mut bytes = vec![0; len as usize];
    let held = read_up_to_at(file, &mut bytes, 0)?;
    Ok(bytes[..held].iter().all(|byte| *byte == 0))
}

/// Empties a file, and begins it with headers and a key stream that is new.
fn begin(file: &impl DiskFile, key: &EncryptionKey, salts: &Salts) -> io::Result<State> {
    let salt = salts.0()?;
    let header = Header { key_id: key.id(), check: key.check(), salt }.bytes();
    let mut area = [0; BODY_AT];
    area[..HEADER_LEN].copy_from_slice(&header);
    area[COPY_AT..COPY_AT + HEADER_LEN].copy_from_slice(&header);
    if !file.is_empty()? {
        // On the disk before there is a header: half of one before what was there is damage.
        file.set_len(0)?;
        file.sync_data()?;
    }
    write_all_vectored_at(file, &mut [IoSlice::new(&area)], 0)?;
    Ok(State { form: Form::Sealed(cipher_of(key, &salt)), written: 0 })
}

fn cipher_of(key: &EncryptionKey, salt: &[u8]) -> Box<Cipher> {
    let key = key.segment_key(salt);
    Box::new(Cipher::new((&*key).into()))
}

/// What stands before a file's bytes.
struct Header {
    key_id: u32,
    check: [u8; CHECK_LEN],
    salt: [u8; SALT_LEN],
}

#[derive(Clone, Copy)]
enum NoHeader {
    /// It was one.
    Damaged,
    /// It is one of another version.
    Version(u32),
    /// It is none.
    Other,
}

impl Header {
    fn bytes(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.key_id.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.check);
        bytes[24..48].copy_from_slice(&self.salt);
        let sum = crc32c(&bytes[..HEADER_LEN - 4]);
        bytes[HEADER_LEN - 4..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    fn read(bytes: &[u8; HEADER_LEN]) -> Result<Self, NoHeader> {
        if bytes[..8] != *MAGIC {
            return Err(NoHeader::Other);
        }
        let word = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        if word(HEADER_LEN - 4) != crc32c(&bytes[..HEADER_LEN - 4]) {
            return Err(NoHeader::Damaged);
        }
        if word(8) != VERSION {
            return Err(NoHeader::Version(word(8)));
        }
        let mut header = Self { key_id: word(12), check: [0; CHECK_LEN], salt: [0; SALT_LEN] };
        header.check.copy_from_slice(&bytes[16..24]);
        header.salt.copy_from_slice(&bytes[24..48]);
        // What is not used yet is zero.
        if header.bytes() == *bytes { Ok(header) } else { Err(NoHeader::Damaged) }
    }
}

/// The number of the key that a file of so many bytes is encrypted with whose first [`BODY_AT`]
/// these are: one of the log's, as its name says. `None` if it is not encrypted.
pub(crate) fn key_id(path: &Path, area: &[u8], whole: u64) -> Option<u32> {
    let header_at = |at: usize| Header::read(area.get(at..)?.first_chunk()?).ok();
    if let Some(header) = header_at(0) {
        return Some(header.key_id);
    }
    let plain = is_plain(path, &area[..area.len().min(HEADER_LEN)], whole);
    header_at(COPY_AT).filter(|_| !plain).map(|header| header.key_id)
}

/// The first offset of a segment, as its name says.
fn base_of(path: &Path) -> Option<u64> {
    path.file_stem()?.to_str()?.parse().ok()
}

fn suffix(path: &Path) -> Option<&str> {
    path.extension()?.to_str()
}

/// Whether a file of this name is encrypted where there is a key.
pub(crate) fn is_ours(path: &Path) -> bool {
    suffix(path).is_some_and(|suffix| SUFFIXES.contains(&suffix))
}

impl<D: Disk> Disk for EncryptedDisk<D> {
    type File = EncryptedFile<D::File>;

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.disk.create_dir_all(path)
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Self::File> {
        match (self.keys.last(), mode) {
            _ if !self.looks || !is_ours(path) => {}
            (Some(key), OpenMode::CreateNew) => return self.create(path, key.clone()),
            (None, OpenMode::CreateNew) => {}
            (_, OpenMode::Read | OpenMode::ReadWrite) => return self.open_existing(path, mode),
        }
        self.disk.open(path, mode).map(|file| EncryptedFile(Kind::Plain(file)))
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<String>> {
        self.disk.read_dir(path)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.disk.sync_dir(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.disk.exists(path)
    }
}

impl<F: DiskFile> Sealed<F> {
    /// The key stream at a position, if there is one, and where that is in the file. `None` if
    /// nothing is there.
    fn at(&self, position: u64) -> Option<(Option<Ctr128BE<Cipher>>, u64)> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        match &state.form {
            Form::Sealed(cipher) => {
                Some((Some(stream(cipher, position)), position + BODY_AT as u64))
            }
            Form::Plain => Some((None, position)),
            Form::Unbegun => None,
        }
    }

    fn write(&self, bufs: &[IoSlice<'_>], at: u64) -> io::Result<usize> {
        STEP.with_borrow_mut(|step| {
            step.clear();
            for buf in bufs {
                let room = STEP_BYTES - step.len();
                step.extend_from_slice(&buf[..buf.len().min(room)]);
            }
            apply(self.claim(at, step.len())?, step);
            let place = at + BODY_AT as u64;
            let result = self.file.write_vectored_at(&[IoSlice::new(step)], place);
            match &result {
                // What was not written is free again.
                Ok(written) => self.state().written = at + *written as u64,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    self.state().written = at;
                }
                // Any part of it may be there.
                Err(_) => {}
            }
            result
        })
    }

    /// The key stream for so many bytes, which nobody else may write from then on.
    fn claim(&self, at: u64, len: usize) -> io::Result<Ctr128BE<Cipher>> {
        let mut state = self.state();
        match &state.form {
            Form::Sealed(cipher) if at >= state.written => {
                let stream = stream(cipher, at);
                state.written = at + len as u64;
                Ok(stream)
            }
            _ => {
                let text = "what stands in an encrypted file is not written over";
                Err(io::Error::new(io::ErrorKind::InvalidInput, text))
            }
        }
    }

    fn state(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: DiskFile> DiskFile for EncryptedFile<F> {
    fn read_at(&self, buf: &mut [u8], at: u64) -> io::Result<usize> {
        match &self.0 {
            Kind::Plain(file) => file.read_at(buf, at),
            Kind::Sealed(sealed) => {
                let Some((stream, place)) = sealed.at(at) else { return Ok(0) };
                let read = sealed.file.read_at(buf, place)?;
                if let Some(stream) = stream {
                    apply(stream, &mut buf[..read]);
                }
                Ok(read)
            }
        }
    }

    fn read_append(&self, buf: &mut Vec<u8>, len: usize, at: u64) -> io::Result<usize> {
        match &self.0 {
            Kind::Plain(file) => file.read_append(buf, len, at),
            Kind::Sealed(sealed) => {
                let Some((stream, place)) = sealed.at(at) else { return Ok(0) };
                let held = buf.len();
                let read = sealed.file.read_append(buf, len, place)?;
                if let Some(stream) = stream {
                    apply(stream, &mut buf[held..]);
                }
                Ok(read)
            }
        }
    }

    fn write_vectored_at(&self, bufs: &[IoSlice<'_>], at: u64) -> io::Result<usize> {
        match &self.0 {
            Kind::Plain(file) => file.write_vectored_at(bufs, at),
            Kind::Sealed(sealed) => sealed.write(bufs, at),
        }
    }

    fn takes(&self, at: u64) -> bool {
        match &self.0 {
            Kind::Plain(file) => file.takes(at),
            Kind::Sealed(sealed) => {
                let state = sealed.state.read().unwrap_or_else(PoisonError::into_inner);
                matches!(state.form, Form::Sealed(_)) && at >= state.written
            }
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        self.below().sync_data()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let Kind::Sealed(sealed) = &self.0 else { return self.below().set_len(len) };
        let mut state = sealed.state();
        if len == 0 {
            // Nothing is left that was encrypted with the old key stream.
            *state = begin(&sealed.file, &sealed.key, &sealed.salts)?;
            return Ok(());
        }
        sealed.file.set_len(len + state.form.before())
    }

    fn len(&self) -> io::Result<u64> {
        let len = self.below().len()?;
        let Kind::Sealed(sealed) = &self.0 else { return Ok(len) };
        let state = sealed.state.read().unwrap_or_else(PoisonError::into_inner);
        Ok(match &state.form {
            Form::Unbegun => 0,
            form => len.saturating_sub(form.before()),
        })
    }

    fn forget_cached(&self) {
        self.below().forget_cached();
    }
}

impl<F> EncryptedFile<F> {
    fn below(&self) -> &F {
        match &self.0 {
            Kind::Plain(file) => file,
            Kind::Sealed(sealed) => &sealed.file,
        }
    }
}
