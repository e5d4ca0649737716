"""What happens to the process: signals, forks, its end, its memory."""

from __future__ import annotations

import gc
import os
import re
import subprocess
import sys
import tracemalloc

import psutil
import pytest
from conftest import run_python

from tidewire import Client


def test_importing_is_quick_and_leaves_asyncio_out() -> None:
    code = """
import sys, time
begun = time.process_time()
import tidewire
print(time.process_time() - begun, "asyncio" in sys.modules)
"""
    runs = [run_python(code).stdout.split() for _ in range(3)]
    # In processor time, and twice what it should be: what is guarded against is tenfold.
    assert min(float(took) for took, _ in runs) < 0.1
    assert {found for _, found in runs} == {"False"}


INTERRUPTED = """
import os, signal, socket, sys, threading
from tidewire import Client
url, topic, what = sys.argv[1:]
client = Client(url)
producer = client.producer(topic, linger_ms=60_000)
silent = socket.create_server(("127.0.0.1", 0))
waits = {
    "poll": lambda: client.consumer(topic).poll(),
    "records": lambda: list(client.consumer(topic)),
    "events": lambda: client.events().poll(),
    "ticket": lambda: producer.enqueue(b"v").wait(),
    "connect": lambda: Client(f"tidewire://127.0.0.1:{silent.getsockname()[1]}"),
}
threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    waits[what]()
except KeyboardInterrupt:
    print("interrupted")
    print(client.ping() > 0)
"""


@pytest.mark.parametrize("what", ["poll", "records", "events", "ticket", "connect"])
def test_ctrl_c_interrupts_whatever_waits(url: str, topic: str, what: str) -> None:
    ended = run_python(INTERRUPTED, url, topic, what, timeout=30)
    assert ended.stdout.split() == ["interrupted", "True"], ended.stderr


def test_a_handler_of_another_signal_runs_during_a_wait(url: str, topic: str) -> None:
    code = """
import os, signal, sys, threading
from tidewire import Client
signal.signal(signal.SIGUSR1, lambda *_: print("handled", flush=True))
consumer = Client(sys.argv[1]).consumer(sys.argv[2])
threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGUSR1)).start()
print(consumer.poll(0.5))
"""
    assert run_python(code, url, topic).stdout.split() == ["handled", "None"]


FORK = """
import asyncio, os, sys
import tidewire
url, topic = sys.argv[1:]
client = tidewire.Client(url)
producer, consumer = client.producer(topic), client.consumer(topic, start="earliest")
ticket = producer.enqueue(b"parent")
loop = asyncio.new_event_loop()
async_client = loop.run_until_complete(tidewire.AsyncClient(url).connect())
pid = os.fork()
if pid == 0:
    calls = [client.ping, client.list_streams, lambda: client.producer(topic),
             lambda: client.consumer(topic), lambda: producer.send(b"v"),
             lambda: producer.enqueue(b"v"), producer.flush, producer.stats, ticket.wait,
             lambda: producer.send_batch([b"v"]), consumer.poll, consumer.positions,
             lambda: loop.run_until_complete(async_client.ping())]
    told = 0
    for call in calls:
        try:
            call()
        except tidewire.ForkedError:
            told += 1
    with tidewire.Client(url) as fresh, fresh.producer(topic) as again:
        again.send(b"child")
    print("told", told == len(calls), flush=True)
    os._exit(0)
_, status = os.waitpid(pid, 0)
producer.send(b"parent again")
print("parent", status, client.partitions(topic)[0].end_offset, flush=True)
loop.run_until_complete(async_client.close())
"""


def test_the_child_of_a_fork_is_told_and_connects_anew(url: str, topic: str) -> None:
    ended = run_python(FORK, url, topic)
    assert ended.stdout.splitlines() == ["told True", "parent 0 3"], ended.stderr


ENDS = {
    "queued": "producer.enqueue(b'v')",
    "waiting": "threading.Thread(target=consumer.poll, daemon=True).start()",
    "thread": "threading.Thread(target=lambda: [producer.enqueue(b'v') for _ in range(10**7)],"
    " daemon=True).start()",
    "views": "views = [record.value_view for record in client.fetch(topic, 0, 0).batches[0]]",
    "arrow": "import pyarrow; table = client.fetch(topic, 0, 0).batches[0].to_arrow()",
    "cycle": "loop = [client, producer, consumer]; loop.append(loop)",
    "aio": "import asyncio; loop = asyncio.new_event_loop();"
    " other = loop.run_until_complete(tidewire.AsyncClient(url).connect());"
    " task = loop.create_task(other.list_streams()); loop.run_until_complete(asyncio.sleep(0));"
    " loop.close()",
}


@pytest.mark.parametrize("what", ENDS)
def test_the_interpreter_ends_with_work_pending(url: str, topic: str, what: str) -> None:
    code = f"""
import sys, threading, time, tidewire
url, topic = sys.argv[1:]
client = tidewire.Client(url)
producer = client.producer(topic, linger_ms=60_000)
client.producer(topic).send(b"there")
consumer = client.consumer(topic)
{ENDS[what]}
time.sleep(0.1)
print("end")
"""
    ended = run_python(code, url, topic)
    assert (ended.returncode, ended.stdout.strip()) == (0, "end"), ended.stderr
    assert "Fatal" not in ended.stderr and "panicked" not in ended.stderr


def test_subinterpreters_and_threads_of_any_kind_may_send(url: str, topic: str) -> None:
    code = """
import _thread, sys, time, tidewire
client = tidewire.Client(sys.argv[1])
producer = client.producer(sys.argv[2])
done = []
for _ in range(4):
    _thread.start_new_thread(lambda: done.append(producer.send(b"v")), ())
while len(done) < 4:
    time.sleep(0.001)
print(len(done))
"""
    assert run_python(code, url, topic).stdout.strip() == "4"


# Of ten thousand records each; a build for speed does a million in seconds.
ROUNDS = int(os.environ.get("TIDEWIRE_LEAK_ROUNDS", "8"))


def test_records_leave_nothing_behind(client: Client, topic: str) -> None:
    process = psutil.Process()
    values = [b"x" * 20] * 10_000

    def round_trip(rounds: int) -> None:
        with client.producer(topic, acks="written") as producer:
            for _ in range(rounds):
                producer.send_batch(values)
        with client.consumer(topic, start="earliest") as consumer:
            end, offset = client.partitions(topic)[0].end_offset, 0
            while offset < end:
                batch = consumer.poll(30)
                assert batch is not None
                offset = batch.next_offset
                for record in batch:
                    record.value  # noqa: B018
                batch.values()
        client.purge_topic(topic)

    round_trip(ROUNDS // 4)
    gc.collect()
    tracemalloc.start()
    before, python_before = process.memory_info().rss, tracemalloc.get_traced_memory()[0]
    round_trip(ROUNDS // 4)
    gc.collect()
    first = process.memory_info().rss
    round_trip(ROUNDS // 2)
    gc.collect()
    python_after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    # What stayed of each record would be more than the twenty bytes of its value.
    allowed = max(8 << 20, ROUNDS // 2 * 10_000 * 20)
    assert process.memory_info().rss - max(first, before) < allowed
    assert python_after - python_before < 200_000


def test_handles_that_are_dropped_end(url: str, topic: str) -> None:
    threads = psutil.Process().num_threads()
    descriptors = psutil.Process().num_fds()
    for _ in range(20):
        client = Client(url)
        client.producer(topic).enqueue(b"v")
        client.consumer(topic)
        client.close()
    del client
    gc.collect()
    for _ in range(200):
        if psutil.Process().num_fds() <= descriptors + 2:
            break
        subprocess.run(["sleep", "0.05"], check=True)
    assert psutil.Process().num_fds() <= descriptors + 2
    assert psutil.Process().num_threads() <= threads + 2


def test_a_free_threaded_build_is_refused_or_locks() -> None:
    # Built for the interpreter's lock: a build without it turns it on, or pip finds no wheel.
    assert getattr(sys, "_is_gil_enabled", lambda: True)()


def test_help_shows_what_a_user_needs() -> None:
    code = "import tidewire; help(tidewire.Producer.enqueue); help(tidewire.Client.consumer)"
    text = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PAGER": "cat", "TERM": "dumb"},
    ).stdout
    for word in ("QueueFullError", "tombstone", "microseconds", "auto_commit", "16 MiB"):
        assert re.search(word, text), word


ONE_BY_ONE = """
import asyncio, sys, time
from tidewire import AsyncClient, Client, PartitionNotFoundError
url, topic, us = sys.argv[1:]
with Client(url, busy_poll_us=int(us)) as client:
    with client.producer(topic, acks="written") as producer:
        assert [producer.send(b"v").offset for _ in range(1000)] == list(range(1000))
    with client.consumer(topic, start="latest") as consumer:
        begun = time.process_time()
        assert consumer.poll(0.5) is None
        waiting = time.process_time() - begun
        begun = time.monotonic()
        assert consumer.poll(0.00005) is None and consumer.poll(0) is None
        assert time.monotonic() - begun < 30

async def main():
    turns, sending = 0, True
    async def others():
        nonlocal turns
        while sending:
            turns += 1
            await asyncio.sleep(0)
    async with AsyncClient(url) as client:
        task = asyncio.create_task(others())
        producer = await client.producer(topic, acks="written")
        for i in range(1000, 3000):
            assert (await producer.send(b"v")).offset == i
        sending = False
        await task
        # One that is given up, several at once, and one that fails.
        for _ in range(100):
            lost = asyncio.create_task(producer.send(b"v"))
            await asyncio.sleep(0)
            lost.cancel()
            await asyncio.gather(lost, return_exceptions=True)
        await asyncio.gather(*(producer.send(b"v") for _ in range(100)))
        try:
            await producer.send(b"v", partition=7)
        except PartitionNotFoundError:
            pass
        await producer.send(b"v")
        consumer = await client.consumer(topic, start="latest")
        begun = time.process_time()
        assert await consumer.poll(0.5) is None
        return turns, time.process_time() - begun

turns, sleeping = asyncio.run(main())
print(turns, waiting, sleeping)
"""


@pytest.mark.parametrize("us", [0, 100, 1000])
def test_one_by_one_others_get_their_turns_and_who_waits_in_vain_sleeps(
    url: str, topic: str, us: int
) -> None:
    ended = run_python(ONE_BY_ONE, url, topic, str(us))
    assert (ended.returncode, ended.stderr) == (0, "")
    turns, waiting, sleeping = map(float, ended.stdout.split())
    assert turns > 100
    # Of half a second each.
    assert waiting < 0.25
    assert sleeping < 0.25



LOSING = """
import asyncio, sys
from tidewire import AsyncClient
url, topic = sys.argv[1:]

class Loop(asyncio.SelectorEventLoop):
    # As when a signal's handler raises before the turn that was promised.
    lost, losing = 0, False
    def call_soon(self, callback, *arguments, context=None):
        if self.losing and getattr(callback, "__name__", "") == "glance":
            self.lost += 1
            return None
        return super().call_soon(callback, *arguments, context=context)

async def main():
    loop = asyncio.get_running_loop()
    async with AsyncClient(url, busy_poll_us=1000) as client:
        producer = await client.producer(topic, acks="written")
        async def one_by_one():
            for _ in range(200):
                await producer.send(b"v")
        await one_by_one()
        for other in (client.list_topics, lambda: producer.send(b"w")):
            for _ in range(5):
                await one_by_one()
                loop.losing = True
                task = asyncio.create_task(producer.send(b"x"))
                await asyncio.sleep(0.05)
                loop.losing = False
                await asyncio.wait_for(other(), 20)
                await asyncio.wait_for(task, 20)
    return loop.lost

with asyncio.Runner(loop_factory=Loop) as runner:
    print(runner.run(main()))
"""


def test_a_turn_of_the_loop_that_is_lost_loses_nothing_else(url: str, topic: str) -> None:
    ended = run_python(LOSING, url, topic)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 0
