//! Failures to come, and the count of calls.

use std::io;
use std::path::Path;

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Opening a file, listing a directory, asking for a length.
    Open,
    /// Creating, removing and renaming.
    Name,
    /// Reading bytes.
    Read,
    /// Writing bytes; part of them is written by chance.
    Write,
    /// Cutting or extending a file.
    SetLen,
    /// Syncing a file; what was not synced before is lost by chance, though it can be read.
    Sync,
    /// Syncing a directory.
    SyncDir,
}

const OPERATIONS: usize = 7;

/// Calls that will fail.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Which calls.
    pub operation: Operation,
    /// Only on paths with this ending; empty for all.
    pub path_suffix: &'static str,
    /// How many such calls go well first.
    pub after: u64,
    /// How many fail then.
    pub times: u64,
    /// With what.
    pub error: io::ErrorKind,
}

impl Fault {
    /// The next call of this kind fails.
    pub fn once(operation: Operation, error: io::ErrorKind) -> Self {
        Self { operation, path_suffix: "", after: 0, times: 1, error }
    }
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    coming: Vec<Fault>,
    counts: [u64; OPERATIONS],
    /// Calls until the power fails.
    left: Option<u64>,
    /// Calls since then.
    missed: u64,
}

impl Faults {
    pub fn inject(&mut self, fault: Fault) {
        self.coming.push(fault);
    }

    pub fn halt_after(&mut self, operations: u64) {
        self.left = Some(operations);
        self.missed = 0;
    }

    pub fn is_halted(&self) -> bool {
        self.missed > 0
    }

    /// Whether the power failed before the last call, and not with it.
    pub fn was_halted(&self) -> bool {
        self.missed > 1
    }

    pub fn count(&self, operation: Operation) -> u64 {
        self.counts[operation as usize]
    }

    pub fn clear(&mut self) {
        self.coming.clear();
        self.left = None;
        self.missed = 0;
    }

    /// Counts a call, and fails it if that is its lot.
    pub fn check(&mut self, operation: Operation, path: &Path) -> io::Result<()> {
        self.counts[operation as usize] += 1;
        match &mut self.left {
            Some(0) => {
                self.missed += 1;
                return Err(io::Error::other("the power has failed"));
            }
            Some(left) => *left -= 1,
            None => {}
        }
        let path = path.as_os_str().as_encoded_bytes();
        for fault in &mut self.coming {
            if fault.operation != operation
                || fault.times == 0
                || !path.ends_with(fault.path_suffix.as_bytes())
            {
                continue;
            }
            if fault.after > 0 {
                fault.after -= 1;
                continue;
            }
            fault.times -= 1;
            return Err(fault.error.into());
        }
        Ok(())
    }
}
