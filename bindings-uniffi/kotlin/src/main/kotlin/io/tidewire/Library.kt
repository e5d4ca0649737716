package io.tidewire

import com.sun.jna.CallbackThreadInitializer
import com.sun.jna.Native
import io.tidewire.core.uniffiRustFutureContinuationCallbackImpl

/** The native library. */
internal object Library {
    init {
        // The core's few threads stay known to the Java machine, rather than being made known
        // anew at each completion that they tell of; and they do not keep it from ending.
        val known = CallbackThreadInitializer(true, false, "tidewire")
        Native.setCallbackThreadInitializer(uniffiRustFutureContinuationCallbackImpl, known)
    }

    /** Loads it, unless it was. */
    fun prepare() = Unit
}
