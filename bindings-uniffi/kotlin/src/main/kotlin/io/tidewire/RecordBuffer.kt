package io.tidewire

import java.nio.ByteBuffer
import java.nio.ByteOrder

/** A record to send. */
class NewRecord @JvmOverloads constructor(
    /** Its value; null is a tombstone. */
    val value: ByteArray?,
    /** Records of one key are in one partition; null is no key, which is not an empty one. */
    val key: ByteArray? = null,
    /** Headers in order; a name may be there more than once. */
    val headers: List<Header> = emptyList(),
    /** Its time in microseconds since the Unix epoch; that of sending if null. */
    val timestampUs: Long? = null,
    /** Its partition; that of its key, or any, if null. */
    val partition: Int? = null,
    /** 16 bytes by which the topic knows it, within its `dedup_window_ms`. */
    val id: ByteArray? = null,
) {
    /** With the UTF-8 of texts. */
    @JvmOverloads
    constructor(value: String, key: String? = null, headers: List<Header> = emptyList()) :
        this(value.toByteArray(), key?.toByteArray(), headers)
}

/**
 * Records packed one after the other, to be handed over together: the fast way to send many.
 *
 * It may be filled again once it was sent or [cleared][clear]. It is not for several threads at
 * once.
 */
class RecordBuffer @JvmOverloads constructor(capacity: Int = 64 shl 10) {
    private var memory = direct(maxOf(capacity, 64))

    /** Records in it. */
    var size: Int = 0
        private set

    /** Bytes that they take. */
    val byteSize: Int get() = memory.position()

    /** Adds a record; see [NewRecord] for what its parts are. */
    @JvmOverloads
    fun add(
        value: ByteArray?,
        key: ByteArray? = null,
        headers: List<Header> = emptyList(),
        timestampUs: Long? = null,
        partition: Int? = null,
        id: ByteArray? = null,
    ): RecordBuffer {
        require(id == null || id.size == 16) { "id has ${id?.size} bytes, but should have 16" }
        require(partition == null || partition >= 0) { "partition is $partition, but should not be negative" }
        val names = if (headers.isEmpty()) NO_NAMES else headers.map { it.name.toByteArray() }
        var headersLength = 0L
        for (at in names.indices) headersLength += 8L + names[at].size + headers[at].value.size
        val length = 16L + 28 + (value?.size ?: 0) + (key?.size ?: 0) + headersLength + 3
        reserve(length)
        val memory = memory
        val begin = memory.position()
        var what = 0
        if (key != null) what = what or KEY
        if (value != null) what = what or VALUE
        if (timestampUs != null) what = what or TIMESTAMP
        if (partition != null) what = what or PARTITION
        if (id != null) what = what or ID
        memory.putInt(what).putInt(value?.size ?: 0).putInt(key?.size ?: 0).putInt(headersLength.toInt())
        if (timestampUs != null) memory.putLong(timestampUs)
        if (partition != null) memory.putInt(partition)
        if (id != null) memory.put(id)
        if (value != null) memory.put(value)
        if (key != null) memory.put(key)
        for (at in names.indices) {
            memory.putInt(names[at].size).putInt(headers[at].value.size).put(names[at]).put(headers[at].value)
        }
        while (memory.position() - begin and 3 != 0) memory.put(0)
        size += 1
        return this
    }

    /** Adds a record. */
    fun add(record: NewRecord): RecordBuffer =
        add(record.value, record.key, record.headers, record.timestampUs, record.partition, record.id)

    /** Removes all records; the memory stays. */
    fun clear() {
        memory.clear()
        size = 0
    }

    /** What was packed, from byte `from` on. */
    internal fun chunk(from: Int): ByteBuffer = memory.duplicate().flip().position(from)

    private fun reserve(length: Long) {
        if (length <= memory.remaining()) return
        val wanted = memory.position() + length
        require(wanted <= MAX) { "records of $wanted bytes, but a buffer holds at most $MAX" }
        val grown = direct(minOf(MAX.toLong(), maxOf(wanted, 2L * memory.capacity())).toInt())
        grown.put(memory.flip())
        memory = grown
    }

    private companion object {
        const val KEY = 1
        const val VALUE = 2
        const val TIMESTAMP = 4
        const val PARTITION = 8
        const val ID = 16
        const val MAX = 1 shl 30
        val NO_NAMES = emptyList<ByteArray>()

        fun direct(capacity: Int): ByteBuffer =
            ByteBuffer.allocateDirect(capacity).order(ByteOrder.LITTLE_ENDIAN)
    }
}
