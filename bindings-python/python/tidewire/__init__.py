"""Tidewire: persistent message streaming.

>>> from tidewire import Client
>>> with Client(url) as client:  # "tidewire://127.0.0.1:8433"
...     topic = client.create_topic("shop/orders", partitions=4)
...     with client.producer("shop/orders") as producer:
...         receipt = producer.send(b"hello", key=b"k")
...     with client.consumer("shop/orders", start="earliest") as consumer:
...         record = next(iter(consumer))
>>> record.value, record.key, record.offset == receipt.offset
(b'hello', b'k', True)

``Client`` waits on the calling thread, ``AsyncClient`` has the same names to be awaited. Timeouts
are in seconds; options have the names that they have in every language, with their unit
(``linger_ms=5``), and may also stand in the URL and the environment (``TIDEWIRE_LINGER_MS``). All
exceptions are below ``TidewireError``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tidewire import errors
from tidewire._constants import Code, Disposition
from tidewire._native import AsyncTicket, Batch, Receipt, Receipts, Record, Ticket, __version__
from tidewire._records import (
    CommittedOffset,
    ConsumerStats,
    Event,
    Fetched,
    Group,
    GroupDescription,
    GroupPartition,
    Limit,
    Member,
    NamedProducer,
    NewRecord,
    NewToken,
    Partition,
    Position,
    ProducerStats,
    Server,
    ServerLimits,
    Stream,
    Token,
    Topic,
    TopicPartition,
    User,
    UserDescription,
)
from tidewire.client import Client, Events
from tidewire.consumer import Consumer
from tidewire.errors import *  # noqa: F403 (its __all__ is generated)
from tidewire.errors import TidewireError
from tidewire.producer import Producer

if TYPE_CHECKING:
    from tidewire.aio import AsyncClient, AsyncConsumer, AsyncEvents, AsyncProducer

Sequence.register(Receipts)  # pyright: ignore[reportAttributeAccessIssue]

_ASYNC = ("AsyncClient", "AsyncConsumer", "AsyncEvents", "AsyncProducer")


def __getattr__(name: str) -> Any:
    # asyncio takes longer to import than all of this: who does not use it does not wait for it.
    if name in _ASYNC:
        from tidewire import aio

        return getattr(aio, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "AsyncClient",
    "AsyncConsumer",
    "AsyncEvents",
    "AsyncProducer",
    "AsyncTicket",
    "Batch",
    "Client",
    "Code",
    "CommittedOffset",
    "Consumer",
    "ConsumerStats",
    "Disposition",
    "Event",
    "Events",
    "Fetched",
    "Group",
    "GroupDescription",
    "GroupPartition",
    "Limit",
    "Member",
    "NamedProducer",
    "NewRecord",
    "NewToken",
    "Partition",
    "Position",
    "Producer",
    "ProducerStats",
    "Receipt",
    "Receipts",
    "Record",
    "Server",
    "ServerLimits",
    "Stream",
    "Ticket",
    "TidewireError",
    "Token",
    "Topic",
    "TopicPartition",
    "User",
    "UserDescription",
    "__version__",
    "errors",
]
__all__ += errors.__all__
