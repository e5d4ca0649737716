"""The examples run, and the documentation's too."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import pytest

import tidewire

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
EXPECTED = {
    "produce_consume.py": "101 records",
    "worker_pool.py": "200 jobs done",
    "webhook.py": "POST /orders: 202 0/0",
    "polars_tail.py": "1707 earthquakes",
    "replay_yesterday.py": "101 records since yesterday",
}


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_runs(url: str, name: str) -> None:
    arguments = [sys.executable, str(EXAMPLES / name), url]
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert EXPECTED[name] in ended.stdout


def test_every_example_is_run() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(EXPECTED)


def test_the_doctests_hold(url: str) -> None:
    from tidewire import Client

    with Client(url) as client:
        client.create_stream("shop")
    failed, tried = doctest.testmod(tidewire, globs={"url": url})
    assert (failed, tried > 0) == (0, True)
