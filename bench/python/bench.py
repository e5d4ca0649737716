"""What the Python package can do on this machine, as a table in Markdown.

    cargo xtask python --build --release
    target/python/venv/bin/python bench/python/bench.py [--runs 5] [--records 200000]

Starts a server of its own on a fresh directory. Every figure is the median of the runs, which
alternate, so that what else the machine does is spread over all of them.

With --peers, confluent-kafka on Kafka and nats-py on NATS JetStream are measured in the same run, on
servers of their own (see bench/servers.py): `pip install confluent-kafka nats-py` first. What cannot
be had is named.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import peers
import servers
from peers import rate

import tidewire
from tidewire import AsyncClient, Client

VALUE = b"x" * 256
GOALS = {
    "enqueue, 256 B, into the queue": 4e6,
    "send_batch, 256 B, all acknowledged": 5e6,
    "batch.values(), bytes, of batches at hand": 6e6,
    "consume over the network, batch.values()": None,
    "for record in batch: record.value": None,
    "batch.to_arrow(), all columns": 20e6,
    "await send, one at a time": 10e3,
    "await send, 100 in flight": 150e3,
    "await send, 100 in flight, another thread spinning": None,
    "send, one at a time": None,
}


class Bench:
    def __init__(self, url: str, records: int, acks: str) -> None:
        self.client = Client(url)
        self.url, self.records, self.acks = url, records, acks
        self.client.create_topic("bench")
        self.client.create_topic("read")
        with self.client.producer("read", acks="written", batch_bytes=1 << 20) as producer:
            producer.send_batch([b"y" * 100] * records)

    def enqueue(self) -> float:
        # What it costs to hand a record over: the queue has room for all of them.
        count = min(self.records, 500_000)
        producer = self.client.producer("bench", acks="none", queue_bytes=1 << 30, linger_ms=1000)
        enqueue = producer.enqueue

        def work() -> None:
            for _ in range(count):
                enqueue(VALUE)

        found = rate(count, work)
        producer.close()
        self.client.purge_topic("bench")
        return found

    def send_batch(self) -> float:
        values = [VALUE] * self.records
        with self.client.producer("bench", acks=self.acks, batch_bytes=1 << 20) as producer:  # type: ignore[arg-type]
            found = rate(self.records, lambda: producer.send_batch(values) and None)
        self.client.purge_topic("bench")
        return found

    def batches(self) -> list[tidewire.Batch]:
        found, offset = [], 0
        while offset < self.records:
            fetched = self.client.fetch("read", 0, offset, max_bytes=8 << 20)
            found += fetched.batches
            offset = fetched.next_offset
        return found

    def values(self) -> float:
        batches = self.batches()

        def work() -> None:
            for batch in batches:
                for _ in batch.values():
                    pass

        return rate(self.records, work)

    def by_record(self) -> float:
        batches = self.batches()

        def work() -> None:
            for batch in batches:
                for record in batch:
                    record.value  # noqa: B018

        return rate(self.records, work)

    def arrow(self) -> float:
        batches = self.batches()

        def work() -> None:
            for batch in batches:
                batch.to_arrow()

        return rate(self.records, work)

    def consume(self) -> float:
        with self.client.consumer("read", start="earliest", prefetch_bytes=64 << 20) as consumer:

            def work() -> None:
                seen = 0
                while seen < self.records:
                    batch = consumer.poll(30)
                    assert batch is not None, "nothing more"
                    seen += len(batch.values())

            return rate(self.records, work)

    def send(self) -> float:
        with self.client.producer("bench", acks="written") as producer:

            def work() -> None:
                for _ in range(2000):
                    producer.send(VALUE)

            return rate(2000, work)

    def one_at_a_time(self) -> float:
        async def work() -> float:
            async with AsyncClient(self.url) as client:
                producer = await client.producer("bench", acks="written")
                begun = time.perf_counter()
                for _ in range(3000):
                    await producer.send(VALUE)
                return 3000 / (time.perf_counter() - begun)

        return asyncio.run(work())

    def in_flight(self) -> float:
        async def work() -> float:
            async with AsyncClient(self.url) as client:
                producer = await client.producer("bench", acks="written")

                async def one() -> None:
                    for _ in range(300):
                        await producer.send(VALUE)

                begun = time.perf_counter()
                await asyncio.gather(*(one() for _ in range(100)))
                return 30_000 / (time.perf_counter() - begun)

        return asyncio.run(work())

    def spinning(self) -> float:
        done = threading.Event()

        def spin() -> None:
            while not done.is_set():
                sum(range(100))

        thread = threading.Thread(target=spin)
        thread.start()
        try:
            return self.in_flight()
        finally:
            done.set()
            thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--acks", default="written", help="of send_batch: none, written, synced")
    parser.add_argument("--dir", help="where the server keeps its data; a temporary directory")
    parser.add_argument("--binary", type=Path, help="the server; target/release/tidewire")
    parser.add_argument("--peers", action="store_true", help="measure Kafka and NATS, too")
    arguments = parser.parse_args()

    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    binary = arguments.binary or target / "release" / "tidewire"
    if not binary.exists():
        sys.exit(f"{binary} is missing: cargo xtask python --build --release")
    with contextlib.ExitStack() as stack:
        prefix = {"prefix": "tidewire-bench-", "ignore_cleanup_errors": True}
        directory = stack.enter_context(tempfile.TemporaryDirectory(dir=arguments.dir, **prefix))
        server, url = servers.tidewire(binary, Path(directory))
        stack.callback(servers.stop, server)
        bench = Bench(url, arguments.records, arguments.acks)
        works = dict(zip(GOALS, [
            bench.enqueue, bench.send_batch, bench.values, bench.consume, bench.by_record, bench.arrow,
            bench.one_at_a_time, bench.in_flight, bench.spinning, bench.send,
        ], strict=True))  # fmt: skip
        if arguments.peers:
            works |= others(stack, Path(directory), arguments.records)
        runs: dict[str, list[float]] = {name: [] for name in works}
        for number in range(arguments.runs):
            for name, work in works.items():
                runs[name].append(work())
            print(f"run {number + 1} of {arguments.runs}", file=sys.stderr)

    load = os.getloadavg()[0]
    print(f"CPython {platform.python_version()}, {os.cpu_count()} processors, load {load:.0f};")
    print(f"medians of {arguments.runs} runs that alternate; acks {arguments.acks}.\n")
    print("| what | records/s | lowest to highest | goal | of it |\n|---|---:|---:|---:|---:|")
    for name, all_of in runs.items():
        median, goal = statistics.median(all_of), GOALS.get(name)
        spread = f"{min(all_of):,.0f} to {max(all_of):,.0f}"
        wanted = f"{goal:,.0f} | {median / goal:.2f}" if goal else " | "
        print(f"| {name} | {median:,.0f} | {spread} | {wanted} |")
    kept = statistics.median(runs["await send, 100 in flight, another thread spinning"])
    of = kept / statistics.median(runs["await send, 100 in flight"])
    print(f"\nWith another thread spinning, {of:.2f} of the sends are kept (goal 0.33).")


def others(
    stack: contextlib.ExitStack, directory: Path, records: int
) -> dict[str, Callable[[], float]]:
    """What of the peers can be measured here."""
    found: dict[str, Callable[[], float]] = {}
    for module, start, make in (
        ("confluent_kafka", servers.kafka, lambda at: peers.kafka_works(peers.Kafka(at, records))),
        ("nats", servers.nats, lambda at: peers.nats_works(peers.Nats(at, records))),
    ):
        try:
            __import__(module)
        except ImportError:
            servers.absent(module, f"pip install {module.replace('nats', 'nats-py')}")
            continue
        if (at := stack.enter_context(start(directory))) is not None:
            found |= make(at)
    return found


if __name__ == "__main__":
    main()
