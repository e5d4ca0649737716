"""Between what a user says and what the native half takes and gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidewire._error import TidewireError
from tidewire._records import (
    CommittedOffset,
    Event,
    Fetched,
    Group,
    GroupDescription,
    GroupPartition,
    Member,
    Server,
    ServerLimits,
    TopicPartition,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from tidewire._native import Receipts
    from tidewire._records import Place


def place(start: Place | None) -> Any:
    """A place as the native half takes it: a time that long ago becomes a time."""
    if start is None or isinstance(start, str | int):
        return start
    from datetime import UTC, datetime, timedelta

    return datetime.now(UTC) - start if isinstance(start, timedelta) else start


def topics(topic: str | Iterable[str]) -> list[str]:
    """One topic, or several, as a list."""
    return [topic] if isinstance(topic, str) else list(topic)


def grants(given: Iterable[str]) -> list[str]:
    """Several grants: one alone, as a text, would be taken for its letters."""
    if isinstance(given, str):
        raise TypeError(f"grants are a list of str, not one: [{given!r}]")
    return list(given)


def seconds(lifetime: timedelta | float | None) -> float | None:
    """A time as the native half takes it."""
    if lifetime is None or isinstance(lifetime, int | float):
        return lifetime
    return lifetime.total_seconds()


def server(raw: Any) -> Server:
    name, version, address, number, limits = raw
    return Server(name, version, address, number, ServerLimits(*limits))


def description(raw: Any) -> GroupDescription:
    group, members, partitions = raw
    return GroupDescription(
        Group(*group),
        [Member(*member) for member in members],
        [GroupPartition(*partition) for partition in partitions],
    )


def committed(raw: Any) -> list[CommittedOffset | None]:
    return [None if one is None else CommittedOffset(*one) for one in raw]


def fetched(raw: Any) -> Fetched:
    return Fetched(*raw)


def event(raw: dict[str, Any] | None) -> Event | None:
    if raw is None:
        return None
    if "partitions" in raw:
        raw["partitions"] = [TopicPartition(*part) for part in raw["partitions"]]
    return Event(**raw)


def receipts(outcomes: Receipts | list[tuple[Any, int]]) -> Receipts:
    """The receipts of records that were sent together.

    Raises the first error, with what became of each record in its ``results``.
    """
    from tidewire._native import Receipts, expand

    if isinstance(outcomes, Receipts):
        return outcomes
    error = next(outcome for outcome, _ in outcomes if isinstance(outcome, TidewireError))
    error.results = tuple(expand(outcomes))
    raise error
