#!/usr/bin/env python3
"""The server beside what this machine gives, goal by goal, as a table in Markdown.

    cargo build --release --workspace
    python3 bench/goals.py [--rounds 3] [--only WORD] [--large] [--dir DIR]

Every measurement is one of `tidewire bench`, against a server of its own with as many shards as there
are cores, on the same cores. Where it says "of bare", the barest program that moves the same bytes ran
before and after, in the same run. The rounds go through all measurements in turn; a figure is their
median, with the lowest and the highest. What the whole machine has yet to write to its disk is written before each group.
--large adds a log of 50 GB, which needs as much room.
"""

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
TIDEWIRE = TARGET / "release" / "tidewire"
TICKS = os.sysconf("SC_CLK_TCK")


def run(*command: object) -> str:
    done = subprocess.run([str(word) for word in command], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


class Server:
    """A server on a fresh directory, while it is needed."""

    def __init__(self, place: Path, *arguments: str) -> None:
        self.data = tempfile.TemporaryDirectory(prefix="tidewire-goals-", dir=place)
        command = [TIDEWIRE, "serve", "--dev", "--listen", "127.0.0.1:0", "--data", f"{self.data.name}/data"]
        self.log = open(f"{self.data.name}/log", "w+", encoding="utf-8")
        self.process = subprocess.Popen([*command, *arguments], stdout=self.log, stderr=self.log)
        until = time.monotonic() + 30
        while not (found := re.search(r"tidewire://\S+", Path(self.log.name).read_text(encoding="utf-8"))):
            if time.monotonic() > until or self.process.poll() is not None:
                sys.exit("the server did not start")
            time.sleep(0.05)
        self.url = found[0]

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        self.data.cleanup()

    def bench(self, *words: object) -> dict:
        return json.loads(run(TIDEWIRE, "bench", *words, "--url", self.url, "--json"))

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8")
        fields = stat.rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self) -> float:
        """Resident MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def switches(self) -> int:
        """Times that one of its threads went to sleep."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/status")
        texts = (task.read_text(encoding="utf-8") for task in tasks)
        return sum(int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", text)[1]) for text in texts)


def row(figures: dict, name: str) -> dict:
    return next(found for found in figures["rows"] if found["name"] == name)


BULK = ("--acks", "written", "--batch-records", 1000, "--batch-bytes", "1MiB", "--partitions", 1)
ONE = ("--acks", "written", "--partitions", 1, "--size", 100)


def millions(figures: dict, name: str) -> float:
    return row(figures, name)["records_per_second"] / 1e6


def of_bare(figures: dict) -> float:
    return 100 * figures["of_ceiling"]


def measurements(place: Path) -> dict[str, Callable[[], list[tuple[str, str, float]]]]:
    """What gives, for a group: what was measured, the goal, and the figure."""

    def throughput() -> list[tuple[str, str, float]]:
        found = []
        for size, records, goal in (("1KiB", "4M", None), ("100", "20M", 12)):
            with Server(place) as server:
                load = ("--size", size, "--records", records, *BULK, "--ceiling")
                figures = server.bench("produce", "--producers", 2, *load)
                found.append((f"produce {size}, M records/s", f"≥ {goal}" if goal else "", millions(figures, "sent")))
                found.append((f"produce {size}, % of bare", "" if goal else "≥ 85", of_bare(figures)))
                figures = server.bench("consume", *load)
                goal = 20 if goal else None
                found.append((f"consume {size}, M records/s", f"≥ {goal}" if goal else "", millions(figures, "read")))
                found.append((f"consume {size}, % of bare", "" if goal else "≥ 85", of_bare(figures)))
        return found

    def one_by_one() -> list[tuple[str, str, float]]:
        found = []
        for acks, clients, records, goal in (("written", 1, "40k", "≥ 83"), ("written", 16, "160k", "≥ 75"), ("synced", 1, "4k", "≥ 80"), ("synced", 16, "160k", "")):
            with Server(place) as server:
                words = ("--producers", clients, "--records", records, "--size", 100, "--partitions", 1)
                figures = server.bench("request", *words, "--acks", acks, "--ceiling")
                found.append((f"one at a time, {acks}, by {clients}, % of a bare echo's rate", goal, of_bare(figures)))
                found.append((f"one at a time, {acks}, by {clients}, p50 µs", "", row(figures, "request")["latency_us"]["p50"]))
                enough = "≥ 60" if (acks, clients) == ("synced", 16) else ""
                found.append((f"one at a time, {acks}, by {clients}, k records/s", enough, row(figures, "request")["records_per_second"] / 1e3))
        return found

    def end_to_end() -> list[tuple[str, str, float]]:
        found = []
        with Server(place) as server:
            figures = server.bench("latency", "--rate", 8000, "--duration", "5s", "--linger-ms", 0, *ONE)
            latency = row(figures, "received")["latency_us"]
            found.append(("8,000 records/s of 100 B to the consumer, p50 µs", "≤ 150", latency["p50"]))
            found.append(("the same, p99.9 µs", "", latency["p999"]))
            words = ("--rate", "200k", "--duration", "4s", "--size", "1KiB", "--linger-ms", 0, *BULK)
            latency = row(server.bench("end-to-end", *words), "received")["latency_us"]
            found.append(("200,000 records/s of 1 KiB to the consumer, p50 µs", "≤ 1,000", latency["p50"]))
            found.append(("the same, p99.9 µs", "", latency["p999"]))
        return found

    def rest() -> list[tuple[str, str, float]]:
        with Server(place) as server:
            idle = server.memory()
            time.sleep(1)
            before, switches = server.cpu(), server.switches()
            time.sleep(5)
            busy, switches = 100 * (server.cpu() - before) / 5, (server.switches() - switches) / 5
            server.bench("produce", "--producers", 2, "--size", "1KiB", "--records", "10M", *BULK, "--no-warmup")
            return [
                ("idle, resident MiB, of which 9 to 10 are the program's file", "≤ 8", idle),
                ("idle, % of a processor", "0.0", busy),
                ("idle, wake-ups a second", "0", switches),
                ("after 10 GB, resident MiB", "≤ 128", server.memory()),
            ]

    def disk() -> list[tuple[str, str, float]]:
        with Server(place) as server:
            words = ("--size", 100, "--records", "1M", *BULK, "--topic", "t", "--keep", "--no-warmup")
            server.bench("produce", *words)
            topic = json.loads(run(TIDEWIRE, "topic", "describe", "t", "--json", "--url", server.url))
            partition = topic["partition_details"][0]
            used = partition["size_bytes"] / partition["end_offset"] - 100
            return [("bytes on the disk beside 100 B of value, of which a time is 4", "≤ 8", used)]

    def cost(name: str, words: tuple, *arguments: str) -> tuple[str, str, float, float]:
        with Server(place, *arguments) as server:
            # The first pass makes every partition's files.
            load = ("--records", "10M", "--size", 100, *words, "--no-warmup", "--topic", "t", "--keep")
            server.bench("produce", *load)
            before = server.cpu()
            figures = server.bench("produce", *load)
            return name, "", 1e9 * (server.cpu() - before) / 10e6, millions(figures, "sent")

    def scale() -> list[tuple[str, str, float]]:
        found = []
        batches = ("--acks", "written", "--batch-records", 1000, "--batch-bytes", "1MiB", "--producers", 2)
        for shards in (1, 2):
            name, goal, cpu, rate = cost(f"{shards} shards", (*batches, "--partitions", 4), "--shards", str(shards))
            found += [(f"{name}, 4 partitions, M records/s", goal, rate), (f"{name}, ns of the server a record", goal, cpu)]
        for partitions in (1, 100, 10_000):
            name, goal, cpu, rate = cost(f"{partitions:,} partitions", (*batches, "--partitions", partitions))
            found += [(f"{name}, M records/s", goal, rate), (f"{name}, ns of the server a record", goal, cpu)]
        return found

    return {
        "throughput": throughput,
        "one-by-one": one_by_one,
        "end-to-end": end_to_end,
        "rest": rest,
        "disk": disk,
        "scale": scale,
    }


def large(place: Path) -> None:
    """What a record costs while a log grows to 50 GB."""
    print("\n| GB in the log | ns of the server a record of 1 KiB | M records/s |\n|---:|---:|---:|")
    with Server(place) as server:
        words = ("--size", "1KiB", "--producers", 2, *BULK, "--topic", "t", "--keep", "--no-warmup")
        for gigabytes in range(0, 50, 5):
            before = server.cpu()
            figures = server.bench("produce", "--records", "5M", *words)
            cpu = 1e9 * (server.cpu() - before) / 5e6
            print(f"| {gigabytes} to {gigabytes + 5} | {cpu:.0f} | {millions(figures, 'sent'):.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", help="one of: throughput, one-by-one, end-to-end, rest, disk, scale")
    parser.add_argument("--large", action="store_true", help="a log of 50 GB, too")
    parser.add_argument("--dir", type=Path, help="where the data lies meanwhile")
    options = parser.parse_args()
    if not TIDEWIRE.exists():
        sys.exit(f"{TIDEWIRE} is missing: cargo build --release --workspace")
    groups = measurements(options.dir)
    chosen = [group for name, group in groups.items() if options.only in (None, name)]
    if not chosen or options.rounds < 1:
        parser.error("--rounds is 1 or more" if chosen else f"--only is one of: {', '.join(groups)}")
    goals: dict[str, str] = {}
    found: dict[str, list[float]] = {}
    for number in range(options.rounds):
        for group in chosen:
            print(f"round {number + 1}: {group.__name__}", file=sys.stderr, flush=True)
            # What was written before is not written back meanwhile.
            os.sync()
            for what, goal, figure in group():
                goals[what] = goal
                found.setdefault(what, []).append(figure)
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; {options.rounds} rounds: median, lowest and highest.\n")
    print("| what | goal | median | range |\n|---|---:|---:|---:|")
    for what, figures in found.items():
        low, middle, high = (f"{figure:.3g}" if figure < 1000 else f"{figure:,.0f}" for figure in (min(figures), statistics.median(figures), max(figures)))
        print(f"| {what} | {goals[what]} | {middle} | {low} to {high} |")
    if options.large:
        large(options.dir)


if __name__ == "__main__":
    main()
