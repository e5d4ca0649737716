"""Batches as data frames read them, and tables to be sent."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import tidewire
from tidewire import Client, NewRecord


@pytest.fixture
def mixed(client: Client, topic: str) -> str:
    """Records of every shape."""
    with client.producer(topic, linger_ms=10_000) as producer:
        producer.send_batch(
            [
                NewRecord(b"a", b"k", {"x": "1", "y": "2"}, 1_000_000),
                NewRecord(None, b"gone", None, 2_000_000),
                NewRecord(b"", None, None, 3_000_000),
                NewRecord(b"c" * 50, b"", [("x", "1"), ("x", "2")], 3_500_000),
            ]
        )
    return topic


EXPECTED: dict[str, list[Any]] = {
    "partition": [0, 0, 0, 0],
    "offset": [0, 1, 2, 3],
    "key": [b"k", b"gone", None, b""],
    "value": [b"a", None, b"", b"c" * 50],
}


def rows(query: str, **tables: object) -> list[Any]:
    with duckdb.connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        return connection.execute(query).fetchall()


def batch_of(client: Client, topic: str, offset: int = 0) -> tidewire.Batch:
    batch: tidewire.Batch = client.fetch(topic, 0, offset).batches[0]
    return batch


def test_pyarrow_reads_a_batch(client: Client, mixed: str) -> None:
    batch = batch_of(client, mixed)
    table = batch.to_arrow()
    assert isinstance(table, pa.RecordBatch)
    table.validate(full=True)
    assert table.select(list(EXPECTED)).to_pydict() == EXPECTED
    assert table["timestamp"].type == pa.timestamp("us", "UTC")
    assert table["timestamp"].to_pylist() == [record.timestamp for record in batch]
    headers = [[(h["name"], h["value"]) for h in row] for row in table["headers"].to_pylist()]
    assert headers == [record.header_items for record in batch]
    assert table["value"].null_count == table["key"].null_count == 1
    assert pa.schema(batch) == table.schema


def test_records_that_are_hidden_stay_so(client: Client, mixed: str) -> None:
    batch = batch_of(client, mixed, 2)
    table = batch.to_arrow()
    table.validate(full=True)
    assert table.select(list(EXPECTED)).to_pydict() == {
        name: values[2:] for name, values in EXPECTED.items()
    }


def test_keys_and_values_are_not_copied(client: Client, topic: str) -> None:
    with client.producer(topic, linger_ms=10_000) as producer:
        producer.send_batch([b"v" * 100] * 1000, keys=[b"key"] * 1000)
    batch = batch_of(client, topic)
    value, key = batch[0].value_view, batch[0].key_view
    assert value is not None and key is not None
    table = batch.to_arrow()
    where = {name: table[name].buffers()[2].address for name in ("value", "key")}
    assert where == {"value": address(value), "key": address(key)}
    # Two arrays over the same memory, offsets included where they are aligned.
    again = batch.to_arrow()
    assert where["value"] == again["value"].buffers()[2].address
    for name in ("value", "key"):
        assert table[name].buffers()[1].address == again[name].buffers()[1].address
    del batch, value, key, again
    assert pc.binary_length(table["value"]).unique().to_pylist() == [100]


def address(view: memoryview) -> int:
    return int(pa.py_buffer(view).address)


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_what_was_compressed_is_read_too(client: Client, topic: str, codec: Any) -> None:
    with client.producer(topic, codec=codec, linger_ms=10_000) as producer:
        producer.send_batch([b"v" * 100] * 1000)
    table = batch_of(client, topic).to_arrow()
    table.validate(full=True)
    assert table["value"].to_pylist() == [b"v" * 100] * 1000


def test_polars_and_duckdb_read_a_batch(client: Client, mixed: str) -> None:
    batch = batch_of(client, mixed)
    frame = pl.DataFrame(batch)
    assert frame.select(list(EXPECTED)).to_dict(as_series=False) == EXPECTED
    arrow = pa.table(batch)
    assert arrow.num_rows == 4
    found = rows('select "offset" from t where value is not null order by 1 desc', t=arrow)
    assert [row[0] for row in found] == [3, 2, 0]


def test_a_consumer_is_a_stream_of_what_there_is(client: Client, topic: str) -> None:
    client.add_partitions(topic, 3)
    with client.producer(topic) as producer:
        for partition in range(3):
            for _ in range(3):
                producer.send_batch([f"{i}" for i in range(100)], partition=partition)
    with client.consumer(topic, start="earliest") as consumer:
        table = pa.table(consumer)
        assert table.num_rows == 900
        table.validate(full=True)
        assert pa.table(consumer).num_rows == 0  # It has been read.
        consumer.seek(1, 250)
        frame = pl.DataFrame(consumer)
        assert frame.height == 50 and frame["partition"].unique().to_list() == [1]
        consumer.seek(2, 0)
        assert consumer.to_arrow().num_rows == 300
    with client.consumer(topic, start="earliest") as consumer:
        reader = pa.RecordBatchReader.from_stream(consumer)
        found = rows('select count(*), sum("offset") from reader', reader=reader)
        assert found == [(900, 134550)]


def test_an_array_outlives_everything_it_came_from(url: str, topic: str) -> None:
    with Client(url) as client:
        with client.producer(topic, linger_ms=10_000) as producer:
            producer.send_batch([b"x" * 1000] * 100)
        table = batch_of(client, topic).to_arrow()
    assert table["value"].to_pylist() == [b"x" * 1000] * 100


WHEN = datetime(2024, 1, 1, tzinfo=UTC)
TABLES: list[Any] = [
    pa.table({"value": [b"a", None, b"c"], "k": ["1", "2", None], "t": [WHEN] * 3}),
    pa.table({"value": ["a", None, "c"], "k": ["1", "2", None], "t": [WHEN] * 3}).cast(
        pa.schema(
            {"value": pa.large_binary(), "k": pa.large_string(), "t": pa.timestamp("ns", "UTC")}
        )
    ),
    pa.table({"value": ["a", None, "c"], "k": ["1", "2", None], "t": [WHEN] * 3}).cast(
        pa.schema(
            {"value": pa.binary_view(), "k": pa.string_view(), "t": pa.timestamp("ms", "UTC")}
        )
    ),
    pl.DataFrame({"value": ["a", None, "c"], "k": ["1", "2", None], "t": [WHEN] * 3}),
    pa.record_batch({"value": [b"a", None, b"c"], "k": ["1", "2", None], "t": [WHEN] * 3}),
]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: type(table).__module__)
def test_a_table_is_sent_by_rows(client: Client, topic: str, table: Any) -> None:
    with client.producer(topic) as producer:
        receipts = producer.send_arrow(table, key="k", timestamp="t", headers={"h": "1"})
    assert [receipt.offset for receipt in receipts] == [0, 1, 2]
    records = [record for batch in client.fetch(topic, 0, 0).batches for record in batch]
    assert [record.value for record in records] == [b"a", None, b"c"]
    assert [record.key for record in records] == [b"1", b"2", None]
    assert {record.timestamp for record in records} == {WHEN}
    assert records[0].headers == {"h": b"1"}


def test_slices_chunks_and_long_views_are_read_where_they_are(client: Client, topic: str) -> None:
    values = [f"{i:04}" * (i % 20) for i in range(1000)]
    whole = pa.table({"v": values})
    parts = pa.concat_tables([whole.slice(10, 100), whole.slice(500, 7), whole.slice(0, 0)])
    expected = [value.encode() for value in values[10:110] + values[500:507]]
    with client.producer(topic) as producer:
        producer.send_arrow(parts, value="v")
        producer.send_arrow(pl.DataFrame({"v": values}).slice(10, 100), value="v")
        producer.send_arrow(whole.to_batches()[0].slice(500, 7), value="v")
        producer.send_arrow(duckdb.sql("select 'x' || range as v from range(3)"), value="v")
    with client.consumer(topic, start="earliest") as consumer:
        sent = pa.table(consumer)["value"].to_pylist()
    assert sent == expected + expected + [b"x0", b"x1", b"x2"]


def test_what_was_read_can_be_sent(client: Client, mixed: str) -> None:
    copy = f"copy-{uuid.uuid4().hex[:8]}"
    client.create_topic(copy)
    with client.producer(copy, linger_ms=10_000) as producer:
        producer.send_arrow(batch_of(client, mixed), key="key", timestamp="timestamp")
    assert batch_of(client, copy).values() == EXPECTED["value"]
    assert batch_of(client, copy).timestamps_us() == batch_of(client, mixed).timestamps_us()


def test_tables_that_cannot_be_sent(client: Client, topic: str) -> None:
    table = pa.table({"value": ["a"], "n": [1], "d": pa.array(["x"]).dictionary_encode()})
    cases: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"value": "nope"}, ValueError, "has no column \"nope\": it has value, n, d"),
        ({"value": "n"}, TypeError, "cast it first"),
        ({"value": "d"}, TypeError, "dictionary|binary or string"),
        ({"timestamp": "n"}, TypeError, "should be a timestamp"),
    ]
    with client.producer(topic) as producer:
        for arguments, kind, text in cases:
            with pytest.raises(kind, match=text):
                producer.send_arrow(table, **arguments)
        with pytest.raises(TypeError, match="__arrow_c_stream__"):
            producer.send_arrow([1, 2])
        with pytest.raises(TypeError, match="columns"):
            producer.send_arrow(pa.array([1, 2]))
        assert producer.send_arrow(table.slice(0, 0)) == []


def test_members_of_a_group_are_no_streams(client: Client, topic: str) -> None:
    with client.consumer(topic, group=f"g-{topic}") as consumer:
        with pytest.raises(tidewire.InvalidArgumentError, match="to_arrow"):
            pa.table(consumer)
