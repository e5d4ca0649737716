package io.tidewire

import io.tidewire.core.CommittedOffset
import io.tidewire.core.GroupDescription
import io.tidewire.core.GroupInfo
import io.tidewire.core.LimitInfo
import io.tidewire.core.NativeClient
import io.tidewire.core.NewToken
import io.tidewire.core.PartitionInfo
import io.tidewire.core.PartitionOffset
import io.tidewire.core.ProducerInfo
import io.tidewire.core.ServerInfo
import io.tidewire.core.StreamInfo
import io.tidewire.core.TokenInfo
import io.tidewire.core.TopicInfo
import io.tidewire.core.UserDescription
import io.tidewire.core.UserInfo
import kotlin.time.Duration
import kotlin.time.Duration.Companion.microseconds
import kotlinx.coroutines.runBlocking

/**
 * A connection to a Tidewire server, for coroutines; [AsyncClient] is the same for Java.
 *
 * A lost connection is made again, and what was made from the client goes on. A topic is named
 * `stream/topic`; `topic` alone is `default/topic`. Options have the names that they have in the
 * URL (`linger_ms`); one that does not exist is an error. Every call may be cancelled: it then
 * stops waiting, while what was asked of the server may still be carried out.
 */
class Client private constructor(private val native: NativeClient) : AutoCloseable {
    companion object {
        /**
         * Connects to the first server that can be reached.
         *
         * @param url `tidewire://user:secret@host:port/?option=value`; the default server if null
         * @throws TidewireException no server can be reached, or the options are wrong
         */
        suspend fun connect(url: String?, options: Map<String, Any?>): Client {
            Library.prepare()
            return Client(told { io.tidewire.core.connect(url, named(options)) })
        }

        /** Connects to the first server that can be reached: `connect(url, "heartbeat_ms" to 5000)`. */
        suspend fun connect(url: String? = null, vararg options: Pair<String, Any?>): Client =
            connect(url, mapOf(*options))
    }

    /** What the server said of itself; without a connection, what the last one said. */
    fun server(): ServerInfo = told { native.server() }

    /** Asks the server for a sign of life; the time that it took. */
    suspend fun ping(): Duration = told { native.ping() }.microseconds

    /** What happens to the connection from now on. */
    fun events(): Events = Events(told { native.events() })

    /** Closes the connection, for all that was made from it too; close producers first. */
    suspend fun closeNow(): Unit = told { native.shut() }

    /** As [closeNow], on the calling thread: for `use {}`. */
    override fun close(): Unit = runBlocking { closeNow() }

    // Producing and consuming.

    /**
     * Opens a producer.
     *
     * @param name a name within the topic; who opens it again takes the place of whoever has it
     * @param options such as `acks`, `linger_ms`, `codec`
     */
    suspend fun producer(topic: String, options: Map<String, Any?>, name: String? = null): Producer =
        Producer(told { native.producer(topic, name, named(options)) })

    /** Opens a producer: `producer("orders", "acks" to "written")`. */
    suspend fun producer(topic: String, vararg options: Pair<String, Any?>): Producer =
        producer(topic, mapOf(*options))

    /**
     * Subscribes, or joins a group.
     *
     * @param topics one of them, or several for a member of a group
     * @param group the group that it joins, which divides the partitions
     * @param name instead of a group, the name under which its offsets are stored
     * @param partitions those that it reads; all of them if null
     * @param startAt offsets to begin at, by partition
     * @param options such as `start` (`earliest`, `latest`, an offset, `last:N`, `time:T`), `prefetch_bytes`
     */
    suspend fun consumer(
        topics: List<String>,
        options: Map<String, Any?> = emptyMap(),
        group: String? = null,
        name: String? = null,
        partitions: List<Int>? = null,
        startAt: Map<Int, Long> = emptyMap(),
    ): Consumer = Consumer(told { native.consumer(topics, group, name, partitions, startAt, named(options)) })

    /** Subscribes, or joins a group: `consumer("orders", "start" to "earliest", group = "billing")`. */
    suspend fun consumer(
        topic: String,
        vararg options: Pair<String, Any?>,
        group: String? = null,
        name: String? = null,
        partitions: List<Int>? = null,
        startAt: Map<Int, Long> = emptyMap(),
    ): Consumer = consumer(listOf(topic), mapOf(*options), group, name, partitions, startAt)

    /** Reads batches of a partition from an offset on, without subscribing. */
    suspend fun fetch(
        topic: String,
        partition: Int,
        offset: Long,
        maxBytes: Int? = null,
        minBytes: Int? = null,
        maxWaitMs: Int? = null,
    ): Fetched = told { native.fetch(topic, partition, offset, maxBytes, minBytes, maxWaitMs) }.use {
        Fetched(it.read(topic), it.startOffset(), it.endOffset(), it.nextOffset())
    }

    // Streams and topics.

    suspend fun createStream(name: String): StreamInfo = told { native.createStream(name) }

    suspend fun describeStream(name: String): StreamInfo = told { native.describeStream(name) }

    /** Deletes a stream; with its topics and their records if `withTopics`. */
    suspend fun deleteStream(name: String, withTopics: Boolean = false): Unit =
        told { native.deleteStream(name, withTopics) }

    /** Deletes all records of all topics of a stream; offsets go on. */
    suspend fun purgeStream(name: String): Unit = told { native.purgeStream(name) }

    suspend fun listStreams(): List<StreamInfo> = told { native.listStreams() }

    /** Creates a topic, with options such as `partitions` and `retention_ms`. */
    suspend fun createTopic(topic: String, options: Map<String, Any?>): TopicInfo =
        told { native.createTopic(topic, named(options)) }

    /** Creates a topic: `createTopic("shop/orders", "partitions" to 4)`. */
    suspend fun createTopic(topic: String, vararg options: Pair<String, Any?>): TopicInfo =
        createTopic(topic, mapOf(*options))

    /** Changes options of a topic. */
    suspend fun updateTopic(topic: String, options: Map<String, Any?>): TopicInfo =
        told { native.updateTopic(topic, named(options)) }

    /** Changes options of a topic. */
    suspend fun updateTopic(topic: String, vararg options: Pair<String, Any?>): TopicInfo =
        updateTopic(topic, mapOf(*options))

    suspend fun describeTopic(topic: String): TopicInfo = told { native.describeTopic(topic) }

    suspend fun listTopics(stream: String = "default"): List<TopicInfo> = told { native.listTopics(stream) }

    /** Gives a topic more partitions; `partitions` is how many there are then. */
    suspend fun addPartitions(topic: String, partitions: Int): TopicInfo =
        told { native.addPartitions(topic, partitions) }

    /** Deletes all records of a topic; offsets go on. */
    suspend fun purgeTopic(topic: String): Unit = told { native.purgeTopic(topic) }

    /** Deletes a topic and its records. */
    suspend fun deleteTopic(topic: String): Unit = told { native.deleteTopic(topic) }

    /** Deletes the records of a partition below an offset; where the partition begins then. */
    suspend fun truncate(topic: String, partition: Int, before: Long): Long =
        told { native.truncate(topic, partition, before) }

    /** The state of every partition of a topic, in order. */
    suspend fun partitions(topic: String): List<PartitionInfo> = told { native.partitions(topic) }

    /** The named producers that a topic remembers. */
    suspend fun producers(topic: String): List<ProducerInfo> = told { native.producers(topic) }

    /** Has a topic forget a named producer. */
    suspend fun forgetProducer(topic: String, name: String): Unit = told { native.forgetProducer(topic, name) }

    /** The limits that the server enforces. */
    suspend fun describeLimits(): List<LimitInfo> = told { native.describeLimits() }

    // Groups and stored offsets.

    suspend fun createGroup(group: String): GroupInfo = told { native.createGroup(group) }

    suspend fun listGroups(): List<GroupInfo> = told { native.listGroups() }

    suspend fun describeGroup(group: String): GroupDescription = told { native.describeGroup(group) }

    /** Deletes a group and what it has stored. */
    suspend fun deleteGroup(group: String): Unit = told { native.deleteGroup(group) }

    /** What a group, or a named consumer, has stored: those partitions that have something, in order. */
    suspend fun committed(group: String, topic: String): List<CommittedOffset> =
        told { native.committed(group, topic) }

    /** Stores where a group goes on in partitions of a topic, all of them if null. */
    suspend fun resetOffsets(
        group: String,
        topic: String,
        to: Start,
        partitions: List<Int>? = null,
        force: Boolean = false,
    ): List<PartitionOffset> = told { native.resetOffsets(group, topic, partitions, to.text, force) }

    /** Forgets what a group has stored for partitions of a topic, all of them if null. */
    suspend fun deleteOffsets(group: String, topic: String, partitions: List<Int>? = null): Unit =
        told { native.deleteOffsets(group, topic, partitions) }

    // Users, tokens and rights; a right is its text, such as `read,write topic shop/*`.

    /** Creates a user; without a password it logs in with tokens only. */
    suspend fun createUser(name: String, password: String? = null, grants: List<String> = emptyList()): UserInfo =
        told { native.createUser(name, password, grants) }

    /** Deletes a user and its tokens, and ends its connections. */
    suspend fun deleteUser(name: String): Unit = told { native.deleteUser(name) }

    /** Lets a user log in again, or keeps it out and ends its connections. */
    suspend fun enableUser(name: String, enabled: Boolean): UserInfo = told { native.enableUser(name, enabled) }

    /** Changes a password: of the user that this client is if `user` is null. */
    suspend fun changePassword(password: String, user: String? = null): Unit =
        told { native.changePassword(password, user) }

    /** Describes a user: the one that this client is if `user` is null. */
    suspend fun describeUser(user: String? = null): UserDescription = told { native.describeUser(user) }

    suspend fun listUsers(): List<UserInfo> = told { native.listUsers() }

    /** Takes rights away from a user and then gives it others; all that it has then. */
    suspend fun changeGrants(
        user: String,
        revoke: List<String> = emptyList(),
        grant: List<String> = emptyList(),
    ): List<String> = told { native.changeGrants(user, revoke, grant) }

    /** Creates a token: of the user that this client is if `user` is null; for ever without a lifetime. */
    suspend fun createToken(name: String, user: String? = null, lifetime: Duration? = null): NewToken =
        told { native.createToken(name, user, lifetime?.inWholeMilliseconds) }

    /** Lists the tokens of a user: of the one that this client is if `user` is null. */
    suspend fun listTokens(user: String? = null): List<TokenInfo> = told { native.listTokens(user) }

    /** Deletes a token, and ends the connections that were made with it. */
    suspend fun deleteToken(id: Long): Unit = told { native.deleteToken(id) }
}

/** What came of a [Client.fetch]. */
class Fetched internal constructor(
    /** The batches, in order. */
    val batches: List<Batch>,
    /** Offset of the partition's first record. */
    val startOffset: Long,
    /** Offset after its last record. */
    val endOffset: Long,
    /** Where to go on reading. */
    val nextOffset: Long,
)
