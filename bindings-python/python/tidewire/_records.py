"""What is sent, what is told: values without behaviour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from tidewire._error import TidewireError

if TYPE_CHECKING:
    from datetime import timedelta
    from uuid import UUID

    from typing_extensions import Buffer

    Data: TypeAlias = Buffer | str
    """Bytes that are sent: anything with the buffer protocol, or ``str``, which is UTF-8."""

    Headers: TypeAlias = Mapping[str, Data] | Sequence[tuple[str, Data]]
    """Headers of a record: by name, or as pairs where names repeat."""

    Timestamp: TypeAlias = datetime | int
    """A time: a ``datetime`` (without a zone it is local), or microseconds since the Unix
    epoch."""

    Place: TypeAlias = str | int | datetime | timedelta
    """A place in a partition: ``"earliest"``, ``"latest"``, an offset, ``"last:N"`` (that many
    records before the end), or a time: the first record appended then or later. A ``timedelta``
    is a time that long ago."""

Acks: TypeAlias = Literal["none", "written", "synced"]
"""What an acknowledgement promises: nothing; that the operating system has the records, so that
they survive the server's death; that the disk has them, so that they survive a loss of power."""

Codec: TypeAlias = Literal["none", "lz4", "zstd"]
"""Compression of batches: none, fast, or small."""

QueueFull: TypeAlias = Literal["block", "error", "drop"]
"""What happens to a record for which a producer's queue has no room."""

AutoCommit: TypeAlias = Literal["off", "interval", "after", "before"]
"""When a consumer with a group or a name stores offsets by itself."""

OnOutOfRange: TypeAlias = Literal["earliest", "latest", "error"]
"""What a consumer does when records were deleted before it had read them."""


class NewRecord(NamedTuple):
    """A record to be sent with others by ``send_batch``, where each has its own parts."""

    value: Data | None
    key: Data | None = None
    headers: Headers | None = None
    timestamp: Timestamp | None = None
    partition: int | None = None
    id: bytes | UUID | None = None


class ServerLimits(NamedTuple):
    """A server's limits."""

    max_frame_len: int
    """Largest frame, in bytes."""
    max_batch_len: int
    """Largest batch, in bytes."""
    max_batch_records: int
    """Most records in a batch."""
    max_in_flight: int
    """Most unanswered requests."""
    max_channels: int
    """Most open producers and subscribed partitions on one connection."""


class Server(NamedTuple):
    """What a server said of itself."""

    name: str
    version: str
    address: str
    """Where it was reached, ``host:port``."""
    id: int
    """A number that stays with its data."""
    limits: ServerLimits


class Stream(NamedTuple):
    """A stream."""

    name: str
    id: int
    """Its number, never reused."""
    created_us: int
    """When it was created, in microseconds since the Unix epoch."""
    topics: int
    """How many topics it has."""


class Topic(NamedTuple):
    """A topic."""

    stream: str
    name: str
    """Its name within the stream."""
    id: int
    """Its number, never reused."""
    created_us: int
    """When it was created, in microseconds since the Unix epoch."""
    partitions: int
    segment_bytes: int
    """Size at which a partition's log begins a new file, in bytes."""
    codec: str
    """Compression by producers that do not choose for themselves."""
    retention_ms: int
    """Age at which records may be deleted, in milliseconds; 0 is never."""
    retention_bytes: int
    """Size of a partition above which its oldest records may be deleted, in bytes; 0 is never."""
    dedup_window_ms: int
    """How long ids of records are remembered, in milliseconds; 0 is not at all."""


class Partition(NamedTuple):
    """The state of a partition."""

    partition: int
    shard: int
    """The server's thread that owns it."""
    start_offset: int
    """Offset of its first record."""
    end_offset: int
    """Offset after its last record."""
    synced_offset: int
    """Offset after its last record that is on the disk."""
    size_bytes: int
    segments: int
    """Files of its log."""
    error: int
    """Why it takes no appends: a :class:`tidewire.Code`, or 0."""


class NamedProducer(NamedTuple):
    """A producer that a topic remembers by its name."""

    name: str
    producer_id: int
    producer_epoch: int
    """How often it was opened."""
    opened_us: int
    """When it was opened last, in microseconds since the Unix epoch."""


class Group(NamedTuple):
    """A group of consumers."""

    name: str
    created_us: int
    """When it was created, in microseconds since the Unix epoch."""
    state: str
    """``"empty"``, ``"stable"`` or ``"rebalancing"``."""
    generation: int
    """How often its partitions were divided anew."""
    members: int
    partitions: int
    """How many partitions its members divide among them."""
    offsets: int
    """Of how many partitions it has stored offsets."""


class Member(NamedTuple):
    """A member of a group."""

    member_id: int
    member_epoch: int
    member_name: str
    """The name that keeps its place; empty if it has none."""
    client_name: str
    address: str
    """Where it is connected from; empty while it is away."""
    connected: bool
    session_timeout_ms: int
    rebalance_timeout_ms: int
    partitions: int
    """How many partitions it has."""
    topics: list[str]
    """What it wants to read."""


class GroupPartition(NamedTuple):
    """A partition, as a group sees it."""

    topic: str
    """``stream/topic``."""
    partition: int
    member_id: int | None
    """Who reads it."""
    revoking: bool
    """Whether that member was asked to release it."""
    offset: int | None
    """Offset of the next record to read, if one is stored."""
    commit_us: int | None
    """When it was stored, in microseconds since the Unix epoch."""


class GroupDescription(NamedTuple):
    """A group, its members and what they do."""

    group: Group
    members: list[Member]
    partitions: list[GroupPartition]


class CommittedOffset(NamedTuple):
    """An offset that is stored for a partition."""

    offset: int
    """Offset of the next record to read."""
    commit_us: int
    """When it was stored, in microseconds since the Unix epoch."""
    note: str
    """What the consumer keeps beside it."""


class Limit(NamedTuple):
    """A limit that the server enforces."""

    name: str
    """Its name, in the server's configuration or in the protocol."""
    value: int
    """How much is allowed; 0 is no limit."""
    unit: str
    """What is counted."""
    configured: bool
    """Whether the server's configuration sets it; otherwise the protocol does."""
    used: int
    """How much is used now, by who asks where it is a user's, an address's or a shard's; 0 where
    that is not counted, or not for this user to know."""


class User(NamedTuple):
    """A user."""

    name: str
    id: int
    """Its number, never reused."""
    created_us: int
    """When it was created, in microseconds since the Unix epoch."""
    enabled: bool
    """Whether it may log in."""
    password: bool
    """Whether it has a password."""
    tokens: int
    """How many tokens it has."""


class UserDescription(NamedTuple):
    """A user and what it may do."""

    user: User
    grants: list[str]
    """Such as ``"read,write topic shop/*"``. ``root`` may do everything, and has none."""


class Token(NamedTuple):
    """A token, without what logs in."""

    id: int
    """Its number, never reused."""
    name: str
    user: str
    """Whom it stands for."""
    created_us: int
    """When it was created, in microseconds since the Unix epoch."""
    expires_us: int | None
    """When it ends, in microseconds since the Unix epoch; ``None`` is never."""


class NewToken(NamedTuple):
    """A token that was just created."""

    token: Token
    secret: str
    """What logs in. Nobody else knows it, and it is not kept anywhere."""

    def __repr__(self) -> str:
        return f"NewToken(token={self.token!r}, secret='…')"


class TopicPartition(NamedTuple):
    """A partition of a topic."""

    topic: str
    """``stream/topic``."""
    partition: int


class Position(NamedTuple):
    """Where a consumer stands in a partition."""

    partition: int
    next_offset: int
    """Offset of the record that comes next."""
    end_offset: int
    """Offset after the partition's last record, as far as it is known."""

    @property
    def lag(self) -> int:
        """Records known to follow."""
        return max(0, self.end_offset - self.next_offset)


class Fetched(NamedTuple):
    """What ``fetch`` read."""

    batches: list[Any]
    """Batches in order (:class:`tidewire.Batch`)."""
    start_offset: int
    """Offset of the partition's first record."""
    end_offset: int
    """Offset after the last record that could be read."""
    next_offset: int
    """The offset to fetch next."""


class ProducerStats(NamedTuple):
    """What a producer did so far, and what waits."""

    queued_records: int
    """Records without an outcome."""
    queued_bytes: int
    """Their bytes, as they count against ``queue_bytes``."""
    in_flight_batches: int
    """Batches on the wire that are not answered."""
    sent_batches: int
    """Batches sent, each time counted."""
    sent_bytes: int
    retried_batches: int
    """Of them, those that had been sent before."""
    duplicate_batches: int
    """Batches that an earlier sending had appended already."""
    acknowledged_records: int
    failed_records: int
    """Records that were certainly not appended."""
    unknown_records: int
    """Records whose outcome is unknown."""
    dropped_records: int
    """Records dropped because the queue was full, with ``queue_full="drop"``."""


class ConsumerStats(NamedTuple):
    """What a consumer did so far, and what it holds."""

    partitions: int
    """Partitions that it reads."""
    live_partitions: int
    """Those that are subscribed on the current connection."""
    buffered_bytes: int
    """Bytes of batches that were delivered and not yet taken."""
    batches: int
    """Batches taken."""
    bytes: int
    """Their bytes, as they travelled."""
    resubscriptions: int
    """How often a partition was subscribed again."""
    skipped_offsets: int
    """Offsets that were left out because their records were deleted before they were read."""
    stored_offsets: int
    """Offsets that were stored, by hand or by itself."""


class Event(NamedTuple):
    """Something that happened to a client. None of it calls for action."""

    type: str
    """``"connected"``, ``"disconnected"``, ``"reconnecting"``, ``"gave_up"``, ``"throttled"``,
    ``"partitions_assigned"``, ``"partitions_revoked"``, ``"partitions_lost"``,
    ``"records_skipped"``: records were deleted before a consumer read them, and it goes on at
    `to_offset` where `from_offset` was due; or ``"missed"``: this many events were lost, because
    nobody looked for too long. ``"throttled"`` with an empty `topic` says that the client's user is
    over a rate, which `error` names: what it asks for is carried out later."""
    address: str | None = None
    error: TidewireError | None = None
    attempt: int | None = None
    topic: str | None = None
    partition: int | None = None
    group: str | None = None
    partitions: list[TopicPartition] | None = None
    from_offset: int | None = None
    to_offset: int | None = None
    missed: int | None = None
