package io.tidewire

import io.tidewire.core.NativeEvent
import io.tidewire.core.NativeEvents
import io.tidewire.core.TopicPartition
import kotlin.time.Duration
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock

/** Something that happened to a client, which goes on by itself. What belongs to it is there. */
class Event internal constructor(private val native: NativeEvent) {
    /**
     * `connected`, `disconnected`, `reconnecting`, `gave_up`, `throttled`, `partitions_assigned`,
     * `partitions_revoked`, `partitions_lost`, `records_skipped` or `missed`.
     */
    val kind: String get() = native.kind

    /** The server's address, `host:port`. */
    val address: String? get() = native.address

    /** Which attempt it is since the connection was lost, from 1. */
    val attempt: Int? get() = native.attempt

    /** Why. */
    val error: TidewireException? = native.failure?.let { TidewireException(it) }

    /** The topic, `stream/topic`. */
    val topic: String? get() = native.topic

    /** The partition. */
    val partition: Int? get() = native.partition

    /** The group. */
    val group: String? get() = native.group

    /** Partitions that the group's member got, gives up or lost. */
    val partitions: List<TopicPartition>? get() = native.partitions

    /** The record that was due when some were skipped. */
    val fromOffset: Long? get() = native.fromOffset

    /** The record at which it goes on. */
    val toOffset: Long? get() = native.toOffset

    /** How many events were lost because nobody took them. */
    val missed: Long? get() = native.count

    override fun toString(): String = "Event($kind${error?.let { ": $it" } ?: ""})"
}

/** A watch of what happens to a client: made by [Client.events]. It counts from its making on. */
class Events internal constructor(private val native: NativeEvents) : AutoCloseable {
    private val turn = Mutex()

    /** Waits for the next event, for at most `limit`; null if none came, or none will. */
    suspend fun poll(limit: Duration? = null): Event? = turn.withLock {
        if (told { native.ready(limit?.inWholeMilliseconds) }) native.take()?.let(::Event) else null
    }

    /** Events as they come, until the client and all that was made from it are gone. */
    fun flow(): Flow<Event> = flow { while (true) emit(poll() ?: break) }

    /** Ends the watch. */
    override fun close(): Unit = native.close()
}
