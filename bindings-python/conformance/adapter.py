"""The conformance adapter of the Python package: `adapter.py sync` or `adapter.py async`.

JSON lines in, calls of the public package, JSON lines out; conformance/README.md describes them.
It does what it is told and judges nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import Coroutine
from typing import Any

import values
from operations import Operations
from tidewire import AsyncClient, Client, TidewireError

WRITING = threading.Lock()


def answer(number: int, **told: Any) -> None:
    with WRITING:
        sys.stdout.write(json.dumps({"id": number, **told}) + "\n")
        sys.stdout.flush()


async def perform(operations: Operations, request: dict[str, Any]) -> None:
    number = request["id"]
    try:
        answer(number, ok=await operations.run(request["op"], request["args"]))
    except TidewireError as error:
        answer(number, err=values.error(error))
    except values.Told as error:
        answer(number, err=error.error)
    except values.Unsupported as error:
        answer(number, unsupported=str(error))
    except asyncio.CancelledError:
        answer(number, cancelled=True)
    except Exception as error:
        answer(number, fail=repr(error))


def run_through(coroutine: Coroutine[Any, Any, None]) -> None:
    """Runs a coroutine that is never suspended."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise RuntimeError("an operation of the sync client was suspended")


def sync() -> None:
    operations = Operations("python", Client, ["fork"])
    for line in sys.stdin:
        work = perform(operations, json.loads(line))
        # A thread for each: one may wait while another closes what it waits for.
        threading.Thread(target=run_through, args=(work,), daemon=True).start()


async def connect(
    url: str | None = None,
    *,
    user: str | None = None,
    secret: str | None = None,
    secret_file: str | None = None,
    tls_ca_file: str | None = None,
    tls_cert_file: str | None = None,
    tls_key_file: str | None = None,
    tls_danger: str | None = None,
    encryption_keys: str | None = None,
    encryption_key_file: str | None = None,
    client_name: str | None = None,
    connect_timeout_ms: int | None = None,
    request_timeout_ms: int | None = None,
    heartbeat_ms: int | None = None,
    retry_backoff_ms: int | None = None,
    retry_backoff_max_ms: int | None = None,
    runtime_threads: int | None = None,
    busy_poll_us: int | None = None,
) -> AsyncClient:
    options = {name: value for name, value in locals().items() if value is not None}
    return await AsyncClient(**options)


async def asynchronous() -> None:
    operations = Operations("python-async", connect, ["cancel"])
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 30)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    running: dict[int, asyncio.Task[None]] = {}
    while line := await reader.readline():
        request = json.loads(line)
        if request["op"] == "cancel":
            if task := running.get(int(request["args"]["request"])):
                task.cancel()
            answer(request["id"], ok={})
            continue
        number = request["id"]
        running[number] = asyncio.create_task(perform(operations, request))
        running[number].add_done_callback(lambda _, number=number: running.pop(number))


if __name__ == "__main__":
    if sys.argv[1:] == ["sync"]:
        sync()
    elif sys.argv[1:] == ["async"]:
        asyncio.run(asynchronous())
    else:
        sys.exit("usage: adapter.py sync|async")
    # The end of the input is the end of the adapter, whatever is still under way.
    sys.stdout.flush()
    os._exit(0)
