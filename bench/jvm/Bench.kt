package io.tidewire.bench

import io.tidewire.Client
import io.tidewire.NewRecord
import io.tidewire.RecordBuffer
import io.tidewire.Tickets
import kotlin.time.TimeSource
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext

private const val BATCH = 1 shl 20

/** Records a second. */
private inline fun rate(records: Int, work: () -> Unit): Long {
    val begin = TimeSource.Monotonic.markNow()
    work()
    return (records / (begin.elapsedNow().inWholeNanoseconds / 1e9)).toLong()
}

/** Sends in chunks, of which a few are on their way while the next one is packed. */
private suspend fun produce(client: Client, topic: String, records: Int, value: ByteArray, acks: String): Long {
    val producer = client.producer(topic, "acks" to acks, "batch_bytes" to BATCH, "linger_ms" to 5)
    val buffer = RecordBuffer(BATCH)
    val sent = ArrayDeque<Tickets>()
    val found = rate(records) {
        repeat(records) {
            buffer.add(value)
            if (buffer.byteSize >= BATCH - 512) sent.add(producer.enqueueAll(buffer))
            if (sent.size > 16) sent.removeFirst().outcomes().firstError?.let { error -> throw error }
        }
        sent.add(producer.enqueueAll(buffer))
        producer.flush()
        for (tickets in sent) tickets.await()
    }
    producer.closeWithin()
    return found
}

private suspend fun consume(client: Client, topic: String, records: Int, read: (io.tidewire.Batch) -> Long): Long {
    val consumer = client.consumer(topic, "start" to "earliest", "prefetch_bytes" to (64 shl 20))
    var seen = 0
    var bytes = 0L
    val found = rate(records) {
        while (seen < records) {
            val batch = checkNotNull(consumer.poll())
            seen += batch.size
            bytes += read(batch)
        }
    }
    check(bytes > 0)
    consumer.closeWithin()
    return found
}

/** `BenchKt URL RECORDS SIZE ROUNDS`: each figure as a line `name<TAB>records a second`, round by round. */
fun main(arguments: Array<String>) = runBlocking(Dispatchers.Default) {
    val (url, records, size, rounds) = arguments
    val count = records.toInt()
    val value = ByteArray(size.toInt()) { 'x'.code.toByte() }
    fun tell(name: String, rate: Long) = println("$name\t$rate")
    Client.connect(url).use { client ->
        client.createTopic("jvm-read", "partitions" to 1)
        produce(client, "jvm-read", count, value, "written")
        repeat(rounds.toInt()) { round ->
            val topic = "jvm-$round"
            client.createTopic(topic, "partitions" to 1)
            tell("Kotlin: produce, acks written", produce(client, topic, count, value, "written"))
            client.deleteTopic(topic)
            tell("Kotlin: consume, each value read in place", consume(client, "jvm-read", count) { batch ->
                var sum = 0L
                for (record in batch) sum += record.valueBuffer!!.remaining()
                sum
            })
            tell("Kotlin: consume, each value as a ByteArray", consume(client, "jvm-read", count) { batch ->
                var sum = 0L
                for (record in batch) sum += record.value!!.size
                sum
            })
            client.createTopic(topic, "partitions" to 1)
            client.producer(topic, "acks" to "written", "linger_ms" to 0).use { producer ->
                val some = 2_000
                tell("Kotlin: send, 100 at a time", rate(some) {
                    repeat(some / 100) {
                        withContext(Dispatchers.Default) { List(100) { async { producer.send(NewRecord(value)) } }.awaitAll() }
                    }
                })
                tell("Kotlin: send, one at a time", rate(some) { repeat(some) { producer.send(NewRecord(value)) } })
            }
            client.deleteTopic(topic)
        }
        client.deleteTopic("jvm-read")
    }
}
