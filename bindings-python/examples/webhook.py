"""A web hook: what is posted to it becomes a record, on the disk before the answer.

The handler is an ASGI application, as FastAPI and Starlette make them, without either: run it with
any ASGI server (``uvicorn webhook:app``), or see ``python webhook.py [URL]`` post to it.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from tidewire import AsyncClient, AsyncProducer, RecordTooLargeError, TidewireError

URL = os.environ.get("TIDEWIRE_URL", "tidewire://127.0.0.1:8433")


class Hook:
    """POST /TOPIC appends the body to the topic ``hooks/TOPIC``."""

    def __init__(self, url: str) -> None:
        self.client = AsyncClient(url)
        self.producers: dict[str, AsyncProducer] = {}

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await self.client.connect()
                await send({"type": "lifespan.startup.complete"})
            await self.client.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        status, text = await self.append(scope["path"].strip("/"), body)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": text.encode()})

    async def append(self, topic: str, body: bytes) -> tuple[int, str]:
        try:
            producer = await self.producer(f"hooks/{topic}")
            receipt = await producer.send(body, headers={"source": "webhook"})
            return 202, f"{receipt.partition}/{receipt.offset}\n"
        except (ValueError, LookupError) as error:
            return 404, f"{error}\n"
        except RecordTooLargeError as error:
            return 413, f"{error}\n"
        except TidewireError as error:
            return 503 if error.retriable else 500, f"{error}\n"

    async def producer(self, topic: str) -> AsyncProducer:
        if topic not in self.producers:
            self.producers[topic] = await self.client.producer(topic)
        return self.producers[topic]


app = Hook(URL)


async def demonstrate(url: str) -> None:
    hook = Hook(url)
    async with hook.client as client:
        for make in (client.create_stream("hooks"), client.create_topic("hooks/orders")):
            try:
                await make
            except TidewireError as error:
                if error.kind != "conflict":
                    raise
        for topic, body in [("orders", b'{"item": "tea"}'), ("nowhere", b"{}")]:
            answers: list[dict[str, Any]] = []

            async def receive(body: bytes = body) -> dict[str, Any]:
                return {"type": "http.request", "body": body}

            async def send(message: dict[str, Any], answers: list[Any] = answers) -> None:
                answers.append(message)

            await hook({"type": "http", "path": f"/{topic}"}, receive, send)
            print(f"POST /{topic}:", answers[0]["status"], answers[1]["body"].decode().strip())


if __name__ == "__main__":
    asyncio.run(demonstrate(sys.argv[1] if len(sys.argv) > 1 else URL))
