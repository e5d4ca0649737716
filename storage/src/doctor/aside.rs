//! The folder `removed/` in a data directory: what repairs took out of logs, and from where.
//!
//! Invariant: the bytes and the line about them in `NOTES.txt` are on the disk before `keep`
//! returns.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a tool for people, on real directories"
)]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::data_dir::DataDir;
use crate::disk::{Disk, RealDisk, crypt};
use crate::error::Error;
use crate::log::Aside;

/// The folder's name.
pub const REMOVED_DIR: &str = "removed";
/// What was taken from where, a line for each file.
const NOTES_FILE: &str = "NOTES.txt";
/// Most files of one name; a repair that needs more is wrong.
const MAX_SAME_NAME: u32 = 1000;

/// Keeps bytes in `removed/`.
#[derive(Debug)]
pub struct KeptAside {
    root: PathBuf,
    stamp: String,
}

impl KeptAside {
    /// Keeps what is taken out of `data_dir`; `stamp` says when, and becomes part of file names.
    pub fn new(data_dir: &DataDir, stamp: &str) -> Self {
        Self { root: data_dir.path().to_owned(), stamp: stamp.to_owned() }
    }

    fn try_keep(&self, file: &Path, bytes: Range<u64>, why: &str) -> io::Result<()> {
        let dir = self.root.join(REMOVED_DIR);
        fs::create_dir_all(&dir)?;
        RealDisk.sync_dir(&self.root)?;
        let origin = file.strip_prefix(&self.root).unwrap_or(file);
        let flat = origin.to_string_lossy().replace('/', "-");
        let (mut kept, name) = self.create(&dir, &format!("{}-{flat}", self.stamp), &bytes)?;
        let mut from = File::open(file)?;
        let start = keep_header(file, &mut from, &mut kept, bytes.start)?;
        from.seek(SeekFrom::Start(start))?;
        let copied = io::copy(&mut from.take(bytes.end - bytes.start), &mut kept)?;
        kept.sync_all()?;
        let mut notes =
            OpenOptions::new().create(true).append(true).open(dir.join(NOTES_FILE))?;
        writeln!(
            notes,
            "{name}: {copied} bytes of {} from byte {} on; {}: {why}",
            origin.display(),
            bytes.start,
            self.stamp,
        )?;
        notes.sync_all()?;
        RealDisk.sync_dir(&dir)
    }

    /// A file that did not exist, named after what it will hold.
    fn create(&self, dir: &Path, flat: &str, bytes: &Range<u64>) -> io::Result<(File, String)> {
        for number in 0..MAX_SAME_NAME {
            let more = if number == 0 { String::new() } else { format!("-{number}") };
            let name = format!("{flat}-at-{}{more}", bytes.start);
            match OpenOptions::new().write(true).create_new(true).open(dir.join(&name)) {
                Ok(file) => return Ok((file, name)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

/// Where the bytes from `position` on are in a file. One that is encrypted stays so, and can be
/// read only where it was: its header is kept too, and nothing between that and the bytes.
fn keep_header(
    path: &Path,
    from: &mut File,
    kept: &mut File,
    position: u64,
) -> io::Result<u64> {
    let whole = from.metadata()?.len();
    let mut area = Vec::new();
    from.take(crypt::BODY_AT as u64).read_to_end(&mut area)?;
    if crypt::key_id(path, &area, whole).is_none() {
        return Ok(position);
    }
    kept.write_all(&area)?;
    kept.seek(SeekFrom::Current(i64::try_from(position).map_err(io::Error::other)?))?;
    Ok(position + area.len() as u64)
}

impl Aside for KeptAside {
    fn keep(&mut self, file: &Path, bytes: Range<u64>, why: &str) -> Result<(), Error> {
        self.try_keep(file, bytes, why)
            .map_err(|error| Error::io("keeping aside a part of", file, error))
    }
}
