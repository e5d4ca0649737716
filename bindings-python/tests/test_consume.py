"""Consuming, from threads that wait; groups; administration."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import tidewire
from tidewire import Client


@pytest.fixture
def filled(client: Client, topic: str) -> str:
    """A topic of two partitions, with a hundred records in each."""
    client.add_partitions(topic, 2)
    with client.producer(topic, linger_ms=10_000) as producer:
        for partition in (0, 1):
            producer.send_batch([f"{partition}-{i}" for i in range(100)], partition=partition)
    return topic


def values(consumer: tidewire.Consumer, count: int) -> list[bytes | None]:
    seen: list[bytes | None] = []
    while len(seen) < count:
        batch = consumer.poll(30)
        assert batch is not None, f"{len(seen)} of {count}"
        seen += batch.values()
    return seen


def test_a_batch_is_a_sequence(client: Client, filled: str) -> None:
    [batch] = client.fetch(filled, 0, 0, max_bytes=1 << 20).batches
    assert len(batch) == 100 and len(list(batch)) == 100
    assert batch[0].value == b"0-0" and batch[-1].value == b"0-99"
    assert [record.value for record in batch[1:4]] == [b"0-1", b"0-2", b"0-3"]
    assert [record.offset for record in batch[::-50]] == [99, 49]
    for index in (100, -101):
        with pytest.raises(IndexError, match="100"):
            batch[index]
    assert batch.values() == [b"0-%d" % i for i in range(100)]
    assert batch.keys() == [None] * 100
    assert batch.offsets() == range(100)
    assert batch.timestamps_us() == [record.timestamp_us for record in batch]
    assert (batch.base_offset, batch.next_offset, batch.end_offset, batch.lag) == (0, 100, 100, 0)
    assert batch.topic == f"default/{filled}" and batch.partition == 0
    assert repr(batch) == f'Batch(topic="default/{filled}", partition=0, base_offset=0, records=100)'


def test_a_view_keeps_its_batch(client: Client, filled: str) -> None:
    record = client.fetch(filled, 1, 7).batches[0][0]
    view = record.value_view
    del record
    assert view is not None and bytes(view) == b"1-7" and view.readonly
    assert view.format == "B" and view.contiguous


def test_places_to_start_at(client: Client, filled: str) -> None:
    middle = client.fetch(filled, 0, 0).batches[0][0].append_time
    cases: list[tuple[Any, int]] = [
        ("earliest", 100),
        (90, 10),
        ("last:3", 3),
        (middle, 100),
        (middle - timedelta(days=1), 100),
        (timedelta(days=1), 100),
        (f"time:{round(middle.timestamp() * 1e6)}", 100),
    ]
    for start, count in cases:
        with client.consumer(filled, partitions=[0], start=start) as consumer:
            assert len(values(consumer, count)) == count, start
            assert consumer.poll(0) is None
    for start in ("latest", datetime.now(UTC) + timedelta(days=1)):
        with client.consumer(filled, start=start) as consumer:
            assert consumer.poll(0.05) is None
    with client.consumer(filled, start_at={0: 99, 1: 98}) as consumer:
        assert sorted(v for v in values(consumer, 3) if v) == [b"0-99", b"1-98", b"1-99"]


def test_moving_pausing_and_where_it_stands(client: Client, filled: str) -> None:
    with client.consumer(filled, partitions=[0], start="earliest") as consumer:
        values(consumer, 100)
        [position] = consumer.positions()
        assert (position.next_offset, position.end_offset, position.lag) == (100, 100, 0)
        consumer.seek(0, 95)
        assert values(consumer, 5) == [b"0-%d" % i for i in range(95, 100)]
        consumer.add_partition(1, 98)
        assert values(consumer, 2) == [b"1-98", b"1-99"]
        consumer.pause(0)
        consumer.seek(0, "earliest")
        assert consumer.poll(0.05) is None
        consumer.resume(0)
        values(consumer, 100)
        removed = consumer.remove_partition(1)
        assert removed is not None and removed.next_offset == 100
        stats = consumer.stats()
        assert stats.partitions == 1 and stats.batches >= 4
        with pytest.raises(tidewire.PartitionNotFoundError):
            consumer.seek(1, 0)


def test_a_seek_while_iterating_drops_the_rest(client: Client, filled: str) -> None:
    seen = []
    with client.consumer(filled, partitions=[0], start="earliest") as consumer:
        for record in consumer:
            seen.append(record.offset)
            if len(seen) == 3:
                consumer.seek(0, 98)
            if record.offset == 99:
                break
    assert seen == [0, 1, 2, 98, 99]


def test_leaving_a_loop_leaves_the_rest(client: Client, filled: str) -> None:
    with client.consumer(filled, partitions=[0], start="earliest") as consumer:
        for record in consumer:
            if record.offset == 4:
                break
        assert next(iter(consumer)).offset == 5
        following = consumer.poll_record(30)
        assert following is not None and following.offset == 6
        batch = consumer.poll(30)
        assert batch is not None and (batch.base_offset, len(batch)) == (7, 93)
        assert consumer.poll_record(0) is None


def test_between_records_a_commit_stores_what_was_returned(client: Client, filled: str) -> None:
    def stored(group: str) -> list[int | None]:
        return [found and found.offset for found in client.committed(group, filled)]

    group = f"r-{filled}"
    with client.consumer(filled, group=group, start="earliest") as consumer:
        first = consumer.poll_record(30)
        assert first is not None
        consumer.commit()
        assert stored(group)[first.partition] == 1 and stored(group)[1 - first.partition] is None
        for record in consumer:
            consumer.commit()
            assert stored(group)[record.partition] == record.offset + 1
            if record.offset == 5:
                break
        values(consumer, 194)
        consumer.commit()
    assert stored(group) == [100, 100]


def test_closing_ends_a_wait_in_another_thread(client: Client, topic: str) -> None:
    consumer = client.consumer(topic)
    batches: list[list[tidewire.Batch]] = []
    thread = threading.Thread(target=lambda: batches.append(list(consumer.batches())))
    thread.start()
    time.sleep(0.05)
    consumer.close()
    thread.join(30)
    assert batches == [[]] and consumer.closed


def test_a_deleted_topic_is_told(client: Client, topic: str) -> None:
    with client.consumer(topic) as consumer:
        client.delete_topic(topic)
        with pytest.raises(tidewire.TopicNotFoundError):
            consumer.poll(30)


def test_a_group_divides_and_remembers(client: Client, filled: str) -> None:
    group = f"g-{filled}"
    with client.consumer(filled, group=group, start="earliest") as first:
        values(first, 200)
        assert {part.partition for part in first.assignment()} == {0, 1}
        assert first.lag() == 0 and first.member()[0] > 0
        first.commit()
    stored = client.committed(group, filled)
    assert [offset.offset for offset in stored if offset] == [100, 100]
    with client.producer(filled) as producer:
        producer.send("new", partition=1)
    with client.consumer(filled, group=group) as second:
        assert values(second, 1) == [b"new"]
        described = client.describe_group(group)
        assert described.group.name == group and len(described.members) == 1
        second.commit_offset(filled, 1, 100)
    assert client.reset_offsets(group, filled, "earliest") == {0: 0, 1: 0}
    assert client.reset_offsets(group, filled, 50, partitions=[1]) == {1: 50}
    client.delete_offsets(group, filled, partitions=[0])
    assert client.committed(group, filled)[0] is None
    assert group in [found.name for found in client.list_groups()]
    client.delete_group(group)
    with pytest.raises(tidewire.GroupNotFoundError):
        client.describe_group(group)


def test_what_groups_have_is_refused_without_one(client: Client, filled: str) -> None:
    with client.consumer(filled) as alone:
        for call in (alone.commit, alone.member):
            with pytest.raises(tidewire.InvalidArgumentError, match="group"):
                call()
        assert len(alone.assignment()) == 2
    with pytest.raises(tidewire.InvalidArgumentError, match="itself"):
        client.consumer(filled, group="g", partitions=[0])


def test_streams_and_topics(client: Client) -> None:
    client.create_stream("garden")
    made = client.create_topic("garden/roses", partitions=3, codec="lz4", retention_ms=60_000)
    assert (made.stream, made.name, made.partitions, made.codec) == ("garden", "roses", 3, "lz4")
    assert client.describe_topic("garden/roses") == made
    assert client.update_topic("garden/roses", retention_ms=0).retention_ms == 0
    assert client.describe_stream("garden").topics == 1
    assert [found.name for found in client.list_topics("garden")] == ["roses"]
    assert "garden" in [found.name for found in client.list_streams()]
    with client.producer("garden/roses") as producer:
        producer.send_batch(["a"] * 10, partition=1)
    assert client.partitions("garden/roses")[1].end_offset == 10
    assert client.truncate("garden/roses", 1, 4) == 4
    client.purge_topic("garden/roses")
    assert client.partitions("garden/roses")[1].start_offset == 10
    client.purge_stream("garden")
    with pytest.raises(tidewire.StreamNotEmptyError):
        client.delete_stream("garden")
    client.delete_stream("garden", with_topics=True)
    with pytest.raises(tidewire.StreamNotFoundError):
        client.describe_stream("garden")
    client.create_group("empty-group")
    with pytest.raises(tidewire.GroupExistsError):
        client.create_group("empty-group")


def test_what_the_server_enforces(client: Client) -> None:
    limits = {limit.name: limit for limit in client.describe_limits()}
    assert limits["max_name_len"] == tidewire.Limit("max_name_len", 255, "bytes", False, 0)
    connections = limits["max_connections"]
    assert connections.configured and connections.unit == "connections"
    assert 1 <= connections.used <= connections.value


def test_it_outlives_its_server(own_server: Any) -> None:
    with Client(own_server.url, retry_backoff_ms=10, retry_backoff_max_ms=100) as client:
        client.create_topic("t")
        events = client.events()
        with client.producer("t") as producer, client.consumer("t", start="earliest") as consumer:
            producer.send("before")
            own_server.kill()
            ticket = producer.enqueue("between")
            first = events.poll(30)
            assert first is not None and first.type == "disconnected"
            own_server.start()
            assert ticket.wait(60).offset == 1
            assert values(consumer, 2) == [b"before", b"between"]


def test_a_consumer_with_a_name_tells_what_was_deleted_meanwhile(
    client: Client, topic: str
) -> None:
    with client.producer(topic) as producer:
        producer.send_batch([f"{i}" for i in range(10)])
    with client.consumer(topic, name="alone", start="earliest") as consumer:
        assert next(iter(consumer)).offset == 0
        consumer.commit_offset(topic, 0, 2)
        assert consumer.stats().stored_offsets == 1
    client.truncate(topic, 0, 5)
    events = client.events()
    with client.consumer(topic, name="alone", start="earliest") as consumer:
        assert next(iter(consumer)).offset == 5
        assert consumer.stats().skipped_offsets == 3
    while True:
        event = events.poll(30)
        assert event is not None
        if event.type == "records_skipped":
            break
    assert (event.partition, event.from_offset, event.to_offset) == (0, 2, 5)
    with pytest.raises(tidewire.OffsetOutOfRangeError):
        client.consumer(topic, start_at={0: 0}, on_out_of_range="error")
