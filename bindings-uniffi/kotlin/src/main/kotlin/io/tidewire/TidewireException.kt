package io.tidewire

import io.tidewire.core.Failure
import io.tidewire.core.NativeException
import io.tidewire.core.Unsent

/**
 * An error of the client or of the server.
 *
 * A program decides by [code] (see [ErrorCode]), [kind], [isRetriable] and [isOutcomeUnknown];
 * the text is for people and may change.
 */
class TidewireException internal constructor(private val failure: Failure) : RuntimeException(failure.text) {
    /** The stable number, one of [ErrorCode]; one that is newer than this version keeps its value. */
    val code: Int get() = failure.number

    /** The number's name, such as `TOPIC_NOT_FOUND`. */
    val codeName: String get() = failure.name

    /** What the caller can do about it, as one of a few groups: `not_found`, `invalid`, `busy`, … */
    val kind: String get() = failure.kind

    /** The bits of what may be concluded, whatever the number. */
    val disposition: Int get() = failure.disposition

    /** Whether nothing happened and the same request may succeed later. */
    val isRetriable: Boolean get() = failure.retriable

    /** Whether the request may or may not have been carried out. */
    val isOutcomeUnknown: Boolean get() = failure.outcomeUnknown

    /** With `OFFSET_OUT_OF_RANGE`, the offsets that there are, where they could be learnt. */
    val offsets: LongRange?
        get() {
            val first = failure.firstOffset ?: return null
            return failure.nextOffset?.let { first until it }
        }

    /** Of a producer that was closed: its records without an acknowledgement, by partition. */
    val unsent: List<Unsent> get() = failure.unsent

    override fun toString(): String = "${javaClass.name}: $codeName ($code): $message"
}

/** Calls into the core, and tells its errors as this package's. */
internal inline fun <T> told(call: () -> T): T =
    try {
        call()
    } catch (error: NativeException.Failed) {
        throw TidewireException(error.failure)
    }

/** Options as the core reads them; those without a value are left out. */
internal fun named(options: Map<String, Any?>): Map<String, String> {
    val out = HashMap<String, String>(options.size)
    for ((name, value) in options) if (value != null) out[name] = value.toString()
    return out
}
