package io.tidewire.conformance

import com.google.gson.Gson
import com.google.gson.GsonBuilder
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import io.tidewire.Batch
import io.tidewire.TidewireException
import java.util.HexFormat
import java.util.concurrent.ConcurrentHashMap
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

/** The line makes no sense to this adapter. */
class Bad(message: String) : Exception(message)

/** The library has no such thing. */
class Unsupported(message: String) : Exception(message)

private val json: Gson = GsonBuilder().serializeNulls().disableHtmlEscaping().create()

private fun answer(id: Long, what: String, told: Any?) {
    val line = json.toJson(mapOf("id" to id, what to told))
    synchronized(json) {
        println(line)
        System.out.flush()
    }
}

/** One of the golden vectors: a batch of one record. */
private const val BATCH =
    "0000000000000000000000000000000000000000f32f9b000ca51f5458000000010000000100000000401e18240a06000900" +
        "0000000000000300000000000000010000000800000000000000000000000000000000000000"

private suspend fun perform(operations: Operations, id: Long, request: JsonObject) {
    try {
        answer(id, "ok", operations.run(request["op"].asString, Arguments(request["args"].asJsonObject)))
    } catch (error: TidewireException) {
        answer(id, "err", Values.error(error))
    } catch (error: Unsupported) {
        answer(id, "unsupported", error.message)
    } catch (error: CancellationException) {
        answer(id, "cancelled", true)
        throw error
    } catch (error: Throwable) {
        answer(id, "fail", error.stackTraceToString())
    }
}

/**
 * The conformance adapter of the module for Kotlin and Java: JSON lines in, calls of the public
 * API, JSON lines out. It does what it is told and judges nothing; `conformance/README.md` of the
 * repository describes the lines.
 */
fun main(arguments: Array<String>) {
    if (arguments.contentEquals(arrayOf("archive"))) return archive()
    val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    val operations = Operations()
    val running = ConcurrentHashMap<Long, Job>()
    for (line in generateSequence(::readLine)) {
        val request = JsonParser.parseString(line).asJsonObject
        val id = request["id"].asLong
        if (request["op"].asString == "cancel") {
            running[request["args"].asJsonObject["request"].asLong]?.cancel()
            answer(id, "ok", mapOf<String, Any>())
            continue
        }
        // Listed before it begins: none answers before it can be cancelled.
        val job = scope.launch(start = CoroutineStart.LAZY) { perform(operations, id, request) }
        running[id] = job
        job.invokeOnCompletion { running.remove(id) }
        job.start()
    }
    // The end of the input is the end of the adapter, whatever is still under way.
    Runtime.getRuntime().halt(0)
}

/** Loads the classes that nearly all cases need, for the archive that is written at the end. */
private fun archive(): Unit = runBlocking {
    val operations = Operations()
    val lines = listOf(
        """{"op":"hello","args":{"protocol":1}}""",
        """{"op":"connect","args":{"client":"c","url":"tidewire://127.0.0.1:1","options":{"connect_timeout_ms":100}}}""",
    )
    for (line in lines) perform(operations, 0, JsonParser.parseString(line).asJsonObject)
    println(Values.record(Batch.ofStored(HexFormat.of().parseHex(BATCH)).single()))
    println(json.toJson(Digests().finish()))
    io.tidewire.RecordBuffer().add(Values.recordOf(JsonObject()))
    Unit
}
