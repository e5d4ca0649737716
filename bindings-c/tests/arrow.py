"""A batch as Arrow has it: exported by libtidewire, imported by pyarrow, compared value by value."""

import ctypes
import os
import sys

import pyarrow as pa

lib = ctypes.CDLL(sys.argv[1])
P = ctypes.c_void_p


class Slice(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("len", ctypes.c_size_t)]


class Header(ctypes.Structure):
    _fields_ = [("name", Slice), ("value", Slice)]


class Record(ctypes.Structure):
    _fields_ = [
        ("key", Slice), ("value", Slice), ("headers", ctypes.POINTER(Header)), ("header_count", ctypes.c_size_t),
        ("id", P), ("timestamp_us", ctypes.c_int64), ("partition", ctypes.c_uint32), ("set", ctypes.c_uint32),
    ]


lib.tw_error_message.restype = ctypes.c_char_p
lib.tw_error_message.argtypes = [P]
for free in ("tw_batch_free", "tw_consumer_free", "tw_producer_free", "tw_client_free"):
    getattr(lib, free).argtypes = [P]


def call(name, *arguments):
    err = P()
    if getattr(lib, name)(*arguments, ctypes.byref(err)) != 0:
        raise SystemExit(f"{name}: {lib.tw_error_message(err).decode()}")


def opened(name, *arguments):
    out = P()
    call(name, *arguments, ctypes.byref(out))
    return out


def part(value):
    return Slice(None, 0) if value is None else Slice(value, len(value))


topic = f"arrow-{os.getpid()}".encode()
client = opened("tw_client_connect", sys.argv[2].encode(), None)
call("tw_client_create_topic", client, topic, None, None)
consumer = opened("tw_consumer_open", client, topic, None)
producer = opened("tw_producer_open", client, topic, None)
rows = [(b"", b"one", [(b"a", b"1"), (b"b", b"")]), (None, None, []), (b"k", b"", [(b"c", b"2")])] * 3
for i, (key, value, headers) in enumerate(rows):
    given = (Header * len(headers))(*[Header(part(n), part(v)) for n, v in headers])
    record = Record(part(key), part(value), given, len(headers), None, 1_000_000 + i, 0, 1)
    call("tw_producer_enqueue", producer, ctypes.byref(record), None)
call("tw_producer_flush", producer, ctypes.c_int64(-1))

seen = 0
while seen < len(rows):
    batch = opened("tw_consumer_next_batch", consumer, ctypes.c_int64(60_000))
    assert batch, "no batch came"
    # As large as ArrowArray and ArrowSchema.
    array, schema = ctypes.create_string_buffer(80), ctypes.create_string_buffer(72)
    call("tw_batch_export_arrow", batch, array, schema)
    # What was exported outlives the batch.
    lib.tw_batch_free(batch)
    got = pa.RecordBatch._import_from_c(ctypes.addressof(array), ctypes.addressof(schema))
    got.validate(full=True)
    for row in got.to_pylist():
        key, value, headers = rows[seen]
        assert row["partition"] == 0 and row["offset"] == seen, row
        assert round(row["timestamp"].timestamp() * 1_000_000) == 1_000_000 + seen, row
        assert row["key"] == key and row["value"] == value, row
        assert [(h["name"].encode(), h["value"]) for h in row["headers"]] == headers, row
        seen += 1
assert got.schema.field("timestamp").type == pa.timestamp("us", "UTC"), got.schema
assert got.schema.field("value").nullable and not got.schema.field("offset").nullable, got.schema

lib.tw_consumer_free(consumer)
lib.tw_producer_free(producer)
lib.tw_client_free(client)
