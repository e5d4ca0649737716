package io.tidewire

import java.io.File
import java.nio.file.Files
import java.util.concurrent.TimeUnit
import java.util.zip.ZipEntry
import java.util.zip.ZipFile
import java.util.zip.ZipOutputStream
import javax.tools.ToolProvider
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance
import org.junit.jupiter.api.Timeout

/** The jar as another program gets it, with nothing on its class path but that and what it depends on. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(180)
class PackageTest {
    private val directory = Files.createTempDirectory("tidewire-package-").toFile()
    private val jar = File("target").listFiles()!!.single { it.name.matches(Regex("tidewire-[0-9.]+\\.jar")) }

    /** Of the folder of all dependencies, those that are not for tests alone. */
    private val dependencies = File("target/dependency").listFiles()!!.filter { file ->
        listOf("kotlin-stdlib-", "kotlinx-coroutines-core-jvm-", "jna-", "annotations-").any(file.name::startsWith)
    }

    @AfterAll
    fun clean() {
        directory.deleteRecursively()
    }

    private fun path(jar: File): String =
        (dependencies + jar).joinToString(File.pathSeparator) { it.absolutePath }

    /** Compiles a program of plain Java, runs it in a directory of its own, and returns its status and what it said. */
    private fun run(jar: File, vararg arguments: String): Pair<Int, String> {
        val source = File("examples/io/tidewire/examples/JavaOrders.java").absolutePath
        val compiler = checkNotNull(ToolProvider.getSystemJavaCompiler()) { "this is no JDK" }
        val status = compiler.run(null, null, null, "-cp", path(jar), "-d", directory.path, source)
        assertEquals(0, status)
        val java = File(System.getProperty("java.home"), "bin/java").path
        val classes = directory.path + File.pathSeparator + path(jar)
        val builder = ProcessBuilder(java, "-cp", classes, "io.tidewire.examples.JavaOrders", *arguments)
            .directory(directory).redirectErrorStream(true)
        // Cargo has its own directories be looked into.
        builder.environment().keys.removeIf { it == "LD_LIBRARY_PATH" || it == "CLASSPATH" || it.startsWith("TIDEWIRE_") }
        val process = builder.start()
        val told = process.inputReader().readText()
        assertTrue(process.waitFor(60, TimeUnit.SECONDS))
        return process.exitValue() to told
    }

    /** A copy of the jar whose entries have other names, or are left out. */
    private fun copy(name: String, renamed: (String) -> String?): File {
        val copy = File(directory, name)
        ZipFile(jar).use { from ->
            ZipOutputStream(copy.outputStream()).use { to ->
                for (entry in from.entries().asSequence().filterNot { it.isDirectory }) {
                    to.putNextEntry(ZipEntry(renamed(entry.name) ?: continue))
                    from.getInputStream(entry).use { it.copyTo(to) }
                    to.closeEntry()
                }
            }
        }
        return copy
    }

    @Test
    fun `the library is loaded out of the jar`(): Unit = TestServer().use { server ->
        val (status, told) = run(jar, server.url)
        assertEquals(0, status, told)
        assertTrue("order 9" in told, told)
    }

    @Test
    fun `without a library for this machine the error says so`() {
        val none = copy("none.jar") { name -> name.takeUnless { it.endsWith(".so") } }
        val (status, told) = run(none)
        assertNotEquals(0, status)
        assertTrue("there is no native library of Tidewire on the class path" in told, told)
        val other = copy("other.jar") { name ->
            name.replace(Regex("^[^/]*/libtidewire_uniffi\\.so$"), "darwin-aarch64/libtidewire_uniffi.dylib")
        }
        val (failed, says) = run(other)
        assertNotEquals(0, failed)
        assertTrue("no native library for " in says && "only for darwin-aarch64" in says, says)
    }
}
