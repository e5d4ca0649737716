package io.tidewire

import java.io.File
import java.nio.file.Files
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.seconds

/** How long anything may take on a slow machine. */
val PATIENCE = 60.seconds

/** A server of its own, on a fresh directory and a port that the system chooses. */
class TestServer(private val secured: Boolean = false) : AutoCloseable {
    private val directory: File = Files.createTempDirectory("tidewire-kotlin-").toFile()
    private val sockets = File("${directory.path}.sockets")
    private var process: Process

    /** Where it listens. */
    var url: String
        private set

    init {
        val (started, where) = start(0)
        process = started
        url = where
    }

    /** Where root logs in, of a secured one. */
    val rootUrl: String get() = File(directory, "root.url").readText().trim()

    private fun start(port: Int): Pair<Process, String> {
        val binary = checkNotNull(System.getenv("TIDEWIRE_TEST_SERVER")) { "TIDEWIRE_TEST_SERVER names no server" }
        val mode = if (secured) listOf("--socket-dir", sockets.path) else listOf("--dev")
        val command = listOf(binary, "serve") + mode +
            listOf("--data", directory.path, "--listen", "127.0.0.1:$port", "--log", "error")
        val builder = ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT)
        builder.environment().keys.removeIf { it.startsWith("TIDEWIRE_") }
        val process = builder.start()
        val line = process.inputReader().readLine() ?: error("the server ended with ${process.waitFor()}")
        val url = Regex("tidewire:\\S+").find(line)?.value ?: error("the server said: $line")
        return process to url
    }

    /** Kills it, and starts it again on the same port and data. */
    fun restart() {
        kill()
        val (started, where) = start(url.substringAfterLast(':').trimEnd('/').toInt())
        process = started
        url = where
    }

    private fun kill() {
        process.destroyForcibly()
        process.waitFor(60, TimeUnit.SECONDS)
    }

    override fun close() {
        kill()
        directory.deleteRecursively()
        sockets.deleteRecursively()
    }
}

/** Reads so many records from the beginning. */
suspend fun readAll(client: Client, topic: String, count: Int): List<Record> {
    val consumer = client.consumer(topic, "start" to "earliest")
    val found = ArrayList<Record>()
    while (found.size < count) {
        val batch = consumer.poll(PATIENCE) ?: error("only ${found.size} of $count records came")
        found.addAll(batch)
    }
    consumer.closeWithin(PATIENCE)
    return found
}
