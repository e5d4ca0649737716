"""Producing, from threads that may wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from tidewire import _convert, _native
from tidewire._records import ProducerStats

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from uuid import UUID

    from tidewire._records import Data, Headers, NewRecord, Timestamp


class Producer(_native.Producer):
    """Sends records to a topic; made by ``client.producer("stream/topic")``.

    ``enqueue`` never waits and returns a ticket, ``send`` waits for the acknowledgement,
    ``send_batch`` and ``send_arrow`` send many at once. Any thread may call any of it. A ``with``
    block closes the producer at its end: every record has its outcome then.

    What can be tried again is tried again, on as many connections as it takes, until
    ``delivery_timeout_ms``. A record has one outcome: a receipt (it is there, once), an exception
    with ``outcome_unknown`` (it is there, once, or not), or another exception (it is certainly not
    there).
    """

    __slots__ = ()

    def send(
        self,
        value: Data | None,
        *,
        key: Data | None = None,
        headers: Headers | None = None,
        timestamp: Timestamp | None = None,
        partition: int | None = None,
        id: bytes | UUID | None = None,
        timeout: float | None = None,
    ) -> _native.Receipt:
        """Sends a record and waits for its acknowledgement, at most `timeout` seconds.

        It does not linger; what is enqueued already travels with it. If the queue is full it
        waits for room first, unless `queue_full` says otherwise. The arguments are those of
        `enqueue`.

        Raises what `enqueue` raises, what became of the record if it failed, and
        `RequestTimeoutError` when the time is over: the record may be sent all the same.
        """
        return self.send_sync(value, key, headers, timestamp, partition, id, timeout)

    def send_batch(
        self,
        values: Iterable[Data | NewRecord | _native.Record | None],
        *,
        keys: Iterable[Data | None] | None = None,
        timestamps: Iterable[Timestamp | None] | None = None,
        headers: Headers | None = None,
        partition: int | None = None,
        timeout: float | None = None,
    ) -> _native.Receipts:
        """Sends many records and waits for all acknowledgements; their receipts, in order.

        `values` are values, records that were read (with their keys, headers and times: a batch
        may be passed as it is), or `NewRecord` where each has parts of its own. `keys` and
        `timestamps`, if given, have an entry for each value; `headers` and `partition` are for all
        of them.

        Raises the first failure, with what became of each record in its `results`;
        `RequestTimeoutError` after `timeout` seconds: the records may be sent all the same. Of
        values of the wrong type those before are sent, and the exception says which it was.
        """
        sending = self.send_many(values, keys, timestamps, headers, partition)
        return _convert.receipts(sending.finish(timeout))

    def send_arrow(
        self,
        table: object,
        *,
        value: str = "value",
        key: str | None = None,
        timestamp: str | None = None,
        headers: Headers | None = None,
        partition: int | None = None,
        timeout: float | None = None,
    ) -> _native.Receipts:
        """Sends the rows of a table and waits for all acknowledgements; their receipts, in order.

        `table` is anything that speaks the Arrow PyCapsule interface: of pyarrow, polars, duckdb.
        `value`, `key` and `timestamp` name columns: of binary or string, and of timestamps. A null
        value is a tombstone. Raises as `send_batch` does, and `ValueError` for a column that is
        not there, `TypeError` for one of another type.
        """
        sending = self.send_table(table, (value, key, timestamp), headers, partition)
        return _convert.receipts(sending.finish(timeout))

    def ready(self, timeout: float | None = None) -> None:
        """Waits until the queue has room for a record, at most `timeout` seconds.

        Raises `RequestTimeoutError` when the time is over, `ClientClosedError`.
        """
        self.wait_ready(timeout)

    def flush(self, timeout: float | None = None) -> None:
        """Sends all that is enqueued and waits until it has its outcome, at most `timeout`
        seconds.

        Raises the first failure since the last flush that no ticket has told;
        `RequestTimeoutError` when the time is over: the rest goes on being sent.
        """
        self.wait_flush(timeout)

    def close(self, timeout: float | None = None) -> None:
        """Takes no more records, flushes, and closes the producer on the server.

        After `timeout` seconds what is left fails; without, it takes at most
        `delivery_timeout_ms`. Raises the first failure, with the records that were not
        acknowledged, by partition, in its `unsent`. Closing again does nothing.
        """
        self.wait_close(timeout)

    def stats(self) -> ProducerStats:
        """What it did so far, and what waits; the server is not asked."""
        return ProducerStats(**self.counters())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
