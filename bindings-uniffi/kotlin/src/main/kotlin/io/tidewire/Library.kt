package io.tidewire

import com.sun.jna.CallbackThreadInitializer
import com.sun.jna.Native
import com.sun.jna.Platform
import io.tidewire.core.uniffiEnsureInitialized
import io.tidewire.core.uniffiRustFutureContinuationCallbackImpl

/**
 * The native library. Whoever calls it first asks for it here: once it could not be loaded, the
 * Java machine says no more than that a class of UniFFI's is not there.
 */
internal object Library {
    /** Folders of the jar, as JNA names systems, in which it may be. */
    private val SYSTEMS = listOf(
        "linux-x86-64", "linux-aarch64", "darwin-aarch64", "darwin-x86-64", "win32-x86-64", "win32-aarch64",
    )

    private val failure: LinkageError? = try {
        uniffiEnsureInitialized()
        // The core's few threads stay known to the Java machine, rather than being made known
        // anew at each completion that they tell of; and they do not keep it from ending.
        val known = CallbackThreadInitializer(true, false, "tidewire")
        Native.setCallbackThreadInitializer(uniffiRustFutureContinuationCallbackImpl, known)
        null
    } catch (error: LinkageError) {
        error
    }

    /**
     * Loads it, unless it was.
     *
     * @throws UnsatisfiedLinkError this machine has none that could be loaded, and why
     */
    fun prepare() {
        if (failure != null) throw UnsatisfiedLinkError(reason(failure)).initCause(failure)
    }

    private fun reason(failure: LinkageError): String {
        val here = Platform.RESOURCE_PREFIX
        val systems = SYSTEMS.filter(::isPacked)
        val elsewhere = "-Djna.library.path=DIRECTORY has it looked for in a directory first"
        return when {
            failure !is UnsatisfiedLinkError ->
                "the native library of Tidewire is not of this version: ${(failure.cause ?: failure).message}"
            here in systems || isPacked(here) ->
                "the native library of Tidewire could not be loaded: ${failure.message?.lineSequence()?.first()}"
            systems.isEmpty() -> "there is no native library of Tidewire on the class path; $elsewhere"
            else ->
                "Tidewire has no native library for $here (${System.getProperty("os.name")}, " +
                    "${System.getProperty("os.arch")}), only for ${systems.joinToString()}; $elsewhere"
        }
    }

    private fun isPacked(system: String): Boolean {
        val name = when {
            system.startsWith("darwin") -> "libtidewire_uniffi.dylib"
            system.startsWith("win32") -> "tidewire_uniffi.dll"
            else -> "libtidewire_uniffi.so"
        }
        return Library::class.java.classLoader?.getResource("$system/$name") != null
    }
}
