//! What any thread may ask and tell a consumer while another waits in it.
//!
//! Owns the methods that the blocking consumer and the queue of deliveries have in common. The
//! one invariant: none of them waits but for the server's answer to a commit.

macro_rules! control {
    ($type:ident) => {
        impl $type {
            /// Whether nothing will come any more: it was closed, its membership is over, or every
            /// partition has ended with an error that was told.
            pub fn is_closed(&self) -> bool {
                self.controlled().map_or(true, |control| control.is_closed())
            }

            /// Stores how far the batches and records reach that were returned, and waits until it
            /// is on the server's disk.
            ///
            /// # Errors
            /// Those of [`crate::Consumer::commit`].
            pub fn commit(&self) -> Result<(), Error> {
                let committing = self.controlled()?.commit();
                self.bound.runtime().wait("commit", None, committing)?
            }

            /// Stores that a batch was done, and all before it in its partition.
            ///
            /// # Errors
            /// Those of [`crate::Consumer::commit`].
            pub fn commit_batch(&self, batch: &Batch) -> Result<(), Error> {
                let committing = self.controlled()?.commit_batch(batch);
                self.bound.runtime().wait("commit", None, committing)?
            }

            /// As `commit`, but of one partition only up to `offset`; see
            /// [`crate::ConsumerControl::commit_until`].
            ///
            /// # Errors
            /// Those of [`crate::Consumer::commit`].
            pub fn commit_until<'a>(
                &self,
                partition: impl Into<PartitionRef<'a>>,
                offset: u64,
            ) -> Result<(), Error> {
                let committing = self.controlled()?.commit_until(partition, offset);
                self.bound.runtime().wait("commit", None, committing)?
            }

            /// Stores the offset of the next record to read in a partition.
            ///
            /// # Errors
            /// Those of [`crate::Consumer::commit`].
            pub fn commit_offset<'a>(
                &self,
                partition: impl Into<PartitionRef<'a>>,
                offset: u64,
            ) -> Result<(), Error> {
                let committing = self.controlled()?.commit_offset(partition, offset);
                self.bound.runtime().wait("commit", None, committing)?
            }

            /// Goes on reading a partition at another place; see [`crate::Consumer::seek`].
            ///
            /// # Errors
            /// Those of [`crate::Consumer::seek`].
            pub fn seek<'a>(
                &self,
                partition: impl Into<PartitionRef<'a>>,
                start: Start,
            ) -> Result<(), Error> {
                self.controlled()?.seek(partition, start)
            }

            /// Returns nothing of a partition until it is resumed; see [`crate::Consumer::pause`].
            ///
            /// # Errors
            /// Those of [`crate::Consumer::seek`].
            pub fn pause<'a>(
                &self,
                partition: impl Into<PartitionRef<'a>>,
            ) -> Result<(), Error> {
                self.controlled()?.pause(partition)
            }

            /// Ends a [`pause`](Self::pause).
            ///
            /// # Errors
            /// Those of [`crate::Consumer::seek`].
            pub fn resume<'a>(
                &self,
                partition: impl Into<PartitionRef<'a>>,
            ) -> Result<(), Error> {
                self.controlled()?.resume(partition)
            }

            /// Reads a further partition; see [`crate::Consumer::add_partition`].
            ///
            /// # Errors
            /// Those of [`crate::Consumer::add_partition`].
            pub fn add_partition<'a>(
                &self,
                partition: impl Into<PartitionRef<'a>>,
                start: Start,
            ) -> Result<(), Error> {
                self.controlled()?.add_partition(partition, start)
            }

            /// Stops reading a partition; see [`crate::Consumer::remove_partition`].
            ///
            /// # Errors
            /// Those of [`crate::Consumer::remove_partition`].
            pub fn remove_partition<'a>(
                &self,
                partition: impl Into<PartitionRef<'a>>,
            ) -> Result<Option<Position>, Error> {
                self.controlled()?.remove_partition(partition)
            }

            /// What it reads at the moment, in order.
            ///
            /// # Errors
            /// `FORKED`.
            pub fn assignment(&self) -> Result<Vec<TopicPartition>, Error> {
                Ok(self.controlled()?.assignment())
            }

            /// Where it stands in what it reads, in order.
            ///
            /// # Errors
            /// `FORKED`.
            pub fn positions(&self) -> Result<Vec<Position>, Error> {
                Ok(self.controlled()?.positions())
            }

            /// Records known to follow what was returned, over all partitions that it reads.
            ///
            /// # Errors
            /// `FORKED`.
            pub fn lag(&self) -> Result<u64, Error> {
                Ok(self.controlled()?.lag())
            }

            /// What it did so far, and what it holds.
            ///
            /// # Errors
            /// `FORKED`.
            pub fn stats(&self) -> Result<ConsumerStats, Error> {
                Ok(self.controlled()?.stats())
            }

            /// Number and epoch of the member; `None` outside of a group.
            ///
            /// # Errors
            /// `FORKED`.
            pub fn member(&self) -> Result<Option<(u64, u32)>, Error> {
                Ok(self.controlled()?.member())
            }
        }
    };
}
pub(crate) use control;
