"""The same, asked of the peers' own Python clients on their own servers.

Each measurement is the counterpart of one of bench.py's, as a user of that client would write it for
speed; its title says where it is not like for like.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

VALUE = b"x" * 256


def rate(count: int, work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return count / (time.perf_counter() - begun)


class Kafka:
    """confluent-kafka, on librdkafka. One partition, acks=1: in the broker's page cache."""

    def __init__(self, address: str, records: int) -> None:
        from confluent_kafka.admin import AdminClient, NewTopic

        self.address, self.records = address, records
        admin = AdminClient({"bootstrap.servers": address})
        topics = [NewTopic(name, num_partitions=1, replication_factor=1) for name in ("bench", "read")]
        for made in admin.create_topics(topics).values():
            made.result(60)
        producer = self.producer()
        self.put(producer, "read", records)
        producer.flush()

    def producer(self, **options: object):  # type: ignore[no-untyped-def]
        from confluent_kafka import Producer

        common = {
            "bootstrap.servers": self.address, "acks": "1", "linger.ms": 5, "batch.size": 1 << 20,
            "queue.buffering.max.messages": 2_000_000, "queue.buffering.max.kbytes": 1 << 20,
        }  # fmt: skip
        return Producer(common | options)

    def put(self, producer, topic: str, count: int) -> None:  # type: ignore[no-untyped-def]
        for _ in range(count):
            while True:
                try:
                    producer.produce(topic, VALUE)
                    break
                except BufferError:
                    producer.poll(0.01)

    def enqueue(self) -> float:
        producer = self.producer(**{"linger.ms": 1000})
        found = rate(self.records, lambda: self.put(producer, "bench", self.records))
        producer.flush()
        return found

    def produce(self) -> float:
        producer = self.producer()

        def work() -> None:
            self.put(producer, "bench", self.records)
            producer.flush()

        return rate(self.records, work)

    def consume(self) -> float:
        from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

        consumer = Consumer({"bootstrap.servers": self.address, "group.id": "bench", "enable.auto.commit": False})
        consumer.assign([TopicPartition("read", 0, OFFSET_BEGINNING)])

        def work() -> None:
            seen = 0
            while seen < self.records:
                messages = consumer.consume(10_000, 30)
                assert messages, "nothing more"
                for message in messages:
                    message.value()
                seen += len(messages)

        found = rate(self.records, work)
        consumer.close()
        return found

    def send(self) -> float:
        producer = self.producer(**{"linger.ms": 0})

        def work() -> None:
            for _ in range(1000):
                producer.produce("bench", VALUE)
                producer.flush()

        return rate(1000, work)


class Nats:
    """nats-py, on JetStream with file storage."""

    def __init__(self, url: str, records: int) -> None:
        self.url, self.records = url, min(records, 50_000)

    def run(self, one: int, at_once: int) -> float:
        import nats

        async def work() -> float:
            connection = await nats.connect(self.url)
            stream = connection.jetstream(publish_async_max_pending=4096)
            name = f"bench{time.monotonic_ns()}"
            await stream.add_stream(name=name, subjects=[name])

            async def some() -> None:
                for _ in range(one):
                    await stream.publish(name, VALUE)

            begun = time.perf_counter()
            await asyncio.gather(*(some() for _ in range(at_once)))
            took = time.perf_counter() - begun
            await stream.delete_stream(name)
            await connection.close()
            return one * at_once / took

        return asyncio.run(work())

    def one_at_a_time(self) -> float:
        return self.run(2000, 1)

    def in_flight(self) -> float:
        return self.run(self.records // 100, 100)

    def consume(self) -> float:
        import nats

        async def work() -> float:
            connection = await nats.connect(self.url)
            stream = connection.jetstream()
            name = f"read{time.monotonic_ns()}"
            await stream.add_stream(name=name, subjects=[name])
            for _ in range(self.records):
                # Not through JetStream's acknowledgement: only to have them there.
                await connection.publish(name, VALUE)
            await connection.flush()
            while (await stream.stream_info(name)).state.messages < self.records:
                await asyncio.sleep(0.05)
            subscription = await stream.subscribe(name, ordered_consumer=True)
            begun = time.perf_counter()
            for _ in range(self.records):
                (await subscription.next_msg(30)).data
            took = time.perf_counter() - begun
            await stream.delete_stream(name)
            await connection.close()
            return self.records / took

        return asyncio.run(work())


def kafka_works(kafka: Kafka) -> dict[str, Callable[[], float]]:
    return {
        "confluent-kafka: produce(), into the queue": kafka.enqueue,
        "confluent-kafka: produce() and flush(), all acknowledged": kafka.produce,
        "confluent-kafka: consume(10000), every value()": kafka.consume,
        "confluent-kafka: produce() and flush(), one at a time": kafka.send,
    }


def nats_works(nats: Nats) -> dict[str, Callable[[], float]]:
    return {
        "nats-py: await publish, one at a time": nats.one_at_a_time,
        "nats-py: await publish, 100 in flight": nats.in_flight,
        "nats-py: ordered consumer, every data": nats.consume,
    }
