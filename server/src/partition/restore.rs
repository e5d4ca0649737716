//! What a partition has to know again when its log is opened: its producers, and the ids of its
//! topic's window.
//!
//! The newest snapshot says what held below its offset; the batches from there on say the rest.
//! Without a snapshot the whole log is read once. It may block, so it runs where the log is
//! opened.

use tidewire_protocol::batch::{self, Columns, Header};
use tidewire_protocol::idempotence::Claim;
use tidewire_storage::disk::Disk;
use tidewire_storage::log::Log;
use tidewire_storage::{Error, ErrorKind};

use super::dedup::Dedup;
use super::producers::Producers;

/// Bytes of log read at once.
const READ_BYTES: usize = 1 << 20;

/// What was restored.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(super) producers: Producers,
    /// `None` for a topic without a window.
    pub(super) dedup: Option<Dedup>,
}

impl Memory {
    /// Reads what a log says, at the time `now_us`. A window of 0 is none.
    ///
    /// # Errors
    /// The disk failed. Damage in the log is passed over: it is reported by those who read it.
    pub(crate) fn restore<D: Disk>(
        log: &mut Log<D>,
        dedup_window_ms: u64,
        now_us: i64,
    ) -> Result<Self, Error> {
        let known = log.load_snapshot()?.and_then(|(offset, bytes)| {
            Producers::decode(&bytes).map(|producers| (offset, producers))
        });
        let (known_end, producers) = known.unwrap_or_default();
        let dedup = (dedup_window_ms > 0).then(|| Dedup::new(dedup_window_ms));
        let mut memory = Self { producers, dedup };
        memory.read(log, known_end, now_us)?;
        Ok(memory)
    }

    fn read<D: Disk>(
        &mut self,
        log: &Log<D>,
        known_end: u64,
        now_us: i64,
    ) -> Result<(), Error> {
        let end = log.quarantined().map_or(log.end_offset(), |quarantine| quarantine.offset);
        let window_us = self.dedup.as_ref().map(|dedup| dedup.begins_us(now_us));
        // Where the place cannot be found for damage, the whole log is looked through.
        let window_begin = window_us.map_or(end, |begin| {
            log.offset_at_time(begin, end).unwrap_or_else(|_| log.start_offset())
        });
        let mut offset = known_end.min(window_begin).max(log.start_offset());
        while offset < end {
            let chunk = match log.read(offset, READ_BYTES, end) {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == ErrorKind::Corrupt => {
                    tracing::error!(%error, offset, "producers are restored without a damaged part");
                    match log.next_segment(offset) {
                        Some(next) => offset = next,
                        None => return Ok(()),
                    }
                    continue;
                }
                Err(error) => return Err(error),
            };
            if chunk.next_offset <= offset {
                return Ok(());
            }
            offset = chunk.next_offset;
            let mut rest = chunk.bytes;
            // The log has checked the headers.
            while let Ok(header) = Header::parse(&rest) {
                let batch = rest.split_to(header.total_len as usize);
                if header.producer_id != 0 && header.base_offset >= known_end {
                    let claim = Claim::from(&header);
                    self.producers.accept(&claim, header.base_offset, header.append_time_us);
                }
                if window_us.is_some_and(|begin| header.append_time_us >= begin)
                    && header.columns.has(Columns::IDS)
                    && let Some(dedup) = &mut self.dedup
                    && let Ok(ids) = batch::ids(&batch)
                {
                    dedup.accept(&ids, header.base_offset, header.append_time_us);
                }
            }
        }
        Ok(())
    }
}
