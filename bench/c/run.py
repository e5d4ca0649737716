#!/usr/bin/env python3
"""What the C library and the Go module can do on this machine beside the Rust client that they stand
on, and beside librdkafka on Kafka, as a table in Markdown.

    python3 bench/c/run.py [--rounds 5] [--records 4000000] [--dir DIR]

Builds what it measures (release), starts a server of its own on a fresh directory, and lets three
programs that do the same, call for call (bench.c, go/main.go, twin.rs), take turns. Each figure is the
median of the rounds. A ratio is the median of the rounds' own ratios: what else the machine did in a
round fell on all of them.

Where there is librdkafka (Debian's librdkafka-dev) and Kafka can be had (see ../servers.py), kafka.c
takes its turn, too: acks=1, which Kafka gives from memory as `written` is, no compression, one
partition. Both servers run all the time; the one that is not asked does nothing.
"""

import argparse
import contextlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import servers  # noqa: E402

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
PLACE = TARGET / "bench-c"

# What is measured, how it is called, with which part of --records, and what Go is to reach.
WORKS = [
    ("enqueue, one a call", "enqueue", 1, None),
    ("enqueue, 256 a call", "enqueue-many", 1, 4e6),
    ("produce until all is written", "produce", 1, None),
    ("consume", "consume", 1, None),
    ("consume, Go with ReuseBatches", "consume-reused", 1, 8e6),
    ("send, one at a time, written", "send", 800, None),
]


def run(*command: object, **options: object) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(words, check=False, stdout=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload]
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)}: exit code {done.returncode}")
    return done.stdout


def build() -> dict[str, Path]:
    prefix = PLACE / "prefix"
    run("cargo", "build", "--release", "--workspace", "--bin", "tidewire", "--example", "bench-twin", cwd=ROOT)
    run("cargo", "xtask", "c-install", "--prefix", prefix, cwd=ROOT)
    environment = dict(os.environ, PKG_CONFIG_PATH=str(prefix / "lib/pkgconfig"))
    flags = run("pkg-config", "--cflags", "--libs", "tidewire", env=environment).split()
    run("cc", "-O2", "-std=c11", "-Wall", "-Wextra", "-Werror", HERE / "bench.c", *flags,
        f"-Wl,-rpath,{prefix / 'lib'}", "-o", PLACE / "bench-c")  # fmt: skip
    found = {"Rust": TARGET / "release/examples/bench-twin", "C": PLACE / "bench-c"}
    if shutil.which("go"):
        environment.update(GOFLAGS="-mod=mod", GOPROXY="off", GOWORK="off", CGO_ENABLED="1")
        run("go", "build", "-o", PLACE / "bench-go", ".", cwd=HERE / "go", env=environment)
        found["Go"] = PLACE / "bench-go"
    return found


def build_kafka() -> Path | None:
    found = subprocess.run(["pkg-config", "--cflags", "--libs", "rdkafka"], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        servers.absent("librdkafka", "there is no librdkafka-dev")
        return None
    program = PLACE / "bench-kafka"
    run("cc", "-O2", "-std=c11", "-Wall", "-Wextra", "-Werror", HERE / "kafka.c", *found.stdout.split(), "-o", program)
    return program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--records", type=int, default=4_000_000)
    parser.add_argument("--dir", help="where the server keeps its data; a temporary directory")
    arguments = parser.parse_args()
    PLACE.mkdir(parents=True, exist_ok=True)
    programs = build()
    rdkafka = build_kafka()
    tidewire = TARGET / "release/tidewire"

    data = tempfile.mkdtemp(prefix="tidewire-bench-", dir=arguments.dir)
    server = subprocess.Popen(
        [tidewire, "serve", "--dev", "--data", f"{data}/data", "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    rates: dict[tuple[str, str], list[float]] = {}
    others = contextlib.ExitStack()
    try:
        address = others.enter_context(servers.kafka(Path(data))) if rdkafka else None
        assert server.stdout is not None
        found = re.search(r"tidewire://\S+", server.stdout.readline())
        assert found is not None, "the server tells its URL first"
        url = found[0]
        for topic in ("read", "bench"):
            run(tidewire, "topic", "create", topic, "--url", url)
        run(programs["C"], url, "fill", arguments.records)
        if rdkafka and address:
            programs["librdkafka"] = rdkafka
            run(rdkafka, address, "fill", arguments.records)
        for number in range(arguments.rounds):
            for _, work, part, _ in WORKS:
                for name, program in programs.items():
                    where = address if program == rdkafka else url
                    rate = float(run(program, where, work, arguments.records // part))
                    rates.setdefault((work, name), []).append(rate)
                    run(tidewire, "topic", "purge", "bench", "--url", url)
            print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
    finally:
        others.close()
        server.kill()
        server.wait()
        shutil.rmtree(data, ignore_errors=True)

    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; records of 256 B, one partition,")
    print(f"the server on the same processors; medians of {arguments.rounds} rounds, records/s.\n")
    names = list(programs)
    ratios_of = [(name, "Rust") for name in names if name in ("C", "Go")]
    ratios_of += [("C", "librdkafka")] * ("librdkafka" in names)
    print(f"| | {' | '.join(names)} | {' | '.join(f'{one} : {other}' for one, other in ratios_of)} |")
    print("|---|" + "---:|" * (len(names) + len(ratios_of)))
    for title, work, _, goal in WORKS:
        medians = [f"{statistics.median(rates[work, name]):,.0f}" for name in names]
        ratios = []
        for one, other in ratios_of:
            pairs = zip(rates[work, one], rates[work, other], strict=True)
            all_of = [mine / twin for mine, twin in pairs]
            ratios.append(f"{statistics.median(all_of):.2f} ({min(all_of):.2f} to {max(all_of):.2f})")
        wanted = f" (goal for Go {goal / 1e6:.0f} M)" if goal else ""
        print(f"| {title}{wanted} | {' | '.join(medians + ratios)} |")


if __name__ == "__main__":
    main()
