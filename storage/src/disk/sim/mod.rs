//! A disk in memory that loses what was not synced.
//!
//! Owns the names and bytes of a simulated file system, twice: as programs see them, and as they
//! would be found after a power failure. A seed decides everything that is left to chance, so
//! the same seed and the same calls give the same run. What a program should make of the
//! failures is left to it.
//!
//! ```
//! use std::path::Path;
//! use tidewire_storage::disk::sim::SimDisk;
//! use tidewire_storage::log::{Log, LogOptions};
//!
//! let disk = SimDisk::new(42);
//! let dir = Path::new("/topics/1/0");
//! let (log, _) = Log::open(disk.clone(), dir, LogOptions::default())?;
//! disk.halt_after(0);
//! assert!(Log::open(disk.clone(), dir, LogOptions::default()).is_err());
//! disk.crash();
//! let (log, recovery) = Log::open(disk, dir, LogOptions::default())?;
//! assert!(recovery.quarantined.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariant: after [`SimDisk::crash`] a file holds all that was synced to it successfully; of
//! the rest any part may be there, by sectors, and nothing that was never written.

mod fault;
mod inode;
mod names;
mod rng;

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fault::Faults;
pub use fault::{Fault, Operation};
use inode::{Inode, Survival};
use names::Names;
use rng::Rng;

use super::{Disk, DiskFile, OpenMode};

/// A simulated disk. Cloning shares it.
#[derive(Clone, Debug)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

/// An open file of a [`SimDisk`]. Dead after a crash.
#[derive(Debug)]
pub struct SimFile {
    state: Arc<Mutex<State>>,
    path: PathBuf,
    inode: usize,
    writable: bool,
    /// Number of crashes when it was opened.
    crashes: u64,
}

#[derive(Debug)]
struct State {
    rng: Rng,
    names: Names,
    /// Never shrinks: a file without a name may still be open.
    inodes: Vec<Inode>,
    faults: Faults,
    short_writes: bool,
    keep_cached: bool,
    in_order: bool,
    capacity_bytes: Option<u64>,
    crashes: u64,
}

impl State {
    fn used_bytes(&self) -> u64 {
        self.names.files().map(|inode| self.inodes[inode].bytes().len() as u64).sum()
    }
}

impl SimDisk {
    /// An empty disk; `seed` decides what is left to chance.
    pub fn new(seed: u64) -> Self {
        let state = State {
            rng: Rng::new(seed),
            names: Names::new(),
            inodes: Vec::new(),
            faults: Faults::default(),
            short_writes: false,
            keep_cached: false,
            in_order: false,
            capacity_bytes: None,
            crashes: 0,
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// From now on any write may take only part of its bytes.
    pub fn allow_short_writes(&self) {
        self.lock().short_writes = true;
    }

    /// From now on a file's unsynced changes survive in order: nothing behind what did not. Else a
    /// hole may stand before whole bytes, which a log takes for damage.
    pub fn keep_order(&self) {
        self.lock().in_order = true;
    }

    /// From now on all files together may grow to this many bytes; `None` lifts the limit.
    pub fn limit_capacity(&self, bytes: Option<u64>) {
        self.lock().capacity_bytes = bytes;
    }

    /// Bytes of all files that have a name.
    pub fn used_bytes(&self) -> u64 {
        self.lock().used_bytes()
    }

    /// The next call of [`DiskFile::forget_cached`] is not made: the process was killed before it.
    pub fn keep_cached_once(&self) {
        self.lock().keep_cached = true;
    }

    /// Adds a fault to come.
    pub fn inject(&self, fault: Fault) {
        self.lock().faults.inject(fault);
    }

    /// Lets the power fail before the operation after the next `operations`: from there on
    /// every call fails, until [`SimDisk::crash`].
    pub fn halt_after(&self, operations: u64) {
        self.lock().faults.halt_after(operations);
    }

    /// Whether the power has failed.
    pub fn is_halted(&self) -> bool {
        self.lock().faults.is_halted()
    }

    /// How often an operation was called since the disk was made.
    pub fn count(&self, operation: Operation) -> u64 {
        self.lock().faults.count(operation)
    }

    /// Lifts all faults to come and the limit of capacity.
    pub fn heal(&self) {
        let mut state = self.lock();
        state.faults.clear();
        state.capacity_bytes = None;
    }

    /// A power failure and a new start: what was not synced survives by chance, in part. The disk
    /// is healed, and open files are dead.
    pub fn crash(&self) {
        let mut state = self.lock();
        let State { rng, names, inodes, in_order, .. } = &mut *state;
        names.crash(rng);
        for inode in inodes {
            let survival = survival(inode, *in_order, rng);
            inode.crash(survival, rng);
        }
        state.crashes += 1;
        drop(state);
        self.heal();
    }

    /// The bytes of a file as programs see them.
    pub fn contents(&self, path: &Path) -> io::Result<Vec<u8>> {
        let state = self.lock();
        let inode = state.names.file(path)?;
        Ok(state.inodes[inode].bytes().to_vec())
    }

    /// The names in a directory as programs see them; asking is no call, and so never fails as one.
    pub fn names(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.lock().names.list(dir)
    }

    /// Replaces the bytes of a file, seen and synced, as a faulty disk might.
    pub fn corrupt(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let mut state = self.lock();
        let inode = state.names.file(path)?;
        state.inodes[inode].corrupt(change);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn begin(&self, operation: Operation, path: &Path) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.lock();
        state.faults.check(operation, path)?;
        Ok(state)
    }
}

fn survival(inode: &Inode, in_order: bool, rng: &mut Rng) -> Survival {
    if in_order { inode.survival_in_order(rng) } else { Survival::by_chance(rng) }
}

/// A panic elsewhere is reported there; the state itself is always whole.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Disk for SimDisk {
    type File = SimFile;

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.begin(Operation::Name, path)?.names.create_dir_all(path)
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<SimFile> {
        let operation =
            if mode == OpenMode::CreateNew { Operation::Name } else { Operation::Open };
        let mut state = self.begin(operation, path)?;
        let inode = match mode {
            OpenMode::CreateNew => {
                let inode = state.inodes.len();
                state.names.create_file(path, inode)?;
                state.inodes.push(Inode::default());
                inode
            }
            OpenMode::Read | OpenMode::ReadWrite => state.names.file(path)?,
        };
        Ok(SimFile {
            state: Arc::clone(&self.state),
            path: path.to_path_buf(),
            inode,
            writable: mode != OpenMode::Read,
            crashes: state.crashes,
        })
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<String>> {
        self.begin(Operation::Open, path)?.names.list(path)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.begin(Operation::Name, path)?.names.remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.begin(Operation::Name, path)?.names.remove_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.begin(Operation::Name, from)?.names.rename(from, to)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.begin(Operation::SyncDir, path)?.names.sync_dir(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(self.begin(Operation::Open, path)?.names.node(path).is_some())
    }
}

impl SimFile {
    fn begin(&self, operation: Operation) -> io::Result<MutexGuard<'_, State>> {
        let mut state = lock(&self.state);
        if state.crashes != self.crashes {
            return Err(io::Error::other("the file was opened before the crash"));
        }
        state.faults.check(operation, &self.path)?;
        Ok(state)
    }

    fn begin_change(&self, operation: Operation) -> io::Result<MutexGuard<'_, State>> {
        if !self.writable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.begin(operation)
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, buf: &mut [u8], at: u64) -> io::Result<usize> {
        let state = self.begin(Operation::Read)?;
        let bytes = state.inodes[self.inode].bytes();
        let from = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
        let count = buf.len().min(bytes.len() - from);
        buf[..count].copy_from_slice(&bytes[from..from + count]);
        Ok(count)
    }

    fn write_vectored_at(&self, bufs: &[IoSlice<'_>], at: u64) -> io::Result<usize> {
        let mut bytes = Vec::new();
        bufs.iter().for_each(|buf| bytes.extend_from_slice(buf));
        let begun = self.begin_change(Operation::Write);
        if let Err(error) = begun {
            // A write that fails may have been carried out in part, and so may the one in whose
            // middle the end came.
            let mut state = lock(&self.state);
            if state.crashes == self.crashes && self.writable && !state.faults.was_halted() {
                let count = state.rng.below(bytes.len() as u64 + 1) as usize;
                bytes.truncate(count);
                state.inodes[self.inode].write(at, bytes);
            }
            return Err(error);
        }
        let mut state = begun?;
        if state.short_writes && bytes.len() > 1 && state.rng.one_in(3) {
            let count = 1 + state.rng.below(bytes.len() as u64 - 1) as usize;
            bytes.truncate(count);
        }
        if let Some(capacity) = state.capacity_bytes {
            let room = state.inodes[self.inode].bytes().len() as u64
                + capacity.saturating_sub(state.used_bytes());
            let fitting = room.saturating_sub(at);
            if fitting == 0 && !bytes.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            bytes.truncate(usize::try_from(fitting).unwrap_or(usize::MAX));
        }
        let count = bytes.len();
        state.inodes[self.inode].write(at, bytes);
        Ok(count)
    }

    fn sync_data(&self) -> io::Result<()> {
        match self.begin(Operation::Sync) {
            Ok(mut state) => {
                state.inodes[self.inode].sync();
                Ok(())
            }
            Err(error) => {
                // The kernel marks the pages clean all the same: these bytes are never written.
                let mut state = lock(&self.state);
                if state.crashes == self.crashes && !state.faults.is_halted() {
                    let State { rng, inodes, in_order, .. } = &mut *state;
                    let inode = &mut inodes[self.inode];
                    let survival = survival(inode, *in_order, rng);
                    inode.fail_sync(survival, rng);
                }
                Err(error)
            }
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.begin_change(Operation::SetLen)?.inodes[self.inode].set_len(len);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.begin(Operation::Open)?.inodes[self.inode].bytes().len() as u64)
    }

    fn forget_cached(&self) {
        // An advice is not among the calls that fail, but nobody gives it once the end has come.
        let mut state = lock(&self.state);
        let kept = std::mem::take(&mut state.keep_cached);
        if state.crashes == self.crashes && !state.faults.is_halted() && !kept {
            state.inodes[self.inode].forget_cached();
        }
    }
}

#[cfg(test)]
mod tests;
