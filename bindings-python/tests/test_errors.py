"""What is wrong is said by a precise exception, and in words that help."""

from __future__ import annotations

import copy
import pickle
import socket
from collections.abc import Callable
from typing import Any

import pytest

import tidewire
from tidewire import Client, Code, Disposition, TidewireError, errors
from tidewire._constants import ERRORS


def test_every_number_has_an_exception_in_one_tree() -> None:
    assert set(errors.BY_CODE) == set(ERRORS)
    for number, made in errors.BY_CODE.items():
        known = ERRORS[number]
        error = made("text")
        assert (error.code, error.disposition, error.kind, str(error)) == (
            number,
            known.disposition,
            known.kind,
            "text",
        )
        assert error.retriable == bool(known.disposition & Disposition.RETRIABLE)
        assert error.outcome_unknown == bool(known.disposition & Disposition.OUTCOME_UNKNOWN)
        assert issubclass(made, TidewireError)
        assert made.__mro__[1].__mro__[1] is TidewireError
        assert getattr(tidewire, made.__name__) is made


def test_what_python_has_is_a_base() -> None:
    assert issubclass(tidewire.RequestTimeoutError, TimeoutError)
    assert issubclass(tidewire.ConnectFailedError, ConnectionError)
    assert issubclass(tidewire.DisconnectedError, ConnectionError)
    assert issubclass(tidewire.InvalidOptionError, ValueError)
    assert issubclass(tidewire.TopicNotFoundError, LookupError)
    assert issubclass(tidewire.DeniedError, PermissionError)


def test_exceptions_survive_copies_and_pickles() -> None:
    error = tidewire.OffsetOutOfRangeError("gone", offsets=(3, 9))
    for made in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(made) is type(error)
        assert (str(made), made.code, made.offsets) == ("gone", Code.OFFSET_OUT_OF_RANGE, (3, 9))


def test_a_number_from_the_future_is_kept() -> None:
    from tidewire._error import from_core

    error = from_core(60_000, 3, "new", None, [(1, 2, 3)])
    assert (error.code, error.retriable, error.outcome_unknown) == (60_000, True, True)
    assert error.unsent[0].failed_records == 2
    assert type(error) is TidewireError


@pytest.mark.parametrize("value", [1, 1.5, object(), ["a"], {"a": 1}])
def test_a_value_of_the_wrong_type(client: Client, topic: str, value: Any) -> None:
    with client.producer(topic) as producer:
        for call in (producer.send, producer.enqueue):
            with pytest.raises(TypeError, match=r"value must be str, None or bytes-like .*encode"):
                call(value)
        with pytest.raises(TypeError, match="key must be str"):
            producer.send(b"v", key=value)
        with pytest.raises(TypeError, match="value must be str") as raised:
            producer.send_batch([b"a", value])
        assert "values[1]" in raised.value.__notes__[0]


def test_other_parts_of_the_wrong_type(client: Client, topic: str) -> None:
    with client.producer(topic) as producer:
        cases: list[tuple[type[Exception], str, dict[str, Any]]] = [
            (TypeError, "partition must be int, not str", {"partition": "0"}),
            (TypeError, "partition must be int, not bool", {"partition": True}),
            (tidewire.InvalidArgumentError, "partition is -1", {"partition": -1}),
            (tidewire.PartitionNotFoundError, "9", {"partition": 9}),
            (TypeError, "timestamp must be a datetime", {"timestamp": 1.5}),
            (tidewire.InvalidArgumentError, "timestamp is", {"timestamp": 1 << 63}),
            (tidewire.InvalidArgumentError, "id has 3 bytes", {"id": b"abc"}),
            (TypeError, "headers must be a mapping", {"headers": 5}),
            (TypeError, "headers must be a mapping", {"headers": ["ab"]}),
            (TypeError, "header's name must be str", {"headers": {b"a": b"1"}}),
            (TypeError, "value of header a", {"headers": {"a": None}}),
            (TypeError, "value of header a", {"headers": {"a": 1}}),
            (tidewire.InvalidArgumentError, "header", {"headers": {"": b"1"}}),
        ]
        for kind, text, arguments in cases:
            with pytest.raises(kind, match=text):
                producer.send(b"v", **arguments)
        with pytest.raises(BufferError, match="gaps"):
            producer.send(memoryview(b"abcd")[::2])
        with pytest.raises(TypeError, match="send\\(\\) sends one"):
            producer.send_batch("abc")
        with pytest.raises(ValueError, match="keys has 1 entries"):
            producer.send_batch(["a", "b"], keys=["k"])
        assert producer.send(b"still works").offset >= 0


def test_a_value_over_the_limit(client: Client, topic: str) -> None:
    with client.producer(topic) as producer:
        with pytest.raises(tidewire.RecordTooLargeError, match="8388608") as raised:
            producer.send(b"x" * (9 << 20))
        assert not raised.value.retriable and not raised.value.outcome_unknown
        assert producer.send(b"fits").offset == 0


def test_options_that_cannot_be(client: Client, topic: str, url: str) -> None:
    cases: list[tuple[Callable[[], Any], type[Exception], str]] = [
        (lambda: Client(f"{url}/?lingr_ms=5"), tidewire.InvalidOptionError, "lingr_ms"),
        (lambda: Client(f"{url}/?linger_ms=no"), tidewire.InvalidOptionError, "linger_ms"),
        (lambda: Client("http://x"), tidewire.InvalidUrlError, "tidewire"),
        (lambda: Client("tidewire://"), tidewire.InvalidUrlError, "host|server|address|empty"),
        (lambda: Client(url, heartbeat_ms=1), tidewire.InvalidOptionError, "1000"),
        (lambda: Client(url, nonsense=1), TypeError, "nonsense"),  # type: ignore[call-arg]
        (lambda: client.producer(topic, linger_ms=-1), tidewire.InvalidOptionError, "60000"),
        (lambda: client.producer(topic, linger_ms=60_001), tidewire.InvalidOptionError, "60000"),
        (lambda: client.producer(topic, linger_ms=1 << 70), tidewire.InvalidOptionError, "60000"),
        (lambda: client.producer(topic, linger_ms="5"), TypeError, "linger_ms must be int"),  # type: ignore[arg-type]
        (lambda: client.producer(topic, acks="all"), tidewire.InvalidOptionError, "synced"),  # type: ignore[arg-type]
        (lambda: client.producer(topic, codec="gzip"), tidewire.InvalidOptionError, "zstd"),  # type: ignore[arg-type]
        (lambda: client.consumer(topic, start="first"), tidewire.InvalidOptionError, "earliest"),
        (lambda: client.consumer(topic, start=-1), tidewire.InvalidArgumentError, "-1"),
        (lambda: client.consumer(topic, start=1.5), TypeError, "start must be"),  # type: ignore[arg-type]
        (lambda: client.consumer(topic, auto_commit="after"), tidewire.InvalidArgumentError, "group"),
        (lambda: client.consumer(topic, partitions=[]), tidewire.InvalidArgumentError, "no part"),
        (lambda: client.consumer(topic, partitions=[7]), tidewire.PartitionNotFoundError, "7"),
        (lambda: client.create_topic("a/b/c"), tidewire.InvalidNameError, "a/b/c|name"),
        (lambda: client.create_topic(5), TypeError, "str"),  # type: ignore[arg-type]
        (lambda: client.create_topic(topic), tidewire.TopicExistsError, topic),
        (lambda: client.update_topic(topic), tidewire.InvalidArgumentError, "options"),
        (lambda: client.truncate(topic, -1, 0), tidewire.InvalidArgumentError, "-1"),
        (lambda: client.fetch(topic, 0, 99), tidewire.OffsetOutOfRangeError, "99"),
    ]
    for call, kind, text in cases:
        with pytest.raises(kind, match=text):
            call()


def test_an_offset_that_is_not_there_says_what_is(client: Client, topic: str) -> None:
    with client.producer(topic) as producer:
        producer.send_batch(["a", "b"])
    with pytest.raises(tidewire.OffsetOutOfRangeError) as raised:
        client.fetch(topic, 0, 99)
    assert raised.value.offsets == (0, 2)


def test_a_topic_that_is_not_there(client: Client) -> None:
    for call in (client.producer, client.consumer, client.describe_topic):
        with pytest.raises(tidewire.TopicNotFoundError, match="nowhere") as raised:
            call("nowhere")
        assert raised.value.code is Code.TOPIC_NOT_FOUND
    with pytest.raises(tidewire.StreamNotFoundError):
        client.producer("no/where")


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConnectionError, match=address) as raised:
            Client(f"tidewire://{address}", connect_timeout_ms=2000)
    assert isinstance(raised.value, tidewire.ConnectFailedError)
    assert raised.value.retriable


def test_a_server_of_another_kind() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(TidewireError):
            Client(f"tidewire://127.0.0.1:{port}", connect_timeout_ms=300)


def test_a_closed_client(url: str, topic: str) -> None:
    client = Client(url)
    producer = client.producer(topic)
    consumer = client.consumer(topic, start="earliest")
    client.close()
    client.close()
    for call in (client.ping, client.list_streams, lambda: client.producer(topic)):
        with pytest.raises(tidewire.ClientClosedError):
            call()
    with pytest.raises(tidewire.ClientClosedError):
        producer.send(b"v")
    assert consumer.poll(5) is None
    assert list(consumer) == []


def test_timeouts_are_seconds(client: Client, topic: str) -> None:
    consumer = client.consumer(topic)
    assert consumer.poll(0) is None
    assert consumer.poll(0.01) is None
    for wrong in (-1, float("nan")):
        with pytest.raises(ValueError, match="timeout"):
            consumer.poll(wrong)
    with pytest.raises(TypeError):
        consumer.poll("1")  # type: ignore[arg-type]
    consumer.close()
