package io.tidewire

import com.google.gson.JsonElement
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import java.io.File
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

/** The reader of columns, by the golden vectors of the protocol. */
class GoldenTest {
    @Test
    fun `batches of the golden vectors are read as they should be`() {
        val vectors = inRepository("protocol/vectors/batch")
        var read = 0
        var refused = 0
        for (file in listOf("records.json", "columns.json", "codec.json")) {
            for (element in JsonParser.parseString(File(vectors, file).readText()).asJsonArray) {
                val vector = element.asJsonObject
                val bytes = bytes(vector["hex"])!!
                if (vector["class"].asString == "reject") {
                    val why = assertThrows<TidewireException>(vector["name"].asString) { Batch.ofStored(bytes) }
                    assertEquals(ErrorCode.CORRUPT_BATCH, why.code)
                    refused += 1
                } else {
                    check(vector["name"].asString, vector["value"].asJsonObject, Batch.ofStored(bytes))
                    read += 1
                }
            }
        }
        assertTrue(read > 100 && refused > 10, "$read were read, and $refused refused")
    }

    /** The core's own tests read them. */
    @Test
    fun `records are packed as the core reads them`() {
        val examples = JsonParser.parseString(inRepository("core-client/src/foreign/chunks.json").readText()).asJsonArray
        for (element in examples) {
            val example = element.asJsonObject
            // It grows as it is filled, too.
            val buffer = RecordBuffer(64)
            for (one in example["records"].asJsonArray.map { it.asJsonObject }) {
                val headers = one["headers"]?.asJsonArray?.map { it.asJsonArray }.orEmpty()
                buffer.add(
                    value = one["value"]?.let(::bytes),
                    key = one["key"]?.let(::bytes),
                    headers = headers.map { Header(it[0].asString, bytes(it[1])!!) },
                    timestampUs = one["timestamp_us"]?.asLong,
                    partition = one["partition"]?.asInt,
                    id = one["id"]?.let(::bytes),
                )
            }
            val chunk = buffer.chunk(0)
            val packed = ByteArray(chunk.remaining()).also { chunk.get(it) }
            assertEquals(example["hex"].asString, hex(packed), example["name"].asString)
        }
        assertTrue(examples.size() > 5)
    }

    private fun inRepository(path: String): File =
        generateSequence(File("").absoluteFile) { it.parentFile }.map { File(it, path) }.first { it.exists() }

    private fun check(name: String, value: JsonObject, batch: Batch) {
        val records = value["records"].asJsonArray.map { it.asJsonObject }
        assertEquals(records.size, batch.size, name)
        assertEquals(value["append_time_us"].asLong, batch.appendTimeUs, name)
        for ((wanted, found) in records.zip(batch)) {
            assertEquals(wanted["offset"].asString.toULong().toLong(), found.offset, name)
            assertEquals(wanted["time_us"].asLong, found.timestampUs, name)
            assertEquals(hex(wanted["value"]), hex(found.value), name)
            assertEquals(hex(wanted["key"]), hex(found.key), name)
            assertEquals(hex(wanted["id"]), hex(found.id), name)
            val headers = wanted["headers"].asJsonArray.map { it.asJsonArray }
            assertEquals(headers.map { it[0].asString }, found.headers.map { it.name }, name)
            assertEquals(headers.map { hex(it[1]) }, found.headers.map { hex(it.value) }, name)
        }
    }

    private fun hex(bytes: ByteArray?): String? = bytes?.joinToString("") { "%02x".format(it) }

    private fun hex(json: JsonElement): String? = if (json.isJsonNull) null else json.asString

    private fun bytes(json: JsonElement): ByteArray? =
        hex(json)?.chunked(2)?.map { it.toInt(16).toByte() }?.toByteArray()
}
