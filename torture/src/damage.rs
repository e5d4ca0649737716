//! Damage to a killed server's files: as a loss of power may leave them, which must cost nothing
//! that was safe, or as a failing disk may, which must be noticed.

use std::fs;
use std::path::{Path, PathBuf};

use tidewire_protocol::batch::{EncryptionKeys, HEADER_LEN, Header};
use tidewire_storage::disk::{Disk, DiskFile, EncryptedDisk, OpenMode, RealDisk};

use crate::rng::Rng;

/// What was done to a file, and how to undo it.
pub struct Damage {
    pub partition: u32,
    /// The first record that is concerned.
    pub offset: u64,
    pub what: String,
    file: PathBuf,
    before: Vec<u8>,
}

impl Damage {
    /// Puts the file back as it was.
    pub fn undo(&self) -> Result<(), String> {
        fs::write(&self.file, &self.before).map_err(|error| error.to_string())
    }
}

/// A batch in a file: first offset, the offset after it, position, length.
#[derive(Clone, Copy)]
struct Place {
    base: u64,
    next: u64,
    at: usize,
    len: usize,
}

fn batches(bytes: &[u8]) -> Vec<Place> {
    let mut places = Vec::new();
    let mut at = 0;
    while let Some(Ok(header)) = bytes.get(at..at + HEADER_LEN).map(Header::parse) {
        let (len, next) = (header.total_len as usize, header.next_offset().unwrap_or(u64::MAX));
        if at + len > bytes.len() {
            break;
        }
        places.push(Place { base: header.base_offset, next, at, len });
        at += len;
    }
    places
}

/// A segment: its bytes as they lie on the disk, and the batches in it.
struct Segment {
    file: PathBuf,
    bytes: Vec<u8>,
    places: Vec<Place>,
}

/// The segments of a partition, in order, as whoever has the keys sees them.
pub struct Segments {
    partition: u32,
    files: Vec<PathBuf>,
    disk: EncryptedDisk<RealDisk>,
}

impl Segments {
    pub fn new(data: &Path, topic: u64, partition: u32, keys: EncryptionKeys) -> Self {
        let dir = data.join(format!("topics/{topic}/{partition}"));
        let mut files: Vec<PathBuf> = fs::read_dir(dir)
            .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
            .unwrap_or_default();
        files.retain(|path| path.extension().is_some_and(|end| end == "log" || end == "next"));
        files.sort();
        Self { partition, files, disk: EncryptedDisk::new(RealDisk, keys) }
    }

    /// What stands in a segment, and how many bytes before that tell its key.
    fn plain(&self, file: &Path) -> Option<(Vec<u8>, usize)> {
        let opened = self.disk.open(file, OpenMode::Read).ok()?;
        let len = opened.len().ok()?;
        let mut plain = Vec::new();
        loop {
            let at = plain.len() as u64;
            if opened.read_append(&mut plain, 1 << 20, at).ok()? == 0 {
                break;
            }
        }
        let before = fs::metadata(file).ok()?.len().checked_sub(len)?;
        Some((plain, before as usize))
    }

    fn segment(&self, file: &Path) -> Option<Segment> {
        let (plain, before) = self.plain(file)?;
        let mut places = batches(&plain);
        places.iter_mut().for_each(|place| place.at += before);
        Some(Segment { file: file.to_owned(), bytes: fs::read(file).ok()?, places })
    }

    /// How many of them are encrypted.
    pub fn sealed(&self) -> u64 {
        let files = self.files.iter().filter_map(|file| self.plain(file));
        files.filter(|(plain, before)| *before > 0 && !plain.is_empty()).count() as u64
    }

    /// Cuts or flips bytes at the end of a partition, where nothing before `safe_end` is touched.
    /// `None` if there is nothing that could be.
    pub fn lose_power(&self, safe_end: u64, rng: &mut Rng) -> Option<Damage> {
        let Segment { file, bytes: before, places } = self.segment(self.files.last()?)?;
        let unsafe_ones: Vec<&Place> =
            places.iter().filter(|place| place.base >= safe_end).collect();
        let (first, last) = (unsafe_ones.first()?, unsafe_ones.last()?);
        let mut bytes = before.clone();
        let what;
        let offset;
        if rng.one_in(3) {
            // A batch that was written in part: of the last one, or the next would be taken for
            // something that was synced after it.
            let at = last.at + rng.below(last.len as u64) as usize;
            bytes[at] ^= 1 << rng.below(8);
            offset = last.base;
            what = format!("flipped a bit of byte {at} of {}", file.display());
        } else {
            let at = first.at + rng.below((before.len() - first.at) as u64) as usize;
            bytes.truncate(at);
            if rng.one_in(3) {
                // A file may have grown before its bytes arrived.
                bytes.resize(at + rng.below(5000) as usize, 0);
            }
            offset = places.iter().find(|p| p.at + p.len > at).map_or(0, |p| p.base);
            what = format!("cut {} at byte {at} of {}", file.display(), before.len());
        }
        fs::write(&file, bytes).ok()?;
        Some(Damage { partition: self.partition, offset, what, file, before })
    }

    /// Flips a bit of a record that was acknowledged as synced.
    pub fn rot(&self, safe_end: u64, rng: &mut Rng) -> Option<Damage> {
        let file = self.files.get(rng.below(self.files.len() as u64) as usize)?;
        let Segment { file, bytes: before, places } = self.segment(file)?;
        let safe: Vec<&Place> = places.iter().filter(|place| place.next <= safe_end).collect();
        // The very last batch of a killed server's log may be taken for a torn one, if it is the
        // last thing there is: what was synced in it cannot be told from what was not.
        let candidates =
            &safe[..safe.len().saturating_sub(usize::from(Some(&file) == self.files.last()))];
        let place = candidates.get(rng.below(candidates.len() as u64) as usize)?;
        let at = place.at + rng.below(place.len as u64) as usize;
        let mut bytes = before.clone();
        bytes[at] ^= 1 << rng.below(8);
        fs::write(&file, bytes).ok()?;
        let what = format!("flipped a bit of byte {at} of {}", file.display());
        Some(Damage { partition: self.partition, offset: place.base, what, file, before })
    }
}
