package io.tidewire.conformance

import com.google.gson.JsonElement
import com.google.gson.JsonObject
import io.tidewire.Batch
import io.tidewire.Event
import io.tidewire.Header
import io.tidewire.NewRecord
import io.tidewire.Outcome
import io.tidewire.Receipt
import io.tidewire.Record
import io.tidewire.TidewireException
import io.tidewire.core.LimitInfo
import io.tidewire.core.PartitionInfo
import io.tidewire.core.ServerInfo
import io.tidewire.core.StreamInfo
import io.tidewire.core.TokenInfo
import io.tidewire.core.TopicInfo
import io.tidewire.core.UserInfo
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.Base64
import java.util.TreeMap
import java.util.zip.CRC32

/** What an operation is given. */
class Arguments(private val json: JsonObject) {
    private operator fun get(name: String): JsonElement? = json[name]?.takeUnless { it.isJsonNull }

    fun text(name: String): String = textOrNull(name) ?: throw Bad("$name is missing")

    fun textOrNull(name: String): String? = this[name]?.asString

    fun int(name: String): Int = intOrNull(name) ?: throw Bad("$name is missing")

    fun intOrNull(name: String): Int? = this[name]?.asInt

    fun long(name: String): Long = longOrNull(name) ?: throw Bad("$name is missing")

    fun longOrNull(name: String): Long? = this[name]?.asLong

    fun flag(name: String): Boolean = this[name]?.asBoolean ?: false

    fun texts(name: String): List<String> = this[name]?.asJsonArray?.map { it.asString } ?: emptyList()

    fun ints(name: String): List<Int>? = this[name]?.asJsonArray?.map { it.asInt }

    fun objects(name: String): List<JsonObject> = this[name]?.asJsonArray?.map { it.asJsonObject } ?: emptyList()

    fun record(name: String): NewRecord = Values.recordOf(this[name]?.asJsonObject ?: throw Bad("$name is missing"))

    fun options(): Map<String, Any?> =
        this["options"]?.asJsonObject?.entrySet()?.associate { it.key to it.value.asString } ?: emptyMap()

    fun startAt(): Map<Int, Long> =
        this["start_at"]?.asJsonObject?.entrySet()?.associate { it.key.toInt() to it.value.asLong } ?: emptyMap()
}

/** How things are written in the lines between runner and adapter; see conformance/README.md. */
object Values {
    private const val SHORT = 1024

    fun bytesOf(json: JsonElement?): ByteArray? {
        if (json == null || json.isJsonNull) return null
        val value = json.asJsonObject
        value["utf8"]?.let { return it.asString.toByteArray() }
        value["base64"]?.let { return Base64.getDecoder().decode(it.asString) }
        value["repeat"]?.let { return it.asString.repeat(value["times"].asInt).toByteArray() }
        throw Bad("no bytes: $json")
    }

    private fun shown(bytes: ByteArray?): Any? = when {
        bytes == null -> null
        bytes.size <= SHORT -> mapOf("base64" to Base64.getEncoder().encodeToString(bytes))
        else -> mapOf("len" to bytes.size, "crc32" to "%08x".format(CRC32().apply { update(bytes) }.value))
    }

    fun recordOf(json: JsonObject): NewRecord {
        fun there(name: String) = json[name]?.takeUnless { it.isJsonNull }
        val headers = there("headers")?.asJsonArray?.map { it.asJsonArray }
            ?.map { Header(it[0].asString, bytesOf(it[1]) ?: ByteArray(0)) }
        return NewRecord(
            bytesOf(json["value"]), bytesOf(json["key"]), headers ?: emptyList(),
            there("timestamp_us")?.asLong, there("partition")?.asInt, bytesOf(json["id"]),
        )
    }

    fun record(one: Record): Map<String, Any?> = mapOf(
        "partition" to one.partition,
        "offset" to "${one.offset}",
        "timestamp_us" to "${one.timestampUs}",
        "append_time_us" to "${one.appendTimeUs}",
        "key" to shown(one.key),
        "value" to shown(one.value),
        "headers" to one.headers.map { listOf(it.name, shown(it.value)) },
    )

    fun batch(one: Batch): Map<String, Any?> = mapOf(
        "partition" to one.partition,
        "base_offset" to "${one.baseOffset}",
        "next_offset" to "${one.nextOffset}",
        "records" to one.map(::record),
    )

    fun receipt(one: Receipt): Map<String, Any?> = mapOf(
        "partition" to one.partition,
        "offset" to "${one.offset}",
        "append_time_us" to "${one.appendTimeUs}",
        "acks" to one.acks,
        "duplicate" to one.isDuplicate,
    )

    fun outcome(one: Outcome): Map<String, Any?> = one.receipt?.let(::receipt) ?: mapOf("error" to error(one.error!!))

    fun error(one: TidewireException): Map<String, Any?> {
        val told = mapOf(
            "code" to one.code, "disposition" to one.disposition, "kind" to one.kind, "message" to one.message,
        )
        val offsets = one.offsets ?: return told
        return told + ("offsets" to listOf("${offsets.first}", "${offsets.last + 1}"))
    }

    fun server(one: ServerInfo): Map<String, Any?> = mapOf(
        "name" to one.name, "version" to one.version, "address" to one.address, "id" to one.id,
        "limits" to mapOf(
            "max_frame_len" to one.limits.maxFrameLen,
            "max_batch_len" to one.limits.maxBatchLen,
            "max_batch_records" to one.limits.maxBatchRecords,
            "max_in_flight" to one.limits.maxInFlight,
            "max_channels" to one.limits.maxChannels,
        ),
    )

    fun stream(one: StreamInfo): Map<String, Any?> =
        mapOf("name" to one.name, "id" to "${one.id}", "created_us" to "${one.createdUs}", "topics" to one.topics)

    fun topic(one: TopicInfo): Map<String, Any?> = mapOf(
        "stream" to one.stream, "name" to one.name, "id" to "${one.id}", "created_us" to "${one.createdUs}",
        "partitions" to one.partitions, "codec" to one.codec, "segment_bytes" to "${one.segmentBytes}",
        "retention_ms" to "${one.retentionMs}", "retention_bytes" to "${one.retentionBytes}",
        "dedup_window_ms" to "${one.dedupWindowMs}",
    )

    fun partition(one: PartitionInfo): Map<String, Any?> = mapOf(
        "partition" to one.partition, "start_offset" to "${one.startOffset}", "end_offset" to "${one.endOffset}",
        "synced_offset" to "${one.syncedOffset}", "size_bytes" to "${one.sizeBytes}", "segments" to one.segments,
        "error" to one.error,
    )

    fun limits(all: List<LimitInfo>): Map<String, Any?> = mapOf(
        "limits" to all.associate {
            it.name to mapOf("value" to "${it.value}", "unit" to it.unit, "configured" to it.configured, "used" to "${it.used}")
        },
    )

    fun user(one: UserInfo): Map<String, Any?> = mapOf(
        "name" to one.name, "id" to "${one.id}", "enabled" to one.enabled, "password" to one.password, "tokens" to one.tokens,
    )

    fun token(one: TokenInfo): Map<String, Any?> =
        mapOf("id" to "${one.id}", "name" to one.name, "user" to one.user, "expires_us" to "${one.expiresUs ?: 0}")

    fun event(one: Event?): Map<String, Any?>? {
        if (one == null) return null
        val told = mapOf(
            "type" to one.kind, "address" to one.address, "attempt" to one.attempt, "error" to one.error?.let(::error),
            "topic" to one.topic, "partition" to one.partition, "group" to one.group,
            "partitions" to one.partitions?.map { listOf(it.topic, it.partition) },
            "from_offset" to one.fromOffset?.toString(), "to_offset" to one.toOffset?.toString(),
            "count" to one.missed?.toString(),
        )
        return told.filterValues { it != null }
    }
}

/** What was read of each partition, for reads too large to be written out. */
class Digests {
    private class State(val first: Long) {
        var count = 0L
        var next = 0L
        val crc = CRC32()
    }

    private val states = TreeMap<Int, State>()

    fun add(one: Record) {
        val state = states.getOrPut(one.partition) { State(one.offset) }
        state.count += 1
        state.next = one.offset + 1
        val numbers = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN)
        state.crc.update(numbers.putLong(one.offset).putLong(one.timestampUs).array())
        part(state.crc, one.key)
        part(state.crc, one.value)
        val headers = one.headers
        state.crc.update(word(headers.size))
        for (header in headers) {
            part(state.crc, header.name.toByteArray())
            part(state.crc, header.value)
        }
    }

    private fun word(number: Int): ByteArray = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(number).array()

    private fun part(crc: CRC32, bytes: ByteArray?) {
        crc.update(word(bytes?.size ?: -1))
        if (bytes != null) crc.update(bytes)
    }

    fun finish(): Map<String, Any?> = states.entries.associate { (partition, state) ->
        "$partition" to mapOf(
            "count" to "${state.count}", "first_offset" to "${state.first}", "next_offset" to "${state.next}",
            "crc32" to "%08x".format(state.crc.value),
        )
    }
}
