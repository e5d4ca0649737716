"""How things are written in the lines between runner and adapter; see conformance/README.md."""

from __future__ import annotations

import base64
import struct
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import tidewire

SHORT = 1024


class Bad(Exception):
    """The line makes no sense to this adapter."""


class Told(Exception):
    """An error of the library, from another process."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.error = error


class Unsupported(Exception):
    """The library has no such thing."""


def bytes_of(value: Any) -> bytes | None:
    match value:
        case None:
            return None
        case {"utf8": text}:
            return str(text).encode()
        case {"base64": text}:
            return base64.b64decode(text)
        case {"repeat": text, "times": times}:
            return str(text).encode() * int(times)
    raise Bad(f"no bytes: {value}")


def shown(value: bytes | None) -> Any:
    if value is None:
        return None
    if len(value) <= SHORT:
        return {"base64": base64.b64encode(value).decode()}
    return {"len": len(value), "crc32": f"{zlib.crc32(value):08x}"}


def number(value: Any) -> Any:
    """A number that may be written as a string; anything else as it is."""
    if isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    return value


def place(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("time:"):
        return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(value[5:]))
    return number(value)


def record_of(value: dict[str, Any]) -> tidewire.NewRecord:
    return tidewire.NewRecord(
        bytes_of(value.get("value")),
        bytes_of(value.get("key")),
        [(name, bytes_of(part) or b"") for name, part in value.get("headers") or []] or None,
        number(value.get("timestamp_us")),
        value.get("partition"),
        bytes_of(value.get("id")),
    )


def record(one: tidewire.Record) -> dict[str, Any]:
    return {
        "partition": one.partition,
        "offset": str(one.offset),
        "timestamp_us": str(one.timestamp_us),
        "append_time_us": str(one.append_time_us),
        "key": shown(one.key),
        "value": shown(one.value),
        "headers": [[name, shown(value)] for name, value in one.header_items],
    }


def limits(all: list[tidewire.Limit]) -> dict[str, Any]:
    each = {one.name: fields(one, "unit", "configured", text=("value", "used")) for one in all}
    return {"limits": each}


def user(one: tidewire.User) -> dict[str, Any]:
    return fields(one, "name", "enabled", "password", "tokens", text=("id",))


def token(one: tidewire.Token) -> dict[str, Any]:
    expires = {"expires_us": str(one.expires_us or 0)}
    return fields(one, "name", "user", text=("id",)) | expires


def batch(one: tidewire.Batch) -> dict[str, Any]:
    return {
        "partition": one.partition,
        "base_offset": str(one.base_offset),
        "next_offset": str(one.next_offset),
        "records": [record(each) for each in one],
    }


def receipt(one: tidewire.Receipt) -> dict[str, Any]:
    return {
        "partition": one.partition,
        "offset": str(one.offset),
        "append_time_us": str(one.append_time_us),
        "acks": one.acks,
        "duplicate": one.duplicate,
    }


def error(one: tidewire.TidewireError) -> dict[str, Any]:
    told: dict[str, Any] = {
        "code": int(one.code),
        "disposition": int(one.disposition),
        "kind": one.kind,
        "message": str(one),
    }
    if one.offsets is not None:
        told["offsets"] = [str(offset) for offset in one.offsets]
    return told


def fields(one: Any, *names: str, text: tuple[str, ...] = ()) -> dict[str, Any]:
    """Some fields of a value; those of 64 bits as text."""
    told = {name: getattr(one, name) for name in names}
    return told | {name: str(getattr(one, name)) for name in text}


def topic(one: tidewire.Topic) -> dict[str, Any]:
    wide = ("id", "created_us", "segment_bytes", "retention_ms", "retention_bytes")
    return fields(
        one, "stream", "name", "partitions", "codec", text=(*wide, "dedup_window_ms")
    )


def stream(one: tidewire.Stream) -> dict[str, Any]:
    return fields(one, "name", "topics", text=("id", "created_us"))


def server(one: tidewire.Server) -> dict[str, Any]:
    told = fields(one, "name", "version", "address", text=("id",))
    return told | {"limits": one.limits._asdict()}


def event(one: tidewire.Event | None) -> Any:
    if one is None:
        return None
    told = {name: value for name, value in one._asdict().items() if value is not None}
    if one.error is not None:
        told["error"] = error(one.error)
    if one.partitions is not None:
        told["partitions"] = [list(part) for part in one.partitions]
    if one.to_offset is not None:
        told |= fields(one, text=("from_offset", "to_offset"))
    if one.missed is not None:
        told["count"] = str(told.pop("missed"))
    return told


class Digests:
    """What was read of each partition, for reads too large to be written out."""

    def __init__(self) -> None:
        self.states: dict[int, list[int]] = {}

    def add(self, one: tidewire.Record) -> None:
        state = self.states.setdefault(one.partition, [0, one.offset, 0, 0])
        state[0] += 1
        state[2] = one.offset + 1
        parts = [struct.pack("<Qq", one.offset, one.timestamp_us)]
        parts += [self.part(one.key), self.part(one.value)]
        parts.append(struct.pack("<I", len(one.header_items)))
        for name, value in one.header_items:
            parts += [self.part(name.encode()), self.part(value)]
        state[3] = zlib.crc32(b"".join(parts), state[3])

    @staticmethod
    def part(value: bytes | None) -> bytes:
        return struct.pack("<I", 0xFFFF_FFFF) if value is None else struct.pack("<I", len(value)) + value

    def finish(self) -> dict[str, Any]:
        return {
            str(partition): {
                "count": str(count),
                "first_offset": str(first),
                "next_offset": str(after),
                "crc32": f"{crc:08x}",
            }
            for partition, (count, first, after, crc) in sorted(self.states.items())
        }
