package io.tidewire

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.time.Instant
import java.time.temporal.ChronoUnit

/** What the server answered for one record. */
data class Receipt(
    /** The record's partition. */
    val partition: Int,
    /** Its offset there. */
    val offset: Long,
    /** When it was appended, in microseconds since the Unix epoch; 0 for a duplicate by its id. */
    val appendTimeUs: Long,
    /** The promise that holds: `none`, `written` or `synced`. */
    val acks: String,
    /** It was there already, or another record of its id was; the offset is that one's. */
    val isDuplicate: Boolean,
) {
    /** When it was appended. */
    val appendTime: Instant get() = Instant.EPOCH.plus(appendTimeUs, ChronoUnit.MICROS)
}

/** What became of a record: one of both is there. */
class Outcome internal constructor(
    /** The server's answer. */
    val receipt: Receipt?,
    /** Why there is none. */
    val error: TidewireException?,
) {
    /** The receipt; throws the error if there is none. */
    fun getOrThrow(): Receipt = receipt ?: throw checkNotNull(error)

    override fun toString(): String = (receipt ?: error).toString()
}

/** The outcomes of records that were sent together, in order. */
class Outcomes internal constructor(private val told: List<io.tidewire.core.Outcomes>) : AbstractList<Outcome>() {
    // Of each run: where it begins, in which of those told, and its place there.
    private val runs: List<Run>

    override val size: Int

    init {
        val found = ArrayList<Run>()
        var records = 0
        for (part in told) {
            val bytes = ByteBuffer.wrap(part.runs).order(ByteOrder.LITTLE_ENDIAN)
            for (at in 0 until part.runs.size step 32) {
                found.add(Run(records, bytes, at, part))
                records += bytes.getInt(at + 4)
            }
        }
        runs = found
        size = records
    }

    private class Run(val begin: Int, val bytes: ByteBuffer, val at: Int, val part: io.tidewire.core.Outcomes) {
        val error: TidewireException? =
            if (bytes.get(at).toInt() == 0) null else TidewireException(part.failures[bytes.getLong(at + 16).toInt()])

        fun outcome(index: Int): Outcome {
            if (error != null) return Outcome(null, error)
            val acks = ACKS.getOrNull(bytes.get(at + 12).toInt()) ?: bytes.get(at + 12).toString()
            val receipt = Receipt(
                bytes.getInt(at + 8), bytes.getLong(at + 16) + (index - begin), bytes.getLong(at + 24),
                acks, bytes.get(at + 13).toInt() != 0,
            )
            return Outcome(receipt, null)
        }
    }

    override fun get(index: Int): Outcome {
        if (index < 0 || index >= size) throw IndexOutOfBoundsException("outcome $index of $size")
        val found = runs.binarySearch { it.begin.compareTo(index) }
        return runs[if (found >= 0) found else -found - 2].outcome(index)
    }

    /** The first error, if there is any. */
    val firstError: TidewireException? get() = runs.firstNotNullOfOrNull { it.error }

    /** The receipts; throws the first error if there is any. */
    fun receipts(): List<Receipt> {
        firstError?.let { throw it }
        return object : AbstractList<Receipt>() {
            override val size: Int get() = this@Outcomes.size

            override fun get(index: Int): Receipt = this@Outcomes[index].getOrThrow()
        }
    }

    override fun equals(other: Any?): Boolean = this === other

    override fun hashCode(): Int = System.identityHashCode(this)

    private companion object {
        val ACKS = listOf("none", "written", "synced")
    }
}
