//! Ownership of a data directory: one server at a time, of a format it knows.
//!
//! Owns the `LOCK` and `FORMAT` files and where everything else lies:
//!
//! ```text
//! LOCK            flock'ed while a server runs; holds its pid, for people
//! FORMAT          "tidewire 1\n"
//! AT_REST         which key new files were last encrypted with, if there was one
//! catalog.redb    streams, topics, users
//! root.url        how the user root logs in; written by the first start
//! self-signed.pem a certificate of the server's own making, and self-signed.key
//! catalog.lock    flock'ed while the catalog is written to, or copied
//! groups.redb     groups and stored offsets; groups.lock is what catalog.lock is to the catalog
//! topics/<id>/<partition>/    one log each: `<offset>.log`, `.next`, `.index`, `.state`, `start`
//! removed/        what a repair took out of a log
//! ```
//! `docs/data-directory.md` describes every file.
//!
//! Invariant: nothing in a directory is written before it was found to be a data directory of
//! this format, or empty, and only while the lock is held.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the lock and the format are looked at before there is anything to simulate"
)]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use tidewire_protocol::batch::EncryptionKeys;

use crate::at_rest;
use crate::disk::{Disk, RealDisk, ServerDisk, create_dir_durable};
use crate::error::{Error, ErrorKind};

/// The format that this version reads and writes.
const FORMAT: u32 = 1;
const FORMAT_FILE: &str = "FORMAT";
const FORMAT_WORD: &str = "tidewire";
/// Written first, then renamed to `FORMAT_FILE`.
const FORMAT_DRAFT: &str = "FORMAT.new";
const LOCK_FILE: &str = "LOCK";
/// Every mounted ext file system has one; a data directory may be a mount point.
const LOST_AND_FOUND: &str = "lost+found";
/// Bytes of `FORMAT` and `LOCK` that are looked at.
const MAX_SMALL_FILE_BYTES: u64 = 256;

/// A data directory that this process owns until the value is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    keys: EncryptionKeys,
    /// Closing the file releases the lock.
    _lock: File,
}

impl DataDir {
    /// Takes hold of the data directory at `path`, and creates it if there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] if another process has it; [`ErrorKind::Format`] if it belongs to
    /// another version or is not a data directory; [`ErrorKind::Io`] if it cannot be written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        create_dir(path)?;
        let known = check_format(path)?;
        let lock = lock(path)?;
        // Between the look and the lock another server may have come and gone.
        if !known && !check_format(path)? {
            write_format(path).map_err(|error| not_writable(path, error))?;
        }
        Ok(Self { path: path.to_path_buf(), keys: EncryptionKeys::default(), _lock: lock })
    }

    /// Takes hold of a data directory that exists; nothing but the lock is written.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] if another process has it; [`ErrorKind::Format`] if it belongs to
    /// another version or is not a data directory; [`ErrorKind::Io`] if it cannot be read.
    pub fn open_existing(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        expect_format(path)?;
        let keys = EncryptionKeys::default();
        Ok(Self { path: path.to_path_buf(), keys, _lock: lock(path)? })
    }

    /// With the keys that its logs are encrypted with: the last for new files, the others to read
    /// older ones. Nothing is written.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the key is not among them that new files had last: nothing is to
    /// be written as it is where somebody once wanted it encrypted.
    pub fn with_keys(self, keys: EncryptionKeys) -> Result<Self, Error> {
        at_rest::expect_key(&self.path, &keys)?;
        Ok(Self { keys, ..self })
    }

    /// Takes down which key new files have from now on, before there is one.
    ///
    /// # Errors
    /// [`ErrorKind::Full`] or [`ErrorKind::Io`] if the disk refuses.
    pub fn note_key(&self) -> Result<(), Error> {
        at_rest::note_key(&self.path, &self.keys)
    }

    /// The disk that its logs lie on.
    pub fn disk(&self) -> ServerDisk {
        ServerDisk::new(RealDisk, self.keys.clone())
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the directories of all topics lie.
    pub fn topics_dir(&self) -> PathBuf {
        self.topic_dirs().path
    }

    /// Where a topic's partitions lie.
    pub fn topic_dir(&self, topic_id: u64) -> PathBuf {
        self.topic_dirs().topic(topic_id)
    }

    /// Where the log of one partition lies.
    pub fn partition_dir(&self, topic_id: u64, partition: u32) -> PathBuf {
        self.topic_dirs().partition(topic_id, partition)
    }

    /// The places of all of them.
    pub fn topic_dirs(&self) -> TopicDirs {
        TopicDirs::under(&self.path)
    }
}

/// Where the logs of topics lie, on whatever disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicDirs {
    path: PathBuf,
}

impl TopicDirs {
    /// Those of the data directory `path`.
    pub fn under(path: &Path) -> Self {
        Self { path: path.join("topics") }
    }

    /// Where the directories of all topics lie.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a topic's partitions lie.
    pub fn topic(&self, topic_id: u64) -> PathBuf {
        self.path.join(topic_id.to_string())
    }

    /// Where the log of one partition lies.
    pub fn partition(&self, topic_id: u64, partition: u32) -> PathBuf {
        self.topic(topic_id).join(partition.to_string())
    }
}

fn not_writable(path: &Path, error: io::Error) -> Error {
    Error::io("writing to the data directory", path, error)
}

fn create_dir(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    create_dir_durable(&RealDisk, path)
        .map_err(|error| Error::io("creating the data directory", path, error))
}

/// Checks that `path` is a data directory of this format.
///
/// # Errors
/// [`ErrorKind::Format`] if it belongs to another version or is not a data directory;
/// [`ErrorKind::Io`] if it cannot be read.
pub fn expect_format(path: &Path) -> Result<(), Error> {
    // The listing says whether it is there at all.
    if !fs::exists(path.join(FORMAT_FILE)).map_err(|error| Error::io("reading", path, error))? {
        fs::read_dir(path).map_err(|error| Error::io("reading", path, error))?;
        return Err(not_ours(path, &format!("it has no {FORMAT_FILE} file")));
    }
    check_format(path).map(drop)
}

/// Whether the directory has this format; false if it is empty.
fn check_format(path: &Path) -> Result<bool, Error> {
    let file = path.join(FORMAT_FILE);
    let text = match read_small(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return check_empty(path).map(|()| false);
        }
        Err(error) => return Err(Error::io("reading", &file, error)),
    };
    let mut words = text.split_whitespace();
    let version = (words.next() == Some(FORMAT_WORD)).then(|| words.next()).flatten();
    match version {
        Some(version) if version == FORMAT.to_string() => Ok(true),
        Some(version) => Err(Error::new(
            ErrorKind::Format,
            format!(
                "{} has data format {version}, this version of Tidewire knows only format {FORMAT}",
                path.display()
            ),
        )),
        None => Err(not_ours(path, "its FORMAT file is not one of Tidewire's")),
    }
}

fn check_empty(path: &Path) -> Result<(), Error> {
    let names = RealDisk
        .read_dir(path)
        .map_err(|error| Error::io("listing the data directory", path, error))?;
    let ours = [LOCK_FILE, FORMAT_DRAFT, LOST_AND_FOUND];
    match names.iter().find(|name| !ours.contains(&name.as_str())) {
        Some(name) => Err(not_ours(path, &format!("it holds {name} and no FORMAT file"))),
        None => Ok(()),
    }
}

fn not_ours(path: &Path, why: &str) -> Error {
    let path = path.display();
    Error::new(ErrorKind::Format, format!("{path} is not a Tidewire data directory: {why}"))
}

/// Says that the directory has this format, durably.
pub(crate) fn write_format(path: &Path) -> io::Result<()> {
    write_small(path, FORMAT_FILE, FORMAT_DRAFT, &format!("{FORMAT_WORD} {FORMAT}\n"))
}

/// Replaces a small file as a whole, durably.
pub(crate) fn write_small(path: &Path, name: &str, draft: &str, text: &str) -> io::Result<()> {
    let draft = path.join(draft);
    let mut file = File::create(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path.join(name))?;
    RealDisk.sync_dir(path)
}

/// Takes the lock and leaves this process's pid in it.
fn lock(path: &Path) -> Result<File, Error> {
    let file = path.join(LOCK_FILE);
    let mut lock = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&file)
        .map_err(|error| not_writable(path, error))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let holder = match read_small(&file) {
                Ok(pid) if !pid.trim().is_empty() => format!(" (pid {})", pid.trim()),
                Ok(_) | Err(_) => String::new(),
            };
            let path = path.display();
            return Err(Error::new(
                ErrorKind::Locked,
                format!("data directory {path} is in use by another Tidewire server{holder}"),
            ));
        }
        Err(TryLockError::Error(error)) => return Err(Error::io("locking", &file, error)),
    }
    lock.set_len(0)
        .and_then(|()| lock.rewind())
        .and_then(|()| writeln!(lock, "{}", std::process::id()))
        .map_err(|error| not_writable(path, error))?;
    Ok(lock)
}

pub(crate) fn read_small(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_SMALL_FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::process::{Command, Stdio};

    fn kind(result: Result<DataDir, Error>) -> (ErrorKind, String) {
        let error = result.map(|_| ()).expect_err("this must be refused");
        (error.kind(), error.to_string())
    }

    #[test]
    fn a_new_directory_is_created_and_opened_again() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a/b");
        for _ in 0..2 {
            let dir = DataDir::open(&path).unwrap();
            assert_eq!(dir.partition_dir(7, 3), path.join("topics/7/3"));
        }
        assert_eq!(fs::read_to_string(path.join(FORMAT_FILE)).unwrap(), "tidewire 1\n");
    }

    #[test]
    fn a_second_opener_is_told_who_holds_the_directory() {
        let temp = tempfile::tempdir().unwrap();
        let held = DataDir::open(temp.path()).unwrap();
        let (kind_, text) = kind(DataDir::open(temp.path()));
        assert_eq!(kind_, ErrorKind::Locked);
        assert_eq!(
            text,
            format!(
                "data directory {} is in use by another Tidewire server (pid {})",
                temp.path().display(),
                std::process::id()
            )
        );
        drop(held);
        DataDir::open(temp.path()).unwrap();
    }

    /// Not a test of its own: the other process of the test below, which sets the variable.
    #[test]
    fn hold_the_directory_until_killed() {
        if let Ok(path) = std::env::var("TIDEWIRE_TEST_HOLD_DIR") {
            let _held = DataDir::open(path).unwrap();
            println!("held");
            std::thread::sleep(std::time::Duration::from_secs(60));
        }
    }

    #[test]
    fn a_killed_process_lets_go_of_the_directory() {
        let temp = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "data_dir::tests::hold_the_directory_until_killed",
                "--nocapture",
            ])
            .env("TIDEWIRE_TEST_HOLD_DIR", temp.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = Vec::new();
        let mut stdout = child.stdout.take().unwrap();
        let mut byte = [0];
        while !said.ends_with(b"held") && stdout.read(&mut byte).unwrap() == 1 {
            said.push(byte[0]);
        }
        let (kind_, text) = kind(DataDir::open(temp.path()));
        assert_eq!(kind_, ErrorKind::Locked);
        assert!(text.ends_with(&format!("(pid {})", child.id())), "{text}");
        child.kill().unwrap();
        child.wait().unwrap();
        DataDir::open(temp.path()).unwrap();
    }

    #[test]
    fn another_format_is_refused_by_name_and_left_alone() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join(FORMAT_FILE), "tidewire 2\n").unwrap();
        let (kind_, text) = kind(DataDir::open(temp.path()));
        assert_eq!(kind_, ErrorKind::Format);
        assert!(text.contains("format 2") && text.contains("format 1"), "{text}");
        assert!(!temp.path().join(LOCK_FILE).exists());
    }

    #[test]
    fn a_directory_of_something_else_is_refused_and_left_alone() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("thesis.txt"), "years of work").unwrap();
        let (kind_, text) = kind(DataDir::open(temp.path()));
        assert_eq!(kind_, ErrorKind::Format);
        assert!(text.contains("is not a Tidewire data directory"), "{text}");
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_start_that_was_cut_short_is_taken_up_again() {
        let temp = tempfile::tempdir().unwrap();
        for name in [LOCK_FILE, FORMAT_DRAFT] {
            fs::write(temp.path().join(name), "").unwrap();
        }
        fs::create_dir(temp.path().join(LOST_AND_FOUND)).unwrap();
        DataDir::open(temp.path()).unwrap();
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("file");
        fs::write(&file, "").unwrap();
        let (kind_, text) = kind(DataDir::open(file.join("data")));
        assert_eq!(kind_, ErrorKind::Io);
        assert!(text.contains(&format!("{}", file.join("data").display())), "{text}");

        let path = temp.path().join("locked");
        fs::create_dir(&path).unwrap();
        for (path, mode) in [(temp.path(), 0o755), (path.as_path(), 0o555)] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        // Root may write anywhere, so the attempt is made as nobody, on a thread of its own.
        let attempt = std::thread::spawn(move || {
            if rustix::process::geteuid().is_root() {
                let nobody = rustix::process::Uid::from_raw(65534);
                rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
            }
            kind(DataDir::open(path))
        });
        let (kind_, text) = attempt.join().unwrap();
        assert_eq!(kind_, ErrorKind::Io);
        assert!(text.contains("writing to the data directory"), "{text}");
    }
}
