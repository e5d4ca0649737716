"""Producing, from threads that wait."""

from __future__ import annotations

import array
import threading
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal
from unittest import mock

import pytest

import tidewire
from tidewire import Client, NewRecord


def read(client: Client, topic: str, count: int) -> list[tidewire.Record]:
    records: list[tidewire.Record] = []
    with client.consumer(topic, start="earliest") as consumer:
        while len(records) < count:
            batch = consumer.poll(30)
            assert batch is not None, f"{len(records)} of {count}"
            records += batch
    return records


def test_a_record_comes_back_as_it_was_sent(client: Client, topic: str) -> None:
    when = datetime(2024, 2, 29, 12, 0, 0, 123456, tzinfo=UTC)
    with client.producer(topic) as producer:
        receipt = producer.send("välue", key=b"k", headers={"a": "1", "b": b"\0"}, timestamp=when)
    [record] = read(client, topic, 1)
    assert record.value == "välue".encode()
    assert record.key == b"k"
    assert record.headers == {"a": b"1", "b": b"\0"}
    assert record.timestamp == when
    assert record.timestamp_us == round(when.timestamp() * 1e6)
    assert (record.partition, record.offset) == (receipt.partition, receipt.offset) == (0, 0)
    assert record.topic == f"default/{topic}"
    assert receipt.acks == "synced"
    assert not receipt.duplicate
    assert abs((receipt.append_time - record.append_time).total_seconds()) < 1
    assert receipt == receipt and hash(receipt) == hash(receipt)
    assert repr(record) == "Record(partition=0, offset=0, key=b'k', value=b'v\\xc3\\xa4lue')"


@pytest.mark.parametrize(
    ("given", "read_back"),
    [
        (b"bytes", b"bytes"),
        ("text", b"text"),
        (bytearray(b"array"), b"array"),
        (memoryview(b"-view-")[1:-1], b"view"),
        (array.array("I", [1, 2]), b"\1\0\0\0\2\0\0\0"),
        (b"", b""),
        (memoryview(b""), b""),
        (None, None),
    ],
)
def test_values_are_anything_with_bytes(
    client: Client, topic: str, given: bytes | None, read_back: bytes | None
) -> None:
    with client.producer(topic) as producer:
        producer.send(given, key=given)
    [record] = read(client, topic, 1)
    assert record.value == read_back
    assert record.key == read_back
    assert (record.value_view is None) == (read_back is None)


def test_headers_may_repeat_and_keep_their_order(client: Client, topic: str) -> None:
    with client.producer(topic) as producer:
        producer.send(b"v", headers=[("x", "1"), ("y", "2"), ("x", "3")])
    [record] = read(client, topic, 1)
    assert record.header_items == [("x", b"1"), ("y", b"2"), ("x", b"3")]
    assert record.headers == {"x": b"3", "y": b"2"}


def test_a_ticket_tells_the_outcome(client: Client, topic: str) -> None:
    with client.producer(topic, linger_ms=60_000) as producer:
        ticket = producer.enqueue(b"v")
        assert not ticket.done() and ticket.receipt() is None
        with pytest.raises(TimeoutError):
            ticket.wait(0.01)
        producer.flush()
        assert ticket.done()
        assert ticket.receipt() == ticket.wait() == ticket.wait(0)


def test_a_batch_is_sent_in_order_and_told_by_record(client: Client, topic: str) -> None:
    client.add_partitions(topic, 3)
    values: list[bytes | bytearray | str | None] = [b"a", "b", None, bytearray(b"d")]
    with client.producer(topic) as producer:
        receipts = producer.send_batch(values, keys=["1", None, b"3", "4"], headers={"h": "1"})
        assert len(receipts) == 4
        assert producer.send_batch([]) == []
    by_place = {(r.partition, r.offset): r for r in read(client, topic, 4)}
    found = [by_place[receipt.partition, receipt.offset] for receipt in receipts]
    assert [record.value for record in found] == [b"a", b"b", None, b"d"]
    assert [record.key for record in found] == [b"1", None, b"3", b"4"]
    assert all(record.headers == {"h": b"1"} for record in found)


def test_a_batch_larger_than_the_queue_waits_for_room(client: Client, topic: str) -> None:
    values = [bytes([i % 256]) * 1000 for i in range(2000)]
    with client.producer(topic, queue_bytes=65_536) as producer:
        receipts = [*producer.send_batch(iter(values), timeout=60)]
        # A list goes in runs, of which the queue takes a part.
        receipts += producer.send_batch(values, timeout=60)
    assert [receipt.offset for receipt in receipts] == list(range(4000))
    assert [record.value for record in read(client, topic, 4000)] == values * 2


def test_a_list_is_taken_as_its_parts_are(client: Client, topic: str) -> None:
    # Runs of plain values, and between them what is taken one by one.
    values: list[object] = [f"{i}" for i in range(600)]
    values[300] = bytearray(b"300")
    values[301] = None
    values[302] = NewRecord(b"302", key="k")
    with client.producer(topic, queue_bytes=65_536, batch_records=100) as producer:
        receipts = producer.send_batch(values)  # type: ignore[arg-type]
        assert [receipt.offset for receipt in receipts] == list(range(600))
        found = [record.value for record in read(client, topic, 600)]
        assert found == [b"%d" % i if i != 301 else None for i in range(600)]

        # Those before one that cannot be taken are sent, and it is named.
        with pytest.raises(TypeError) as error:
            producer.send_batch([b"a", b"b", 3, b"never"])  # type: ignore[list-item]
        assert "in values[2]" in error.value.__notes__[0]
        with pytest.raises(tidewire.RecordTooLargeError):
            producer.send_batch([b"c", bytes(64 << 20), b"never"])
        with pytest.raises(ValueError, match="keys has 1 entries"):
            producer.send_batch([b"d", b"never"], keys=["k"])

        def failing() -> Iterator[bytes]:
            yield b"e"
            raise LookupError("no more")

        with pytest.raises(LookupError):
            producer.send_batch(failing())
        producer.flush()
    assert [r.value for r in read(client, topic, 605)[600:]] == [b"a", b"b", b"c", b"d", b"e"]


def test_records_that_were_read_go_on_as_they_are(client: Client, topic: str) -> None:
    copy = f"{topic}-copy"
    client.create_topic(copy)
    with client.producer(topic) as producer:
        producer.send(b"v", key=b"k", headers={"h": "1"}, timestamp=17)
        producer.send_batch([NewRecord(b"w", "k2", {"g": "2"}, 18), NewRecord(None, key=b"gone")])
    with client.producer(copy) as producer:
        producer.send_batch(read(client, topic, 3))

    def parts(record: tidewire.Record) -> tuple[object, ...]:
        return record.value, record.key, record.headers, record.timestamp_us

    first, second = read(client, topic, 3), read(client, copy, 3)
    assert [parts(record) for record in first] == [parts(record) for record in second]
    assert parts(first[1]) == (b"w", b"k2", {"g": b"2"}, 18)


def test_ids_make_duplicates_known(client: Client, topic: str) -> None:
    client.update_topic(topic, dedup_window_ms=60_000)
    name = uuid.uuid4()
    with client.producer(topic) as producer:
        first = producer.send(b"v", id=name)
        again = producer.send(b"v", id=name.bytes)
    assert (again.offset, again.duplicate) == (first.offset, True)
    assert repr(again).endswith(", duplicate=True)")


def test_a_full_queue_blocks_refuses_or_drops(client: Client, topic: str) -> None:
    large = b"x" * 40_000
    with client.producer(topic, queue_bytes=65_536, queue_full="error", linger_ms=60_000) as error:
        with pytest.raises(tidewire.QueueFullError) as raised:
            for _ in range(1000):
                error.enqueue(large)
        assert raised.value.retriable
    with client.producer(topic, queue_bytes=65_536, queue_full="drop", linger_ms=60_000) as drop:
        tickets = [drop.enqueue(large) for _ in range(100)]
        with pytest.raises(tidewire.QueueFullError):
            for ticket in tickets:
                ticket.receipt()
        assert drop.stats().dropped_records > 0
    with client.producer(topic, queue_bytes=65_536) as block:
        for _ in range(20):
            block.send(large)
        block.ready(30)


def test_threads_may_share_a_producer(client: Client, topic: str) -> None:
    with client.producer(topic) as producer:

        def work(number: int) -> None:
            for i in range(200):
                producer.enqueue(f"{number}-{i}")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    values = [record.value for record in read(client, topic, 800)]
    assert len(set(values)) == 800
    assert [v for v in values if v and v.startswith(b"2-")] == [b"2-%d" % i for i in range(200)]


def test_closing_flushes_and_a_closed_producer_says_so(client: Client, topic: str) -> None:
    producer = client.producer(topic, linger_ms=60_000)
    ticket = producer.enqueue(b"v")
    producer.close()
    assert ticket.done()
    for call in (producer.enqueue, producer.send):
        with pytest.raises(tidewire.ClientClosedError):
            call(b"w")
    producer.close()


def test_a_named_producer_is_fenced_by_the_next(client: Client, topic: str) -> None:
    first = client.producer(topic, name="billing")
    first.send(b"1")
    second = client.producer(topic, name="billing")
    second.send(b"2")
    with pytest.raises(tidewire.ProducerFencedError):
        first.send(b"3")
    assert [producer.name for producer in client.producers(topic)] == ["billing"]
    client.forget_producer(topic, "billing")
    assert client.producers(topic) == []


@pytest.mark.parametrize("codec", ["none", "lz4", "zstd"])
def test_codecs(client: Client, topic: str, codec: Literal["none", "lz4", "zstd"]) -> None:
    values = [b"abc" * 100] * 100
    with client.producer(topic, codec=codec) as producer:
        producer.send_batch(values)
    assert [record.value for record in read(client, topic, 100)] == values


def test_counters(client: Client, topic: str) -> None:
    with client.producer(topic) as producer:
        producer.send_batch([b"v"] * 10)
        stats = producer.stats()
        assert stats.acknowledged_records == 10
        assert stats.queued_records == stats.failed_records == 0
        assert producer.partitions == 1


def test_receipts_are_a_sequence_that_is_made_when_asked_for(client: Client, topic: str) -> None:
    client.add_partitions(topic, 2)
    with client.producer(topic, batch_records=10) as producer:
        receipts = producer.send_batch([b"v"] * 25 + [bytes(9)])
        one, none = producer.send_batch([b"v"]), producer.send_batch([])
    as_list = list(receipts)
    assert len(receipts) == len(as_list) == 26
    assert isinstance(receipts, Sequence)
    assert all(isinstance(receipt, tidewire.Receipt) for receipt in as_list)
    assert len({(receipt.partition, receipt.offset) for receipt in as_list}) == 26
    assert [receipts[index] for index in range(26)] == as_list
    assert [receipts[index - 26] for index in range(26)] == as_list
    assert list(reversed(receipts)) == as_list[::-1]
    for part in (slice(None), slice(3, 17, 4), slice(None, None, -1), slice(40, 50)):
        assert receipts[part] == as_list[part]
    assert (receipts == as_list) is True
    assert (receipts != as_list) is False
    assert receipts[:] == receipts
    assert receipts == tuple(as_list)
    assert receipts != as_list[:-1]
    assert receipts != [*as_list[:-1], "other"]
    assert receipts != "text"
    assert receipts != 3
    assert receipts + as_list[:1] == as_list + as_list[:1]
    assert as_list[:1] + receipts == as_list[:1] + as_list
    assert sum([receipts, one], []) == [*as_list, *one]
    assert receipts == [mock.ANY, *as_list[1:]]
    assert mock.ANY in receipts
    assert receipts.index(mock.ANY, 2) == 2
    assert none != b""
    assert none == []
    last = as_list[-1]
    assert last in receipts
    assert None not in receipts
    assert (receipts.index(last), receipts.index(last, -1), receipts.count(last)) == (25, 25, 1)
    assert receipts.count(None) == 0
    for index in (26, -27, 1 << 70):
        with pytest.raises(IndexError):
            receipts[index]
    with pytest.raises(TypeError, match="indices must be int or slices, not str"):
        receipts["0"]  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="no receipt"):
        receipts.index(last, 0, 25)
    with pytest.raises(TypeError):
        hash(receipts)
    assert repr(none) == "Receipts([])"
    assert repr(one) == f"Receipts([{one[0]!r}])"
    assert repr(receipts) == f"Receipts([{as_list[0]!r}, ..., {last!r}], len=26)"
    match receipts:
        case [first, *_]:
            assert first == as_list[0]
        case _:
            raise AssertionError("it matches a sequence")
