"""Users, tokens and grants, on a server that asks for credentials."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import Process

import tidewire
from tidewire import AsyncClient, Client


@pytest.fixture
def root(secured: Process) -> Iterator[Client]:
    with Client(secured.root_url) as client:
        yield client


def ended(client: Client) -> tidewire.TidewireError:
    """Waits until a client has learnt why it may not come back."""
    for _ in range(6_000):
        try:
            client.ping()
        except tidewire.TidewireError as error:
            if not error.retriable and not error.outcome_unknown:
                return error
        time.sleep(0.01)
    raise AssertionError("the connection never ended")


def test_a_user_does_what_it_was_granted(secured: Process, root: Client) -> None:
    root.create_topic("orders")
    made = root.create_user("ada", password="pw", grants=["read topic default/orders"])
    assert (made.name, made.enabled, made.password, made.tokens) == ("ada", True, True, 0)
    assert [user.name for user in root.list_users()] == ["ada", "root"]
    with Client(secured.url, user="ada", secret="pw") as client:
        described = client.describe_user()
        assert (described.user.name, described.grants) == ("ada", ["read topic default/orders"])
        assert client.describe_topic("orders").name == "orders"
        with pytest.raises(tidewire.DeniedError):
            client.delete_topic("orders")
        with pytest.raises(tidewire.DeniedError):
            client.describe_topic("missing")
        with pytest.raises(PermissionError):
            client.list_users()
        # What it uses itself is for it to know, and what all use together is not.
        limits = {limit.name: limit for limit in client.describe_limits()}
        assert limits["max_user_connections"].used == 1
        assert limits["max_connections"].used == 0
        # At once, and on the open connection.
        changed = root.change_grants(
            "ada",
            revoke=["read topic default/orders"],
            grant=["read,manage topic default/o*"],
        )
        assert changed == ["read,manage topic default/o*"]
        client.purge_topic("orders")
        with pytest.raises(tidewire.InvalidArgumentError, match='"fly topic a"'):
            root.change_grants("ada", grant=["fly topic a"])
        with pytest.raises(TypeError, match="list"):
            root.change_grants("ada", grant="read server")
        root.change_password("new", user="ada")
        assert isinstance(ended(client), tidewire.AuthFailedError)
    assert not root.enable_user("ada", False).enabled
    root.delete_user("ada")
    with pytest.raises(tidewire.UserNotFoundError):
        root.describe_user("ada")


def test_a_token_logs_in_until_it_is_deleted(
    secured: Process, root: Client, tmp_path: Path
) -> None:
    root.create_user("bob")
    made = root.create_token("laptop", user="bob", lifetime=timedelta(hours=1))
    assert made.secret.startswith("twt_") and made.secret not in repr(made)
    assert made.token.expires_us is not None
    assert made.token.expires_us - made.token.created_us == 3_600_000_000
    (tmp_path / "secret").write_text(made.secret)
    with Client(secured.url, secret_file=str(tmp_path / "secret")) as client:
        assert [(token.name, token.user) for token in client.list_tokens()] == [("laptop", "bob")]
        assert root.create_token("other", user="bob").token.expires_us is None
        root.delete_token(made.token.id)
        assert isinstance(ended(client), tidewire.AuthFailedError)


def test_who_shows_the_wrong_thing_stays_out(secured: Process, root: Client) -> None:
    with pytest.raises(tidewire.AuthRequiredError):
        Client(secured.url)
    with pytest.raises(tidewire.AuthFailedError):
        Client(secured.url, user="root", secret="wrong")
    for lifetime in (0.0, -1.0, float("nan"), 1e300):
        with pytest.raises(tidewire.InvalidArgumentError):
            root.create_token("x", lifetime=lifetime)


def test_the_same_to_be_awaited(secured: Process) -> None:
    async def all_of_it() -> None:
        async with AsyncClient(secured.root_url) as root:
            await root.create_user("eve", password="pw", grants=["read server"])
            async with AsyncClient(secured.url, user="eve", secret="pw") as eve:
                assert (await eve.describe_user()).grants == ["read server"]
                limits = {limit.name: limit for limit in await eve.describe_limits()}
                assert limits["max_user_connections"].used == 1
                assert limits["max_name_len"].value == 255
                made = await eve.create_token("t", lifetime=60)
                assert [token.id for token in await root.list_tokens("eve")] == [made.token.id]
                await eve.delete_token(made.token.id)
                assert await root.change_grants("eve", revoke=["read server"]) == []
                with pytest.raises(tidewire.DeniedError):
                    await eve.list_users()
            assert (await root.enable_user("eve", True)).enabled
            await root.change_password("new", user="eve")
            await root.delete_user("eve")
            assert "eve" not in [user.name for user in await root.list_users()]

    asyncio.run(all_of_it())
