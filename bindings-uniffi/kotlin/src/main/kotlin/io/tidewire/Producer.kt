package io.tidewire

import io.tidewire.core.NativeProducer
import io.tidewire.core.NativeTickets
import io.tidewire.core.ProducerStats
import kotlin.time.Duration
import kotlinx.coroutines.runBlocking

/**
 * Sends records to a topic, from any thread: made by [Client.producer].
 *
 * Records are gathered into batches and sent on pipelined. [send] and [sendAll] wait for the
 * acknowledgements; [enqueue] does not, and its [Tickets] tell the outcomes when they are asked.
 * A call that is cancelled stops waiting; records that were taken before are sent all the same.
 */
class Producer internal constructor(private val native: NativeProducer) : AutoCloseable {
    private val blocks = told { native.blocks() }

    /** How many partitions the topic has. */
    val partitions: Int get() = told { native.partitions() }

    /**
     * Sends a record and waits for its acknowledgement.
     *
     * @throws TidewireException the record's outcome, if it was not acknowledged
     */
    suspend fun send(record: NewRecord): Receipt = sendAll(RecordBuffer(256).add(record)).single().getOrThrow()

    /** Sends a record and waits for its acknowledgement. */
    suspend fun send(value: ByteArray?, key: ByteArray? = null): Receipt = send(NewRecord(value, key))

    /** Sends a record of texts and waits for its acknowledgement. */
    suspend fun send(value: String, key: String? = null): Receipt = send(NewRecord(value, key))

    /** Sends records together, and waits for the outcomes. The buffer is cleared once they are taken. */
    suspend fun sendAll(records: RecordBuffer): Outcomes = push(records, expedite = true).outcomes()

    /** Sends records together, and waits for the outcomes. */
    suspend fun sendAll(records: Iterable<NewRecord>): Outcomes = sendAll(packed(records))

    /**
     * Puts records into the queue, waiting only where it has no room, and clears the buffer.
     *
     * Should a record be refused, those before it are sent, and its error is thrown.
     */
    suspend fun enqueueAll(records: RecordBuffer): Tickets = push(records, expedite = false)

    /** Puts records into the queue, waiting only where it has no room. */
    suspend fun enqueueAll(records: Iterable<NewRecord>): Tickets = enqueueAll(packed(records))

    /**
     * Puts a record into the queue without waiting.
     *
     * @throws TidewireException `QUEUE_FULL` if it has no room: [ready] waits for some
     */
    fun enqueue(record: NewRecord): Tickets = Tickets(listOfNotNull(pushNow(RecordBuffer(256).add(record))))

    private fun pushNow(records: RecordBuffer): NativeTickets? {
        val pushed = told { native.push(records.chunk(0), false, true) }
        pushed.failure?.let { throw TidewireException(it) }
        return pushed.tickets
    }

    private suspend fun push(records: RecordBuffer, expedite: Boolean): Tickets {
        val parts = ArrayList<NativeTickets>(1)
        var from = 0
        while (from < records.byteSize) {
            val pushed = told { native.push(records.chunk(from), expedite, true) }
            pushed.tickets?.let { parts.add(it) }
            from += pushed.bytes
            val failure = pushed.failure ?: continue
            if (failure.number != ErrorCode.QUEUE_FULL || !blocks) {
                records.clear()
                throw TidewireException(failure)
            }
            ready()
        }
        records.clear()
        return Tickets(parts)
    }

    /** Waits until the queue has room. */
    suspend fun ready(limit: Duration? = null): Unit = told { native.ready(limit?.inWholeMilliseconds) }

    /**
     * Sends all that is enqueued and waits until it has its outcome.
     *
     * @throws TidewireException how many records failed; `TIMEOUT` after `limit`, when the rest
     * goes on being sent
     */
    suspend fun flush(limit: Duration? = null): Unit = told { native.flush(limit?.inWholeMilliseconds) }

    /** What it did so far, and what waits. */
    fun stats(): ProducerStats = told { native.stats() }

    /**
     * Takes no more records, flushes, and closes the producer on the server. After `limit`, what
     * is left fails.
     *
     * @throws TidewireException how many records of which partitions were not acknowledged
     */
    suspend fun closeWithin(limit: Duration? = null): Unit = told { native.closeWithin(limit?.inWholeMilliseconds) }

    /** As [closeWithin] without a limit, on the calling thread: for `use {}`. */
    override fun close(): Unit = runBlocking { closeWithin() }

    private fun packed(records: Iterable<NewRecord>): RecordBuffer {
        val buffer = RecordBuffer()
        for (record in records) buffer.add(record)
        return buffer
    }
}

/** The outcomes, to come, of records that were enqueued together. Dropping them changes nothing. */
class Tickets internal constructor(private val parts: List<NativeTickets>) {
    /** Waits until all records have their outcome. After `TIMEOUT` it may be called again. */
    suspend fun outcomes(limit: Duration? = null): Outcomes =
        Outcomes(parts.map { part -> told { part.outcomes(limit?.inWholeMilliseconds) } })

    /** Waits for the receipts; throws the first error if there is any. */
    suspend fun await(limit: Duration? = null): List<Receipt> = outcomes(limit).receipts()
}
