"""Kotlin beside the Rust client, in one run, as a table in Markdown.

    cargo build --release
    cargo xtask kotlin --release
    python3 bench/jvm/run.py [--records 2000000] [--size 256] [--rounds 3]

Starts a server of its own on a fresh directory. The Rust client's figures are those of `tidewire
bench`; both take turns, and every figure is the median of the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
MODULE = ROOT / "bindings-uniffi/kotlin/target"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=2_000_000)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--server", default=str(TARGET / "release/tidewire"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tidewire-bench-jvm-") as directory:
        serve = [given.server, "serve", "--dev", "--data", directory, "--listen", "127.0.0.1:0", "--log", "error"]
        server = subprocess.Popen(serve, stdout=subprocess.PIPE, text=True)
        try:
            found = re.search(r"tidewire:\S+", server.stdout.readline())
            measure(given, found.group(0))
        finally:
            server.kill()
            server.wait()


def measure(given: argparse.Namespace, url: str) -> None:
    told: dict[str, list[float]] = {}
    for _ in range(given.rounds):
        for name, line in (
            ("Rust: produce, acks written", ["produce", "--acks", "written", "--batch-bytes", "1MiB"]),
            ("Rust: consume", ["consume", "--acks", "written", "--batch-bytes", "1MiB"]),
        ):
            told.setdefault(name, []).append(rust(given, url, line))
        for name, rate in kotlin(given, url):
            told.setdefault(name, []).append(rate)
    load = os.getloadavg()[0]
    print(f"\n{given.records:,} records of {given.size} B, {os.cpu_count()} cores, load {load:.1f} at the end\n")
    print("| | records/s, median | of the rounds |\n|---|---:|---|")
    for name, rates in sorted(told.items(), key=lambda item: item[0].split(":")[1]):
        print(f"| {name} | {statistics.median(rates):,.0f} | {', '.join(f'{rate:,.0f}' for rate in rates)} |")


def rust(given: argparse.Namespace, url: str, line: list[str]) -> float:
    command = [given.server, "bench", *line, "--records", str(given.records), "--size", str(given.size)]
    command += ["--partitions", "1", "--url", url, "--json"]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return told["rows"][-1]["records_per_second"]


def kotlin(given: argparse.Namespace, url: str) -> list[tuple[str, float]]:
    classes = ":".join([str(MODULE / "test-classes"), str(MODULE / "classes"), str(MODULE / "dependency/*")])
    command = ["java", f"-Djna.library.path={TARGET / 'release'}", "-cp", classes, "io.tidewire.bench.BenchKt"]
    # The first of two rounds is for the compiler of the Java machine.
    command += [url, str(given.records), str(given.size), "2"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    told = [line.split("\t") for line in lines]
    return [(name, float(rate)) for name, rate in told[len(told) // 2 :]]


if __name__ == "__main__":
    main()
