"""Consuming, from threads that may wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from tidewire import _convert
from tidewire._records import ConsumerStats, Position, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from tidewire import _native
    from tidewire._records import Place


class Consumer:
    """Receives a topic's records; made by ``client.consumer("stream/topic")``.

    Iterating gives records, :meth:`batches` gives batches, which is faster; both wait for what is
    still to come. A lost connection is not an error: the consumer goes on at the very record that
    is due. One thread at a time takes records; others may ask, move and close meanwhile.

    A consumer without a group is also an Arrow stream of what there is at the moment, up to its
    end: ``polars.DataFrame(consumer)``, ``pyarrow.table(consumer)``.
    """

    __slots__ = ("_core", "_held")

    def __init__(self, native: _native.Consumer) -> None:
        self._core = native
        # A batch of which records were returned one by one.
        self._held: _native.BatchIter | None = None

    def poll(self, timeout: float | None = None) -> _native.Batch | None:
        """The next batch, waited for at most `timeout` seconds; `None` if there was none in time,
        or there will be none (`closed`). With 0 it is what is there.

        Raises why a partition gives no more, such as `TopicNotFoundError` once the topic was
        deleted, or `OffsetOutOfRangeError`; the other partitions go on.
        """
        held, self._held = self._held, None
        if held is not None and (rest := held.rest()) is not None:
            return rest
        return self._core.poll(timeout)

    def poll_record(self, timeout: float | None = None) -> _native.Record | None:
        """The next record, waited for at most `timeout` seconds; as :meth:`poll`."""
        while True:
            if self._held is not None and (record := next(self._held, None)) is not None:
                return record
            self._held = None
            batch = self._core.poll(timeout)
            if batch is None:
                return None
            self._held = iter(batch)

    def batches(self) -> Iterator[_native.Batch]:
        """Batches as they come, until the consumer is closed."""
        while (batch := self.poll()) is not None:
            yield batch

    def __iter__(self) -> Iterator[_native.Record]:
        while True:
            held = self._held
            if held is None:
                batch = self._core.poll(None)
                if batch is None:
                    return
                held = self._held = iter(batch)
            for record in held:
                yield record
                if held is not self._held:
                    break  # It was moved, or somebody else took the rest.
            else:
                self._held = None

    @property
    def closed(self) -> bool:
        """Whether nothing will come any more."""
        return self._core.is_closed()

    def seek(self, partition: int, to: Place) -> None:
        """Goes on reading a partition at another place."""
        self._core.seek(partition, _convert.place(to))
        self._drop(partition)

    def _drop(self, partition: int) -> None:
        """What is left of a batch is not wanted any more."""
        if self._held is not None and self._held.partition == partition:
            self._held = None

    def pause(self, partition: int) -> None:
        """Returns nothing of a partition until it is resumed; others go on."""
        self._core.pause(partition)

    def resume(self, partition: int) -> None:
        """Ends a pause."""
        self._core.resume(partition)

    def add_partition(self, partition: int, start: Place) -> None:
        """Reads a further partition, from `start` on."""
        self._core.add_partition(partition, _convert.place(start))

    def remove_partition(self, partition: int) -> Position | None:
        """Stops reading a partition; where it stood, if that is known."""
        removed = self._core.remove_partition(partition)
        self._drop(partition)
        return None if removed is None else Position(*removed)

    def positions(self) -> list[Position]:
        """Where the consumer stands, by partition."""
        return [Position(*position) for position in self._core.positions()]

    def lag(self) -> int:
        """Records known to follow what was returned, over all partitions."""
        return self._core.lag()

    def stats(self) -> ConsumerStats:
        """What it did so far, and what it holds; the server is not asked."""
        return ConsumerStats(**self._core.counters())

    def commit(self, batch: _native.Batch | None = None) -> None:
        """Stores what was returned, or that `batch` and all before it was done; waits until it is
        on the server's disk. Between records it is stored up to the one that was returned last.

        Raises `NotAssignedError` if a partition was given to another member meanwhile,
        `UnknownMemberError`, `StaleGenerationError`.
        """
        self._core.commit(batch, None, self._held)

    def commit_offset(self, topic: str, partition: int, offset: int) -> None:
        """Stores the offset of the next record to read in a partition."""
        self._core.commit(None, (topic, partition, offset), None)

    def assignment(self) -> list[TopicPartition]:
        """What this member of a group reads at the moment."""
        return [TopicPartition(*part) for part in self._core.assignment()]

    def member(self) -> tuple[int, int]:
        """Number and epoch of this member of its group."""
        return self._core.member()

    def close(self, timeout: float | None = None) -> None:
        """Ends all waiting, now and for ever; a member of a group leaves it."""
        self._core.close(timeout)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any:
        return self._core.__arrow_c_stream__(requested_schema)

    def to_arrow(self) -> Any:
        """What there is at the moment, up to its end, as a pyarrow ``Table``."""
        return self._core.to_arrow()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
