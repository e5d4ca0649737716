"""Peers' servers for a measurement, each on a port of its own choice and a directory that goes away.

    with nats(directory) as url, kafka(directory) as address: ...

or, for a program in another language:

    python3 bench/servers.py nats kafka -- node bench/node/run.mjs

NATS is Debian's `nats-server`, Redis its `redis-server`. Kafka comes from Maven Central, by `mvn` and pom.xml beside this file,
into target/bench/kafka. A server that cannot be had is None, and the reason is told on stderr.
They keep their records as their users run them: NATS JetStream in files, synced every two minutes by
default; Kafka in files, synced by the operating system when it likes; Redis in its append-only file,
synced every second. An acknowledgement of each promises what Tidewire's `acks=written` does. With
`synced` they are told to sync before they acknowledge, as `acks=synced` does: `sync_interval: always`,
`log.flush.interval.messages=1`, `appendfsync always`.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
JARS = HERE.parent / "target/bench/kafka"


def absent(what: str, why: str) -> None:
    print(f"not measured: {what}: {why}", file=sys.stderr)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(port: int, server: subprocess.Popen[bytes], seconds: float = 60) -> bool:
    """Until something listens there; false if the server has ended, or the time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            time.sleep(0.1)
    return False


def stop(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextmanager
def running(name: str, command: list[str], port: int, log_path: Path) -> Iterator[bool]:
    """A server while it is needed; false, and why is told, if it does not come to listen on its port."""
    with open(log_path, "wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        up = wait_for(port, server)
        if not up:
            absent(name, f"it does not start: {log_path.read_text()[-500:]}")
        yield up
    finally:
        stop(server)


@contextmanager
def nats(directory: Path, synced: bool = False) -> Iterator[str | None]:
    """NATS with JetStream; its URL."""
    program = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin:/usr/bin")
    if program is None:
        absent("NATS", "there is no nats-server (Debian: nats-server)")
        yield None
        return
    port = free_port()
    version = subprocess.run([program, "--version"], check=False, stdout=subprocess.PIPE, text=True).stdout
    if synced and (found := re.search(r"v(\d+)\.(\d+)", version)) and (int(found[1]), int(found[2])) < (2, 10):
        absent("NATS, synced", f"{version.strip()} cannot sync before it acknowledges, 2.10 and later can")
        yield None
        return
    configuration = directory / "nats.conf"
    always = "\n  sync_interval: always" if synced else ""
    configuration.write_text(f'jetstream {{\n  store_dir: "{directory / "nats"}"{always}\n}}\n')
    command = [program, "-a", "127.0.0.1", "-p", str(port), "-c", str(configuration)]
    with running("NATS", command, port, directory / "nats.log") as up:
        yield f"nats://127.0.0.1:{port}" if up else None


@contextmanager
def redis(directory: Path, synced: bool = False) -> Iterator[str | None]:
    """Redis with an append-only file; its URL."""
    program = shutil.which("redis-server")
    if program is None:
        absent("Redis", "there is no redis-server (Debian: redis-server)")
        yield None
        return
    port, place = free_port(), directory / "redis"
    place.mkdir()
    command = [program, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(place), "--save", "",
               "--appendonly", "yes", "--appendfsync", "always" if synced else "everysec"]  # fmt: skip
    with running("Redis", command, port, directory / "redis.log") as up:
        yield f"redis://127.0.0.1:{port}" if up else None


@contextmanager
def kafka(directory: Path, synced: bool = False) -> Iterator[str | None]:
    """One broker of Kafka, that is its own controller; its address."""
    java = shutil.which("java")
    if java is None or not fetched():
        absent("Kafka", "it needs java, and mvn to fetch it")
        yield None
        return
    port, controller = free_port(), free_port()
    properties = directory / "kafka.properties"
    properties.write_text(
        f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={directory / "kafka"}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""
        + ("log.flush.interval.messages=1\n" if synced else "")
    )
    base = [java, "-Xmx1g", "-cp", f"{JARS}/*"]
    log_path = directory / "kafka.log"
    with open(log_path, "wb") as log:
        formatted = subprocess.run(
            [*base, "kafka.tools.StorageTool", "format", "-t", "AAAAAAAAQACAAAAAAAAAAA", "-c", properties],
            stdout=log, stderr=log, check=False,
        )  # fmt: skip
        server = subprocess.Popen([*base, "kafka.Kafka", properties], stdout=log, stderr=log)
    try:
        if formatted.returncode == 0 and wait_for(port, server, 120):
            yield f"127.0.0.1:{port}"
        else:
            absent("Kafka", f"it does not start: {log_path.read_text()[-500:]}")
            yield None
    finally:
        stop(server)


def fetched() -> bool:
    """Whether Kafka's jars are there, fetched now if need be."""
    if any(JARS.glob("kafka_*.jar")):
        return True
    if shutil.which("mvn") is None:
        return False
    JARS.mkdir(parents=True, exist_ok=True)
    command = ["mvn", "-q", "-f", HERE / "pom.xml", "dependency:copy-dependencies",
               f"-DoutputDirectory={JARS}"]  # fmt: skip
    return subprocess.run(command, check=False, stdout=sys.stderr).returncode == 0


def tidewire(binary: Path, directory: Path) -> tuple[subprocess.Popen[str], str]:
    """Our own server, and its URL; `stop` it."""
    command = [binary, "serve", "--dev", "--data", directory / "tidewire", "--listen", "127.0.0.1:0"]
    server = subprocess.Popen(
        [os.fspath(word) for word in command],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    found = re.search(r"tidewire://\S+", server.stdout.readline())
    assert found is not None, "the server tells its URL first"
    return server, found[0]


def main() -> int:
    """servers.py [nats] [kafka] [redis] -- COMMAND: runs it with NATS, KAFKA and REDIS set to where they are."""
    if "--" not in sys.argv:
        print(main.__doc__, file=sys.stderr)
        return 2
    at = sys.argv.index("--")
    names, command = sys.argv[1:at], sys.argv[at + 1 :]
    with tempfile.TemporaryDirectory(prefix="tidewire-bench-", ignore_cleanup_errors=True) as directory:
        with contextlib.ExitStack() as stack:
            environment = dict(os.environ)
            for name in names:
                start = {"nats": nats, "kafka": kafka, "redis": redis}[name]
                if (address := stack.enter_context(start(Path(directory)))) is not None:
                    environment[name.upper()] = address
            return subprocess.run(command, check=False, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
