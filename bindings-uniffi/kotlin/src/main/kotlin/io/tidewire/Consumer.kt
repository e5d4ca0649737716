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
 * A batch counts as done when the next one is asked for. One coroutine at a time is given
 * batches, others wait for their turn; the rest may be called beside it. A call that is cancelled
 * has taken nothing.
 */
class Consumer internal constructor(private val native: NativeConsumer) : AutoCloseable {
    private val turn = Mutex()
    private val topics = ArrayList<String>()

    /**
     * Waits for the next batch, for at most `limit`; null if none came, or if there will be none
     * ([isClosed]). With a limit of zero it gives what is there.
     *
     * @throws TidewireException a partition has ended, and why; the next call goes on with the others
     */
    suspend fun poll(limit: Duration? = null): Batch? = turn.withLock {
        val begin = System.nanoTime()
        // An infinite one, too, then leaves room to count in.
        val nanos = limit?.inWholeNanoseconds?.coerceAtMost(Long.MAX_VALUE / 2)
        while (true) {
            val taken = told { native.take() }
            taken.batch?.let { return@withLock Batch.copied(it, native, ::topic) }
            if (taken.closed) return@withLock null
            // Rounded up, so that it does not end before its time.
            val left = nanos?.let { (it - (System.nanoTime() - begin) + 999_999) / 1_000_000 }
            if (left != null && left <= 0) return@withLock null
            told { native.ready(left) }
        }
        @Suppress("UNREACHABLE_CODE")
        null
    }

    /** Called within a turn. */
    private fun topic(number: Int): String {
        while (topics.size <= number) topics.add(native.topic(topics.size) ?: "")
        return topics[number]
    }

    /** Batches as they come, until the consumer is closed. Errors end the flow; a new one goes on. */
    fun batches(): Flow<Batch> = flow { while (true) emit(poll() ?: break) }

    /** Records as they come, as [batches]. */
    fun records(): Flow<Record> = flow { batches().collect { batch -> for (record in batch) emit(record) } }

    /** Whether nothing will come any more, unless a partition is added or moved. */
    val isClosed: Boolean get() = native.isClosed()

    /** Stores how far the batches reach that were returned, and waits until it is on the disk. */
    suspend fun commit(): Unit = told { native.commit() }

    /** Stores that a batch was done, and all before it in its partition. */
    suspend fun commit(batch: Batch): Unit = commitOffset(batch.topic, batch.partition, batch.nextOffset)

    /** Stores the offset of the next record to read. */
    suspend fun commitOffset(topic: String, partition: Int, offset: Long): Unit =
        told { native.commitOffset(topic, partition, offset) }

    /** Goes on reading a partition at another place. */
    fun seek(partition: Int, to: Start): Unit = told { native.seek(partition, to.text) }

    /** Returns nothing of a partition until it is [resumed][resume]. */
    fun pause(partition: Int): Unit = told { native.pause(partition) }

    /** Ends a [pause]. */
    fun resume(partition: Int): Unit = told { native.resume(partition) }

    /** Reads a further partition. */
    fun addPartition(partition: Int, start: Start): Unit = told { native.addPartition(partition, start.text) }

    /** Stops reading a partition; whether it was read. */
    fun removePartition(partition: Int): Boolean = told { native.removePartition(partition) }

    /** What it reads at the moment, in order. */
    fun assignment(): List<TopicPartition> = native.assignment()

    /** Where it stands in what it reads, in order. */
    fun positions(): List<Position> = native.positions()

    /** Records known to follow what was returned, over all partitions. */
    val lag: Long get() = native.lag()

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
