//! Finding a place by time.
//!
//! The time of a record is when the server appended it, the one in its batch's stamp. It never
//! goes back within a log, whatever the clock does (see [`super::append`]), so that the records
//! since a moment are those from one offset on. Each segment knows its last time and each index
//! entry its own: a look-up opens one segment and walks over at most one interval of headers.

use super::Log;
use super::fetch::LOCATE_WINDOW_BYTES;
use super::read::end_of;
use super::segment::Segment;
use super::walk::{Check, Window, walk};
use crate::disk::Disk;
use crate::error::Error;

impl<D: Disk> Log<D> {
    /// The offset of the first record that was appended at `time_us` or later, or `end` if no
    /// record before `end` was.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if damage is met on the way.
    pub fn offset_at_time(&self, time_us: i64, end: u64) -> Result<u64, Error> {
        let start = self.start_offset();
        let end = end.min(self.end_offset()).max(start);
        let after = self.segments.partition_point(|segment| segment.last_time_us < time_us);
        let Some(segment) = self.segments.get(after).filter(|segment| segment.base < end)
        else {
            return Ok(end);
        };
        let found = match &segment.live {
            Some(live) => self.at_time(segment, &*live.file, &live.index, time_us)?,
            None => {
                let sealed = self.sealed(segment)?;
                self.at_time(segment, sealed.file(), sealed.index(), time_us)?
            }
        };
        Ok(found.clamp(start, end))
    }

    fn at_time(
        &self,
        segment: &Segment<D::File>,
        file: &D::File,
        index: &super::index::Index,
        time_us: i64,
    ) -> Result<u64, Error> {
        let from = index.floor_time(time_us).unwrap_or((0, segment.base));
        let mut window = Window::new(file, segment.len, LOCATE_WINDOW_BYTES);
        let mut found = None;
        let mut last = from.1;
        let walked = walk(&mut window, from, None, Check::Headers, |header, _| {
            last = end_of(header);
            if header.append_time_us >= time_us {
                found = Some(header.base_offset);
            }
            found.is_none()
        })
        .map_err(|error| segment.extent(&self.dir).read_error(from.0, from.1, error))?;
        match (found, walked.damage) {
            (Some(offset), _) => Ok(offset),
            (None, None) => Ok(last),
            (None, Some(damage)) => {
                let extent = segment.extent(&self.dir);
                Err(extent.corrupt(walked.position, walked.offset, damage.reason))
            }
        }
    }
}
