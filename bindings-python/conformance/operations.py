"""The operations, each a call or two of the public package: the same for both of its clients.

What waits in the one and is awaited in the other goes through :func:`done`. The sync adapter runs
these coroutines to their end in one go, since nothing in them is ever suspended there.
"""

from __future__ import annotations

import inspect
import json
import os
import time
from typing import Any

import tidewire
import values
from values import Bad, Unsupported, bytes_of, number, place, record_of

FEATURES = [
    "admin", "fetch", "producer", "enqueue", "named_producer", "record_id", "codecs", "consumer",
    "next_record", "seek", "pause", "positions", "partitions", "stats", "events", "concurrent",
    "reconnect", "timestamps", "retention", "option_structs", "topic_update", "truncate", "groups",
    "offsets", "named_consumer", "users", "limits",
]  # fmt: skip


async def done(result: Any) -> Any:
    return await result if inspect.isawaitable(result) else result


class Operations:
    """Everything that was opened, by the name that the runner gave it."""

    def __init__(self, sdk: str, client: Any, extra: list[str]) -> None:
        self.sdk = sdk
        self.connect_client = client
        self.features = FEATURES + extra
        self.clients: dict[str, Any] = {}
        self.producers: dict[str, Any] = {}
        self.consumers: dict[str, Any] = {}
        self.events: dict[str, Any] = {}
        self.tickets: dict[str, Any] = {}
        self.is_member: dict[str, bool] = {}

    async def run(self, op: str, args: dict[str, Any]) -> Any:
        kind, _, name = op.partition(".")
        method = getattr(self, f"{kind}_{name}" if name else kind, None)
        if method is None or kind == "run":
            raise Unsupported(f"no operation {op}")
        if kind in ("stream", "topic", "group", "offsets", "user", "token", "limits") or op in ("server", "ping", "fetch"):
            return await method(self.named(self.clients, args["client"]), args)
        if kind == "producer" and name not in ("open", "list", "forget"):
            return await method(self.named(self.producers, args["producer"]), args)
        if kind == "consumer" and name != "open":
            return await method(self.named(self.consumers, args["consumer"]), args)
        return await method(args)

    @staticmethod
    def named(handles: dict[str, Any], name: str) -> Any:
        if name not in handles:
            raise Bad(f"nothing is open as {name}")
        return handles[name]

    @staticmethod
    async def call(function: Any, *arguments: Any, **options: Any) -> Any:
        """A call with options by name; one that the library does not have is not supported."""
        options = {name: number(value) for name, value in options.items()}
        for name in options:
            if name not in inspect.signature(function).parameters:
                raise Unsupported(f"no option {name}")
        return await done(function(*arguments, **options))

    async def hello(self, args: dict[str, Any]) -> Any:
        return {
            "protocol": 1,
            "sdk": self.sdk,
            "language": "Python",
            "sdk_version": tidewire.__version__,
            "features": self.features,
        }

    async def connect(self, args: dict[str, Any]) -> Any:
        made = self.connect_client
        client = await self.call(made, args.get("url"), **args.get("options") or {})
        self.clients[args["client"]] = client
        return values.server(client.server())

    async def server(self, client: Any, args: dict[str, Any]) -> Any:
        return values.server(client.server())

    async def ping(self, client: Any, args: dict[str, Any]) -> Any:
        await done(client.ping())
        return {}

    async def limits_describe(self, client: Any, args: dict[str, Any]) -> Any:
        return values.limits(await done(client.describe_limits()))

    async def client_close(self, args: dict[str, Any]) -> Any:
        await done(self.named(self.clients, args["client"]).close())
        return {}

    async def fetch(self, client: Any, args: dict[str, Any]) -> Any:
        bounds = {name: args[name] for name in ("max_bytes", "min_bytes", "max_wait_ms") if name in args}
        offset = number(args["offset"])
        found = await self.call(client.fetch, args["topic"], args["partition"], offset, **bounds)
        told = values.fields(found, text=("start_offset", "end_offset", "next_offset"))
        records = [values.record(one) for batch in found.batches for one in batch]
        return told | {"batches": len(found.batches), "records": records}

    async def process_forked(self, args: dict[str, Any]) -> Any:
        """What a child of this process is told when it goes on with its parent's client."""
        client = tidewire.Client(args["url"])
        out, into = os.pipe()
        child = os.fork()
        if child == 0:
            told = None
            try:
                client.ping()
            except tidewire.TidewireError as error:
                told = values.error(error)
            finally:
                os.write(into, json.dumps(told).encode())
                os._exit(0)
        os.close(into)
        with open(out, "rb") as pipe:
            told = json.loads(pipe.read())
        os.waitpid(child, 0)
        client.close()
        if told is not None:
            raise values.Told(told)
        return {}

    async def events_watch(self, args: dict[str, Any]) -> Any:
        self.events[args["client"]] = self.named(self.clients, args["client"]).events()
        return {}

    async def events_next(self, args: dict[str, Any]) -> Any:
        events = self.named(self.events, args["client"])
        return {"event": values.event(await done(events.poll(seconds(args))))}

    async def stream_create(self, client: Any, args: dict[str, Any]) -> Any:
        return values.stream(await done(client.create_stream(args["name"])))

    async def stream_describe(self, client: Any, args: dict[str, Any]) -> Any:
        return values.stream(await done(client.describe_stream(args["name"])))

    async def stream_list(self, client: Any, args: dict[str, Any]) -> Any:
        return {"streams": [values.stream(one) for one in await done(client.list_streams())]}

    async def stream_delete(self, client: Any, args: dict[str, Any]) -> Any:
        with_topics = bool(args.get("with_topics"))
        await done(client.delete_stream(args["name"], with_topics=with_topics))
        return {}

    async def stream_purge(self, client: Any, args: dict[str, Any]) -> Any:
        await done(client.purge_stream(args["name"]))
        return {}

    async def topic_create(self, client: Any, args: dict[str, Any]) -> Any:
        options = args.get("options") or {}
        return values.topic(await self.call(client.create_topic, args["topic"], **options))

    async def topic_update(self, client: Any, args: dict[str, Any]) -> Any:
        options = args.get("options") or {}
        return values.topic(await self.call(client.update_topic, args["topic"], **options))

    async def topic_describe(self, client: Any, args: dict[str, Any]) -> Any:
        return values.topic(await done(client.describe_topic(args["topic"])))

    async def topic_list(self, client: Any, args: dict[str, Any]) -> Any:
        return {"topics": [values.topic(one) for one in await done(client.list_topics(args["stream"]))]}

    async def topic_delete(self, client: Any, args: dict[str, Any]) -> Any:
        await done(client.delete_topic(args["topic"]))
        return {}

    async def topic_purge(self, client: Any, args: dict[str, Any]) -> Any:
        await done(client.purge_topic(args["topic"]))
        return {}

    async def topic_add_partitions(self, client: Any, args: dict[str, Any]) -> Any:
        return values.topic(await done(client.add_partitions(args["topic"], args["partitions"])))

    async def topic_truncate(self, client: Any, args: dict[str, Any]) -> Any:
        before = number(args["before_offset"])
        start = await done(client.truncate(args["topic"], args["partition"], before))
        return {"start_offset": str(start)}

    async def topic_partitions(self, client: Any, args: dict[str, Any]) -> Any:
        wide = ("start_offset", "end_offset", "synced_offset", "size_bytes")
        found = await done(client.partitions(args["topic"]))
        return {
            "partitions": [
                values.fields(one, "partition", "segments", "error", text=wide) for one in found
            ]
        }

    async def group_create(self, client: Any, args: dict[str, Any]) -> Any:
        return {"name": (await done(client.create_group(args["group"]))).name}

    async def group_delete(self, client: Any, args: dict[str, Any]) -> Any:
        await done(client.delete_group(args["group"]))
        return {}

    async def group_describe(self, client: Any, args: dict[str, Any]) -> Any:
        found = await done(client.describe_group(args["group"]))
        counts = {"members": len(found.members), "partitions": len(found.partitions)}
        return values.fields(found.group, "name", "generation") | counts

    async def group_list(self, client: Any, args: dict[str, Any]) -> Any:
        groups = await done(client.list_groups())
        return {"groups": [values.fields(one, "name", "members") for one in groups]}

    async def offsets_get(self, client: Any, args: dict[str, Any]) -> Any:
        stored = await done(client.committed(args["group"], args["topic"]))
        return {
            "offsets": [
                {"partition": partition, "offset": str(one.offset)}
                for partition, one in enumerate(stored)
                if one is not None
            ]
        }

    async def offsets_set(self, client: Any, args: dict[str, Any]) -> Any:
        to, partitions = number(args["offset"]), [args["partition"]]
        await done(client.reset_offsets(args["group"], args["topic"], to, partitions=partitions))
        return {}

    async def offsets_delete(self, client: Any, args: dict[str, Any]) -> Any:
        partitions = [args["partition"]]
        await done(client.delete_offsets(args["group"], args["topic"], partitions=partitions))
        return {}

    async def user_create(self, client: Any, args: dict[str, Any]) -> Any:
        password, grants = args.get("password"), args.get("grants") or []
        return values.user(
            await done(client.create_user(args["name"], password=password, grants=grants))
        )

    async def user_describe(self, client: Any, args: dict[str, Any]) -> Any:
        found = await done(client.describe_user(args.get("name")))
        return values.user(found.user) | {"grants": found.grants}

    async def user_list(self, client: Any, args: dict[str, Any]) -> Any:
        return {"users": [values.user(one) for one in await done(client.list_users())]}

    async def user_enable(self, client: Any, args: dict[str, Any]) -> Any:
        return values.user(await done(client.enable_user(args["name"], args["enabled"])))

    async def user_password(self, client: Any, args: dict[str, Any]) -> Any:
        await done(client.change_password(args["password"], user=args.get("name")))
        return {}

    async def user_delete(self, client: Any, args: dict[str, Any]) -> Any:
        await done(client.delete_user(args["name"]))
        return {}

    async def user_grants(self, client: Any, args: dict[str, Any]) -> Any:
        revoke, grant = args.get("revoke") or [], args.get("grant") or []
        left = await done(client.change_grants(args["name"], revoke=revoke, grant=grant))
        return {"grants": left}

    async def token_create(self, client: Any, args: dict[str, Any]) -> Any:
        lifetime = number(args["lifetime_ms"]) / 1000 if "lifetime_ms" in args else None
        made = await done(
            client.create_token(args["name"], user=args.get("user"), lifetime=lifetime)
        )
        return values.token(made.token) | {"secret": made.secret}

    async def token_list(self, client: Any, args: dict[str, Any]) -> Any:
        found = await done(client.list_tokens(args.get("user")))
        return {"tokens": [values.token(one) for one in found]}

    async def token_delete(self, client: Any, args: dict[str, Any]) -> Any:
        await done(client.delete_token(number(args["id"])))
        return {}

    async def producer_open(self, args: dict[str, Any]) -> Any:
        client = self.named(self.clients, args["client"])
        options = dict(args.get("options") or {})
        if isinstance(args.get("name"), str):
            options["name"] = args["name"]
        producer = await self.call(client.producer, args["topic"], **options)
        self.producers[args["producer"]] = producer
        return {"partitions": producer.partitions}

    async def producer_list(self, args: dict[str, Any]) -> Any:
        client = self.named(self.clients, args["client"])
        producers = await done(client.producers(args["topic"]))
        return {"producers": [values.fields(one, "name") for one in producers]}

    async def producer_forget(self, args: dict[str, Any]) -> Any:
        client = self.named(self.clients, args["client"])
        await done(client.forget_producer(args["topic"], args["name"]))
        return {}

    async def producer_send(self, producer: Any, args: dict[str, Any]) -> Any:
        value, *rest = record_of(args["record"])
        names = ("key", "headers", "timestamp", "partition", "id")
        return values.receipt(await done(producer.send(value, **dict(zip(names, rest, strict=True)))))

    def enqueue(self, producer: Any, one: dict[str, Any]) -> Any:
        value, *rest = record_of(one)
        names = ("key", "headers", "timestamp", "partition", "id")
        return producer.enqueue(value, **dict(zip(names, rest, strict=True)))

    async def producer_send_many(self, producer: Any, args: dict[str, Any]) -> Any:
        tickets = []
        for one in args["records"]:
            while True:
                try:
                    tickets.append(self.enqueue(producer, one))
                    break
                except tidewire.QueueFullError:
                    await done(producer.ready())
        try:
            await done(producer.flush())
        except tidewire.TidewireError:
            pass  # What fails is told by its ticket.
        return {"receipts": [await self.outcome(ticket) for ticket in tickets]}

    async def producer_enqueue(self, producer: Any, args: dict[str, Any]) -> Any:
        names = []
        for one in args["records"]:
            ticket = self.enqueue(producer, one)
            names.append(f"t{len(self.tickets)}")
            self.tickets[names[-1]] = ticket
        return {"tickets": names}

    async def producer_wait(self, producer: Any, args: dict[str, Any]) -> Any:
        tickets = [self.named(self.tickets, name) for name in args["tickets"]]
        return {"receipts": [await self.outcome(ticket) for ticket in tickets]}

    async def outcome(self, ticket: Any) -> Any:
        try:
            waits = isinstance(ticket, tidewire.Ticket)
            return values.receipt(ticket.wait() if waits else await ticket)
        except tidewire.TidewireError as error:
            return {"error": values.error(error)}

    async def producer_flush(self, producer: Any, args: dict[str, Any]) -> Any:
        await done(producer.flush())
        return {}

    async def producer_close(self, producer: Any, args: dict[str, Any]) -> Any:
        await done(producer.close())
        return {}

    async def producer_stats(self, producer: Any, args: dict[str, Any]) -> Any:
        return {name: str(count) for name, count in producer.stats()._asdict().items()}

    async def consumer_open(self, args: dict[str, Any]) -> Any:
        client = self.named(self.clients, args["client"])
        options = dict(args.get("options") or {})
        if "start" in options:
            options["start"] = place(options["start"])
        for name in ("group", "name", "partitions"):
            if args.get(name) is not None:
                options[name] = args[name]
        if args.get("start_at"):
            places = args["start_at"].items()
            options["start_at"] = {int(partition): number(to) for partition, to in places}
        consumer = await self.call(client.consumer, args["topic"], **options)
        self.consumers[args["consumer"]] = consumer
        self.is_member[args["consumer"]] = "group" in options
        return {}

    async def consumer_next_batch(self, consumer: Any, args: dict[str, Any]) -> Any:
        batch = await done(consumer.poll(seconds(args)))
        if batch is None:
            return {"batch": None, "closed": consumer.closed}
        return {"batch": values.batch(batch), "closed": False}

    async def consumer_next_record(self, consumer: Any, args: dict[str, Any]) -> Any:
        record = await done(consumer.poll_record(seconds(args)))
        if record is None:
            return {"record": None, "closed": consumer.closed}
        return {"record": values.record(record), "closed": False}

    async def consumer_read(self, consumer: Any, args: dict[str, Any]) -> Any:
        count, deadline = number(args["count"]), time.monotonic() + seconds(args)
        records: list[Any] = []
        digests, seen = values.Digests(), 0
        while seen < count:
            batch = await done(consumer.poll(max(0.0, deadline - time.monotonic())))
            if batch is None:
                break
            seen += len(batch)
            for one in batch:
                if args.get("digest"):
                    digests.add(one)
                else:
                    records.append(values.record(one))
        told = {"digests": digests.finish()} if args.get("digest") else {"records": records}
        return {"count": str(seen), **told}

    async def consumer_seek(self, consumer: Any, args: dict[str, Any]) -> Any:
        consumer.seek(args["partition"], place(args["to"]))
        return {}

    async def consumer_pause(self, consumer: Any, args: dict[str, Any]) -> Any:
        consumer.pause(args["partition"])
        return {}

    async def consumer_resume(self, consumer: Any, args: dict[str, Any]) -> Any:
        consumer.resume(args["partition"])
        return {}

    async def consumer_add_partition(self, consumer: Any, args: dict[str, Any]) -> Any:
        consumer.add_partition(args["partition"], place(args["start"]))
        return {}

    async def consumer_remove_partition(self, consumer: Any, args: dict[str, Any]) -> Any:
        consumer.remove_partition(args["partition"])
        return {}

    async def consumer_positions(self, consumer: Any, args: dict[str, Any]) -> Any:
        if self.is_member.get(args["consumer"]):
            parts = [part._asdict() for part in consumer.assignment()]
            return {"positions": parts, "lag": str(consumer.lag())}
        wide = ("next_offset", "end_offset")
        places = [values.fields(one, "partition", text=wide) for one in consumer.positions()]
        return {"positions": places, "lag": str(consumer.lag())}

    async def consumer_commit(self, consumer: Any, args: dict[str, Any]) -> Any:
        await done(consumer.commit())
        return {}

    async def consumer_stats(self, consumer: Any, args: dict[str, Any]) -> Any:
        return {name: str(count) for name, count in consumer.stats()._asdict().items()}

    async def consumer_close(self, consumer: Any, args: dict[str, Any]) -> Any:
        await done(consumer.close())
        return {}


def seconds(args: dict[str, Any]) -> float:
    return float(number(args.get("timeout_ms", 10_000))) / 1000


__all__ = ["Bad", "Operations", "Unsupported", "bytes_of", "done"]
