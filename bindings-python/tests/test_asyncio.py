"""The same on an event loop: tasks, cancelling, many loops, closing."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import inspect
import threading
import time
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVarTuple

import pytest
import uvloop

import tidewire
from tidewire import AsyncClient, AsyncConsumer, AsyncProducer, Client, Consumer, Producer

Args = TypeVarTuple("Args")

LOOPS: list[Callable[[], asyncio.AbstractEventLoop]] = [asyncio.new_event_loop, uvloop.new_event_loop]


def run(
    main: Coroutine[Any, Any, None],
    loop: Callable[[], Any] = asyncio.new_event_loop,
    debug: bool = True,
) -> None:
    with asyncio.Runner(loop_factory=loop, debug=debug) as runner:
        runner.run(asyncio.wait_for(main, 60))


@pytest.mark.parametrize("loop", LOOPS)
def test_what_is_sent_is_read(url: str, topic: str, loop: Callable[[], Any]) -> None:
    async def main() -> None:
        async with AsyncClient(url) as client:
            async with await client.producer(topic) as producer:
                assert (await producer.send(b"0")).offset == 0
                assert (await producer.enqueue("1", key="k")).offset == 1
                many = await asyncio.gather(*(producer.send(f"{i}") for i in range(2, 500)))
                assert sorted(receipt.offset for receipt in many) == list(range(2, 500))
                batch = await producer.send_batch(["x"] * 500)
                assert [receipt.offset for receipt in batch] == list(range(500, 1000))
                assert producer.stats().acknowledged_records == 1000
            async with await client.consumer(topic, start="earliest") as consumer:
                seen = []
                async for record in consumer:
                    seen.append(record.value)
                    if len(seen) == 1000:
                        break
                assert seen[:2] == [b"0", b"1"] and set(seen[500:]) == {b"x"}
                assert consumer.lag() == 0
                assert await consumer.poll(0.01) is None

    run(main(), loop)


def test_calls_are_coroutines(url: str, topic: str) -> None:
    async def main() -> None:
        async with AsyncClient(url) as client, asyncio.TaskGroup() as group:
            producer = await client.producer(topic)
            assert inspect.iscoroutinefunction(producer.send)
            task = group.create_task(producer.send(b"v"))
            ping = group.create_task(client.ping())
            assert (await asyncio.wait_for(task, 30)).offset == 0
            assert 0 < await ping < 30

    run(main())


def test_a_wait_that_is_cancelled_loses_nothing(url: str, topic: str) -> None:
    async def main() -> None:
        async with AsyncClient(url) as client:
            consumer = await client.consumer(topic)
            for _ in range(20):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(consumer.poll(), 0.001)
            task = asyncio.create_task(consumer.poll())
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            producer = await client.producer(topic)
            await producer.send_batch([b"a", b"b"])
            seen: list[bytes | None] = []
            while len(seen) < 2:
                batch = await consumer.poll(30)
                assert batch is not None
                seen += batch.values()
            assert seen == [b"a", b"b"]

    run(main())


def test_an_operation_that_is_cancelled_leaves_nothing_behind(url: str, topic: str) -> None:
    async def main() -> None:
        client = await AsyncClient(url)
        tasks = [asyncio.create_task(client.describe_topic(topic)) for _ in range(50)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results[::2])
        assert all(isinstance(result, tidewire.Topic) for result in results[1::2])
        while client._queue.pending():
            await asyncio.sleep(0.001)
        await client.close()

    run(main())


def test_a_full_queue_is_waited_for(url: str, topic: str) -> None:
    async def main() -> None:
        async with AsyncClient(url) as client:
            producer = await client.producer(topic, queue_bytes=65_536)
            large = b"x" * 30_000
            receipts = await asyncio.gather(*(producer.send(large) for _ in range(50)))
            assert len({receipt.offset for receipt in receipts}) == 50
            with pytest.raises(tidewire.QueueFullError):
                for _ in range(1000):
                    producer.enqueue(large)
            await asyncio.wait_for(producer.ready(), 30)
            await producer.flush()
            await producer.send_batch([large] * 20)

    run(main())


def test_failures_are_raised_where_they_are_awaited(url: str, topic: str) -> None:
    async def main() -> None:
        async with AsyncClient(url) as client:
            with pytest.raises(tidewire.TopicNotFoundError):
                await client.producer("nowhere")
            with pytest.raises(tidewire.TopicExistsError):
                await client.create_topic(topic)
            producer = await client.producer(topic)
            with pytest.raises(TypeError, match="value must be"):
                await producer.send(5)  # type: ignore[arg-type]
            with pytest.raises(tidewire.RecordTooLargeError):
                await producer.send(b"x" * (9 << 20))
            with pytest.raises(tidewire.PartitionNotFoundError):
                await producer.send(b"v", partition=3)
        with pytest.raises(tidewire.InvalidOptionError):
            await AsyncClient(f"{url}/?nope=1").connect()
        with pytest.raises(ConnectionError):
            await AsyncClient("tidewire://127.0.0.1:1").connect()

    run(main())


def test_closing_tells_everyone_who_waits(url: str, topic: str) -> None:
    async def main() -> None:
        client = await AsyncClient(url)
        consumer = await client.consumer(topic)
        producer = await client.producer(topic, linger_ms=60_000)
        waiting = asyncio.create_task(consumer.poll())
        watching = asyncio.create_task(client.events().poll())
        ticket = producer.enqueue(b"v")
        await asyncio.sleep(0.01)
        await client.close()
        await client.close()
        assert await waiting is None
        assert await watching is None
        with pytest.raises(tidewire.TidewireError):
            await ticket
        with pytest.raises(tidewire.ClientClosedError):
            await producer.send(b"w")
        with pytest.raises(tidewire.ClientClosedError):
            await client.list_topics()

    run(main())


class Noting(asyncio.SelectorEventLoop):
    """Counts how often the queue asks to linger."""

    lingers = 0

    def call_soon(
        self, callback: Callable[[*Args], object], *args: *Args, context: Context | None = None
    ) -> asyncio.Handle:
        self.lingers += getattr(callback, "__name__", "") == "linger"
        return super().call_soon(callback, *args, context=context)


def test_a_loop_that_came_late_lingers_while_outcomes_are_due(url: str, topic: str) -> None:
    loop = Noting()

    async def came_late(producer: AsyncProducer) -> None:
        known = producer.stats().acknowledged_records
        ticket = asyncio.ensure_future(producer.enqueue(b"v"))
        await asyncio.sleep(0)
        # The outcome comes meanwhile, as where another thread has the interpreter's lock.
        until = time.monotonic() + 30
        while producer.stats().acknowledged_records == known and time.monotonic() < until:
            time.sleep(0.001)
        time.sleep(0.01)
        await ticket

    async def main() -> None:
        async with AsyncClient(url) as client:
            quick = await client.producer(topic, linger_ms=0)
            slow = await client.producer(topic, linger_ms=60_000)
            await came_late(quick)
            assert loop.lingers == 0, "nothing was due"
            due = asyncio.ensure_future(slow.enqueue(b"w"))
            await came_late(quick)
            assert loop.lingers == 1, "once for each time that something came"
            # What comes while it lingers is completed.
            await asyncio.gather(*(quick.send(b"x") for _ in range(200)))
            assert loop.lingers > 1
            await slow.flush()
            await due

    run(main(), lambda: loop)


def test_a_client_is_for_one_loop(url: str) -> None:
    clients: list[AsyncClient] = []

    async def connect() -> None:
        clients.append(await AsyncClient(url))

    async def use() -> None:
        with pytest.raises(tidewire.WouldBlockError, match="another event loop"):
            await clients[0].ping()

    with asyncio.Runner() as first:
        first.run(connect())
        run(use())
        first.run(clients[0].close())


def test_a_client_that_is_not_connected_says_how(url: str) -> None:
    async def main() -> None:
        client = AsyncClient(url)
        with pytest.raises(tidewire.ClientClosedError, match="async with"):
            await client.ping()
        await client.close()

    run(main())


def test_many_loops_in_many_threads(url: str, topic: str) -> None:
    failures: list[BaseException] = []

    async def work(number: int) -> None:
        async with AsyncClient(url) as client:
            producer = await client.producer(topic)
            await asyncio.gather(*(producer.send(f"{number}-{i}") for i in range(100)))
            await producer.close()

    def thread(number: int) -> None:
        try:
            run(work(number), LOOPS[number % 2])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=thread, args=(number,)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failures == []
    with Client(url) as client:
        assert client.partitions(topic)[0].end_offset == 600


def test_a_client_that_is_forgotten_warns(url: str) -> None:
    async def main() -> None:
        client = await AsyncClient(url)
        with pytest.warns(ResourceWarning, match="unclosed"):
            del client
            gc.collect()

    with asyncio.Runner() as runner:
        runner.run(main())


def test_events_tell_of_a_lost_connection(own_server: Any, topic: str) -> None:
    async def main() -> None:
        async with AsyncClient(own_server.url, retry_backoff_ms=10) as client:
            events = client.events()
            assert await events.poll(0.01) is None
            own_server.kill()
            kinds = []
            async for event in events:
                kinds.append(event.type)
                if event.type == "disconnected":
                    assert isinstance(event.error, tidewire.TidewireError)
                    own_server.start()
                if event.type == "connected":
                    break
            assert kinds[0] == "disconnected" and "reconnecting" in kinds
            assert await client.list_streams() != []

    run(main())


def test_outcomes_come_while_python_is_locked(url: str, topic: str) -> None:
    # A call by PyDLL keeps the interpreter's lock.
    sleep = ctypes.PyDLL(None).usleep
    with Client(url) as client, client.producer(topic, linger_ms=0) as producer:
        ticket = producer.enqueue(b"v")
        deadline = time.monotonic() + 30
        while not ticket.done() and time.monotonic() < deadline:
            sleep(20_000)
        assert ticket.done()


def test_a_thread_that_spins_does_not_stop_the_loop(url: str, topic: str) -> None:
    done = threading.Event()

    def spin() -> None:
        while not done.is_set():
            sum(range(1000))

    async def main() -> None:
        async with AsyncClient(url) as client:
            producer = await client.producer(topic)
            thread = threading.Thread(target=spin)
            thread.start()
            try:
                await asyncio.gather(*(producer.send(b"v") for _ in range(1000)))
            finally:
                done.set()
                thread.join()

    # Debugging looks at source files for each future, and each look lets go of the interpreter.
    run(main(), debug=False)


TWINS = [(Client, AsyncClient), (Producer, AsyncProducer), (Consumer, AsyncConsumer)]


@pytest.mark.parametrize(("sync", "twin"), TWINS)
def test_twins_have_the_same_names_and_parameters(sync: type, twin: type) -> None:
    native = set(dir(tidewire._native.Producer)) - {"enqueue", "partitions"}
    only_one = {"connect", "to_arrow"} | native
    names = {name for name in dir(sync) if not name.startswith("_")} - only_one
    others = {name for name in dir(twin) if not name.startswith("_")} - only_one
    assert names == others
    for name in names:
        first, second = getattr(sync, name), getattr(twin, name)
        if callable(first):
            mine, theirs = inspect.signature(first), inspect.signature(second)
            # asyncio has its own way to bound a wait.
            here = [p for p in mine.parameters if p not in ("timeout", "self")]
            there = [p for p in theirs.parameters if p not in ("timeout", "self")]
            assert here == there, name
            assert first.__doc__ and second.__doc__, name


@pytest.mark.parametrize("loop", LOOPS)
def test_a_ticket_may_be_awaited_by_several(url: str, topic: str, loop: Callable[[], Any]) -> None:
    async def main() -> None:
        async with AsyncClient(url) as client:
            producer = await client.producer(topic, linger_ms=50)
            ticket = producer.enqueue(b"v")

            async def wait() -> int:
                return (await ticket).offset

            lost = asyncio.create_task(wait())
            others = [asyncio.create_task(wait()) for _ in range(3)]
            await asyncio.sleep(0)
            lost.cancel()
            assert await asyncio.gather(*others) == [0, 0, 0]
            assert (await ticket).offset == 0

    run(main(), loop)
