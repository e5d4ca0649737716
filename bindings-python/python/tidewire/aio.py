"""The client for asyncio: the names of :class:`tidewire.Client`, to be awaited.

Outcomes come through one file descriptor that the event loop watches, so that one wake-up serves
all that has happened; no thread of the core ever takes the interpreter's lock. A client belongs to
the loop on which it was connected.
"""

from __future__ import annotations

import asyncio
import contextlib
import warnings
from typing import TYPE_CHECKING, Any, Self

from tidewire import _convert, _native
from tidewire._aio_admin import AsyncAdmin
from tidewire._records import ConsumerStats, Position, ProducerStats, TopicPartition
from tidewire.errors import ClientClosedError, DisconnectedError, WouldBlockError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Generator, Iterable, Mapping
    from types import TracebackType
    from uuid import UUID

    from tidewire._records import (
        Acks,
        AutoCommit,
        Codec,
        Data,
        Event,
        Headers,
        NewRecord,
        OnOutOfRange,
        Place,
        QueueFull,
        Server,
        Timestamp,
    )


class _Bridge:
    """A client's queue, and the loop that watches it."""

    __slots__ = ("loop", "queue", "watching")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.queue = _native.Queue(self.loop)
        self.loop.add_reader(self.queue.fileno(), self.queue.drain)
        self.watching = True

    def check(self) -> None:
        """A future of another loop would be completed by the wrong one."""
        if asyncio.get_running_loop() is not self.loop:
            raise WouldBlockError(
                "this client belongs to another event loop: connect one on each loop"
            )

    async def run(self, operation: _native.Operation) -> Any:
        """Waits for an operation; if the task is cancelled, so is the operation."""
        try:
            return await operation.future
        except asyncio.CancelledError:
            operation.cancel()
            raise

    async def settle(self) -> None:
        """Waits until every record has its outcome, which takes but a moment once a client is
        closed."""
        for _ in range(500):
            self.queue.drain()
            if not self.queue.unsettled():
                return
            await asyncio.sleep(0.002)

    def stop(self) -> None:
        if self.watching:
            self.watching = False
            self.queue.stop()
            if not self.loop.is_closed():
                self.loop.remove_reader(self.queue.fileno())


class AsyncClient(AsyncAdmin):
    """A connection to a Tidewire server, for one event loop.

    ``async with AsyncClient(url) as client`` or ``client = await AsyncClient(url)`` connects. For
    what the options mean and what happens when a connection is lost, see :class:`tidewire.Client`.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        user: str | None = None,
        secret: str | None = None,
        secret_file: str | None = None,
        tls_ca_file: str | None = None,
        tls_cert_file: str | None = None,
        tls_key_file: str | None = None,
        tls_danger: str | None = None,
        encryption_keys: str | None = None,
        encryption_key_file: str | None = None,
        client_name: str | None = None,
        connect_timeout_ms: int | None = None,
        request_timeout_ms: int | None = None,
        heartbeat_ms: int | None = None,
        retry_backoff_ms: int | None = None,
        retry_backoff_max_ms: int | None = None,
        runtime_threads: int | None = None,
        busy_poll_us: int | None = None,
    ) -> None:
        """Only keeps the options: see :meth:`connect`."""
        self._url = url
        self._options = {
            "user": user,
            "secret": secret,
            "secret_file": secret_file,
            "tls_ca_file": tls_ca_file,
            "tls_cert_file": tls_cert_file,
            "tls_key_file": tls_key_file,
            "tls_danger": tls_danger,
            "encryption_keys": encryption_keys,
            "encryption_key_file": encryption_key_file,
            "client_name": client_name,
            "connect_timeout_ms": connect_timeout_ms,
            "request_timeout_ms": request_timeout_ms,
            "heartbeat_ms": heartbeat_ms,
            "retry_backoff_ms": retry_backoff_ms,
            "retry_backoff_max_ms": retry_backoff_max_ms,
            "runtime_threads": runtime_threads,
            "busy_poll_us": busy_poll_us,
        }
        self._connected: _native.Client | None = None
        self._bridge_: _Bridge | None = None

    async def connect(self) -> Self:
        """Connects to the first server that can be reached; each is tried once.

        Raises what :class:`tidewire.Client` raises.
        """
        if self._connected is None:
            bridge = _Bridge()
            try:
                operation = _native.connect(bridge.queue, self._url, self._options)
                self._connected = await bridge.run(operation)
            except BaseException:
                bridge.stop()
                raise
            self._bridge_ = bridge
        return self

    def __await__(self) -> Generator[Any, None, Self]:
        return self.connect().__await__()

    @property
    def _bridge(self) -> _Bridge:
        if self._bridge_ is None:
            raise ClientClosedError(
                "the client is not connected: use `async with AsyncClient(url) as client`, or "
                "`await client.connect()`"
            )
        self._bridge_.check()
        return self._bridge_

    @property
    def _core(self) -> _native.Client:  # type: ignore[override]
        if self._connected is None:
            self._bridge  # noqa: B018 (says that it is not connected)
        assert self._connected is not None
        return self._connected

    @property
    def _queue(self) -> _native.Queue:  # type: ignore[override]
        return self._bridge.queue

    async def _run(self, operation: _native.Operation) -> Any:
        return await self._bridge.run(operation)

    async def producer(
        self,
        topic: str,
        *,
        name: str | None = None,
        acks: Acks | None = None,
        linger_ms: int | None = None,
        batch_bytes: int | None = None,
        batch_records: int | None = None,
        queue_bytes: int | None = None,
        max_in_flight: int | None = None,
        delivery_timeout_ms: int | None = None,
        queue_full: QueueFull | None = None,
        codec: Codec | None = None,
        encryption_key_id: int | None = None,
    ) -> AsyncProducer:
        """Opens a producer for a topic; see :meth:`tidewire.Client.producer`."""
        options = {
            "name": name,
            "acks": acks,
            "linger_ms": linger_ms,
            "batch_bytes": batch_bytes,
            "batch_records": batch_records,
            "queue_bytes": queue_bytes,
            "max_in_flight": max_in_flight,
            "delivery_timeout_ms": delivery_timeout_ms,
            "queue_full": queue_full,
            "codec": codec,
            "encryption_key_id": encryption_key_id,
        }
        bridge = self._bridge
        opened = await bridge.run(self._core.producer(bridge.queue, topic, options))
        return AsyncProducer(_native.Producer(opened), bridge)

    async def consumer(
        self,
        topic: str | Iterable[str],
        *,
        group: str | None = None,
        name: str | None = None,
        start: Place | None = None,
        partitions: Iterable[int] | None = None,
        start_at: Mapping[int, int] | None = None,
        prefetch_bytes: int | None = None,
        on_out_of_range: OnOutOfRange | None = None,
        member_name: str | None = None,
        session_timeout_ms: int | None = None,
        rebalance_timeout_ms: int | None = None,
        auto_commit: AutoCommit | None = None,
        auto_commit_interval_ms: int | None = None,
    ) -> AsyncConsumer:
        """Subscribes to a topic; see :meth:`tidewire.Client.consumer`."""
        options = {
            "group": group,
            "name": name,
            "start": _convert.place(start),
            "partitions": None if partitions is None else list(partitions),
            "start_at": None if start_at is None else dict(start_at),
            "prefetch_bytes": prefetch_bytes,
            "on_out_of_range": on_out_of_range,
            "member_name": member_name,
            "session_timeout_ms": session_timeout_ms,
            "rebalance_timeout_ms": rebalance_timeout_ms,
            "auto_commit": auto_commit,
            "auto_commit_interval_ms": auto_commit_interval_ms,
        }
        bridge = self._bridge
        topics = _convert.topics(topic)
        native = await bridge.run(self._core.consumer(bridge.queue, topics, options))
        return AsyncConsumer(native, bridge)

    def server(self) -> Server:
        """What the server said of itself when the connection was made."""
        return _convert.server(self._core.server())

    async def ping(self) -> float:
        """Asks the server for a sign of life; the seconds that it took."""
        return float(await self._run(self._core.ping(self._queue)))

    def events(self) -> AsyncEvents:
        """What happens to the client from now on. An application need not watch it."""
        return AsyncEvents(self._core.events(), self._bridge)

    async def close(self) -> None:
        """Closes the connection, for all that was made from this client too.

        Close producers first, to have their records acknowledged. Closing again does nothing.
        """
        if self._bridge_ is None or not self._bridge_.watching:
            return
        try:
            await self._run(self._core.close(self._queue))
            await self._bridge_.settle()
        finally:
            self._bridge_.stop()

    async def __aenter__(self) -> Self:
        return await self.connect()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __del__(self) -> None:
        bridge = getattr(self, "_bridge_", None)
        if bridge is not None and bridge.watching and not bridge.loop.is_closed():
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)


class AsyncProducer:
    """Sends records to a topic; see :class:`tidewire.Producer`."""

    __slots__ = ("_bridge", "_core")

    def __init__(self, native: _native.Producer, bridge: _Bridge) -> None:
        self._core = native
        self._bridge = bridge

    def enqueue(
        self,
        value: Data | None,
        *,
        key: Data | None = None,
        headers: Headers | None = None,
        timestamp: Timestamp | None = None,
        partition: int | None = None,
        id: bytes | UUID | None = None,
    ) -> _native.AsyncTicket:
        """Puts a record into the queue, without waiting; its ticket may be awaited.

        See :meth:`tidewire.Producer.enqueue`. Raises `QueueFullError` if there is no room: await
        :meth:`ready`.
        """
        return self._core.enqueue_async(
            value, key=key, headers=headers, timestamp=timestamp, partition=partition, id=id
        )

    async def send(
        self,
        value: Data | None,
        *,
        key: Data | None = None,
        headers: Headers | None = None,
        timestamp: Timestamp | None = None,
        partition: int | None = None,
        id: bytes | UUID | None = None,
    ) -> _native.Receipt:
        """Sends a record and waits for its acknowledgement; see :meth:`tidewire.Producer.send`.

        If the task is cancelled while it waits for room nothing is sent; later, the record is sent
        all the same.
        """
        self._bridge.check()
        while True:
            future = self._core.send_async(value, key, headers, timestamp, partition, id)
            if future is not None:
                return await future
            await self.ready()

    async def send_batch(
        self,
        values: Iterable[Data | NewRecord | _native.Record | None],
        *,
        keys: Iterable[Data | None] | None = None,
        timestamps: Iterable[Timestamp | None] | None = None,
        headers: Headers | None = None,
        partition: int | None = None,
    ) -> _native.Receipts:
        """Sends many records and waits for all acknowledgements; see
        :meth:`tidewire.Producer.send_batch`."""
        sending = self._core.send_many(values, keys, timestamps, headers, partition)
        return await self._finish(sending)

    async def send_arrow(
        self,
        table: object,
        *,
        value: str = "value",
        key: str | None = None,
        timestamp: str | None = None,
        headers: Headers | None = None,
        partition: int | None = None,
    ) -> _native.Receipts:
        """Sends the rows of a table and waits for all acknowledgements; see
        :meth:`tidewire.Producer.send_arrow`."""
        columns = (value, key, timestamp)
        return await self._finish(self._core.send_table(table, columns, headers, partition))

    async def _finish(self, sending: _native.Sending) -> _native.Receipts:
        self._bridge.check()
        while not sending.push():
            await self.ready()
        return _convert.receipts(await self._bridge.run(sending.outcomes(self._bridge.queue)))

    async def ready(self) -> None:
        """Waits until the queue has room for a record."""
        self._bridge.check()
        await self._bridge.run(self._core.wait_ready(None))

    async def flush(self) -> None:
        """Sends all that is enqueued and waits until it has its outcome; see
        :meth:`tidewire.Producer.flush`."""
        self._bridge.check()
        await self._bridge.run(self._core.wait_flush(None))

    async def close(self, timeout: float | None = None) -> None:
        """Takes no more records, flushes, and closes the producer on the server; see
        :meth:`tidewire.Producer.close`."""
        self._bridge.check()
        await self._bridge.run(self._core.wait_close(timeout))

    @property
    def partitions(self) -> int:
        """How many partitions the topic has."""
        return self._core.partitions

    def stats(self) -> ProducerStats:
        """What it did so far, and what waits; the server is not asked."""
        return ProducerStats(**self._core.counters())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


class AsyncConsumer:
    """Receives a topic's records; see :class:`tidewire.Consumer`.

    ``async for record in consumer`` gives records, ``async for batch in consumer.batches()``
    batches, which is faster.
    """

    __slots__ = ("_bridge", "_core", "_held")

    def __init__(self, native: _native.Consumer, bridge: _Bridge) -> None:
        self._core = native
        self._bridge = bridge
        # A batch of which records were returned one by one.
        self._held: _native.BatchIter | None = None

    async def poll(self, timeout: float | None = None) -> _native.Batch | None:
        """The next batch, waited for at most `timeout` seconds; see
        :meth:`tidewire.Consumer.poll`. If the task is cancelled, no batch is lost."""
        held, self._held = self._held, None
        if held is not None and (rest := held.rest()) is not None:
            return rest
        return await self._poll(timeout)

    async def poll_record(self, timeout: float | None = None) -> _native.Record | None:
        """The next record, waited for at most `timeout` seconds; see
        :meth:`tidewire.Consumer.poll_record`."""
        while True:
            if self._held is not None and (record := next(self._held, None)) is not None:
                return record
            self._held = None
            batch = await self._poll(timeout)
            if batch is None:
                return None
            self._held = iter(batch)

    async def _poll(self, timeout: float | None) -> _native.Batch | None:
        self._bridge.check()
        scope = asyncio.timeout(timeout)
        try:
            async with scope:
                return await self._next()
        except TimeoutError:
            if not scope.expired():
                raise
            return None

    async def _next(self) -> _native.Batch | None:
        while True:
            batch = self._core.try_next()
            if batch is not None:
                return batch
            if self._core.is_closed() or not self._bridge.watching:
                return None
            await self._core.ready()

    async def batches(self) -> AsyncIterator[_native.Batch]:
        """Batches as they come, until the consumer is closed."""
        while (batch := await self.poll()) is not None:
            yield batch

    async def __aiter__(self) -> AsyncIterator[_native.Record]:
        while True:
            held = self._held
            if held is None:
                batch = await self._poll(None)
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

    async def commit(self, batch: _native.Batch | None = None) -> None:
        """Stores what was returned; see :meth:`tidewire.Consumer.commit`."""
        await self._commit(self._core.commit(batch, None, self._held))

    async def commit_offset(self, topic: str, partition: int, offset: int) -> None:
        """Stores the offset of the next record to read in a partition."""
        await self._commit(self._core.commit(None, (topic, partition, offset), None))

    def _commit(self, operation: Any) -> Awaitable[None]:
        return self._bridge.run(operation)

    def assignment(self) -> list[TopicPartition]:
        """What this member of a group reads at the moment."""
        return [TopicPartition(*part) for part in self._core.assignment()]

    def member(self) -> tuple[int, int]:
        """Number and epoch of this member of its group."""
        return self._core.member()

    async def close(self) -> None:
        """Ends all waiting, now and for ever, and waits until the server knows: it unsubscribes,
        and a member of a group leaves it."""
        # With its client closed it is closed already, and nobody is left to be told.
        with contextlib.suppress(ClientClosedError, DisconnectedError):
            await self._bridge.run(self._core.close(None))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


class AsyncEvents:
    """What happens to a client, from ``client.events()``; iterating waits for more."""

    __slots__ = ("_bridge", "_core")

    def __init__(self, native: _native.Events, bridge: _Bridge) -> None:
        self._core = native
        self._bridge = bridge

    async def poll(self, timeout: float | None = None) -> Event | None:
        """The next event, waited for at most `timeout` seconds; `None` if there was none in time,
        or there will be none."""
        return _convert.event((await self._next(timeout))[1])

    async def _next(self, timeout: float | None) -> Any:
        try:
            return await self._bridge.run(self._core.next(self._bridge.queue, timeout))
        except (ClientClosedError, DisconnectedError):
            if self._bridge.watching:
                raise
            return False, None

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            more, raw = await self._next(None)
            event = _convert.event(raw)
            if not more or event is None:
                return
            yield event
