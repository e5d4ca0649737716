package io.tidewire

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance
import org.junit.jupiter.api.Timeout

/** What the client promises to coroutines, against the real server. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(180)
class ClientTest {
    private val server = TestServer()
    private val client = runBlocking { Client.connect(server.url) }
    private var topics = 0

    @AfterAll
    fun stop() {
        client.close()
        server.close()
    }

    private suspend fun topic(vararg options: Pair<String, Any?>): String {
        topics += 1
        return "t$topics".also { client.createTopic(it, *options) }
    }

    private suspend fun failure(call: suspend () -> Any?): TidewireException =
        try {
            error("it gave ${call()}")
        } catch (error: TidewireException) {
            error
        }

    @Test
    fun `what is sent is read as it was`() = runBlocking {
        val topic = topic()
        val id = ByteArray(16) { (it + 1).toByte() }
        val headers = listOf(Header("trace", "1"), Header("größe", byteArrayOf(0, -1)), Header("trace", "2"))
        val sent = listOf(
            NewRecord("hällo 🌊".toByteArray(), "k".toByteArray(), headers, timestampUs = -5),
            NewRecord(ByteArray(0), ByteArray(0)),
            NewRecord(null as ByteArray?, byteArrayOf(1, 2)),
            NewRecord(ByteArray(100_000) { it.toByte() }, id = id),
        )
        client.producer(topic).use { producer ->
            val receipts = sent.map { producer.send(it) }
            assertEquals(listOf(0L, 1L, 2L, 3L), receipts.map { it.offset })
            assertTrue(receipts.all { it.acks == "synced" && !it.isDuplicate && it.appendTimeUs > 1_600_000_000_000_000 })
        }
        val (a, b, c, d) = readAll(client, topic, 4)
        assertEquals("hällo 🌊", a.valueText)
        assertEquals("k", a.keyText)
        assertEquals(listOf("trace", "größe", "trace"), a.headers.map { it.name })
        assertArrayEquals(byteArrayOf(0, -1), a.headers[1].value)
        assertEquals(-5, a.timestampUs)
        assertEquals("default/$topic", a.topic)
        assertNull(a.id)
        assertEquals(0, b.value?.size)
        assertEquals(0, b.key?.size)
        assertNull(c.value)
        assertNull(c.valueBuffer)
        assertArrayEquals(byteArrayOf(1, 2), c.key)
        assertNull(d.key)
        assertArrayEquals(id, d.id)
        assertArrayEquals(sent[3].value, d.value)
        assertTrue(d.valueBuffer!!.isReadOnly)
        assertEquals(3, d.offset)
        assertTrue(d.appendTimeUs > 0)
    }

    @Test
    fun `a hundred thousand records come in order, through a queue that has no room for them`() = runBlocking {
        val topic = topic()
        val producer = client.producer(topic, "acks" to "written", "queue_bytes" to (1 shl 20), "batch_bytes" to 65_536)
        val buffer = RecordBuffer()
        repeat(100_000) { buffer.add("v$it".padEnd(100).toByteArray(), "k".toByteArray()) }
        val outcomes = producer.sendAll(buffer)
        assertEquals(0, buffer.size)
        assertEquals(100_000, outcomes.size)
        assertNull(outcomes.firstError)
        assertEquals(99_999, outcomes.receipts().last().offset)
        assertEquals(54_321, outcomes[54_321].receipt?.offset)
        assertEquals(100_000, producer.stats().acknowledgedRecords)
        producer.closeWithin(PATIENCE)
        val found = readAll(client, topic, 100_000)
        for (index in found.indices step 997) {
            assertEquals("v$index".padEnd(100), found[index].valueText)
            assertEquals(index.toLong(), found[index].offset)
        }
    }

    @Test
    fun `tickets tell where each record is, and which were refused`() = runBlocking {
        val topic = topic("partitions" to 2)
        val producer = client.producer(topic, "linger_ms" to 5)
        val tickets = (0 until 10).map { producer.enqueue(NewRecord("v$it".toByteArray(), partition = it % 2)) }
        producer.flush(PATIENCE)
        val receipts = tickets.map { it.await(PATIENCE).single() }
        assertEquals((0 until 10).map { it % 2 }, receipts.map { it.partition })
        assertEquals((0 until 10).map { it / 2L }, receipts.map { it.offset })
        val refused = failure { producer.send(NewRecord("v".toByteArray(), partition = 9)) }
        assertEquals(ErrorCode.PARTITION_NOT_FOUND, refused.code)
        producer.close()
        assertEquals(ErrorCode.CLOSED, failure { producer.send("late") }.code)
    }

    @Test
    fun `errors say what they are about, and what may be done`() = runBlocking {
        val missing = failure { client.describeTopic("nope") }
        assertEquals(ErrorCode.TOPIC_NOT_FOUND, missing.code)
        assertEquals("TOPIC_NOT_FOUND", missing.codeName)
        assertEquals("not_found", missing.kind)
        assertFalse(missing.isRetriable)
        assertTrue(missing.message!!.contains("nope"))
        val option = failure { client.producer(topic(), "linger" to 5) }
        assertEquals(ErrorCode.INVALID_OPTION, option.code)
        assertTrue(option.message!!.contains("linger_ms"))
        assertEquals(ErrorCode.INVALID_OPTION, failure { Client.connect(server.url, "heartbeat_ms" to "soon") }.code)
        assertEquals(ErrorCode.INVALID_ARGUMENT, failure { client.addPartitions("t", -1) }.code)
        val unreachable = failure { Client.connect("tidewire://127.0.0.1:1", "connect_timeout_ms" to 1000) }
        assertEquals("connection", unreachable.kind)
        val topic = topic()
        val range = failure { client.consumer(topic, startAt = mapOf(0 to 7L)).poll(PATIENCE) }
        assertEquals(ErrorCode.OFFSET_OUT_OF_RANGE, range.code)
        assertEquals(0L until 0L, range.offsets)
    }

    @Test
    fun `a cancelled wait takes nothing`() = runBlocking {
        val topic = topic()
        val consumer = client.consumer(topic, "start" to "earliest")
        repeat(20) {
            val waiting = launch(Dispatchers.Default) { consumer.poll() }
            delay(it.toLong())
            waiting.cancel()
            waiting.join()
        }
        client.producer(topic).use { it.send("one") }
        assertEquals("one", consumer.poll(Duration.INFINITE)?.single()?.valueText)
        assertNull(consumer.poll(Duration.ZERO))
        assertNull(consumer.poll(30.milliseconds))
        consumer.closeWithin(PATIENCE)
        assertTrue(consumer.isClosed)
        assertNull(consumer.poll())
    }

    @Test
    fun `closing ends who waits, and the flow`() = runBlocking {
        val consumer = client.consumer(topic(), "start" to "earliest")
        val reading = async(Dispatchers.Default) { consumer.batches().toList() }
        delay(50)
        consumer.closeWithin(PATIENCE)
        assertEquals(emptyList<Batch>(), withTimeout(PATIENCE) { reading.await() })
    }

    @Test
    fun `a flow of records ends when enough were taken`() = runBlocking {
        val topic = topic()
        client.producer(topic).use { it.sendAll((0 until 50).map { at -> NewRecord("v$at") }).receipts() }
        client.consumer(topic, "start" to "earliest").use { consumer ->
            val some = consumer.records().take(20).toList()
            assertEquals((0L until 20L).toList(), some.map { it.offset })
        }
    }

    @Test
    fun `records come one by one, and no rest of a batch is lost`() = runBlocking {
        val topic = topic()
        val producer = client.producer(topic)
        producer.sendAll((0 until 10).map { at -> NewRecord("v$at") }).receipts()
        val consumer = client.consumer(topic, "start" to "earliest")
        assertEquals(0L, consumer.next(PATIENCE)?.offset)
        assertEquals(listOf(1L, 2L), consumer.records().take(2).toList().map { it.offset })
        assertEquals("v3", consumer.next(PATIENCE)?.valueText)
        assertEquals(4L, consumer.positions().single().nextOffset)
        assertEquals(6L, consumer.lag)
        assertEquals(4L, consumer.poll(PATIENCE)?.baseOffset)
        consumer.seek(0, Start.offset(6))
        assertEquals(6L, consumer.next(PATIENCE)?.offset)
        consumer.seek(0, Start.offset(9))
        assertEquals(9L, consumer.next(PATIENCE)?.offset)
        assertNull(consumer.next(Duration.ZERO))
        assertNull(consumer.next(20.milliseconds))
        repeat(10) {
            val waiting = launch(Dispatchers.Default) { consumer.next() }
            delay(it.toLong())
            waiting.cancel()
            waiting.join()
        }
        val waiting = async(Dispatchers.Default) { consumer.next() }
        producer.send("last")
        assertEquals(10L, withTimeout(PATIENCE) { waiting.await() }?.offset)
        consumer.closeWithin(PATIENCE)
        assertNull(consumer.next())
        producer.close()
    }

    @Test
    fun `a commit stores how far records were returned`() = runBlocking {
        val topic = topic("partitions" to 2)
        val group = "n-$topic"
        val producer = client.producer(topic)
        val consumer = client.consumer(topic, "start" to "earliest", "auto_commit" to "off", group = group)
        suspend fun committed() = client.committed(group, topic).map { it.partition to it.offset }
        producer.sendAll((0 until 3).map { NewRecord("v$it".toByteArray(), partition = 1) }).receipts()
        repeat(3) { assertEquals(1, consumer.next(PATIENCE)?.partition) }
        producer.sendAll((0 until 10).map { NewRecord("v$it".toByteArray(), partition = 0) }).receipts()
        repeat(4) { assertEquals(it.toLong(), consumer.next(PATIENCE)?.offset) }
        consumer.commit()
        assertEquals(listOf(0 to 4L, 1 to 3L), committed())
        consumer.commit(consumer.next(PATIENCE)!!)
        assertEquals(listOf(0 to 5L, 1 to 3L), committed())
        var seen = 5
        while (seen < 10) seen += consumer.poll(PATIENCE)?.size ?: error("$seen records came")
        consumer.commit()
        assertEquals(listOf(0 to 10L, 1 to 3L), committed())
        consumer.close()
        producer.close()
    }

    @Test
    fun `a group goes on where it was`() = runBlocking {
        val topic = topic("partitions" to 2)
        val producer = client.producer(topic)
        producer.sendAll((0 until 10).map { NewRecord("v$it".toByteArray(), partition = it % 2) }).receipts()
        suspend fun member() = client.consumer(topic, "start" to "earliest", "auto_commit" to "off", group = "g-$topic")
        val first = member()
        var seen = 0
        while (seen < 10) seen += first.poll(PATIENCE)?.size ?: error("$seen records came")
        assertEquals(2, first.assignment().size)
        first.commit()
        first.closeWithin(PATIENCE)
        assertEquals(listOf(5L, 5L), client.committed("g-$topic", topic).map { it.offset })
        producer.send(NewRecord("last".toByteArray(), partition = 1))
        val second = member()
        assertEquals("last", second.poll(PATIENCE)?.single()?.valueText)
        second.close()
        assertEquals(listOf(0L, 0L), client.resetOffsets("g-$topic", topic, Start.EARLIEST).map { it.offset })
        assertEquals(2, client.describeGroup("g-$topic").partitions.size)
        client.deleteGroup("g-$topic")
        producer.close()
    }

    @Test
    fun `places, pauses and fetches`() = runBlocking {
        val topic = topic()
        client.producer(topic).use { it.sendAll((0 until 5).map { at -> NewRecord("v$at") }).receipts() }
        val consumer = client.consumer(topic, "start" to "latest")
        consumer.pause(0)
        consumer.seek(0, Start.offset(3))
        assertNull(consumer.poll(20.milliseconds))
        consumer.resume(0)
        assertEquals(listOf("v3", "v4"), consumer.poll(PATIENCE)?.map { it.valueText })
        assertEquals(0, consumer.lag)
        assertEquals(5, consumer.positions().single().nextOffset)
        assertTrue(consumer.removePartition(0))
        assertFalse(consumer.removePartition(0))
        consumer.close()
        val fetched = client.fetch(topic, 0, 1)
        assertEquals(listOf("v1", "v2", "v3", "v4"), fetched.batches.flatten().map { it.valueText })
        assertEquals(5, fetched.nextOffset)
        assertEquals(2, client.truncate(topic, 0, 2))
        assertEquals(2, client.partitions(topic).single().startOffset)
    }

    @Test
    fun `streams, topics and limits are administered`() = runBlocking {
        client.createStream("shop")
        val made = client.createTopic("shop/orders", "partitions" to 3, "retention_ms" to 60_000, "codec" to "lz4")
        assertEquals(3, made.partitions)
        assertEquals("lz4", made.codec)
        assertEquals(60_000, made.retentionMs)
        assertEquals(4, client.addPartitions("shop/orders", 4).partitions)
        assertEquals(5_000, client.updateTopic("shop/orders", "retention_ms" to 5_000).retentionMs)
        assertEquals(listOf("orders"), client.listTopics("shop").map { it.name })
        assertTrue(client.describeLimits().isNotEmpty())
        assertEquals(ErrorCode.STREAM_NOT_EMPTY, failure { client.deleteStream("shop") }.code)
        client.deleteStream("shop", withTopics = true)
        assertFalse(client.listStreams().any { it.name == "shop" })
        assertTrue(client.ping() > Duration.ZERO)
        assertEquals("tidewire", client.server().name)
    }

    @Test
    fun `a thousand calls at once are all answered`() = runBlocking {
        val topic = topic()
        withContext(Dispatchers.Default) {
            (0 until 1000).map { async { client.describeTopic(topic).partitions } }.awaitAll()
        }.forEach { assertEquals(1, it) }
    }

    @Test
    fun `a producer goes on after the server was killed`(): Unit = TestServer().use { own ->
        runBlocking {
            Client.connect(own.url, "retry_backoff_ms" to 20).use { client ->
                client.createTopic("t")
                val events = client.events()
                val producer = client.producer("t")
                producer.send("before")
                own.restart()
                producer.send("after")
                assertEquals(listOf("before", "after"), readAll(client, "t", 2).map { it.valueText })
                val kinds = ArrayList<String>()
                while ("connected" !in kinds) kinds.add(events.poll(PATIENCE)?.kind ?: error("events: $kinds"))
                assertTrue("disconnected" in kinds, "$kinds")
                events.close()
                producer.close()
            }
        }
    }
}
