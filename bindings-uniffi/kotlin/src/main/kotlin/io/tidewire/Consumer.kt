package io.tidewire

import io.tidewire.core.ConsumerStats
import io.tidewire.core.NativeConsumer
import io.tidewire.core.Position
import io.tidewire.core.TopicPartition
import kotlin.time.Duration
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock

/**
 * Receives a topic's records: made by [Client.consumer].
 *
 * [poll] gives batches, [next] records; either goes on where the other was. A batch counts as done
 * when what follows it is asked for. One coroutine at a time is given something, others wait for
 * their turn; the rest may be called beside it. A call that is cancelled has taken nothing.
 */
class Consumer internal constructor(private val native: NativeConsumer) : AutoCloseable {
    private val turn = Mutex()
    private val topics = ArrayList<String>()

    /** A batch of which records were returned one by one. */
    private class Held(val batch: Batch) {
        /** The record that is next. */
        @Volatile
        var index = 0
    }

    @Volatile
    private var held: Held? = null

    /**
     * Waits for the next batch, for at most `limit`; null if none came, or if there will be none
     * ([isClosed]). With a limit of zero it gives what is there. Of a batch of which [next] has
     * returned records it is the rest.
     *
     * @throws TidewireException a partition has ended, and why; the next call goes on with the others
     */
    suspend fun poll(limit: Duration? = null): Batch? = turn.withLock {
        val rest = rest()
        held = null
        rest ?: fresh(limit)
    }

    /**
     * Waits for the next record, for at most `limit`; null as [poll]. Batches are faster; this is
     * for programs that treat records one by one. [commit] then stores how far the records reach
     * that were returned, not their batch.
     *
     * @throws TidewireException as [poll]
     */
    suspend fun next(limit: Duration? = null): Record? = turn.withLock {
        val now = held?.takeIf { it.index < it.batch.size } ?: fresh(limit)?.let(::Held).also { held = it }
        now?.let { it.batch[it.index++] }
    }

    /** What is left of a batch of which records were returned one by one; null if nothing is. */
    private fun rest(): Batch? = held?.let { it.batch.from(it.index) }?.takeIf { it.isNotEmpty() }

    /** Called within a turn. */
    private suspend fun fresh(limit: Duration?): Batch? {
        val begin = System.nanoTime()
        // An infinite one, too, then leaves room to count in.
        val nanos = limit?.inWholeNanoseconds?.coerceAtMost(Long.MAX_VALUE / 2)
        while (true) {
            val taken = told { native.take() }
            taken.batch?.let { return Batch.copied(it, native, ::topic) }
            if (taken.closed) return null
            // Rounded up, so that it does not end before its time.
            val left = nanos?.let { (it - (System.nanoTime() - begin) + 999_999) / 1_000_000 }
            if (left != null && left <= 0) return null
            told { native.ready(left) }
        }
    }

    /** Called within a turn. */
    private fun topic(number: Int): String {
        while (topics.size <= number) topics.add(native.topic(topics.size) ?: "")
        return topics[number]
    }

    /** Batches as they come, until the consumer is closed. Errors end the flow; a new one goes on. */
    fun batches(): Flow<Batch> = flow { while (true) emit(poll() ?: break) }

    /** Records as they come, as [batches]. Whoever leaves the flow early loses none: see [next]. */
    fun records(): Flow<Record> = flow { while (true) emit(next() ?: break) }

    /** Whether nothing will come any more, unless a partition is added or moved. */
    val isClosed: Boolean get() = native.isClosed()

    /** Stores how far the batches and records reach that were returned, and waits until it is on the disk. */
    suspend fun commit() {
        val rest = rest()
        told {
            if (rest == null) native.commit()
            else native.commitUntil(rest.topic, rest.partition, rest.baseOffset)
        }
    }

    /** Stores that a batch was done, and all before it in its partition. */
    suspend fun commit(batch: Batch): Unit = commitOffset(batch.topic, batch.partition, batch.nextOffset)

    /** Stores that a record was done, and all before it in its partition. */
    suspend fun commit(record: Record): Unit = commitOffset(record.topic, record.partition, record.offset + 1)

    /** Stores the offset of the next record to read. */
    suspend fun commitOffset(topic: String, partition: Int, offset: Long): Unit =
        told { native.commitOffset(topic, partition, offset) }

    /** Goes on reading a partition at another place. */
    fun seek(partition: Int, to: Start) {
        told { native.seek(partition, to.text) }
        forget(partition)
    }

    /** What is left of a batch is not wanted any more. */
    private fun forget(partition: Int) {
        if (held?.batch?.partition == partition) held = null
    }

    /**
     * Returns nothing of a partition until it is [resumed][resume]. A batch of which [next] has
     * returned records is finished first.
     */
    fun pause(partition: Int): Unit = told { native.pause(partition) }

    /** Ends a [pause]. */
    fun resume(partition: Int): Unit = told { native.resume(partition) }

    /** Reads a further partition. */
    fun addPartition(partition: Int, start: Start): Unit = told { native.addPartition(partition, start.text) }

    /** Stops reading a partition; whether it was read. */
    fun removePartition(partition: Int): Boolean =
        told { native.removePartition(partition) }.also { forget(partition) }

    /** What it reads at the moment, in order. */
    fun assignment(): List<TopicPartition> = native.assignment()

    /** Where it stands in what it reads, in order. */
    fun positions(): List<Position> {
        val rest = rest() ?: return native.positions()
        return native.positions().map {
            val isHeld = it.partition == rest.partition && it.topic == rest.topic
            if (isHeld) it.copy(nextOffset = rest.baseOffset) else it
        }
    }

    /** Records known to follow what was returned, over all partitions. */
    val lag: Long get() = native.lag() + (rest()?.size ?: 0)

    /** What it did so far, and what it holds. */
    fun stats(): ConsumerStats = native.stats()

    /**
     * Ends all waiting, and waits until the server knows: it unsubscribes, or leaves its group.
     *
     * @throws TidewireException `TIMEOUT` after `limit`; it is closed all the same
     */
    suspend fun closeWithin(limit: Duration? = null): Unit = told { native.closeWithin(limit?.inWholeMilliseconds) }

    /** As [closeWithin] without a limit, on the calling thread: for `use {}`. */
    override fun close(): Unit = runBlocking { closeWithin() }
}

/** Where a consumer begins in a partition for which nothing is stored, or goes on. */
class Start private constructor(internal val text: String) {
    override fun toString(): String = text

    companion object {
        /** At the first record that there is. */
        @JvmField
        val EARLIEST = Start("earliest")

        /** Behind the last record. */
        @JvmField
        val LATEST = Start("latest")

        /** At an offset. */
        @JvmStatic
        fun offset(offset: Long) = Start(offset.toString())

        /** At the last so many records. */
        @JvmStatic
        fun last(records: Long) = Start("last:$records")

        /** At the first record that was appended at or after a time, in microseconds since the Unix epoch. */
        @JvmStatic
        fun time(timeUs: Long) = Start("time:$timeUs")
    }
}
