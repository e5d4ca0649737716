"""The client, from threads that may wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from tidewire import _convert, _native
from tidewire._admin import Admin
from tidewire.consumer import Consumer
from tidewire.producer import Producer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import TracebackType

    from tidewire._records import Acks, AutoCommit, Codec, Event, OnOutOfRange, Place, QueueFull, Server


class Client(Admin):
    """A connection to a Tidewire server; any thread may use it.

    When the connection is lost, the client makes another, for as long as it takes, and what was
    made from it goes on. A request that may change something is never made twice: if its
    connection is lost before the reply, it fails with ``outcome_unknown``.

    After ``os.fork()`` the child has to connect anew; there, everything of the parent's raises
    `ForkedError`.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        user: str | None = None,
        secret: str | None = None,
        secret_file: str | None = None,
        tls_ca_file: str | None = None,
        tls_cert_file: str | None = None,
        tls_key_file: str | None = None,
        tls_danger: str | None = None,
        encryption_keys: str | None = None,
        encryption_key_file: str | None = None,
        client_name: str | None = None,
        connect_timeout_ms: int | None = None,
        request_timeout_ms: int | None = None,
        heartbeat_ms: int | None = None,
        retry_backoff_ms: int | None = None,
        retry_backoff_max_ms: int | None = None,
        runtime_threads: int | None = None,
        busy_poll_us: int | None = None,
    ) -> None:
        """Connects to the first server of `url` that can be reached; each is tried once.

        `url` looks like ``tidewire://host:8433,host2:8433/?option=value``; without it, it is
        ``tidewire://127.0.0.1:8433``. `user` and `secret` (a password or token) log in, or those of
        the URL, ``tidewire://user:secret@host``, or the first line of `secret_file`, which is read
        at each connection. ``tidewire+tls://`` speaks TLS: `tls_ca_file` names the certificates that
        the server's has to lead to (the system's if not given), `tls_cert_file` and `tls_key_file`
        what the client shows of itself; `tls_danger` "trust-any-server" believes anybody, for
        trials. `encryption_keys` (as ``tidewire keygen`` prints them, with commas between them) and
        the lines of `encryption_key_file` are the keys that batches are encrypted and read with.
        What is not given here comes from the URL, then from the
        environment (``TIDEWIRE_HEARTBEAT_MS``), then from the defaults: `client_name` the
        program's, `connect_timeout_ms` 10,000 for each address, `request_timeout_ms` 30,000,
        `heartbeat_ms` 30,000, `retry_backoff_ms` 100 and `retry_backoff_max_ms` 5,000 between
        attempts, `runtime_threads` 2 and `busy_poll_us` 100, of which the first client of a process
        decides: so long, in microseconds, a thread that waits for one answer looks for it before it
        sleeps, while answers have lately come within that time.

        Raises `InvalidUrlError`, `InvalidOptionError`; `AuthRequiredError`, `AuthFailedError`,
        `TokenExpiredError`, `TooManyAttemptsError`; `ConnectFailedError` (a
        ``ConnectionError``) with what is wrong with each address.
        """
        self._core = _native.connect(
            None,
            url,
            {
                "user": user,
                "secret": secret,
                "secret_file": secret_file,
                "tls_ca_file": tls_ca_file,
                "tls_cert_file": tls_cert_file,
                "tls_key_file": tls_key_file,
                "tls_danger": tls_danger,
                "encryption_keys": encryption_keys,
                "encryption_key_file": encryption_key_file,
                "client_name": client_name,
                "connect_timeout_ms": connect_timeout_ms,
                "request_timeout_ms": request_timeout_ms,
                "heartbeat_ms": heartbeat_ms,
                "retry_backoff_ms": retry_backoff_ms,
                "retry_backoff_max_ms": retry_backoff_max_ms,
                "runtime_threads": runtime_threads,
                "busy_poll_us": busy_poll_us,
            },
        )

    def producer(
        self,
        topic: str,
        *,
        name: str | None = None,
        acks: Acks | None = None,
        linger_ms: int | None = None,
        batch_bytes: int | None = None,
        batch_records: int | None = None,
        queue_bytes: int | None = None,
        max_in_flight: int | None = None,
        delivery_timeout_ms: int | None = None,
        queue_full: QueueFull | None = None,
        codec: Codec | None = None,
        encryption_key_id: int | None = None,
    ) -> Producer:
        """Opens a producer for a topic, ``stream/topic``.

        `acks` ("synced") is what an acknowledgement promises. A batch is sent after `linger_ms`
        (5), or at `batch_bytes` (256 KiB) or `batch_records` (16,384); `max_in_flight` (5) of a
        partition are on the wire at once. `queue_bytes` (32 MiB) bound what waits, and
        `queue_full` ("block") says what happens beyond. Every record has its outcome within
        `delivery_timeout_ms` (120,000). `codec` compresses in place of the topic's. A `name` is
        for the program's task: who opens it again takes the place of whoever has it. With
        `encryption_key_id`, batches are encrypted with the client's key of that number: the server
        sees neither values nor keys and headers, but ids.

        Raises `TopicNotFoundError`, `StreamNotFoundError`, `InvalidNameError`,
        `InvalidOptionError`.
        """
        options = {
            "name": name,
            "acks": acks,
            "linger_ms": linger_ms,
            "batch_bytes": batch_bytes,
            "batch_records": batch_records,
            "queue_bytes": queue_bytes,
            "max_in_flight": max_in_flight,
            "delivery_timeout_ms": delivery_timeout_ms,
            "queue_full": queue_full,
            "codec": codec,
            "encryption_key_id": encryption_key_id,
        }
        return Producer(self._core.producer(None, topic, options))

    def consumer(
        self,
        topic: str | Iterable[str],
        *,
        group: str | None = None,
        name: str | None = None,
        start: Place | None = None,
        partitions: Iterable[int] | None = None,
        start_at: Mapping[int, int] | None = None,
        prefetch_bytes: int | None = None,
        on_out_of_range: OnOutOfRange | None = None,
        member_name: str | None = None,
        session_timeout_ms: int | None = None,
        rebalance_timeout_ms: int | None = None,
        auto_commit: AutoCommit | None = None,
        auto_commit_interval_ms: int | None = None,
    ) -> Consumer:
        """Subscribes to a topic, ``stream/topic``; as a member of a group also to several.

        `start` ("latest") is where to begin: "earliest", "latest", an offset, "last:N", or a time
        (``timedelta(days=1)`` is yesterday). `partitions` (all) and `start_at`, offsets by
        partition, are for consumers without a group. `prefetch_bytes` (16 MiB) bound what is
        delivered ahead. Records that were deleted before they were read are skipped;
        `on_out_of_range` "latest" goes on at the end, "error" raises.

        The members of a `group` divide the partitions, and offsets are stored on the server; a
        consumer with a `name` of its own stores them, too, and reads everything. A
        batch counts as done when the next one is asked for. `auto_commit` is "off" (call
        ``commit()``), "interval" (every `auto_commit_interval_ms`, 1,000, what was done), "after"
        (each batch when it is done) or "before" (each batch before it is returned). `member_name`
        keeps a member's place while its program is restarted, for `session_timeout_ms` (45,000);
        a partition that is asked back is waited for `rebalance_timeout_ms` (60,000).

        Raises `TopicNotFoundError`, `PartitionNotFoundError`, `OffsetOutOfRangeError`,
        `GroupFullError`, `InvalidOptionError`, `InvalidArgumentError`.
        """
        options = {
            "group": group,
            "name": name,
            "start": _convert.place(start),
            "partitions": None if partitions is None else list(partitions),
            "start_at": None if start_at is None else dict(start_at),
            "prefetch_bytes": prefetch_bytes,
            "on_out_of_range": on_out_of_range,
            "member_name": member_name,
            "session_timeout_ms": session_timeout_ms,
            "rebalance_timeout_ms": rebalance_timeout_ms,
            "auto_commit": auto_commit,
            "auto_commit_interval_ms": auto_commit_interval_ms,
        }
        return Consumer(self._core.consumer(None, _convert.topics(topic), options))

    def server(self) -> Server:
        """What the server said of itself when the connection was made."""
        return _convert.server(self._core.server())

    def ping(self) -> float:
        """Asks the server for a sign of life; the seconds that it took."""
        return float(self._core.ping(None))

    def events(self) -> Events:
        """What happens to the client from now on. An application need not watch it."""
        return Events(self._core.events())

    def close(self) -> None:
        """Closes the connection, for all that was made from this client too.

        Close producers first, to have their records acknowledged. Closing again does nothing.
        """
        self._core.close(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Events:
    """What happens to a client, from ``client.events()``; iterating waits for more."""

    def __init__(self, native: _native.Events) -> None:
        self._core = native

    def poll(self, timeout: float | None = None) -> Event | None:
        """The next event, waited for at most `timeout` seconds; `None` if there was none in time,
        or there will be none."""
        return _convert.event(self._core.next(None, timeout)[1])

    def __iter__(self) -> Iterator[Event]:
        while True:
            more, raw = self._core.next(None, None)
            event = _convert.event(raw)
            if not more or event is None:
                return
            yield event
