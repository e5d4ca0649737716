#!/usr/bin/env python3
"""Tidewire beside NATS JetStream, Redis Streams and Kafka: the same work, taking turns, as a table in
Markdown.

    python3 bench/peers/run.py [--rounds 5] [--scale 1.0] [--only NAME …] [--dir DIR] [--out FILE]

Builds what it measures (release). Every server runs alone, as a process of its own on a fresh
directory, with its native Rust client on the same processors; the servers take turns within a round.
Each figure is the median of the rounds, with the least and the most. A ratio is the median of the
rounds' own ratios. A server that cannot be had is left out, and the reason is told.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent))
import servers  # noqa: E402

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
# Name, synced, what is done, records, bytes in a value, clients.
WORKS = [
    ("produce 1 KiB, 2 clients", False, "produce", 600_000, 1024, 2),
    ("consume 1 KiB", False, "consume", 600_000, 1024, 2),
    ("produce 100 B, 2 clients", False, "produce", 2_000_000, 100, 2),
    ("consume 100 B", False, "consume", 2_000_000, 100, 2),
    ("send 100 B one by one, 1 client", False, "send", 10_000, 100, 1),
    ("send 100 B one by one, 16 clients", False, "send", 100_000, 100, 16),
    ("send 100 B one by one, on the disk, 1 client", True, "send", 2_000, 100, 1),
    ("send 100 B one by one, on the disk, 16 clients", True, "send", 20_000, 100, 16),
]
# Consumers read what the work before them left.
NAMES = ["tidewire", "nats", "redis", "kafka"]


def build() -> tuple[Path, Path]:
    def cargo(*words: str, cwd: Path) -> None:
        if subprocess.run(["cargo", *words], cwd=cwd, check=False).returncode != 0:
            sys.exit(f"cargo {' '.join(words)} failed")

    place = TARGET / "bench/peers"
    cargo("build", "--release", "--quiet", "--workspace", "--bin", "tidewire", cwd=ROOT)
    cargo("build", "--release", "--quiet", "--target-dir", str(place), cwd=HERE)
    return TARGET / "release/tidewire", place / "release/bench-peers"


@contextlib.contextmanager
def started(name: str, synced: bool, tidewire: Path, place: str | None) -> Iterator[str | None]:
    """A server alone on a fresh directory; its address."""
    with tempfile.TemporaryDirectory(prefix="tidewire-bench-", dir=place, ignore_cleanup_errors=True) as made:
        directory = Path(made)
        if name == "tidewire":
            server, address = servers.tidewire(tidewire, directory)
            try:
                yield address
            finally:
                servers.stop(server)  # type: ignore[arg-type]
            return
        start = {"nats": servers.nats, "kafka": servers.kafka, "redis": servers.redis}[name]
        with start(directory, synced) as address:
            yield address


def measure(program: Path, name: str, address: str, work: tuple[str, bool, str, int, int, int],
            scale: float) -> dict[str, float] | None:  # fmt: skip
    _, synced, what, count, size, clients = work
    count = max(clients * 10, int(count * scale)) // clients * clients
    peer = f"{name}-synced" if synced else name
    words = [str(program), peer, address, what, str(count), str(size), str(clients)]
    try:
        done = subprocess.run(words, check=False, stdout=subprocess.PIPE, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        print(f"{' '.join(words)}: not done after 300 s", file=sys.stderr)
        return None
    if done.returncode != 0:
        print(f"{' '.join(words)}: exit code {done.returncode}", file=sys.stderr)
        return None
    result: dict[str, float] = json.loads(done.stdout)
    return {"rate": count / result["seconds"], "p50": result["p50_us"], "p99": result["p99_us"]}


def spread(values: list[float], digits: int = 0) -> str:
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def table(results: dict[tuple[str, str], list[dict[str, float] | None]], names: list[str]) -> str:
    lines = [f"| | {' | '.join(names)} |", "|---|" + "---:|" * len(names)]
    for title, _, what, _, _, _ in WORKS:
        if not any(results.get((title, name)) for name in names):
            continue
        kinds = [("records/s", "rate")]
        if what == "send":
            kinds += [("p50, µs", "p50"), ("p99, µs", "p99")]
        for unit, kind in kinds:
            cells = []
            for name in names:
                rounds = [done[kind] for done in results.get((title, name), []) if done]
                cell = spread(rounds) if rounds else "–"
                pairs = [
                    theirs[kind] / ours[kind]
                    for theirs, ours in zip(
                        results.get((title, name), []), results.get((title, "tidewire"), []), strict=False)
                    if theirs and ours
                ]  # fmt: skip
                if name != "tidewire" and pairs:
                    cell += f"; × {statistics.median(pairs):.2f}"
                cells.append(cell)
            lines.append(f"| {title}: {unit} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="how much of each work")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--dir", help="where the servers keep their data; a temporary directory")
    parser.add_argument("--out", type=Path, help="a file for the table, besides the standard output")
    arguments = parser.parse_args()
    tidewire, program = build()
    results: dict[tuple[str, str], list[dict[str, float] | None]] = {}
    loads = [os.getloadavg()[0]]
    for number in range(arguments.rounds):
        for synced in (False, True):
            for name in arguments.only:
                with started(name, synced, tidewire, arguments.dir) as address:
                    for work in WORKS:
                        if address is not None and work[1] == synced:
                            done = measure(program, name, address, work, arguments.scale)
                            results.setdefault((work[0], name), []).append(done)
        loads.append(os.getloadavg()[0])
        print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
    names = [name for name in arguments.only if any(key[1] == name for key in results)]
    text = (
        f"{os.cpu_count()} processors, clients and server on the same ones; load before each round "
        f"{', '.join(f'{load:.1f}' for load in loads[:-1])}.\nMedians of {arguments.rounds} rounds "
        "(least to most); × is the ratio to Tidewire's in the same round.\n\n" + table(results, names) + "\n"
    )
    print(text)
    if arguments.out:
        arguments.out.write_text(text)


if __name__ == "__main__":
    main()
