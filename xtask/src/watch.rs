//! Ends a step of the tests that takes too long, with all that it started, so that what hangs is
//! named where the others are summed up.
//!
//! Invariant: only processes that descend from the step are ended.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Watches a process until it is told that it has ended.
pub(crate) struct Watch {
    ended: mpsc::Sender<()>,
    thread: JoinHandle<bool>,
}

impl Watch {
    /// Ends the process `id`, which this one started and has not waited for, after `limit`.
    pub(crate) fn over(id: u32, limit: Duration) -> Self {
        let (ended, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let late = told.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
            if late {
                end(&with_descendants(id));
            }
            late
        });
        Self { ended, thread }
    }

    /// The process has ended; whether it was ended from here.
    pub(crate) fn stop(self) -> bool {
        let _ = self.ended.send(());
        self.thread.join().unwrap_or(false)
    }
}

fn end(ids: &[u32]) {
    let mut command = Command::new("kill");
    command.arg("-KILL").args(ids.iter().map(u32::to_string));
    // Those that are gone already are named on stderr.
    let _ = command.status();
}

/// A process and all that descend from it.
fn with_descendants(id: u32) -> Vec<u32> {
    let parents = parents();
    let mut found = vec![id];
    let mut at = 0;
    while let Some(&parent) = found.get(at) {
        found.extend(parents.iter().filter(|(_, of)| **of == parent).map(|(child, _)| *child));
        at += 1;
    }
    found
}

/// The parent of every process, as `/proc` tells it.
fn parents() -> BTreeMap<u32, u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return BTreeMap::new() };
    let parent = |entry: std::fs::DirEntry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name before may hold anything, parentheses too.
        let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        Some((id, parent))
    };
    entries.filter_map(|entry| parent(entry.ok()?)).collect()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    use super::*;

    #[test]
    fn what_a_late_process_started_ends_with_it() {
        let mut shell = Command::new("sh");
        // Its own child's id, so that the test knows whom to look for.
        shell.args(["-c", "sleep 1000 & echo $!; wait"]).stdout(Stdio::piped());
        let mut child = shell.spawn().expect("a shell");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let sleeper: u32 = lines.next().expect("a line").expect("read").parse().expect("an id");
        assert_eq!(with_descendants(child.id()), [child.id(), sleeper]);

        let watch = Watch::over(child.id(), Duration::from_millis(1));
        // The pipe is the sleeper's, too: it closes once both are gone.
        assert!(lines.next().is_none());
        assert!(!child.wait().expect("it ended").success());
        assert!(watch.stop());
    }

    #[test]
    fn who_ends_in_time_is_left_alone() {
        let mut child = Command::new("true").spawn().expect("true");
        let watch = Watch::over(child.id(), Duration::from_secs(600));
        assert!(child.wait().expect("it ended").success());
        assert!(!watch.stop());
    }
}
