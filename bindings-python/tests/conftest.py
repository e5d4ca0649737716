"""A real server for all tests, and a topic of its own for each."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidewire import Client

ROOT = Path(__file__).resolve().parents[2]


def binary() -> str:
    """The server's binary: what `cargo xtask python` built, or the newest there is."""
    named = os.environ.get("TIDEWIRE_BINARY")
    if named:
        return named
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    found = [path for kind in ("debug", "release") if (path := target / kind / "tidewire").exists()]
    if not found:
        pytest.exit("no server: cargo build, or set TIDEWIRE_BINARY", returncode=2)
    return str(max(found, key=lambda path: path.stat().st_mtime))


class Process:
    """A server on a directory and a port of its own."""

    def __init__(self, *, secured: bool = False) -> None:
        self.secured = secured
        self.directory = tempfile.mkdtemp(prefix="tidewire-python-")
        self.log = open(Path(self.directory) / "log", "wb+")  # noqa: SIM115
        self.process: subprocess.Popen[str]
        self.address = "127.0.0.1:0"
        self.start()

    def start(self) -> None:
        command = [binary(), "serve", "--data", f"{self.directory}/data"]
        command += ["--listen", self.address]
        # A secured one asks for credentials, and leaves root's in its directory.
        command += ["--socket-dir", f"{self.directory}/sockets"] if self.secured else ["--dev"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if found := re.search(r"listening on tidewire://(127\.0\.0\.1:\d+)", line):
                self.address = found[1]
                return
        raise RuntimeError(f"the server did not start: {Path(self.log.name).read_text()}")

    @property
    def url(self) -> str:
        return f"tidewire://{self.address}"

    @property
    def root_url(self) -> str:
        return (Path(self.directory) / "data" / "root.url").read_text().strip()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.kill()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)


@pytest.fixture(scope="session")
def server() -> Iterator[Process]:
    process = Process()
    yield process
    process.stop()


@pytest.fixture
def own_server() -> Iterator[Process]:
    """A server that the test may kill."""
    process = Process()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def secured() -> Iterator[Process]:
    """A server that asks for credentials."""
    process = Process(secured=True)
    yield process
    process.stop()


@pytest.fixture(scope="session")
def url(server: Process) -> str:
    return server.url


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with Client(url) as client:
        yield client


@pytest.fixture
def topic(client: Client) -> str:
    name = f"t-{uuid.uuid4().hex[:12]}"
    client.create_topic(name)
    return name


def run_python(code: str, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Runs a program of its own, which has to end by itself."""
    return subprocess.run(
        [sys.executable, "-X", "dev", "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
    )
