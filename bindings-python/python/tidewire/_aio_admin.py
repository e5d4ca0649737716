"""Streams, topics, groups, offsets and users, to be awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidewire import _convert
from tidewire._records import (
    Group,
    Limit,
    NamedProducer,
    NewToken,
    Partition,
    Stream,
    Token,
    Topic,
    User,
    UserDescription,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from tidewire import _native
    from tidewire._records import Codec, CommittedOffset, Fetched, GroupDescription, Place


class AsyncAdmin:
    """What a client asks of the server as a whole."""

    _core: _native.Client
    _queue: _native.Queue

    async def _run(self, operation: _native.Operation) -> Any:
        raise NotImplementedError

    async def create_stream(self, name: str) -> Stream:
        """Creates a stream.

        Raises `StreamExistsError`, `InvalidNameError`.
        """
        return Stream(*await self._run(self._core.create_stream(self._queue, name)))

    async def describe_stream(self, name: str) -> Stream:
        """Describes a stream.

        Raises `StreamNotFoundError`.
        """
        return Stream(*await self._run(self._core.describe_stream(self._queue, name)))

    async def list_streams(self) -> list[Stream]:
        """Lists all streams, by name."""
        return [Stream(*one) for one in await self._run(self._core.list_streams(self._queue))]

    async def delete_stream(self, name: str, *, with_topics: bool = False) -> None:
        """Deletes a stream; with its topics and their records if `with_topics`.

        Raises `StreamNotFoundError`, and `StreamNotEmptyError` without `with_topics`.
        """
        await self._run(self._core.delete_stream(self._queue, name, with_topics))

    async def purge_stream(self, name: str) -> None:
        """Deletes all records of all topics of a stream. Offsets go on.

        Raises `StreamNotFoundError`.
        """
        await self._run(self._core.purge_stream(self._queue, name))

    async def create_topic(
        self,
        topic: str,
        *,
        partitions: int | None = None,
        segment_bytes: int | None = None,
        codec: Codec | None = None,
        retention_ms: int | None = None,
        retention_bytes: int | None = None,
        dedup_window_ms: int | None = None,
    ) -> Topic:
        """Creates a topic, ``stream/topic``; a bare name is of the stream ``default``.

        `partitions` (1) is how many it has; `segment_bytes` (256 MiB) the size at which a
        partition's log begins a new file; `codec` ("none") how producers compress that do not
        choose; `retention_ms` and `retention_bytes` (0, for ever) when records may be deleted;
        `dedup_window_ms` (0, not at all) how long ids of records are remembered.

        Raises `TopicExistsError`, `StreamNotFoundError`, `InvalidNameError`,
        `InvalidOptionError`.
        """
        return Topic(
            *await self._run(
                self._core.create_topic(
                    self._queue,
                    topic,
                    {
                        "partitions": partitions,
                        "segment_bytes": segment_bytes,
                        "codec": codec,
                        "retention_ms": retention_ms,
                        "retention_bytes": retention_bytes,
                        "dedup_window_ms": dedup_window_ms,
                    },
                )
            )
        )

    async def update_topic(
        self,
        topic: str,
        *,
        segment_bytes: int | None = None,
        codec: Codec | None = None,
        retention_ms: int | None = None,
        retention_bytes: int | None = None,
        dedup_window_ms: int | None = None,
    ) -> Topic:
        """Changes options of a topic; what is not given stays. Returns how it is now.

        Raises `TopicNotFoundError`, `InvalidOptionError`, and `InvalidArgumentError` if nothing is
        given.
        """
        return Topic(
            *await self._run(
                self._core.update_topic(
                    self._queue,
                    topic,
                    {
                        "segment_bytes": segment_bytes,
                        "codec": codec,
                        "retention_ms": retention_ms,
                        "retention_bytes": retention_bytes,
                        "dedup_window_ms": dedup_window_ms,
                    },
                )
            )
        )

    async def add_partitions(self, topic: str, partitions: int) -> Topic:
        """Gives a topic more partitions, `partitions` in all. They are never taken away.

        A key's partition depends on their number; producers and consumers that are open know only
        those that there were. Raises `InvalidPartitionCountError`, `TopicNotFoundError`.
        """
        return Topic(*await self._run(self._core.add_partitions(self._queue, topic, partitions)))

    async def describe_topic(self, topic: str) -> Topic:
        """Describes a topic.

        Raises `TopicNotFoundError`, `StreamNotFoundError`.
        """
        return Topic(*await self._run(self._core.describe_topic(self._queue, topic)))

    async def list_topics(self, stream: str = "default") -> list[Topic]:
        """Lists all topics of a stream, by name.

        Raises `StreamNotFoundError`.
        """
        return [
            Topic(*one) for one in await self._run(self._core.list_topics(self._queue, stream))
        ]

    async def delete_topic(self, topic: str) -> None:
        """Deletes a topic and its records.

        Raises `TopicNotFoundError`.
        """
        await self._run(self._core.delete_topic(self._queue, topic))

    async def purge_topic(self, topic: str) -> None:
        """Deletes all records of a topic. Offsets go on.

        Raises `TopicNotFoundError`.
        """
        await self._run(self._core.purge_topic(self._queue, topic))

    async def truncate(self, topic: str, partition: int, before: int) -> int:
        """Deletes the records of a partition below the offset `before`; the offset of the first
        record that there is now.

        Raises `OffsetOutOfRangeError`, `PartitionNotFoundError`, `TopicNotFoundError`.
        """
        return int(await self._run(self._core.truncate(self._queue, topic, partition, before)))

    async def partitions(self, topic: str) -> list[Partition]:
        """The state of every partition of a topic, in order.

        Raises `TopicNotFoundError`.
        """
        return [
            Partition(*one) for one in await self._run(self._core.partitions(self._queue, topic))
        ]

    async def producers(self, topic: str) -> list[NamedProducer]:
        """The named producers that a topic remembers, by name.

        Raises `TopicNotFoundError`.
        """
        return [
            NamedProducer(*one)
            for one in await self._run(self._core.producers(self._queue, topic))
        ]

    async def forget_producer(self, topic: str, name: str) -> None:
        """Has a topic forget a named producer; whoever has the name is fenced.

        Raises `ProducerNotFoundError`, `TopicNotFoundError`.
        """
        await self._run(self._core.forget_producer(self._queue, topic, name))

    async def create_group(self, name: str) -> Group:
        """Creates a group without members. Joining one does so too.

        Raises `GroupExistsError`, `InvalidNameError`, `TooManyGroupsError`.
        """
        return Group(*await self._run(self._core.create_group(self._queue, name)))

    async def list_groups(self) -> list[Group]:
        """Lists all groups and named consumers, by name."""
        return [Group(*one) for one in await self._run(self._core.list_groups(self._queue))]

    async def describe_group(self, name: str) -> GroupDescription:
        """Describes a group, its members and partitions.

        Raises `GroupNotFoundError`.
        """
        return _convert.description(await self._run(self._core.describe_group(self._queue, name)))

    async def delete_group(self, name: str) -> None:
        """Deletes a group and its offsets.

        Raises `GroupNotFoundError`, and `GroupNotEmptyError` while it has members.
        """
        await self._run(self._core.delete_group(self._queue, name))

    async def committed(self, group: str, topic: str) -> list[CommittedOffset | None]:
        """What a group has stored for each partition of a topic, in order.

        Raises `GroupNotFoundError`, `TopicNotFoundError`.
        """
        return _convert.committed(
            await self._run(self._core.committed(self._queue, group, topic))
        )

    async def reset_offsets(
        self,
        group: str,
        topic: str,
        to: Place,
        *,
        partitions: Iterable[int] | None = None,
        force: bool = False,
    ) -> dict[int, int]:
        """Sets where a group goes on in partitions of a topic, all if none are given, also backwards;
        the offsets that it goes on at, by partition.

        With `force` also while it has members: they are sent to the new place. Raises
        `GroupNotFoundError`, `GroupNotEmptyError`, `PartitionNotFoundError`, `TopicNotFoundError`.
        """
        return dict(
            await self._run(
                self._core.reset_offsets(
                    self._queue,
                    group,
                    topic,
                    None if partitions is None else list(partitions),
                    _convert.place(to),
                    force,
                )
            )
        )

    async def delete_offsets(
        self,
        group: str,
        topic: str,
        *,
        partitions: Iterable[int] | None = None,
    ) -> None:
        """Forgets what a group has stored for partitions of a topic, all if none are given.

        Raises `GroupNotFoundError`, `GroupNotEmptyError`.
        """
        await self._run(
            self._core.delete_offsets(
                self._queue, group, topic, None if partitions is None else list(partitions)
            )
        )

    async def describe_limits(self) -> list[Limit]:
        """Lists the limits that the server enforces, and how much of them is used: first those that
        its configuration sets, which may change while it runs, then those of the protocol.
        """
        return [Limit(*one) for one in await self._run(self._core.describe_limits(self._queue))]

    async def create_user(
        self, name: str, *, password: str | None = None, grants: Iterable[str] = ()
    ) -> User:
        """Creates a user, who may do what `grants` say, such as ``"read,write topic shop/*"``:
        of read, write, manage and admin, on server, stream, topic or group. Without a password it
        logs in with tokens only. The password itself stays here.

        Raises `UserExistsError`, `InvalidNameError`, `InvalidArgumentError`, `AccessLimitError`,
        `DeniedError`.
        """
        return User(*await self._run(self._core.create_user(self._queue, name, password, _convert.grants(grants))))

    async def delete_user(self, name: str) -> None:
        """Deletes a user and its tokens, and ends its connections.

        Raises `UserNotFoundError`, `DeniedError`; `InvalidArgumentError` for ``root``.
        """
        await self._run(self._core.delete_user(self._queue, name))

    async def enable_user(self, name: str, enabled: bool = True) -> User:
        """Lets a user log in again; with ``False`` keeps it out, and ends its connections.

        Raises `UserNotFoundError`, `DeniedError`; `InvalidArgumentError` for ``root``.
        """
        return User(*await self._run(self._core.enable_user(self._queue, name, enabled)))

    async def change_password(self, password: str, *, user: str | None = None) -> None:
        """Changes a password: that of this client's own user if none is named. Connections that
        logged in with the old one end, this one among them.

        Raises `UserNotFoundError`, `InvalidArgumentError`, `DeniedError`.
        """
        await self._run(self._core.change_password(self._queue, password, user))

    async def describe_user(self, name: str | None = None) -> UserDescription:
        """Describes a user: this client's own if none is named.

        Raises `UserNotFoundError`, `DeniedError`.
        """
        user, grants = await self._run(self._core.describe_user(self._queue, name))
        return UserDescription(User(*user), grants)

    async def list_users(self) -> list[User]:
        """Lists all users, by name.

        Raises `DeniedError`.
        """
        return [User(*one) for one in await self._run(self._core.list_users(self._queue))]

    async def change_grants(
        self, user: str, *, revoke: Iterable[str] = (), grant: Iterable[str] = ()
    ) -> list[str]:
        """Takes rights away from a user and then gives it others, at once, also on its open
        connections; what it may do then. Rights are taken from grants of exactly the same scope
        and pattern.

        Raises `UserNotFoundError`, `InvalidArgumentError`, `AccessLimitError`, `DeniedError`.
        """
        changed = await self._run(self._core.change_grants(
            self._queue, user, _convert.grants(revoke), _convert.grants(grant)
        ))
        return list(changed)

    async def create_token(
        self, name: str, *, user: str | None = None, lifetime: timedelta | float | None = None
    ) -> NewToken:
        """Creates a token: of this client's own user if none is named. It ends after `lifetime`
        (a ``timedelta`` or seconds, 1 ms to 100 years), or never. Its secret is made here, and
        told nobody but the caller: ``Client(secret=new.secret)`` logs in.

        Raises `TokenExistsError`, `UserNotFoundError`, `InvalidNameError`,
        `InvalidArgumentError`, `AccessLimitError`, `DeniedError`.
        """
        token, secret = await self._run(self._core.create_token(self._queue, name, user, _convert.seconds(lifetime)))
        return NewToken(Token(*token), secret)

    async def list_tokens(self, user: str | None = None) -> list[Token]:
        """Lists the tokens of a user, by number: of this client's own if none is named.

        Raises `UserNotFoundError`, `DeniedError`.
        """
        return [Token(*one) for one in await self._run(self._core.list_tokens(self._queue, user))]

    async def delete_token(self, id: int) -> None:
        """Deletes a token, and ends the connections that were made with it.

        Raises `TokenNotFoundError`, `DeniedError`.
        """
        await self._run(self._core.delete_token(self._queue, id))

    async def fetch(
        self,
        topic: str,
        partition: int,
        offset: int,
        *,
        max_bytes: int | None = None,
        min_bytes: int | None = None,
        max_wait_ms: int | None = None,
    ) -> Fetched:
        """Reads batches of a partition once, from `offset` on.

        At most `max_bytes` (1 MiB), but one batch at least; waits until there are `min_bytes` (0)
        for at most `max_wait_ms` (0). A consumer is the better way to read on and on.

        Raises `OffsetOutOfRangeError`, whose `offsets` say what there is;
        `PartitionNotFoundError`, `TopicNotFoundError`.
        """
        return _convert.fetched(
            await self._run(
                self._core.fetch(
                    self._queue,
                    topic,
                    partition,
                    offset,
                    {
                        "max_bytes": max_bytes,
                        "min_bytes": min_bytes,
                        "max_wait_ms": max_wait_ms,
                    },
                )
            )
        )
