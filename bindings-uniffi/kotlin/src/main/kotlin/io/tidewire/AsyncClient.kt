package io.tidewire

import io.tidewire.core.CommittedOffset
import io.tidewire.core.ConsumerStats
import io.tidewire.core.GroupDescription
import io.tidewire.core.GroupInfo
import io.tidewire.core.LimitInfo
import io.tidewire.core.NewToken
import io.tidewire.core.PartitionInfo
import io.tidewire.core.PartitionOffset
import io.tidewire.core.Position
import io.tidewire.core.ProducerInfo
import io.tidewire.core.ProducerStats
import io.tidewire.core.ServerInfo
import io.tidewire.core.StreamInfo
import io.tidewire.core.TokenInfo
import io.tidewire.core.TopicInfo
import io.tidewire.core.TopicPartition
import io.tidewire.core.UserDescription
import io.tidewire.core.UserInfo
import java.time.Duration
import java.util.concurrent.CompletableFuture
import kotlin.time.toKotlinDuration
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.future.future
import kotlinx.coroutines.runBlocking

/** One call that fails or is cancelled is nothing to the others. */
private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)

private fun <T> later(call: suspend () -> T): CompletableFuture<T> = scope.future { call() }

/** For Java, a future of nothing. */
private fun done(call: suspend () -> Unit): CompletableFuture<Void?> = scope.future { call(); null }

/**
 * A connection to a Tidewire server, for Java: [Client] with futures. Cancelling a future cancels
 * the call. A future that fails does so with a [TidewireException].
 */
class AsyncClient private constructor(
    /** The same, for coroutines. */
    val client: Client,
) : AutoCloseable {
    companion object {
        /** See [Client.connect]. */
        @JvmStatic
        @JvmOverloads
        fun connect(url: String? = null, options: Map<String, Any?> = emptyMap()): CompletableFuture<AsyncClient> =
            later { AsyncClient(Client.connect(url, options)) }
    }

    fun server(): ServerInfo = client.server()

    /** The time that the server took, in microseconds. */
    fun ping(): CompletableFuture<Long> = later { client.ping().inWholeMicroseconds }

    fun events(): AsyncEvents = AsyncEvents(client.events())

    /** Closes the connection, on the calling thread. */
    override fun close(): Unit = client.close()

    @JvmOverloads
    fun producer(topic: String, options: Map<String, Any?> = emptyMap(), name: String? = null): CompletableFuture<AsyncProducer> =
        later { AsyncProducer(client.producer(topic, options, name)) }

    /** See [Client.consumer]; with `group`, a member of one. */
    @JvmOverloads
    fun consumer(
        topic: String,
        options: Map<String, Any?> = emptyMap(),
        group: String? = null,
        name: String? = null,
        partitions: List<Int>? = null,
        startAt: Map<Int, Long> = emptyMap(),
    ): CompletableFuture<AsyncConsumer> = consumer(listOf(topic), options, group, name, partitions, startAt)

    @JvmOverloads
    fun consumer(
        topics: List<String>,
        options: Map<String, Any?> = emptyMap(),
        group: String? = null,
        name: String? = null,
        partitions: List<Int>? = null,
        startAt: Map<Int, Long> = emptyMap(),
    ): CompletableFuture<AsyncConsumer> =
        later { AsyncConsumer(client.consumer(topics, options, group, name, partitions, startAt)) }

    @JvmOverloads
    fun fetch(
        topic: String,
        partition: Int,
        offset: Long,
        maxBytes: Int? = null,
        minBytes: Int? = null,
        maxWaitMs: Int? = null,
    ): CompletableFuture<Fetched> = later { client.fetch(topic, partition, offset, maxBytes, minBytes, maxWaitMs) }

    fun createStream(name: String): CompletableFuture<StreamInfo> = later { client.createStream(name) }

    fun describeStream(name: String): CompletableFuture<StreamInfo> = later { client.describeStream(name) }

    fun deleteStream(name: String, withTopics: Boolean): CompletableFuture<Void?> = done { client.deleteStream(name, withTopics) }

    fun purgeStream(name: String): CompletableFuture<Void?> = done { client.purgeStream(name) }

    fun listStreams(): CompletableFuture<List<StreamInfo>> = later { client.listStreams() }

    @JvmOverloads
    fun createTopic(topic: String, options: Map<String, Any?> = emptyMap()): CompletableFuture<TopicInfo> =
        later { client.createTopic(topic, options) }

    fun updateTopic(topic: String, options: Map<String, Any?>): CompletableFuture<TopicInfo> =
        later { client.updateTopic(topic, options) }

    fun describeTopic(topic: String): CompletableFuture<TopicInfo> = later { client.describeTopic(topic) }

    @JvmOverloads
    fun listTopics(stream: String = "default"): CompletableFuture<List<TopicInfo>> = later { client.listTopics(stream) }

    fun addPartitions(topic: String, partitions: Int): CompletableFuture<TopicInfo> =
        later { client.addPartitions(topic, partitions) }

    fun purgeTopic(topic: String): CompletableFuture<Void?> = done { client.purgeTopic(topic) }

    fun deleteTopic(topic: String): CompletableFuture<Void?> = done { client.deleteTopic(topic) }

    fun truncate(topic: String, partition: Int, before: Long): CompletableFuture<Long> =
        later { client.truncate(topic, partition, before) }

    fun partitions(topic: String): CompletableFuture<List<PartitionInfo>> = later { client.partitions(topic) }

    fun producers(topic: String): CompletableFuture<List<ProducerInfo>> = later { client.producers(topic) }

    fun forgetProducer(topic: String, name: String): CompletableFuture<Void?> = done { client.forgetProducer(topic, name) }

    fun describeLimits(): CompletableFuture<List<LimitInfo>> = later { client.describeLimits() }

    fun createGroup(group: String): CompletableFuture<GroupInfo> = later { client.createGroup(group) }

    fun listGroups(): CompletableFuture<List<GroupInfo>> = later { client.listGroups() }

    fun describeGroup(group: String): CompletableFuture<GroupDescription> = later { client.describeGroup(group) }

    fun deleteGroup(group: String): CompletableFuture<Void?> = done { client.deleteGroup(group) }

    fun committed(group: String, topic: String): CompletableFuture<List<CommittedOffset>> =
        later { client.committed(group, topic) }

    @JvmOverloads
    fun resetOffsets(
        group: String,
        topic: String,
        to: Start,
        partitions: List<Int>? = null,
        force: Boolean = false,
    ): CompletableFuture<List<PartitionOffset>> = later { client.resetOffsets(group, topic, to, partitions, force) }

    @JvmOverloads
    fun deleteOffsets(group: String, topic: String, partitions: List<Int>? = null): CompletableFuture<Void?> =
        done { client.deleteOffsets(group, topic, partitions) }

    @JvmOverloads
    fun createUser(name: String, password: String? = null, grants: List<String> = emptyList()): CompletableFuture<UserInfo> =
        later { client.createUser(name, password, grants) }

    fun deleteUser(name: String): CompletableFuture<Void?> = done { client.deleteUser(name) }

    fun enableUser(name: String, enabled: Boolean): CompletableFuture<UserInfo> = later { client.enableUser(name, enabled) }

    @JvmOverloads
    fun changePassword(password: String, user: String? = null): CompletableFuture<Void?> =
        done { client.changePassword(password, user) }

    @JvmOverloads
    fun describeUser(user: String? = null): CompletableFuture<UserDescription> = later { client.describeUser(user) }

    fun listUsers(): CompletableFuture<List<UserInfo>> = later { client.listUsers() }

    fun changeGrants(user: String, revoke: List<String>, grant: List<String>): CompletableFuture<List<String>> =
        later { client.changeGrants(user, revoke, grant) }

    @JvmOverloads
    fun createToken(name: String, user: String? = null, lifetime: Duration? = null): CompletableFuture<NewToken> =
        later { client.createToken(name, user, lifetime?.toKotlinDuration()) }

    @JvmOverloads
    fun listTokens(user: String? = null): CompletableFuture<List<TokenInfo>> = later { client.listTokens(user) }

    fun deleteToken(id: Long): CompletableFuture<Void?> = done { client.deleteToken(id) }
}

/** Sends records to a topic, for Java: [Producer] with futures. */
class AsyncProducer internal constructor(
    /** The same, for coroutines. */
    val producer: Producer,
) : AutoCloseable {
    val partitions: Int get() = producer.partitions

    fun send(record: NewRecord): CompletableFuture<Receipt> = later { producer.send(record) }

    @JvmOverloads
    fun send(value: String, key: String? = null): CompletableFuture<Receipt> = later { producer.send(value, key) }

    /** The buffer is the producer's until the future is complete. */
    fun sendAll(records: RecordBuffer): CompletableFuture<Outcomes> = later { producer.sendAll(records) }

    fun sendAll(records: Iterable<NewRecord>): CompletableFuture<Outcomes> = later { producer.sendAll(records) }

    /** Puts a record into the queue without waiting; the future is its receipt. */
    fun enqueue(record: NewRecord): CompletableFuture<Receipt> {
        val tickets = producer.enqueue(record)
        return later { tickets.await().single() }
    }

    fun ready(): CompletableFuture<Void?> = done { producer.ready() }

    @JvmOverloads
    fun flush(limit: Duration? = null): CompletableFuture<Void?> = done { producer.flush(limit?.toKotlinDuration()) }

    fun stats(): ProducerStats = producer.stats()

    @JvmOverloads
    fun closeWithin(limit: Duration? = null): CompletableFuture<Void?> =
        done { producer.closeWithin(limit?.toKotlinDuration()) }

    /** Waits for all acknowledgements, on the calling thread. */
    override fun close(): Unit = producer.close()
}

/**
 * Receives a topic's records, for Java: [Consumer] with futures. Its batches may be iterated, and
 * its [records].
 */
class AsyncConsumer internal constructor(
    /** The same, for coroutines. */
    val consumer: Consumer,
) : AutoCloseable, Iterable<Batch> {
    val isClosed: Boolean get() = consumer.isClosed

    val lag: Long get() = consumer.lag

    /** The next batch; null if none came in time, or none will. */
    @JvmOverloads
    fun poll(limit: Duration? = null): CompletableFuture<Batch?> = later { consumer.poll(limit?.toKotlinDuration()) }

    /** The next record; null if none came in time, or none will. See [Consumer.next]. */
    @JvmOverloads
    fun next(limit: Duration? = null): CompletableFuture<Record?> = later { consumer.next(limit?.toKotlinDuration()) }

    /** Batches as they come, until the consumer is closed; each is waited for on the calling thread. */
    override fun iterator(): Iterator<Batch> = waiting { consumer.poll() }

    /**
     * Records as they come, until the consumer is closed; each is waited for on the calling thread.
     * Whoever leaves the loop early loses none: another one goes on where it stopped.
     */
    fun records(): Iterable<Record> = Iterable { waiting { consumer.next() } }

    /** Asks for an element only when it is wanted, since what was asked for counts as returned. */
    private fun <T : Any> waiting(next: suspend () -> T?): Iterator<T> = object : AbstractIterator<T>() {
        override fun computeNext() {
            when (val found = runBlocking { next() }) {
                null -> done()
                else -> setNext(found)
            }
        }
    }

    fun commit(): CompletableFuture<Void?> = done { consumer.commit() }

    fun commit(batch: Batch): CompletableFuture<Void?> = done { consumer.commit(batch) }

    fun commit(record: Record): CompletableFuture<Void?> = done { consumer.commit(record) }

    fun commitOffset(topic: String, partition: Int, offset: Long): CompletableFuture<Void?> =
        done { consumer.commitOffset(topic, partition, offset) }

    fun seek(partition: Int, to: Start): Unit = consumer.seek(partition, to)

    fun pause(partition: Int): Unit = consumer.pause(partition)

    fun resume(partition: Int): Unit = consumer.resume(partition)

    fun addPartition(partition: Int, start: Start): Unit = consumer.addPartition(partition, start)

    fun removePartition(partition: Int): Boolean = consumer.removePartition(partition)

    fun assignment(): List<TopicPartition> = consumer.assignment()

    fun positions(): List<Position> = consumer.positions()

    fun stats(): ConsumerStats = consumer.stats()

    @JvmOverloads
    fun closeWithin(limit: Duration? = null): CompletableFuture<Void?> =
        done { consumer.closeWithin(limit?.toKotlinDuration()) }

    /** Unsubscribes, on the calling thread. */
    override fun close(): Unit = consumer.close()
}

/** A watch of what happens to a client, for Java: [Events] with futures. */
class AsyncEvents internal constructor(private val events: Events) : AutoCloseable {
    /** The next event; null if none came in time, or none will. */
    @JvmOverloads
    fun poll(limit: Duration? = null): CompletableFuture<Event?> = later { events.poll(limit?.toKotlinDuration()) }

    override fun close(): Unit = events.close()
}
