//! The disk as the simulated server sees it: a [`SimDisk`] whose calls are written down, and
//! which can be made to break its word where a [`Bug`] asks for it. Between it and the logs there
//! may be encryption: then it is watched that no key stream is used twice.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidewire_protocol::batch::EncryptionKeys;
use tidewire_storage::disk::sim::{SimDisk, SimFile};
use tidewire_storage::disk::{Disk, DiskFile, EncryptedDisk, OpenMode};

use crate::bug::Bug;
use crate::rng::Rng;
use crate::trace::Trace;

/// What logs lie on.
pub(crate) type LogDisk = EncryptedDisk<TracedDisk>;
/// Where the random bytes of an encrypted file stand, which are its key stream's own.
const SALT: Range<usize> = 24..48;

#[derive(Clone, Debug)]
pub(crate) struct TracedDisk {
    pub sim: SimDisk,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    trace: Arc<Mutex<Trace>>,
    bug: Option<Bug>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Directories in which something could not be made durable.
    failed_syncs: BTreeSet<PathBuf>,
    /// A log is being opened.
    opening: bool,
    /// The start of a log is being written.
    trimming: bool,
    /// The process is gone: nothing that it still says counts.
    dead: bool,
    /// Calls that a bug counts.
    count: u64,
    /// Files whose sync was answered and is still to come.
    owed: Vec<Arc<SimFile>>,
    /// Logs are encrypted.
    at_rest: bool,
    /// The random bytes of all headers that were written.
    salts: BTreeSet<Vec<u8>>,
}

pub(crate) struct TracedFile {
    inner: Arc<SimFile>,
    path: PathBuf,
    shared: Arc<Shared>,
    /// Up to where there may be something that was encrypted with the file's key stream.
    streamed: Mutex<u64>,
}

impl TracedDisk {
    pub fn new(sim: SimDisk, trace: Arc<Mutex<Trace>>, bug: Option<Bug>) -> Self {
        let shared = Arc::new(Shared { trace, bug, state: Mutex::default() });
        Self { sim, shared }
    }

    /// What logs lie on: this, with encryption before it if there is a key.
    pub fn for_logs(&self, keys: &EncryptionKeys, seed: u64) -> LogDisk {
        if keys.is_empty() {
            return EncryptedDisk::passing(self.clone());
        }
        self.shared.state().at_rest = true;
        let rng = Mutex::new(Rng::new(!seed));
        EncryptedDisk::new(self.clone(), keys.clone())
            .with_salts(move || std::array::from_fn(|_| lock(&rng).next() as u8))
    }

    /// Directories in which something could not be made durable since the last call.
    pub fn take_failed_syncs(&self) -> BTreeSet<PathBuf> {
        std::mem::take(&mut self.shared.state().failed_syncs)
    }

    /// Whether a log is being opened.
    pub fn set_opening(&self, opening: bool) {
        self.shared.state().opening = opening;
    }

    /// Whether the start of a log is being written.
    pub fn set_trimming(&self, trimming: bool) {
        self.shared.state().trimming = trimming;
    }

    /// Whether the process is gone, and what it does comes to nothing.
    pub fn set_dead(&self, dead: bool) {
        self.shared.state().dead = dead;
    }

    /// The machine restarts: syncs that are still to come never do.
    pub fn forget_owed(&self) {
        self.shared.state().owed.clear();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn say<T>(
        &self,
        what: fmt::Arguments<'_>,
        path: &Path,
        result: io::Result<T>,
    ) -> io::Result<T> {
        let outcome = result.as_ref().err().map(io::Error::kind);
        let mut trace = lock(&self.trace);
        match outcome {
            None => trace.say(format_args!("  disk {what} {}", path.display())),
            Some(kind) => {
                trace.say(format_args!("  disk {what} {} FAILS: {kind:?}", path.display()));
            }
        }
        result
    }

    /// One in `of` calls, by turns, if it is this bug that is wanted.
    fn bug(&self, bug: Bug, of: u64) -> bool {
        if self.bug != Some(bug) {
            return false;
        }
        let mut state = self.state();
        state.count += 1;
        state.count.is_multiple_of(of)
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Disk for TracedDisk {
    type File = TracedFile;

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.shared.say(format_args!("mkdir"), path, self.sim.create_dir_all(path))
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<TracedFile> {
        let opened = self.sim.open(path, mode);
        // Nobody knows what stood behind the end of a file that was there before.
        let streamed = if mode == OpenMode::CreateNew { 0 } else { u64::MAX };
        let inner = match mode {
            OpenMode::CreateNew => self.shared.say(format_args!("create"), path, opened)?,
            OpenMode::Read | OpenMode::ReadWrite => opened?,
        };
        let shared = Arc::clone(&self.shared);
        Ok(TracedFile {
            inner: Arc::new(inner),
            path: path.to_path_buf(),
            shared,
            streamed: Mutex::new(streamed),
        })
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<String>> {
        self.sim.read_dir(path)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.shared.say(format_args!("remove"), path, self.sim.remove_file(path))
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.shared.say(format_args!("remove-dir"), path, self.sim.remove_dir_all(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.shared.bug == Some(Bug::ForgetStart) && self.shared.state().trimming {
            return Ok(());
        }
        let result = self.shared.say(format_args!("rename-to"), to, self.sim.rename(from, to));
        self.note_failure(to.parent(), &result);
        result
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        if self.shared.bug(Bug::SkipDirSync, 1) {
            return Ok(());
        }
        let result = self.shared.say(format_args!("sync-dir"), path, self.sim.sync_dir(path));
        self.note_failure(Some(path), &result);
        result
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.sim.exists(path)
    }
}

impl TracedDisk {
    fn note_failure(&self, dir: Option<&Path>, result: &io::Result<()>) {
        if let (Some(dir), Err(_)) = (dir, result) {
            self.shared.state().failed_syncs.insert(dir.to_path_buf());
        }
    }
}

impl TracedFile {
    fn is_segment(&self) -> bool {
        self.path.extension().is_some_and(|suffix| suffix == "log" || suffix == "next")
    }

    /// Ends the run if a file that is encrypted is written to where it may have been written to
    /// before, unless it begins anew with random bytes that no other ever had.
    fn watch(&self, bufs: &[IoSlice<'_>], at: u64) {
        let mut state = self.shared.state();
        if !state.at_rest || !self.is_segment() {
            return;
        }
        let path = self.path.display();
        if at == 0 {
            let salt = bufs.first().and_then(|buf| buf.get(SALT)).map(<[u8]>::to_vec);
            let salt = salt.unwrap_or_else(|| panic!("{path} begins without a header"));
            assert!(state.salts.insert(salt), "{path} begins with random bytes of before");
        } else {
            let streamed = *lock(&self.streamed);
            assert!(at >= streamed, "{path} is written to at {at}, and was up to {streamed}");
        }
    }
}

/// The bytes of a file as a log sees them; as they are if they cannot be read.
pub(crate) fn decrypted(keys: &EncryptionKeys, path: &Path, bytes: Vec<u8>) -> Vec<u8> {
    if keys.is_empty() {
        return bytes;
    }
    let read = || {
        let alone = SimDisk::new(0);
        alone.create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        alone.open(path, OpenMode::CreateNew)?.write_vectored_at(&[IoSlice::new(&bytes)], 0)?;
        let file = EncryptedDisk::new(alone, keys.clone()).open(path, OpenMode::Read)?;
        let mut plain = vec![0; file.len()? as usize];
        let held = file.read_at(&mut plain, 0)?;
        plain.truncate(held);
        io::Result::Ok(plain)
    };
    read().unwrap_or(bytes)
}

impl TracedFile {
    fn check_alive(&self) -> io::Result<()> {
        if self.shared.state().dead {
            return Err(io::Error::other("the process is gone"));
        }
        Ok(())
    }
}

impl DiskFile for TracedFile {
    fn read_at(&self, buf: &mut [u8], at: u64) -> io::Result<usize> {
        self.check_alive()?;
        let result = self.inner.read_at(buf, at);
        match result {
            Ok(count) => Ok(count),
            Err(_) => self.shared.say(format_args!("read"), &self.path, result),
        }
    }

    fn write_vectored_at(&self, bufs: &[IoSlice<'_>], at: u64) -> io::Result<usize> {
        self.check_alive()?;
        let len: usize = bufs.iter().map(|buf| buf.len()).sum();
        self.watch(bufs, at);
        if self.is_segment() && self.shared.bug(Bug::LoseWrite, 16) {
            return Ok(len);
        }
        let result = if self.is_segment() && self.shared.bug(Bug::FlipBit, 16) {
            let mut bytes: Vec<u8> = bufs.iter().flat_map(|buf| buf.iter().copied()).collect();
            bytes[len - 1 - len / 3] ^= 4;
            self.inner.write_vectored_at(&[IoSlice::new(&bytes)], at)
        } else {
            self.inner.write_vectored_at(bufs, at)
        };
        let written = result.as_ref().copied().unwrap_or(0);
        *lock(&self.streamed) = at + *result.as_ref().unwrap_or(&len) as u64;
        self.shared.say(format_args!("write {written}/{len} at {at}"), &self.path, result)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.check_alive()?;
        if self.is_segment() && self.shared.bug(Bug::SkipSync, 3) {
            return Ok(());
        }
        if self.is_segment() && self.shared.bug(Bug::AckEarly, 1) {
            let owed = std::mem::take(&mut self.shared.state().owed);
            owed.iter().for_each(|file| _ = file.sync_data());
            self.shared.state().owed.push(Arc::clone(&self.inner));
            return Ok(());
        }
        let result = self.shared.say(format_args!("sync"), &self.path, self.inner.sync_data());
        if result.is_err() {
            let dir = self.path.parent().unwrap_or(Path::new("/")).to_path_buf();
            self.shared.state().failed_syncs.insert(dir);
            if self.shared.bug(Bug::IgnoreFailedSync, 1) {
                return Ok(());
            }
        }
        result
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check_alive()?;
        if self.shared.bug == Some(Bug::KeepTornTail) && self.shared.state().opening {
            return Ok(());
        }
        self.shared.say(format_args!("set-len {len}"), &self.path, self.inner.set_len(len))
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn forget_cached(&self) {
        self.inner.forget_cached();
    }
}
