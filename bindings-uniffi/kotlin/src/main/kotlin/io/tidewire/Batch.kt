package io.tidewire

import com.sun.jna.Pointer
import io.tidewire.core.Lent
import io.tidewire.core.NativeBatches
import io.tidewire.core.storedBatch
import java.lang.ref.Reference
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.time.Instant
import java.time.temporal.ChronoUnit

/**
 * Consecutive records of one partition, over one array of bytes: a list whose elements are views,
 * made when they are asked for. It may be kept as long as it is of use, and read by any thread.
 */
class Batch internal constructor(
    private val memory: ByteArray,
    /** The topic, `stream/topic`. */
    val topic: String,
    /** The first of its records that it shows, if others are hidden than its head says. */
    shown: Int = -1,
) : AbstractList<Record>(), RandomAccess {
    // A head of 32 words, as `foreign/head.rs` of the core writes them, then the body by column.
    private val words: ByteBuffer = ByteBuffer.wrap(memory).order(ByteOrder.LITTLE_ENDIAN)
    private val readOnly: ByteBuffer = ByteBuffer.wrap(memory).asReadOnlyBuffer()
    private val count = word(2)
    private val columns = word(3)
    private val first = if (shown < 0) word(4) else shown
    private val keysBegin = HEAD + word(5)
    private val headersBegin = HEAD + word(6)
    private val valueEnds = HEAD + word(8)
    private val keyEnds = HEAD + word(9)
    private val headerEnds = HEAD + word(10)
    private val times = HEAD + word(11)
    private val ids = HEAD + word(12)
    private val offsetDeltas = HEAD + word(13)
    private val valueValidity = HEAD + word(14)
    private val keyValidity = HEAD + word(15)
    private val baseTimeUs = words.getLong(80)

    /** The partition. */
    val partition: Int = word(1)

    /** When the server appended it, in microseconds since the Unix epoch. */
    val appendTimeUs: Long get() = words.getLong(72)

    /** Offset of its first record. */
    val baseOffset: Long get() = offset(first)

    /** Offset after its last record: where to go on reading. */
    val nextOffset: Long get() = words.getLong(96)

    /** Offset after the partition's last record, as known when the batch was delivered. */
    val endOffset: Long get() = words.getLong(88)

    /** Records of the partition that were known to follow this batch. */
    val lag: Long get() = maxOf(0, endOffset - nextOffset)

    /** Bytes of the batch as it travelled. */
    val byteSize: Int get() = word(26)

    /** Number of records. */
    override val size: Int get() = count - first

    override fun get(index: Int): Record {
        if (index < 0 || index >= size) throw IndexOutOfBoundsException("record $index of $size")
        return Record(this, first + index)
    }

    /** The same batch from record `index` on; it shares the bytes. */
    internal fun from(index: Int): Batch = Batch(memory, topic, first + index)

    override fun equals(other: Any?): Boolean = this === other

    override fun hashCode(): Int = System.identityHashCode(this)

    override fun toString(): String = "Batch($topic/$partition, offsets $baseOffset until $nextOffset)"

    private fun word(index: Int): Int = words.getInt(4 * index)

    private fun has(column: Int): Boolean = columns and column != 0

    private fun bit(begin: Int, index: Int): Boolean =
        memory[begin + (index shr 3)].toInt() shr (index and 7) and 1 != 0

    internal fun offset(index: Int): Long =
        words.getLong(64) + if (has(OFFSET_DELTAS)) words.getInt(offsetDeltas + 4 * index).toUInt().toLong() else index.toLong()

    internal fun timestampUs(index: Int): Long =
        if (has(TIMES)) baseTimeUs + words.getInt(times + 4 * index).toUInt().toLong() else baseTimeUs

    internal fun hasValue(index: Int): Boolean = !has(VALUE_NULLS) || bit(valueValidity, index)

    internal fun hasKey(index: Int): Boolean = has(KEYS) && (!has(KEY_NULLS) || bit(keyValidity, index))

    /** Begin and end of a value in [memory], as the halves of a number. */
    internal fun valueRange(index: Int): Long = range(HEAD, valueEnds, index)

    internal fun keyRange(index: Int): Long = range(keysBegin, keyEnds, index)

    private fun range(begin: Int, ends: Int, index: Int): Long {
        val from = begin + words.getInt(ends + 4 * index)
        val to = begin + words.getInt(ends + 4 * index + 4)
        return from.toLong() shl 32 or to.toLong()
    }

    internal fun bytes(range: Long): ByteArray = memory.copyOfRange(begin(range), end(range))

    internal fun buffer(range: Long): ByteBuffer =
        readOnly.slice(begin(range), end(range) - begin(range))

    internal fun text(range: Long): String =
        String(memory, begin(range), end(range) - begin(range), Charsets.UTF_8)

    internal fun headers(index: Int): List<Header> {
        if (!has(HEADERS)) return emptyList()
        val range = range(headersBegin, headerEnds, index)
        var at = begin(range)
        if (at == end(range)) return emptyList()
        val found = ArrayList<Header>()
        while (at < end(range)) {
            val nameLength = words.getShort(at).toUShort().toInt()
            val valueLength = words.getInt(at + 2)
            val name = String(memory, at + 6, nameLength, Charsets.UTF_8)
            at += 6 + nameLength
            found.add(Header(name, memory.copyOfRange(at, at + valueLength)))
            at += valueLength
        }
        return found
    }

    internal fun id(index: Int): ByteArray? {
        if (!has(IDS)) return null
        val at = ids + 16 * index
        val id = memory.copyOfRange(at, at + 16)
        return if (id.all { it == 0.toByte() }) null else id
    }

    companion object {
        private const val HEAD = 128
        private const val KEYS = 1
        private const val HEADERS = 2
        private const val TIMES = 4
        private const val IDS = 8
        private const val VALUE_NULLS = 16
        private const val KEY_NULLS = 32
        private const val OFFSET_DELTAS = 64

        private fun begin(range: Long): Int = (range ushr 32).toInt()

        private fun end(range: Long): Int = range.toInt()

        /**
         * Reads one batch as it is stored, with its header, after checking all of it.
         *
         * @throws TidewireException with `CORRUPT_BATCH`
         */
        @JvmStatic
        fun ofStored(bytes: ByteArray): Batch {
            Library.prepare()
            return told { storedBatch(bytes) }.use { it.read("").single() }
        }

        /** Copies what the core lends. Once `owner` gives the next batch it is another's. */
        internal fun copied(lent: Lent, owner: Any, topic: (Int) -> String): Batch {
            val memory = ByteArray(lent.headLen + lent.bodyLen)
            Pointer(lent.head).read(0, memory, 0, lent.headLen)
            if (lent.bodyLen > 0) Pointer(lent.body).read(0, memory, lent.headLen, lent.bodyLen)
            Reference.reachabilityFence(owner)
            val number = ByteBuffer.wrap(memory).order(ByteOrder.LITTLE_ENDIAN).getInt(0)
            return Batch(memory, topic(number))
        }
    }
}

/** All of them, copied. */
internal fun NativeBatches.read(topic: String): List<Batch> =
    (0 until count()).mapNotNull { index -> lent(index)?.let { Batch.copied(it, this) { topic } } }

/** A record that was read: a view of its [batch]. */
class Record internal constructor(
    /** What it belongs to. */
    val batch: Batch,
    private val index: Int,
) {
    /** The topic, `stream/topic`. */
    val topic: String get() = batch.topic

    /** The partition. */
    val partition: Int get() = batch.partition

    /** Its place in the partition. */
    val offset: Long get() = batch.offset(index)

    /** The time that its producer gave it, in microseconds since the Unix epoch. */
    val timestampUs: Long get() = batch.timestampUs(index)

    /** The time that its producer gave it. */
    val timestamp: Instant get() = Instant.EPOCH.plus(timestampUs, ChronoUnit.MICROS)

    /** When the server appended it, in microseconds since the Unix epoch. */
    val appendTimeUs: Long get() = batch.appendTimeUs

    /** A copy of its value; null if it has none, as a tombstone. */
    val value: ByteArray? get() = if (batch.hasValue(index)) batch.bytes(batch.valueRange(index)) else null

    /** Its value, read-only and not copied; null if it has none. */
    val valueBuffer: ByteBuffer? get() = if (batch.hasValue(index)) batch.buffer(batch.valueRange(index)) else null

    /** Its value as UTF-8; null if it has none. */
    val valueText: String? get() = if (batch.hasValue(index)) batch.text(batch.valueRange(index)) else null

    /** Bytes of its value; 0 if it has none. */
    val valueSize: Int
        get() {
            val range = batch.valueRange(index)
            return range.toInt() - (range ushr 32).toInt()
        }

    /** A copy of its key; null if it has none, which is not an empty one. */
    val key: ByteArray? get() = if (batch.hasKey(index)) batch.bytes(batch.keyRange(index)) else null

    /** Its key, read-only and not copied; null if it has none. */
    val keyBuffer: ByteBuffer? get() = if (batch.hasKey(index)) batch.buffer(batch.keyRange(index)) else null

    /** Its key as UTF-8; null if it has none. */
    val keyText: String? get() = if (batch.hasKey(index)) batch.text(batch.keyRange(index)) else null

    /** Its headers in order; a name may be there more than once. */
    val headers: List<Header> get() = batch.headers(index)

    /** Its 16 bytes of id; null if it has none. */
    val id: ByteArray? get() = batch.id(index)

    override fun toString(): String = "Record($topic/$partition, offset $offset, $valueSize bytes)"
}

/** A header of a record. */
class Header(
    /** Its name. */
    val name: String,
    /** Its value. */
    val value: ByteArray,
) {
    /** With the UTF-8 of a text. */
    constructor(name: String, value: String) : this(name, value.toByteArray())

    override fun toString(): String = "Header($name, ${value.size} bytes)"
}
