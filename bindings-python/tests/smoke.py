"""Uses an installed package: smoke.py SERVER starts that program, sends to it and reads, sync and async.

Not a test of pytest's: it runs where nothing but the package is installed.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile


def main(binary: str) -> None:
    import tidewire

    assert "site-packages" in tidewire.__file__, tidewire.__file__
    with tempfile.TemporaryDirectory() as data:
        command = [binary, "serve", "--dev", "--data", data, "--listen", "127.0.0.1:0"]
        server = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            assert server.stdout is not None
            found = re.search(r"tidewire://\S+", server.stdout.readline())
            assert found is not None, "the server tells its URL first"
            with tidewire.Client(found[0]) as client:
                client.create_topic("t")
                with client.producer("t", codec="zstd") as producer:
                    producer.send_batch([b"one", b"two"])
                with client.consumer("t", start="earliest") as consumer:
                    records = iter(consumer)
                    assert [next(records).value for _ in range(2)] == [b"one", b"two"]
            asyncio.run(again(found[0]))
        finally:
            server.terminate()
            server.wait(30)


async def again(url: str) -> None:
    from tidewire import AsyncClient

    async with AsyncClient(url) as client:
        producer = await client.producer("t")
        assert (await producer.send("three", key="k")).offset == 2
        async for record in await client.consumer("t", start=2):
            assert (record.key, record.value) == (b"k", b"three")
            break


if __name__ == "__main__":
    main(sys.argv[1])
