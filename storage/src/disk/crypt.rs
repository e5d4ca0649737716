//! Files that are encrypted on their way to a disk, and decrypted on their way back.
//!
//! Owns which files those are, the header that tells their key, and the key stream. What is a
//! batch, and when a segment is full, is the log's as ever: positions and lengths are those of the
//! bytes behind the header, and nothing else of a file changes.
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
use tidewire_protocol::batch::{EncryptionKey, EncryptionKeys};
use tidewire_protocol::crc::crc32c;

use super::{Disk, DiskFile, OpenMode, read_up_to_at, write_all_vectored_at};

/// Bytes before the first that is the log's.
pub(crate) const HEADER_LEN: usize = 64;
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

thread_local! {
    /// What is about to be written, encrypted.
    static STEP: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A disk whose segments and snapshots are encrypted, if there is a key. Cloning shares it.
#[derive(Clone, Debug)]
pub struct EncryptedDisk<D> {
    disk: D,
    keys: Arc<EncryptionKeys>,
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
    state: RwLock<State>,
}

/// What the bytes behind the header are, or those of a file without one.
struct State {
    /// `None`: a file of before there was a key, which is read as it is, and not written.
    cipher: Option<Cipher>,
    /// Nothing may be written before this position.
    written: u64,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State({}, {})", self.cipher.is_some(), self.written)
    }
}

/// Why a file cannot be read or written: the words are in its text.
#[derive(Debug)]
pub(crate) struct CannotDecrypt(String);

impl fmt::Display for CannotDecrypt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CannotDecrypt {}

fn cannot(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, CannotDecrypt(text))
}

/// Whether an error is one of this module's.
pub(crate) fn is_cannot_decrypt(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<CannotDecrypt>())
}

impl<D: Disk> EncryptedDisk<D> {
    /// A disk over `disk`: the last of the keys is for new files, the others read older ones.
    /// Without a key nothing is encrypted.
    pub fn new(disk: D, keys: EncryptionKeys) -> Self {
        Self { disk, keys: Arc::new(keys) }
    }

    /// A disk that encrypts nothing, and says so of files that are.
    pub fn plain(disk: D) -> Self {
        Self::new(disk, EncryptionKeys::default())
    }

    /// The disk below, with the bytes as they lie there.
    pub fn below(&self) -> &D {
        &self.disk
    }

    fn create(&self, path: &Path, key: EncryptionKey) -> io::Result<EncryptedFile<D::File>> {
        let file = self.disk.open(path, OpenMode::CreateNew)?;
        let begun = begin(&file, &key).and_then(|state| {
            // What is called a segment has a header, whatever happens: without, it could not be
            // told from one that was damaged. A `.next` is synced before it is called so.
            if suffix(path) == Some("log") {
                file.sync_data()?;
            }
            Ok(state)
        });
        match begun {
            Ok(state) => {
                Ok(EncryptedFile(Kind::Sealed(Sealed { file, key, state: RwLock::new(state) })))
            }
            Err(error) => {
                drop(file);
                let _ = self.disk.remove_file(path);
                Err(error)
            }
        }
    }

    fn open_existing(&self, path: &Path, mode: OpenMode) -> io::Result<EncryptedFile<D::File>> {
        let file = self.disk.open(path, mode)?;
        if mode == OpenMode::ReadWrite {
            // A header that only claims to be on the disk must not be gone on with.
            file.forget_cached();
        }
        let mut head = [0; HEADER_LEN];
        let held = read_up_to_at(&file, &mut head, 0)?;
        let whole = file.len()?;
        let found = if held < HEADER_LEN {
            Found::Nothing
        } else {
            self.recognise(path, &head, whole)?
        };
        let Some(key) = self.keys.last() else {
            return Ok(EncryptedFile(Kind::Plain(file)));
        };
        let goes_on = mode == OpenMode::ReadWrite;
        let state = match found {
            // Whoever is to go on with an empty file begins it anew, with a key stream that nobody
            // has used.
            Found::Nothing if goes_on => begin(&file, key)?,
            Found::Sealed(_) if goes_on && whole == HEADER_LEN as u64 => begin(&file, key)?,
            Found::Sealed(cipher) => State { cipher: Some(*cipher), written: u64::MAX },
            Found::Nothing | Found::Plain => State { cipher: None, written: u64::MAX },
        };
        let (key, state) = (key.clone(), RwLock::new(state));
        Ok(EncryptedFile(Kind::Sealed(Sealed { file, key, state })))
    }

    /// What a file is that begins so.
    fn recognise(&self, path: &Path, head: &[u8; HEADER_LEN], whole: u64) -> io::Result<Found> {
        let header = match Header::read(head) {
            Ok(header) => header,
            // It was not finished, and nothing stands behind it.
            Err(NoHeader::Damaged) if whole == HEADER_LEN as u64 => return Ok(Found::Nothing),
            // It was never synced: nothing in it was ever promised.
            Err(_) if suffix(path) == Some("next") => {
                let begins_a_batch = base_of(path) == Some(first_word(head));
                return Ok(if begins_a_batch { Found::Plain } else { Found::Nothing });
            }
            Err(NoHeader::Damaged) => {
                return Err(cannot("the header that tells its key is damaged".to_owned()));
            }
            // Where there are keys, what is neither is no plain segment, which would be cut off
            // where it is torn: its header is gone.
            Err(NoHeader::Other)
                if !self.keys.is_empty()
                    && whole > HEADER_LEN as u64
                    && suffix(path) == Some("log")
                    && base_of(path).is_some_and(|base| base != first_word(head)) =>
            {
                return Err(cannot(
                    "it begins neither with a batch nor with the header that tells its key"
                        .to_owned(),
                ));
            }
            Err(NoHeader::Other) => return Ok(Found::Plain),
        };
        let id = header.key_id;
        let Some(key) = self.keys.get(id) else {
            let text = format!("it is encrypted at rest with key {id}: there is {}", self.keys);
            return Err(cannot(text));
        };
        if key.check() != header.check {
            let text = format!("it is encrypted at rest with another key {id} than this one");
            return Err(cannot(text));
        }
        Ok(Found::Sealed(Box::new(cipher_of(key, &header.salt))))
    }
}

enum Found {
    /// Less than a header, or what was never finished.
    Nothing,
    Plain,
    Sealed(Box<Cipher>),
}

/// Empties a file, and begins it with a header and a key stream that is new.
fn begin(file: &impl DiskFile, key: &EncryptionKey) -> io::Result<State> {
    let mut salt = [0; SALT_LEN];
    getrandom::fill(&mut salt).map_err(|error| {
        io::Error::other(format!("the system gives no random bytes: {error}"))
    })?;
    let header = Header { key_id: key.id(), check: key.check(), salt };
    if !file.is_empty()? {
        // On the disk before there is a header: half of one before what was there is damage.
        file.set_len(0)?;
        file.sync_data()?;
    }
    write_all_vectored_at(file, &mut [IoSlice::new(&header.bytes())], 0)?;
    Ok(State { cipher: Some(cipher_of(key, &salt)), written: 0 })
}

fn cipher_of(key: &EncryptionKey, salt: &[u8]) -> Cipher {
    let key = key.segment_key(salt);
    Cipher::new((&*key).into())
}

/// What stands before a file's bytes.
struct Header {
    key_id: u32,
    check: [u8; CHECK_LEN],
    salt: [u8; SALT_LEN],
}

enum NoHeader {
    /// It was one.
    Damaged,
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
        let mut header = Self { key_id: word(12), check: [0; CHECK_LEN], salt: [0; SALT_LEN] };
        header.check.copy_from_slice(&bytes[16..24]);
        header.salt.copy_from_slice(&bytes[24..48]);
        // The checksum covers what is zero, and the version.
        if header.bytes() == *bytes { Ok(header) } else { Err(NoHeader::Damaged) }
    }
}

/// Whether a file begins with this module's header.
pub(crate) fn has_header(head: &[u8]) -> bool {
    head.first_chunk().is_some_and(|head| Header::read(head).is_ok())
}

fn first_word(head: &[u8; HEADER_LEN]) -> u64 {
    u64::from_le_bytes([head[0], head[1], head[2], head[3], head[4], head[5], head[6], head[7]])
}

/// The first offset of a segment, as its name says.
fn base_of(path: &Path) -> Option<u64> {
    path.file_stem()?.to_str()?.parse().ok()
}

fn suffix(path: &Path) -> Option<&str> {
    path.extension()?.to_str()
}

fn is_ours(path: &Path) -> bool {
    suffix(path).is_some_and(|suffix| SUFFIXES.contains(&suffix))
}

impl<D: Disk> Disk for EncryptedDisk<D> {
    type File = EncryptedFile<D::File>;

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.disk.create_dir_all(path)
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Self::File> {
        match (self.keys.last(), mode) {
            _ if !is_ours(path) => {}
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
    /// The key stream at a position, if there is one, and where that is in the file.
    fn at(&self, position: u64) -> (Option<Ctr128BE<Cipher>>, u64) {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        match &state.cipher {
            Some(cipher) => (Some(stream(cipher, position)), position + HEADER_LEN as u64),
            None => (None, position),
        }
    }

    fn write(&self, bufs: &[IoSlice<'_>], at: u64) -> io::Result<usize> {
        STEP.with_borrow_mut(|step| {
            step.clear();
            for buf in bufs {
                let room = STEP_BYTES - step.len();
                step.extend_from_slice(&buf[..buf.len().min(room)]);
            }
            self.claim(at, step.len())?.apply_keystream(step);
            let place = at + HEADER_LEN as u64;
            let written = self.file.write_vectored_at(&[IoSlice::new(step)], place)?;
            // What was not written is free again; after an error any part of it may be there.
            self.state().written = at + written as u64;
            Ok(written)
        })
    }

    /// The key stream for so many bytes, which nobody else may write from then on.
    fn claim(&self, at: u64, len: usize) -> io::Result<Ctr128BE<Cipher>> {
        let mut state = self.state();
        match &state.cipher {
            Some(cipher) if at >= state.written => {
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
                let (cipher, place) = sealed.at(at);
                let read = sealed.file.read_at(buf, place)?;
                if let Some(mut cipher) = cipher {
                    cipher.apply_keystream(&mut buf[..read]);
                }
                Ok(read)
            }
        }
    }

    fn read_append(&self, buf: &mut Vec<u8>, len: usize, at: u64) -> io::Result<usize> {
        match &self.0 {
            Kind::Plain(file) => file.read_append(buf, len, at),
            Kind::Sealed(sealed) => {
                let (cipher, place) = sealed.at(at);
                let held = buf.len();
                let read = sealed.file.read_append(buf, len, place)?;
                if let Some(mut cipher) = cipher {
                    cipher.apply_keystream(&mut buf[held..]);
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
                state.cipher.is_some() && at >= state.written
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
            *state = begin(&sealed.file, &sealed.key)?;
            return Ok(());
        }
        let before = if state.cipher.is_some() { HEADER_LEN as u64 } else { 0 };
        sealed.file.set_len(len + before)
    }

    fn len(&self) -> io::Result<u64> {
        let len = self.below().len()?;
        let Kind::Sealed(sealed) = &self.0 else { return Ok(len) };
        let state = sealed.state.read().unwrap_or_else(PoisonError::into_inner);
        let before = if state.cipher.is_some() { HEADER_LEN as u64 } else { 0 };
        Ok(len.saturating_sub(before))
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
