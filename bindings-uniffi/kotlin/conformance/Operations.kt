package io.tidewire.conformance

import io.tidewire.Client
import io.tidewire.Consumer
import io.tidewire.ErrorCode
import io.tidewire.Events
import io.tidewire.Producer
import io.tidewire.Start
import io.tidewire.Tickets
import io.tidewire.TidewireException
import java.util.concurrent.ConcurrentHashMap
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.TimeSource

/** The operations, each a call or two of the public API, and everything that was opened, by name. */
class Operations {
    private val clients = ConcurrentHashMap<String, Client>()
    private val producers = ConcurrentHashMap<String, Producer>()
    private val consumers = ConcurrentHashMap<String, Consumer>()
    private val events = ConcurrentHashMap<String, Events>()
    private val tickets = ConcurrentHashMap<String, Tickets>()
    private val members = ConcurrentHashMap.newKeySet<String>()

    private fun <T> named(all: Map<String, T>, name: String): T = all[name] ?: throw Bad("nothing is open as $name")

    private fun timeout(args: Arguments): Duration = (args.longOrNull("timeout_ms") ?: 10_000).milliseconds

    private fun place(text: String): Start = when {
        text == "earliest" -> Start.EARLIEST
        text == "latest" -> Start.LATEST
        text.startsWith("last:") -> Start.last(text.substring(5).toLong())
        text.startsWith("time:") -> Start.time(text.substring(5).toLong())
        else -> Start.offset(text.toLong())
    }

    suspend fun run(op: String, args: Arguments): Map<String, Any?> {
        val kind = op.substringBefore('.')
        return when {
            op == "hello" -> hello()
            op == "connect" -> {
                val client = Client.connect(args.textOrNull("url"), args.options())
                clients[args.text("client")] = client
                Values.server(client.server())
            }
            op == "producer.open" -> {
                val client = named(clients, args.text("client"))
                val producer = client.producer(args.text("topic"), args.options(), args.textOrNull("name"))
                producers[args.text("producer")] = producer
                mapOf("partitions" to producer.partitions)
            }
            op == "consumer.open" -> openConsumer(args)
            op == "events.next" -> mapOf("event" to Values.event(named(events, args.text("client")).poll(timeout(args))))
            kind == "producer" && op != "producer.list" && op != "producer.forget" ->
                producer(op, named(producers, args.text("producer")), args)
            kind == "consumer" -> consumer(op, named(consumers, args.text("consumer")), args)
            kind == "user" || kind == "token" -> user(op, named(clients, args.text("client")), args)
            else -> client(op, named(clients, args.text("client")), args)
        }
    }

    private fun hello(): Map<String, Any?> = mapOf(
        "protocol" to 1,
        "sdk" to "kotlin",
        "language" to "Kotlin",
        "sdk_version" to io.tidewire.core.version(),
        "features" to listOf(
            "admin", "fetch", "producer", "enqueue", "named_producer", "record_id", "codecs", "consumer", "seek",
            "pause", "positions", "partitions", "stats", "events", "cancel", "concurrent", "reconnect", "timestamps",
            "retention", "option_structs", "topic_update", "truncate", "groups", "offsets", "named_consumer",
            "users", "limits", "next_record",
        ),
    )

    private suspend fun openConsumer(args: Arguments): Map<String, Any?> {
        val name = args.text("consumer")
        val group = args.textOrNull("group")
        consumers[name] = named(clients, args.text("client")).consumer(
            listOf(args.text("topic")), args.options(), group, args.textOrNull("name"), args.ints("partitions"), args.startAt(),
        )
        if (group != null) members.add(name)
        return mapOf()
    }

    private suspend fun client(op: String, client: Client, args: Arguments): Map<String, Any?> = when (op) {
        "server" -> Values.server(client.server())
        "ping" -> none { client.ping() }
        "client.close" -> none { client.closeNow() }
        "limits.describe" -> Values.limits(client.describeLimits())
        "events.watch" -> none { events[args.text("client")] = client.events() }
        "fetch" -> {
            val found = client.fetch(
                args.text("topic"), args.int("partition"), args.long("offset"),
                args.intOrNull("max_bytes"), args.intOrNull("min_bytes"), args.intOrNull("max_wait_ms"),
            )
            mapOf(
                "records" to found.batches.flatMap { it.map(Values::record) },
                "batches" to found.batches.size,
                "start_offset" to "${found.startOffset}",
                "end_offset" to "${found.endOffset}",
                "next_offset" to "${found.nextOffset}",
            )
        }
        "stream.create" -> Values.stream(client.createStream(args.text("name")))
        "stream.describe" -> Values.stream(client.describeStream(args.text("name")))
        "stream.list" -> mapOf("streams" to client.listStreams().map(Values::stream))
        "stream.delete" -> none { client.deleteStream(args.text("name"), args.flag("with_topics")) }
        "stream.purge" -> none { client.purgeStream(args.text("name")) }
        "topic.create" -> Values.topic(client.createTopic(args.text("topic"), args.options()))
        "topic.update" -> Values.topic(client.updateTopic(args.text("topic"), args.options()))
        "topic.describe" -> Values.topic(client.describeTopic(args.text("topic")))
        "topic.list" -> mapOf("topics" to client.listTopics(args.text("stream")).map(Values::topic))
        "topic.purge" -> none { client.purgeTopic(args.text("topic")) }
        "topic.delete" -> none { client.deleteTopic(args.text("topic")) }
        "topic.add_partitions" -> Values.topic(client.addPartitions(args.text("topic"), args.int("partitions")))
        "topic.truncate" ->
            mapOf("start_offset" to "${client.truncate(args.text("topic"), args.int("partition"), args.long("before_offset"))}")
        "topic.partitions" -> mapOf("partitions" to client.partitions(args.text("topic")).map(Values::partition))
        "producer.list" -> mapOf("producers" to client.producers(args.text("topic")).map { mapOf("name" to it.name) })
        "producer.forget" -> none { client.forgetProducer(args.text("topic"), args.text("name")) }
        "group.create" -> mapOf("name" to client.createGroup(args.text("group")).name)
        "group.delete" -> none { client.deleteGroup(args.text("group")) }
        "group.describe" -> {
            val found = client.describeGroup(args.text("group"))
            mapOf(
                "name" to found.info.name, "generation" to found.info.generation,
                "members" to found.members.size, "partitions" to found.partitions.size,
            )
        }
        "group.list" -> mapOf("groups" to client.listGroups().map { mapOf("name" to it.name, "members" to it.members) })
        "offsets.get" -> {
            val found = client.committed(args.text("group"), args.text("topic"))
            mapOf("offsets" to found.map { mapOf("partition" to it.partition, "offset" to "${it.offset}") })
        }
        "offsets.set" -> none {
            val to = Start.offset(args.long("offset"))
            client.resetOffsets(args.text("group"), args.text("topic"), to, listOf(args.int("partition")))
        }
        "offsets.delete" -> none {
            client.deleteOffsets(args.text("group"), args.text("topic"), listOf(args.int("partition")))
        }
        else -> throw Unsupported("no operation $op")
    }

    private suspend fun user(op: String, client: Client, args: Arguments): Map<String, Any?> = when (op) {
        "user.create" ->
            Values.user(client.createUser(args.text("name"), args.textOrNull("password"), args.texts("grants")))
        "user.describe" -> {
            val found = client.describeUser(args.textOrNull("name"))
            Values.user(found.user) + ("grants" to found.grants)
        }
        "user.list" -> mapOf("users" to client.listUsers().map(Values::user))
        "user.enable" -> Values.user(client.enableUser(args.text("name"), args.flag("enabled")))
        "user.password" -> none { client.changePassword(args.text("password"), args.textOrNull("name")) }
        "user.delete" -> none { client.deleteUser(args.text("name")) }
        "user.grants" ->
            mapOf("grants" to client.changeGrants(args.text("name"), args.texts("revoke"), args.texts("grant")))
        "token.create" -> {
            val lifetime = args.longOrNull("lifetime_ms")?.milliseconds
            val made = client.createToken(args.text("name"), args.textOrNull("user"), lifetime)
            Values.token(made.token) + ("secret" to made.secret)
        }
        "token.list" -> mapOf("tokens" to client.listTokens(args.textOrNull("user")).map(Values::token))
        "token.delete" -> none { client.deleteToken(args.long("id")) }
        else -> throw Unsupported("no operation $op")
    }

    private suspend fun producer(op: String, producer: Producer, args: Arguments): Map<String, Any?> = when (op) {
        "producer.send" -> Values.receipt(producer.send(args.record("record")))
        "producer.send_many" -> {
            val taken = args.objects("records").map { enqueueWhenThereIsRoom(producer, it) }
            try {
                producer.flush()
            } catch (_: TidewireException) {
                // What fails is told by its ticket.
            }
            receipts(taken)
        }
        "producer.enqueue" -> mapOf("tickets" to args.objects("records").map {
            val ticket = producer.enqueue(Values.recordOf(it))
            "t${tickets.size}".also { name -> tickets[name] = ticket }
        })
        "producer.wait" -> receipts(args.texts("tickets").map { named(tickets, it) })
        "producer.flush" -> none { producer.flush() }
        "producer.close" -> none { producer.closeWithin() }
        "producer.stats" -> {
            val stats = producer.stats()
            mapOf(
                "queued_records" to "${stats.queuedRecords}", "queued_bytes" to "${stats.queuedBytes}",
                "in_flight_batches" to "${stats.inFlightBatches}", "sent_batches" to "${stats.sentBatches}",
                "sent_bytes" to "${stats.sentBytes}", "retried_batches" to "${stats.retriedBatches}",
                "duplicate_batches" to "${stats.duplicateBatches}",
                "acknowledged_records" to "${stats.acknowledgedRecords}", "failed_records" to "${stats.failedRecords}",
                "unknown_records" to "${stats.unknownRecords}", "dropped_records" to "${stats.droppedRecords}",
            )
        }
        else -> throw Unsupported("no operation $op")
    }

    private suspend fun enqueueWhenThereIsRoom(producer: Producer, record: com.google.gson.JsonObject): Tickets {
        while (true) {
            try {
                return producer.enqueue(Values.recordOf(record))
            } catch (error: TidewireException) {
                if (error.code != ErrorCode.QUEUE_FULL) throw error
            }
            producer.ready()
        }
    }

    private suspend fun receipts(taken: List<Tickets>): Map<String, Any?> =
        mapOf("receipts" to taken.map { Values.outcome(it.outcomes().single()) })

    private suspend fun consumer(op: String, consumer: Consumer, args: Arguments): Map<String, Any?> = when (op) {
        "consumer.next_batch" -> {
            val batch = consumer.poll(timeout(args))
            mapOf("batch" to batch?.let(Values::batch), "closed" to (batch == null && consumer.isClosed))
        }
        "consumer.next_record" -> {
            val record = consumer.next(timeout(args))
            mapOf("record" to record?.let(Values::record), "closed" to (record == null && consumer.isClosed))
        }
        "consumer.read" -> read(consumer, args)
        "consumer.seek" -> none { consumer.seek(args.int("partition"), place(args.text("to"))) }
        "consumer.pause" -> none { consumer.pause(args.int("partition")) }
        "consumer.resume" -> none { consumer.resume(args.int("partition")) }
        "consumer.add_partition" -> none { consumer.addPartition(args.int("partition"), place(args.text("start"))) }
        "consumer.remove_partition" -> none { consumer.removePartition(args.int("partition")) }
        "consumer.positions" -> {
            val isMember = args.text("consumer") in members
            val positions = if (isMember) {
                consumer.assignment().map { mapOf("topic" to it.topic, "partition" to it.partition) }
            } else {
                consumer.positions().map {
                    mapOf(
                        "topic" to it.topic, "partition" to it.partition, "next_offset" to "${it.nextOffset}",
                        "end_offset" to "${it.endOffset}", "stored_offset" to it.storedOffset?.toString(),
                    )
                }
            }
            mapOf("positions" to positions, "lag" to "${consumer.lag}")
        }
        "consumer.commit" -> none { consumer.commit() }
        "consumer.stats" -> {
            val stats = consumer.stats()
            mapOf(
                "partitions" to stats.partitions, "live_partitions" to stats.livePartitions,
                "buffered_bytes" to "${stats.bufferedBytes}", "batches" to "${stats.batches}", "bytes" to "${stats.bytes}",
                "resubscriptions" to "${stats.resubscriptions}", "skipped_offsets" to "${stats.skippedOffsets}",
                "stored_offsets" to "${stats.storedOffsets}",
            )
        }
        "consumer.close" -> none { consumer.closeWithin() }
        else -> throw Unsupported("no operation $op")
    }

    /** Whole batches until there are `count` records, or the time is up. */
    private suspend fun read(consumer: Consumer, args: Arguments): Map<String, Any?> {
        val end = TimeSource.Monotonic.markNow() + timeout(args)
        val digests = Digests()
        val records = ArrayList<Any?>()
        var seen = 0L
        while (seen < args.long("count")) {
            val batch = consumer.poll((-end.elapsedNow()).coerceAtLeast(Duration.ZERO)) ?: break
            seen += batch.size
            for (one in batch) if (args.flag("digest")) digests.add(one) else records.add(Values.record(one))
        }
        val told = if (args.flag("digest")) "digests" to digests.finish() else "records" to records
        return mapOf("count" to "$seen", told)
    }

    private inline fun none(call: () -> Any?): Map<String, Any?> {
        call()
        return mapOf()
    }
}
