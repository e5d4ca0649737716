//! What any thread may ask and tell a consumer while another waits in it.
//!
//! Owns the methods that the blocking consumer and the queue of deliveries have in common. The
//! one invariant: none of them waits.

macro_rules! control {
    ($type:ident) => {
        impl $type {
            /// Whether nothing will come any more: it was closed, or every partition has ended with an
            /// error that was told.
            pub fn is_closed(&self) -> bool {
                self.core().map_or(true, |core| core.is_over())
            }

            /// Goes on reading a partition at another place; see [`crate::Consumer::seek`].
            ///
            /// # Errors
            /// `PARTITION_NOT_FOUND` if the consumer does not read it.
            pub fn seek(&self, partition: u32, start: Start) -> Result<(), Error> {
                let core = self.core()?;
                core.known(partition, core.seek(partition, start.into()))
            }

            /// Returns nothing of a partition until it is resumed; see [`crate::Consumer::pause`].
            ///
            /// # Errors
            /// `PARTITION_NOT_FOUND` if the consumer does not read it.
            pub fn pause(&self, partition: u32) -> Result<(), Error> {
                let core = self.core()?;
                core.known(partition, core.pause(partition))
            }

            /// Ends a [`pause`](Self::pause).
            ///
            /// # Errors
            /// `PARTITION_NOT_FOUND` if the consumer does not read it.
            pub fn resume(&self, partition: u32) -> Result<(), Error> {
                let core = self.core()?;
                core.known(partition, core.resume(partition))
            }

            /// Reads a further partition; see [`crate::Consumer::add_partition`].
            ///
            /// # Errors
            /// `FORKED`.
            pub fn add_partition(&self, partition: u32, start: Start) -> Result<(), Error> {
                self.core()?.add(partition, start.into());
                Ok(())
            }

            /// Stops reading a partition; see [`crate::Consumer::remove_partition`].
            ///
            /// # Errors
            /// `FORKED`.
            pub fn remove_partition(&self, partition: u32) -> Result<Option<Position>, Error> {
                Ok(self.core()?.remove(partition))
            }

            /// Where the consumer stands, by partition.
            ///
            /// # Errors
            /// `FORKED`.
            pub fn positions(&self) -> Result<Vec<Position>, Error> {
                Ok(self.core()?.positions())
            }

            /// Records known to follow what was returned, over all partitions.
            ///
            /// # Errors
            /// `FORKED`.
            pub fn lag(&self) -> Result<u64, Error> {
                Ok(self.positions()?.iter().map(Position::lag).sum())
            }

            /// What it did so far, and what it holds.
            ///
            /// # Errors
            /// `FORKED`.
            pub fn stats(&self) -> Result<ConsumerStats, Error> {
                Ok(self.core()?.stats())
            }

            /// Ends all waiting, now and for ever, and unsubscribes. Any thread may call it while another
            /// waits.
            ///
            /// # Errors
            /// `FORKED`.
            pub fn close(&self) -> Result<(), Error> {
                let core = self.core()?;
                let _inside = self.bound.runtime().enter();
                core.abandon();
                Ok(())
            }
        }
    };
}
pub(crate) use control;
