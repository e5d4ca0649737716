"""Options have the names of the table that all languages share, and none is missing."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest

from tidewire import AsyncClient, Client
from tidewire._constants import OPTIONS

SCOPES: dict[str, tuple[Callable[..., object], set[str]]] = {
    "client": (Client.__init__, {"url", "secret"}),
    "producer": (Client.producer, {"topic", "name"}),
    "consumer": (Client.consumer, {"topic", "group", "name", "partitions", "start_at", "auto_commit"}),
    "topic": (Client.create_topic, {"topic"}),
}


@pytest.mark.parametrize("scope", SCOPES)
def test_every_option_is_an_argument_by_name(scope: str) -> None:
    function, others = SCOPES[scope]
    parameters = dict(inspect.signature(function).parameters)
    parameters.pop("self")
    named = {name for of, name in OPTIONS if of == scope}
    assert named <= set(parameters)
    assert set(parameters) - named <= others
    for name in named:
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
        # What is not given comes from the URL, the environment, the table.
        assert parameters[name].default is None
        assert name in (function.__doc__ or "")


def test_the_twins_take_the_same_options() -> None:
    for name in ("__init__", "producer", "consumer", "create_topic"):
        one = inspect.signature(getattr(Client, name)).parameters
        other = inspect.signature(getattr(AsyncClient, name)).parameters
        assert list(one) == list(other)


def test_the_environment_and_the_url_set_options(
    url: str, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEWIRE_QUEUE_BYTES", "65536")
    with Client(f"{url}/?linger_ms=60000&queue_full=error") as client:
        with client.producer(topic) as producer:
            ticket = producer.enqueue(b"x" * 70_000)
            with pytest.raises(Exception, match="65536"):
                producer.enqueue(b"y")
            assert not ticket.done()
        with client.producer(topic, linger_ms=0, queue_bytes=1 << 20) as producer:
            producer.enqueue(b"x" * 70_000)
            assert producer.enqueue(b"y").wait(30).offset >= 0
