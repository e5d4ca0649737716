// Written by UniFFI: `cargo xtask uniffi`. Do not edit.

@file:Suppress("NAME_SHADOWING")

package io.tidewire.core

// Common helper code.
//
// Ideally this would live in a separate .kt file where it can be unittested etc
// in isolation, and perhaps even published as a re-useable package.
//
// However, it's important that the details of how this helper code works (e.g. the
// way that different builtin types are passed across the FFI) exactly match what's
// expected by the Rust code on the other side of the interface. In practice right
// now that means coming from the exact some version of `uniffi` that was used to
// compile the Rust component. The easiest way to ensure this is to bundle the Kotlin
// helpers directly inline like we're doing here.

import com.sun.jna.Library
import com.sun.jna.IntegerType
import com.sun.jna.Native
import com.sun.jna.Pointer
import com.sun.jna.Structure
import com.sun.jna.Callback
import com.sun.jna.ptr.*
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.CharBuffer
import java.nio.charset.CodingErrorAction
import java.util.concurrent.atomic.AtomicLong
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.coroutines.resume
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.DelicateCoroutinesApi
import kotlinx.coroutines.GlobalScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch
import kotlinx.coroutines.suspendCancellableCoroutine

// This is a helper for safely working with byte buffers returned from the Rust code.
// A rust-owned buffer is represented by its capacity, its current length, and a
// pointer to the underlying data.

/**
 * @suppress
 */
@Structure.FieldOrder("capacity", "len", "data")
open class RustBuffer : Structure() {
    // Note: `capacity` and `len` are actually `ULong` values, but JVM only supports signed values.
    // When dealing with these fields, make sure to call `toULong()`.
    @JvmField var capacity: Long = 0
    @JvmField var len: Long = 0
    @JvmField var data: Pointer? = null

    class ByValue: RustBuffer(), Structure.ByValue
    class ByReference: RustBuffer(), Structure.ByReference

   internal fun setValue(other: RustBuffer) {
        capacity = other.capacity
        len = other.len
        data = other.data
    }

    companion object {
        internal fun alloc(size: ULong = 0UL) = uniffiRustCall() { status ->
            // Note: need to convert the size to a `Long` value to make this work with JVM.
            UniffiLib.ffi_tidewire_uniffi_rustbuffer_alloc(size.toLong(), status)
        }.also {
            if(it.data == null) {
               throw RuntimeException("RustBuffer.alloc() returned null data pointer (size=${size})")
           }
        }

        internal fun create(capacity: ULong, len: ULong, data: Pointer?): RustBuffer.ByValue {
            var buf = RustBuffer.ByValue()
            buf.capacity = capacity.toLong()
            buf.len = len.toLong()
            buf.data = data
            return buf
        }

        internal fun free(buf: RustBuffer.ByValue) = uniffiRustCall() { status ->
            UniffiLib.ffi_tidewire_uniffi_rustbuffer_free(buf, status)
        }
    }

    @Suppress("TooGenericExceptionThrown")
    fun asByteBuffer() =
        this.data?.getByteBuffer(0, this.len)?.also {
            it.order(ByteOrder.BIG_ENDIAN)
        }
}

// This is a helper for safely passing byte references into the rust code.
// It's not actually used at the moment, because there aren't many things that you
// can take a direct pointer to in the JVM, and if we're going to copy something
// then we might as well copy it into a `RustBuffer`. But it's here for API
// completeness.

@Structure.FieldOrder("len", "data")
internal open class ForeignBytes : Structure() {
    @JvmField var len: Int = 0
    @JvmField var data: Pointer? = null

    class ByValue : ForeignBytes(), Structure.ByValue
}

// Converter for `&[u8]` / `[ByRef] bytes` arguments.
//
// Only `lower` is valid — zero-copy byte buffers only flow foreign -> Rust,
// and only in argument position. `lift`, `read`, `write`, and
// `allocationSize` have no sound implementation here and all panic at
// runtime. The `FfiConverter` interface is implemented so that the
// compiler enforces the full method set (rather than relying on eyeball).
//
// The provided `ByteBuffer` MUST be direct — only direct buffers have a
// stable native address that JNA can expose via `getDirectBufferPointer`.
// The returned `ForeignBytes.ByValue` is only valid for the duration of
// the FFI call; the Rust side treats it as a borrow.
internal object FfiConverterByRefBytes : FfiConverter<java.nio.ByteBuffer, ForeignBytes.ByValue> {
    override fun lower(value: java.nio.ByteBuffer): ForeignBytes.ByValue {
        require(value.isDirect) { "UniFFI zero-copy &[u8] requires a direct ByteBuffer. Use ByteBuffer.allocateDirect()." }
        val remaining = value.remaining()
        val fb = ForeignBytes.ByValue()
        fb.len = remaining
        // Zero-length direct buffers: skip getDirectBufferPointer (platform-variable behavior)
        // and pass null. The Rust side treats (null, 0) as &[].
        fb.data = if (remaining == 0) null else com.sun.jna.Native.getDirectBufferPointer(value)
        return fb
    }

    override fun lift(value: ForeignBytes.ByValue): java.nio.ByteBuffer =
        error("ByRef bytes cannot be lifted: zero-copy &[u8] only flows foreign->Rust")

    override fun read(buf: java.nio.ByteBuffer): java.nio.ByteBuffer =
        error("ByRef bytes cannot be read from a buffer: zero-copy &[u8] is only supported in argument position, not nested in records/options/etc.")

    override fun write(value: java.nio.ByteBuffer, buf: java.nio.ByteBuffer): Unit =
        error("ByRef bytes cannot be written to a buffer: zero-copy &[u8] is only supported in argument position, not nested in records/options/etc.")

    override fun allocationSize(value: java.nio.ByteBuffer): ULong =
        error("ByRef bytes have no RustBuffer allocation size: zero-copy &[u8] is only supported in argument position, not nested in records/options/etc.")
}
/**
 * The FfiConverter interface handles converter types to and from the FFI
 *
 * All implementing objects should be public to support external types.  When a
 * type is external we need to import it's FfiConverter.
 *
 * @suppress
 */
public interface FfiConverter<KotlinType, FfiType> {
    // Convert an FFI type to a Kotlin type
    fun lift(value: FfiType): KotlinType

    // Convert an Kotlin type to an FFI type
    fun lower(value: KotlinType): FfiType

    // Read a Kotlin type from a `ByteBuffer`
    fun read(buf: ByteBuffer): KotlinType

    // Calculate bytes to allocate when creating a `RustBuffer`
    //
    // This must return at least as many bytes as the write() function will
    // write. It can return more bytes than needed, for example when writing
    // Strings we can't know the exact bytes needed until we the UTF-8
    // encoding, so we pessimistically allocate the largest size possible (3
    // bytes per codepoint).  Allocating extra bytes is not really a big deal
    // because the `RustBuffer` is short-lived.
    fun allocationSize(value: KotlinType): ULong

    // Write a Kotlin type to a `ByteBuffer`
    fun write(value: KotlinType, buf: ByteBuffer)

    // Lower a value into a `RustBuffer`
    //
    // This method lowers a value into a `RustBuffer` rather than the normal
    // FfiType.  It's used by the callback interface code.  Callback interface
    // returns are always serialized into a `RustBuffer` regardless of their
    // normal FFI type.
    fun lowerIntoRustBuffer(value: KotlinType): RustBuffer.ByValue {
        val rbuf = RustBuffer.alloc(allocationSize(value))
        try {
            val bbuf = rbuf.data!!.getByteBuffer(0, rbuf.capacity).also {
                it.order(ByteOrder.BIG_ENDIAN)
            }
            write(value, bbuf)
            rbuf.writeField("len", bbuf.position().toLong())
            return rbuf
        } catch (e: Throwable) {
            RustBuffer.free(rbuf)
            throw e
        }
    }

    // Lift a value from a `RustBuffer`.
    //
    // This here mostly because of the symmetry with `lowerIntoRustBuffer()`.
    // It's currently only used by the `FfiConverterRustBuffer` class below.
    fun liftFromRustBuffer(rbuf: RustBuffer.ByValue): KotlinType {
        val byteBuf = rbuf.asByteBuffer()!!
        try {
           val item = read(byteBuf)
           if (byteBuf.hasRemaining()) {
               throw RuntimeException("junk remaining in buffer after lifting, something is very wrong!!")
           }
           return item
        } finally {
            RustBuffer.free(rbuf)
        }
    }
}

/**
 * FfiConverter that uses `RustBuffer` as the FfiType
 *
 * @suppress
 */
public interface FfiConverterRustBuffer<KotlinType>: FfiConverter<KotlinType, RustBuffer.ByValue> {
    override fun lift(value: RustBuffer.ByValue) = liftFromRustBuffer(value)
    override fun lower(value: KotlinType) = lowerIntoRustBuffer(value)
}
// A handful of classes and functions to support the generated data structures.
// This would be a good candidate for isolating in its own ffi-support lib.

internal const val UNIFFI_CALL_SUCCESS = 0.toByte()
internal const val UNIFFI_CALL_ERROR = 1.toByte()
internal const val UNIFFI_CALL_UNEXPECTED_ERROR = 2.toByte()

@Structure.FieldOrder("code", "error_buf")
internal open class UniffiRustCallStatus : Structure() {
    @JvmField var code: Byte = 0
    @JvmField var error_buf: RustBuffer.ByValue = RustBuffer.ByValue()

    class ByValue: UniffiRustCallStatus(), Structure.ByValue

    fun isSuccess(): Boolean {
        return code == UNIFFI_CALL_SUCCESS
    }

    fun isError(): Boolean {
        return code == UNIFFI_CALL_ERROR
    }

    fun isPanic(): Boolean {
        return code == UNIFFI_CALL_UNEXPECTED_ERROR
    }

    companion object {
        fun create(code: Byte, errorBuf: RustBuffer.ByValue): UniffiRustCallStatus.ByValue {
            val callStatus = UniffiRustCallStatus.ByValue()
            callStatus.code = code
            callStatus.error_buf = errorBuf
            return callStatus
        }
    }
}

class InternalException(message: String) : kotlin.Exception(message)

/**
 * Each top-level error class has a companion object that can lift the error from the call status's rust buffer
 *
 * @suppress
 */
interface UniffiRustCallStatusErrorHandler<E> {
    fun lift(error_buf: RustBuffer.ByValue): E;
}

// Helpers for calling Rust
// In practice we usually need to be synchronized to call this safely, so it doesn't
// synchronize itself

// Call a rust function that returns a Result<>.  Pass in the Error class companion that corresponds to the Err
private inline fun <U, E: kotlin.Exception> uniffiRustCallWithError(errorHandler: UniffiRustCallStatusErrorHandler<E>, callback: (UniffiRustCallStatus) -> U): U {
    var status = UniffiRustCallStatus()
    val return_value = callback(status)
    uniffiCheckCallStatus(errorHandler, status)
    return return_value
}

// Check UniffiRustCallStatus and throw an error if the call wasn't successful
private fun<E: kotlin.Exception> uniffiCheckCallStatus(errorHandler: UniffiRustCallStatusErrorHandler<E>, status: UniffiRustCallStatus) {
    if (status.isSuccess()) {
        return
    } else if (status.isError()) {
        throw errorHandler.lift(status.error_buf)
    } else if (status.isPanic()) {
        // when the rust code sees a panic, it tries to construct a rustbuffer
        // with the message.  but if that code panics, then it just sends back
        // an empty buffer.
        if (status.error_buf.len > 0) {
            throw InternalException(FfiConverterString.lift(status.error_buf))
        } else {
            throw InternalException("Rust panic")
        }
    } else {
        throw InternalException("Unknown rust call status: $status.code")
    }
}

/**
 * UniffiRustCallStatusErrorHandler implementation for times when we don't expect a CALL_ERROR
 *
 * @suppress
 */
object UniffiNullRustCallStatusErrorHandler: UniffiRustCallStatusErrorHandler<InternalException> {
    override fun lift(error_buf: RustBuffer.ByValue): InternalException {
        RustBuffer.free(error_buf)
        return InternalException("Unexpected CALL_ERROR")
    }
}

// Call a rust function that returns a plain value
private inline fun <U> uniffiRustCall(callback: (UniffiRustCallStatus) -> U): U {
    return uniffiRustCallWithError(UniffiNullRustCallStatusErrorHandler, callback)
}

internal inline fun<T> uniffiTraitInterfaceCall(
    callStatus: UniffiRustCallStatus,
    makeCall: () -> T,
    writeReturn: (T) -> Unit,
) {
    try {
        writeReturn(makeCall())
    } catch(e: kotlin.Exception) {
        val err = try { e.stackTraceToString() } catch(_: Throwable) { "" }
        callStatus.code = UNIFFI_CALL_UNEXPECTED_ERROR
        callStatus.error_buf = FfiConverterString.lower(err)
    }
}

internal inline fun<T, reified E: Throwable> uniffiTraitInterfaceCallWithError(
    callStatus: UniffiRustCallStatus,
    makeCall: () -> T,
    writeReturn: (T) -> Unit,
    lowerError: (E) -> RustBuffer.ByValue
) {
    try {
        writeReturn(makeCall())
    } catch(e: kotlin.Exception) {
        if (e is E) {
            callStatus.code = UNIFFI_CALL_ERROR
            callStatus.error_buf = lowerError(e)
        } else {
            val err = try { e.stackTraceToString() } catch(_: Throwable) { "" }
            callStatus.code = UNIFFI_CALL_UNEXPECTED_ERROR
            callStatus.error_buf = FfiConverterString.lower(err)
        }
    }
}
// Initial value and increment amount for handles.
// These ensure that Kotlin-generated handles always have the lowest bit set
private const val UNIFFI_HANDLEMAP_INITIAL = 1.toLong()
private const val UNIFFI_HANDLEMAP_DELTA = 2.toLong()

// Map handles to objects
//
// This is used pass an opaque 64-bit handle representing a foreign object to the Rust code.
internal class UniffiHandleMap<T: Any> {
    private val map = ConcurrentHashMap<Long, T>()
    // Start
    private val counter = java.util.concurrent.atomic.AtomicLong(UNIFFI_HANDLEMAP_INITIAL)

    val size: Int
        get() = map.size

    // Insert a new object into the handle map and get a handle for it
    fun insert(obj: T): Long {
        val handle = counter.getAndAdd(UNIFFI_HANDLEMAP_DELTA)
        map.put(handle, obj)
        return handle
    }

    // Clone a handle, creating a new one
    fun clone(handle: Long): Long {
        val obj = map.get(handle) ?: throw InternalException("UniffiHandleMap.clone: Invalid handle")
        return insert(obj)
    }

    // Get an object from the handle map
    fun get(handle: Long): T {
        return map.get(handle) ?: throw InternalException("UniffiHandleMap.get: Invalid handle")
    }

    // Remove an entry from the handlemap and get the Kotlin object back
    fun remove(handle: Long): T {
        return map.remove(handle) ?: throw InternalException("UniffiHandleMap: Invalid handle")
    }
}

// Contains loading, initialization code,
// and the FFI Function declarations in a com.sun.jna.Library.
@Synchronized
private fun findLibraryName(componentName: String): String {
    val libOverride = System.getProperty("uniffi.component.$componentName.libraryOverride")
    if (libOverride != null) {
        return libOverride
    }
    return "tidewire_uniffi"
}

// Define FFI callback types
internal interface UniffiRustFutureContinuationCallback : com.sun.jna.Callback {
    fun callback(`data`: Long,`pollResult`: Byte,)
}
internal interface UniffiForeignFutureDroppedCallback : com.sun.jna.Callback {
    fun callback(`handle`: Long,)
}
internal interface UniffiCallbackInterfaceFree : com.sun.jna.Callback {
    fun callback(`handle`: Long,)
}
internal interface UniffiCallbackInterfaceClone : com.sun.jna.Callback {
    fun callback(`handle`: Long,)
    : Long
}
@Structure.FieldOrder("handle", "free")
internal open class UniffiForeignFutureDroppedCallbackStruct(
    @JvmField internal var `handle`: Long = 0.toLong(),
    @JvmField internal var `free`: UniffiForeignFutureDroppedCallback? = null,
) : Structure() {
    class UniffiByValue(
        `handle`: Long = 0.toLong(),
        `free`: UniffiForeignFutureDroppedCallback? = null,
    ): UniffiForeignFutureDroppedCallbackStruct(`handle`,`free`,), Structure.ByValue

   internal fun uniffiSetValue(other: UniffiForeignFutureDroppedCallbackStruct) {
        `handle` = other.`handle`
        `free` = other.`free`
    }

}
@Structure.FieldOrder("returnValue", "callStatus")
internal open class UniffiForeignFutureResultU8(
    @JvmField internal var `returnValue`: Byte = 0.toByte(),
    @JvmField internal var `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
) : Structure() {
    class UniffiByValue(
        `returnValue`: Byte = 0.toByte(),
        `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
    ): UniffiForeignFutureResultU8(`returnValue`,`callStatus`,), Structure.ByValue

   internal fun uniffiSetValue(other: UniffiForeignFutureResultU8) {
        `returnValue` = other.`returnValue`
        `callStatus` = other.`callStatus`
    }

}
internal interface UniffiForeignFutureCompleteU8 : com.sun.jna.Callback {
    fun callback(`callbackData`: Long,`result`: UniffiForeignFutureResultU8.UniffiByValue,)
}
@Structure.FieldOrder("returnValue", "callStatus")
internal open class UniffiForeignFutureResultI8(
    @JvmField internal var `returnValue`: Byte = 0.toByte(),
    @JvmField internal var `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
) : Structure() {
    class UniffiByValue(
        `returnValue`: Byte = 0.toByte(),
        `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
    ): UniffiForeignFutureResultI8(`returnValue`,`callStatus`,), Structure.ByValue

   internal fun uniffiSetValue(other: UniffiForeignFutureResultI8) {
        `returnValue` = other.`returnValue`
        `callStatus` = other.`callStatus`
    }

}
internal interface UniffiForeignFutureCompleteI8 : com.sun.jna.Callback {
    fun callback(`callbackData`: Long,`result`: UniffiForeignFutureResultI8.UniffiByValue,)
}
@Structure.FieldOrder("returnValue", "callStatus")
internal open class UniffiForeignFutureResultU16(
    @JvmField internal var `returnValue`: Short = 0.toShort(),
    @JvmField internal var `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
) : Structure() {
    class UniffiByValue(
        `returnValue`: Short = 0.toShort(),
        `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
    ): UniffiForeignFutureResultU16(`returnValue`,`callStatus`,), Structure.ByValue

   internal fun uniffiSetValue(other: UniffiForeignFutureResultU16) {
        `returnValue` = other.`returnValue`
        `callStatus` = other.`callStatus`
    }

}
internal interface UniffiForeignFutureCompleteU16 : com.sun.jna.Callback {
    fun callback(`callbackData`: Long,`result`: UniffiForeignFutureResultU16.UniffiByValue,)
}
@Structure.FieldOrder("returnValue", "callStatus")
internal open class UniffiForeignFutureResultI16(
    @JvmField internal var `returnValue`: Short = 0.toShort(),
    @JvmField internal var `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
) : Structure() {
    class UniffiByValue(
        `returnValue`: Short = 0.toShort(),
        `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
    ): UniffiForeignFutureResultI16(`returnValue`,`callStatus`,), Structure.ByValue

   internal fun uniffiSetValue(other: UniffiForeignFutureResultI16) {
        `returnValue` = other.`returnValue`
        `callStatus` = other.`callStatus`
    }

}
internal interface UniffiForeignFutureCompleteI16 : com.sun.jna.Callback {
    fun callback(`callbackData`: Long,`result`: UniffiForeignFutureResultI16.UniffiByValue,)
}
@Structure.FieldOrder("returnValue", "callStatus")
internal open class UniffiForeignFutureResultU32(
    @JvmField internal var `returnValue`: Int = 0,
    @JvmField internal var `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
) : Structure() {
    class UniffiByValue(
        `returnValue`: Int = 0,
        `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
    ): UniffiForeignFutureResultU32(`returnValue`,`callStatus`,), Structure.ByValue

   internal fun uniffiSetValue(other: UniffiForeignFutureResultU32) {
        `returnValue` = other.`returnValue`
        `callStatus` = other.`callStatus`
    }

}
internal interface UniffiForeignFutureCompleteU32 : com.sun.jna.Callback {
    fun callback(`callbackData`: Long,`result`: UniffiForeignFutureResultU32.UniffiByValue,)
}
@Structure.FieldOrder("returnValue", "callStatus")
internal open class UniffiForeignFutureResultI32(
    @JvmField internal var `returnValue`: Int = 0,
    @JvmField internal var `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
) : Structure() {
    class UniffiByValue(
        `returnValue`: Int = 0,
        `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
    ): UniffiForeignFutureResultI32(`returnValue`,`callStatus`,), Structure.ByValue

   internal fun uniffiSetValue(other: UniffiForeignFutureResultI32) {
        `returnValue` = other.`returnValue`
        `callStatus` = other.`callStatus`
    }

}
internal interface UniffiForeignFutureCompleteI32 : com.sun.jna.Callback {
    fun callback(`callbackData`: Long,`result`: UniffiForeignFutureResultI32.UniffiByValue,)
}
@Structure.FieldOrder("returnValue", "callStatus")
internal open class UniffiForeignFutureResultU64(
    @JvmField internal var `returnValue`: Long = 0.toLong(),
    @JvmField internal var `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
) : Structure() {
    class UniffiByValue(
        `returnValue`: Long = 0.toLong(),
        `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
    ): UniffiForeignFutureResultU64(`returnValue`,`callStatus`,), Structure.ByValue

   internal fun uniffiSetValue(other: UniffiForeignFutureResultU64) {
        `returnValue` = other.`returnValue`
        `callStatus` = other.`callStatus`
    }

}
internal interface UniffiForeignFutureCompleteU64 : com.sun.jna.Callback {
    fun callback(`callbackData`: Long,`result`: UniffiForeignFutureResultU64.UniffiByValue,)
}
@Structure.FieldOrder("returnValue", "callStatus")
internal open class UniffiForeignFutureResultI64(
    @JvmField internal var `returnValue`: Long = 0.toLong(),
    @JvmField internal var `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
) : Structure() {
    class UniffiByValue(
        `returnValue`: Long = 0.toLong(),
        `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
    ): UniffiForeignFutureResultI64(`returnValue`,`callStatus`,), Structure.ByValue

   internal fun uniffiSetValue(other: UniffiForeignFutureResultI64) {
        `returnValue` = other.`returnValue`
        `callStatus` = other.`callStatus`
    }

}
internal interface UniffiForeignFutureCompleteI64 : com.sun.jna.Callback {
    fun callback(`callbackData`: Long,`result`: UniffiForeignFutureResultI64.UniffiByValue,)
}
@Structure.FieldOrder("returnValue", "callStatus")
internal open class UniffiForeignFutureResultF32(
    @JvmField internal var `returnValue`: Float = 0.0f,
    @JvmField internal var `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
) : Structure() {
    class UniffiByValue(
        `returnValue`: Float = 0.0f,
        `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
    ): UniffiForeignFutureResultF32(`returnValue`,`callStatus`,), Structure.ByValue

   internal fun uniffiSetValue(other: UniffiForeignFutureResultF32) {
        `returnValue` = other.`returnValue`
        `callStatus` = other.`callStatus`
    }

}
internal interface UniffiForeignFutureCompleteF32 : com.sun.jna.Callback {
    fun callback(`callbackData`: Long,`result`: UniffiForeignFutureResultF32.UniffiByValue,)
}
@Structure.FieldOrder("returnValue", "callStatus")
internal open class UniffiForeignFutureResultF64(
    @JvmField internal var `returnValue`: Double = 0.0,
    @JvmField internal var `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
) : Structure() {
    class UniffiByValue(
        `returnValue`: Double = 0.0,
        `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
    ): UniffiForeignFutureResultF64(`returnValue`,`callStatus`,), Structure.ByValue

   internal fun uniffiSetValue(other: UniffiForeignFutureResultF64) {
        `returnValue` = other.`returnValue`
        `callStatus` = other.`callStatus`
    }

}
internal interface UniffiForeignFutureCompleteF64 : com.sun.jna.Callback {
    fun callback(`callbackData`: Long,`result`: UniffiForeignFutureResultF64.UniffiByValue,)
}
@Structure.FieldOrder("returnValue", "callStatus")
internal open class UniffiForeignFutureResultRustBuffer(
    @JvmField internal var `returnValue`: RustBuffer.ByValue = RustBuffer.ByValue(),
    @JvmField internal var `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
) : Structure() {
    class UniffiByValue(
        `returnValue`: RustBuffer.ByValue = RustBuffer.ByValue(),
        `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
    ): UniffiForeignFutureResultRustBuffer(`returnValue`,`callStatus`,), Structure.ByValue

   internal fun uniffiSetValue(other: UniffiForeignFutureResultRustBuffer) {
        `returnValue` = other.`returnValue`
        `callStatus` = other.`callStatus`
    }

}
internal interface UniffiForeignFutureCompleteRustBuffer : com.sun.jna.Callback {
    fun callback(`callbackData`: Long,`result`: UniffiForeignFutureResultRustBuffer.UniffiByValue,)
}
@Structure.FieldOrder("callStatus")
internal open class UniffiForeignFutureResultVoid(
    @JvmField internal var `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
) : Structure() {
    class UniffiByValue(
        `callStatus`: UniffiRustCallStatus.ByValue = UniffiRustCallStatus.ByValue(),
    ): UniffiForeignFutureResultVoid(`callStatus`,), Structure.ByValue

   internal fun uniffiSetValue(other: UniffiForeignFutureResultVoid) {
        `callStatus` = other.`callStatus`
    }

}
internal interface UniffiForeignFutureCompleteVoid : com.sun.jna.Callback {
    fun callback(`callbackData`: Long,`result`: UniffiForeignFutureResultVoid.UniffiByValue,)
}

// A JNA Library to expose the extern-C FFI definitions.
// This is an implementation detail which will be called internally by the public API.

// For large crates we prevent `MethodTooLargeException` (see #2340)
// N.B. the name of the extension is very misleading, since it is
// rather `InterfaceTooLargeException`, caused by too many methods
// in the interface for large crates.
//
// By splitting the otherwise huge interface into two parts
// * UniffiLib (this)
// * IntegrityCheckingUniffiLib
// And all checksum methods are put into `IntegrityCheckingUniffiLib`
// we allow for ~2x as many methods in the UniffiLib interface.
//
// Note: above all written when we used JNA's `loadIndirect` etc.
// We now use JNA's "direct mapping" - unclear if same considerations apply exactly.
internal object IntegrityCheckingUniffiLib {
    init {
        Native.register(IntegrityCheckingUniffiLib::class.java, findLibraryName(componentName = "tidewire_native"))
        uniffiCheckContractApiVersion(this)
        uniffiCheckApiChecksums(this)
    }

    internal fun ensureInitialized() = Unit
    external fun uniffi_tidewire_uniffi_checksum_func_stored_batch(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_func_connect(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_func_version(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativebatches_count(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativebatches_end_offset(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativebatches_lent(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativebatches_next_offset(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativebatches_start_offset(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_add_partitions(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_create_stream(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_create_topic(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_stream(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_topic(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_describe_limits(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_describe_stream(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_describe_topic(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_fetch(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_forget_producer(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_list_streams(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_list_topics(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_partitions(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_producers(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_purge_stream(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_purge_topic(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_truncate(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_update_topic(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_events(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_ping(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_server(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_shut(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_consumer(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_committed(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_create_group(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_group(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_offsets(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_describe_group(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_list_groups(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_reset_offsets(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_producer(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_change_grants(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_change_password(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_create_token(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_create_user(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_token(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_user(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_describe_user(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_enable_user(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_list_tokens(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeclient_list_users(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeconsumer_add_partition(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeconsumer_assignment(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeconsumer_close_within(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeconsumer_commit(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeconsumer_commit_offset(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeconsumer_commit_until(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeconsumer_is_closed(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeconsumer_lag(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeconsumer_pause(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeconsumer_positions(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeconsumer_ready(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeconsumer_remove_partition(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeconsumer_resume(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeconsumer_seek(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeconsumer_stats(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeconsumer_take(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeconsumer_topic(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeevents_ready(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeevents_take(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeproducer_blocks(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeproducer_close_within(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeproducer_flush(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeproducer_partitions(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeproducer_push(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeproducer_ready(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativeproducer_stats(
    ): Int
    external fun uniffi_tidewire_uniffi_checksum_method_nativetickets_outcomes(
    ): Int
    external fun ffi_tidewire_uniffi_uniffi_contract_version(
    ): Int


}

internal object UniffiLib {

    // The Cleaner for the whole library
    internal val CLEANER: UniffiCleaner by lazy {
        UniffiCleaner.create()
    }


    init {
        Native.register(UniffiLib::class.java, findLibraryName(componentName = "tidewire_native"))

    }

    internal fun ensureInitialized() = Unit
    external fun uniffi_tidewire_uniffi_fn_clone_nativebatches(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_free_nativebatches(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Unit
    external fun uniffi_tidewire_uniffi_fn_method_nativebatches_count(`ptr`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Int
    external fun uniffi_tidewire_uniffi_fn_method_nativebatches_end_offset(`ptr`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativebatches_lent(`ptr`: Long,`index`: Int,uniffi_out_err: UniffiRustCallStatus,
    ): RustBuffer.ByValue
    external fun uniffi_tidewire_uniffi_fn_method_nativebatches_next_offset(`ptr`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativebatches_start_offset(`ptr`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_clone_nativeclient(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_free_nativeclient(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Unit
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_add_partitions(`ptr`: Long,`topic`: RustBuffer.ByValue,`partitions`: Int,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_create_stream(`ptr`: Long,`name`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_create_topic(`ptr`: Long,`topic`: RustBuffer.ByValue,`options`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_delete_stream(`ptr`: Long,`name`: RustBuffer.ByValue,`withTopics`: Byte,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_delete_topic(`ptr`: Long,`topic`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_describe_limits(`ptr`: Long,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_describe_stream(`ptr`: Long,`name`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_describe_topic(`ptr`: Long,`topic`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_fetch(`ptr`: Long,`topic`: RustBuffer.ByValue,`partition`: Int,`offset`: Long,`maxBytes`: RustBuffer.ByValue,`minBytes`: RustBuffer.ByValue,`maxWaitMs`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_forget_producer(`ptr`: Long,`topic`: RustBuffer.ByValue,`name`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_list_streams(`ptr`: Long,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_list_topics(`ptr`: Long,`stream`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_partitions(`ptr`: Long,`topic`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_producers(`ptr`: Long,`topic`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_purge_stream(`ptr`: Long,`name`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_purge_topic(`ptr`: Long,`topic`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_truncate(`ptr`: Long,`topic`: RustBuffer.ByValue,`partition`: Int,`before`: Long,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_update_topic(`ptr`: Long,`topic`: RustBuffer.ByValue,`options`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_events(`ptr`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_ping(`ptr`: Long,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_server(`ptr`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): RustBuffer.ByValue
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_shut(`ptr`: Long,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_consumer(`ptr`: Long,`topics`: RustBuffer.ByValue,`group`: RustBuffer.ByValue,`name`: RustBuffer.ByValue,`only`: RustBuffer.ByValue,`startAt`: RustBuffer.ByValue,`options`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_committed(`ptr`: Long,`group`: RustBuffer.ByValue,`topic`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_create_group(`ptr`: Long,`group`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_delete_group(`ptr`: Long,`group`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_delete_offsets(`ptr`: Long,`group`: RustBuffer.ByValue,`topic`: RustBuffer.ByValue,`only`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_describe_group(`ptr`: Long,`group`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_list_groups(`ptr`: Long,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_reset_offsets(`ptr`: Long,`group`: RustBuffer.ByValue,`topic`: RustBuffer.ByValue,`only`: RustBuffer.ByValue,`to`: RustBuffer.ByValue,`force`: Byte,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_producer(`ptr`: Long,`topic`: RustBuffer.ByValue,`name`: RustBuffer.ByValue,`options`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_change_grants(`ptr`: Long,`name`: RustBuffer.ByValue,`revoke`: RustBuffer.ByValue,`grant`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_change_password(`ptr`: Long,`password`: RustBuffer.ByValue,`name`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_create_token(`ptr`: Long,`name`: RustBuffer.ByValue,`user`: RustBuffer.ByValue,`lifetimeMs`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_create_user(`ptr`: Long,`name`: RustBuffer.ByValue,`password`: RustBuffer.ByValue,`grants`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_delete_token(`ptr`: Long,`id`: Long,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_delete_user(`ptr`: Long,`name`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_describe_user(`ptr`: Long,`name`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_enable_user(`ptr`: Long,`name`: RustBuffer.ByValue,`enabled`: Byte,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_list_tokens(`ptr`: Long,`user`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeclient_list_users(`ptr`: Long,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_clone_nativeconsumer(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_free_nativeconsumer(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Unit
    external fun uniffi_tidewire_uniffi_fn_method_nativeconsumer_add_partition(`ptr`: Long,`partition`: Int,`start`: RustBuffer.ByValue,uniffi_out_err: UniffiRustCallStatus,
    ): Unit
    external fun uniffi_tidewire_uniffi_fn_method_nativeconsumer_assignment(`ptr`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): RustBuffer.ByValue
    external fun uniffi_tidewire_uniffi_fn_method_nativeconsumer_close_within(`ptr`: Long,`limitMs`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeconsumer_commit(`ptr`: Long,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeconsumer_commit_offset(`ptr`: Long,`topic`: RustBuffer.ByValue,`partition`: Int,`offset`: Long,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeconsumer_commit_until(`ptr`: Long,`topic`: RustBuffer.ByValue,`partition`: Int,`offset`: Long,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeconsumer_is_closed(`ptr`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Byte
    external fun uniffi_tidewire_uniffi_fn_method_nativeconsumer_lag(`ptr`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeconsumer_pause(`ptr`: Long,`partition`: Int,uniffi_out_err: UniffiRustCallStatus,
    ): Unit
    external fun uniffi_tidewire_uniffi_fn_method_nativeconsumer_positions(`ptr`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): RustBuffer.ByValue
    external fun uniffi_tidewire_uniffi_fn_method_nativeconsumer_ready(`ptr`: Long,`limitMs`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeconsumer_remove_partition(`ptr`: Long,`partition`: Int,uniffi_out_err: UniffiRustCallStatus,
    ): Byte
    external fun uniffi_tidewire_uniffi_fn_method_nativeconsumer_resume(`ptr`: Long,`partition`: Int,uniffi_out_err: UniffiRustCallStatus,
    ): Unit
    external fun uniffi_tidewire_uniffi_fn_method_nativeconsumer_seek(`ptr`: Long,`partition`: Int,`to`: RustBuffer.ByValue,uniffi_out_err: UniffiRustCallStatus,
    ): Unit
    external fun uniffi_tidewire_uniffi_fn_method_nativeconsumer_stats(`ptr`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): RustBuffer.ByValue
    external fun uniffi_tidewire_uniffi_fn_method_nativeconsumer_take(`ptr`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): RustBuffer.ByValue
    external fun uniffi_tidewire_uniffi_fn_method_nativeconsumer_topic(`ptr`: Long,`number`: Int,uniffi_out_err: UniffiRustCallStatus,
    ): RustBuffer.ByValue
    external fun uniffi_tidewire_uniffi_fn_clone_nativeevents(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_free_nativeevents(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Unit
    external fun uniffi_tidewire_uniffi_fn_method_nativeevents_ready(`ptr`: Long,`limitMs`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeevents_take(`ptr`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): RustBuffer.ByValue
    external fun uniffi_tidewire_uniffi_fn_clone_nativeproducer(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_free_nativeproducer(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Unit
    external fun uniffi_tidewire_uniffi_fn_method_nativeproducer_blocks(`ptr`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Byte
    external fun uniffi_tidewire_uniffi_fn_method_nativeproducer_close_within(`ptr`: Long,`limitMs`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeproducer_flush(`ptr`: Long,`limitMs`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeproducer_partitions(`ptr`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Int
    external fun uniffi_tidewire_uniffi_fn_method_nativeproducer_push(`ptr`: Long,`chunk`: ForeignBytes.ByValue,`expedite`: Byte,`wantsTickets`: Byte,uniffi_out_err: UniffiRustCallStatus,
    ): RustBuffer.ByValue
    external fun uniffi_tidewire_uniffi_fn_method_nativeproducer_ready(`ptr`: Long,`limitMs`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_method_nativeproducer_stats(`ptr`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): RustBuffer.ByValue
    external fun uniffi_tidewire_uniffi_fn_clone_nativetickets(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_free_nativetickets(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Unit
    external fun uniffi_tidewire_uniffi_fn_method_nativetickets_outcomes(`ptr`: Long,`limitMs`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_func_stored_batch(`bytes`: RustBuffer.ByValue,uniffi_out_err: UniffiRustCallStatus,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_func_connect(`url`: RustBuffer.ByValue,`options`: RustBuffer.ByValue,
    ): Long
    external fun uniffi_tidewire_uniffi_fn_func_version(uniffi_out_err: UniffiRustCallStatus,
    ): RustBuffer.ByValue
    external fun ffi_tidewire_uniffi_rustbuffer_alloc(`size`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): RustBuffer.ByValue
    external fun ffi_tidewire_uniffi_rustbuffer_from_bytes(`bytes`: ForeignBytes.ByValue,uniffi_out_err: UniffiRustCallStatus,
    ): RustBuffer.ByValue
    external fun ffi_tidewire_uniffi_rustbuffer_free(`buf`: RustBuffer.ByValue,uniffi_out_err: UniffiRustCallStatus,
    ): Unit
    external fun ffi_tidewire_uniffi_rustbuffer_reserve(`buf`: RustBuffer.ByValue,`additional`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): RustBuffer.ByValue
    external fun ffi_tidewire_uniffi_rust_future_poll_u8(`handle`: Long,`callback`: UniffiRustFutureContinuationCallback,`callbackData`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_cancel_u8(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_free_u8(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_complete_u8(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Int
    external fun ffi_tidewire_uniffi_rust_future_poll_i8(`handle`: Long,`callback`: UniffiRustFutureContinuationCallback,`callbackData`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_cancel_i8(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_free_i8(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_complete_i8(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Byte
    external fun ffi_tidewire_uniffi_rust_future_poll_u16(`handle`: Long,`callback`: UniffiRustFutureContinuationCallback,`callbackData`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_cancel_u16(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_free_u16(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_complete_u16(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Int
    external fun ffi_tidewire_uniffi_rust_future_poll_i16(`handle`: Long,`callback`: UniffiRustFutureContinuationCallback,`callbackData`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_cancel_i16(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_free_i16(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_complete_i16(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Short
    external fun ffi_tidewire_uniffi_rust_future_poll_u32(`handle`: Long,`callback`: UniffiRustFutureContinuationCallback,`callbackData`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_cancel_u32(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_free_u32(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_complete_u32(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Int
    external fun ffi_tidewire_uniffi_rust_future_poll_i32(`handle`: Long,`callback`: UniffiRustFutureContinuationCallback,`callbackData`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_cancel_i32(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_free_i32(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_complete_i32(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Int
    external fun ffi_tidewire_uniffi_rust_future_poll_u64(`handle`: Long,`callback`: UniffiRustFutureContinuationCallback,`callbackData`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_cancel_u64(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_free_u64(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_complete_u64(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Long
    external fun ffi_tidewire_uniffi_rust_future_poll_i64(`handle`: Long,`callback`: UniffiRustFutureContinuationCallback,`callbackData`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_cancel_i64(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_free_i64(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_complete_i64(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Long
    external fun ffi_tidewire_uniffi_rust_future_poll_f32(`handle`: Long,`callback`: UniffiRustFutureContinuationCallback,`callbackData`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_cancel_f32(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_free_f32(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_complete_f32(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Float
    external fun ffi_tidewire_uniffi_rust_future_poll_f64(`handle`: Long,`callback`: UniffiRustFutureContinuationCallback,`callbackData`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_cancel_f64(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_free_f64(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_complete_f64(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Double
    external fun ffi_tidewire_uniffi_rust_future_poll_rust_buffer(`handle`: Long,`callback`: UniffiRustFutureContinuationCallback,`callbackData`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_cancel_rust_buffer(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_free_rust_buffer(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_complete_rust_buffer(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): RustBuffer.ByValue
    external fun ffi_tidewire_uniffi_rust_future_poll_void(`handle`: Long,`callback`: UniffiRustFutureContinuationCallback,`callbackData`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_cancel_void(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_free_void(`handle`: Long,
    ): Unit
    external fun ffi_tidewire_uniffi_rust_future_complete_void(`handle`: Long,uniffi_out_err: UniffiRustCallStatus,
    ): Unit


}

private fun uniffiCheckContractApiVersion(lib: IntegrityCheckingUniffiLib) {
    // Get the bindings contract version from our ComponentInterface
    val bindings_contract_version = 30
    // Get the scaffolding contract version by calling the into the dylib
    val scaffolding_contract_version = lib.ffi_tidewire_uniffi_uniffi_contract_version()
    if (bindings_contract_version != scaffolding_contract_version) {
        throw RuntimeException("UniFFI contract version mismatch: try cleaning and rebuilding your project")
    }
}
@Suppress("UNUSED_PARAMETER")
private fun uniffiCheckApiChecksums(lib: IntegrityCheckingUniffiLib) {
    if ((lib.uniffi_tidewire_uniffi_checksum_func_stored_batch() and 0xFFFF) != 35288) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_func_connect() and 0xFFFF) != 23911) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_func_version() and 0xFFFF) != 17544) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativebatches_count() and 0xFFFF) != 13577) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativebatches_end_offset() and 0xFFFF) != 25055) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativebatches_lent() and 0xFFFF) != 10542) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativebatches_next_offset() and 0xFFFF) != 20214) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativebatches_start_offset() and 0xFFFF) != 62251) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_add_partitions() and 0xFFFF) != 27135) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_create_stream() and 0xFFFF) != 54724) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_create_topic() and 0xFFFF) != 21540) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_stream() and 0xFFFF) != 317) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_topic() and 0xFFFF) != 53593) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_describe_limits() and 0xFFFF) != 56972) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_describe_stream() and 0xFFFF) != 47255) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_describe_topic() and 0xFFFF) != 975) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_fetch() and 0xFFFF) != 14553) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_forget_producer() and 0xFFFF) != 53781) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_list_streams() and 0xFFFF) != 32244) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_list_topics() and 0xFFFF) != 54873) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_partitions() and 0xFFFF) != 64371) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_producers() and 0xFFFF) != 20051) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_purge_stream() and 0xFFFF) != 13185) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_purge_topic() and 0xFFFF) != 42963) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_truncate() and 0xFFFF) != 22394) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_update_topic() and 0xFFFF) != 31319) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_events() and 0xFFFF) != 26145) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_ping() and 0xFFFF) != 40270) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_server() and 0xFFFF) != 45426) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_shut() and 0xFFFF) != 56791) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_consumer() and 0xFFFF) != 2106) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_committed() and 0xFFFF) != 64666) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_create_group() and 0xFFFF) != 64401) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_group() and 0xFFFF) != 55512) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_offsets() and 0xFFFF) != 59271) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_describe_group() and 0xFFFF) != 37289) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_list_groups() and 0xFFFF) != 61942) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_reset_offsets() and 0xFFFF) != 41533) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_producer() and 0xFFFF) != 52105) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_change_grants() and 0xFFFF) != 12183) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_change_password() and 0xFFFF) != 45087) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_create_token() and 0xFFFF) != 60717) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_create_user() and 0xFFFF) != 48332) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_token() and 0xFFFF) != 50688) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_user() and 0xFFFF) != 16706) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_describe_user() and 0xFFFF) != 7734) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_enable_user() and 0xFFFF) != 54359) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_list_tokens() and 0xFFFF) != 17740) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeclient_list_users() and 0xFFFF) != 15941) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeconsumer_add_partition() and 0xFFFF) != 58305) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeconsumer_assignment() and 0xFFFF) != 34428) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeconsumer_close_within() and 0xFFFF) != 2635) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeconsumer_commit() and 0xFFFF) != 23210) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeconsumer_commit_offset() and 0xFFFF) != 54673) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeconsumer_commit_until() and 0xFFFF) != 55364) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeconsumer_is_closed() and 0xFFFF) != 15539) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeconsumer_lag() and 0xFFFF) != 4068) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeconsumer_pause() and 0xFFFF) != 34553) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeconsumer_positions() and 0xFFFF) != 2023) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeconsumer_ready() and 0xFFFF) != 37062) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeconsumer_remove_partition() and 0xFFFF) != 58575) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeconsumer_resume() and 0xFFFF) != 50614) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeconsumer_seek() and 0xFFFF) != 52996) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeconsumer_stats() and 0xFFFF) != 63541) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeconsumer_take() and 0xFFFF) != 1341) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeconsumer_topic() and 0xFFFF) != 4316) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeevents_ready() and 0xFFFF) != 30635) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeevents_take() and 0xFFFF) != 37768) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeproducer_blocks() and 0xFFFF) != 62236) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeproducer_close_within() and 0xFFFF) != 9847) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeproducer_flush() and 0xFFFF) != 8632) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeproducer_partitions() and 0xFFFF) != 31134) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeproducer_push() and 0xFFFF) != 39679) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeproducer_ready() and 0xFFFF) != 43516) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativeproducer_stats() and 0xFFFF) != 21851) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
    if ((lib.uniffi_tidewire_uniffi_checksum_method_nativetickets_outcomes() and 0xFFFF) != 11864) {
        throw RuntimeException("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
}

/**
 * @suppress
 */
public fun uniffiEnsureInitialized() {
    // Call arbitrary methods on IntegrityCheckingUniffiLib and UniffiLib to ensure that
    // their init blocks run. This ensures initialization across crates works as expected.
    IntegrityCheckingUniffiLib.ensureInitialized()
    UniffiLib.ensureInitialized()
}

// Async support
// Async return type handlers

internal const val UNIFFI_RUST_FUTURE_POLL_READY = 0.toByte()
internal const val UNIFFI_RUST_FUTURE_POLL_WAKE = 1.toByte()

internal val uniffiContinuationHandleMap = UniffiHandleMap<CancellableContinuation<Byte>>()

// FFI type for Rust future continuations
internal object uniffiRustFutureContinuationCallbackImpl: UniffiRustFutureContinuationCallback {
    override fun callback(data: Long, pollResult: Byte) {
        uniffiContinuationHandleMap.remove(data).resume(pollResult)
    }
}

internal suspend fun<T, F, E: kotlin.Exception> uniffiRustCallAsync(
    rustFuture: Long,
    pollFunc: (Long, UniffiRustFutureContinuationCallback, Long) -> Unit,
    completeFunc: (Long, UniffiRustCallStatus) -> F,
    freeFunc: (Long) -> Unit,
    liftFunc: (F) -> T,
    errorHandler: UniffiRustCallStatusErrorHandler<E>
): T {
    try {
        do {
            val pollResult = suspendCancellableCoroutine<Byte> { continuation ->
                pollFunc(
                    rustFuture,
                    uniffiRustFutureContinuationCallbackImpl,
                    uniffiContinuationHandleMap.insert(continuation)
                )
            }
        } while (pollResult != UNIFFI_RUST_FUTURE_POLL_READY);

        return liftFunc(
            uniffiRustCallWithError(errorHandler, { status -> completeFunc(rustFuture, status) })
        )
    } finally {
        freeFunc(rustFuture)
    }
}

// Public interface members begin here.


// Interface implemented by anything that can contain an object reference.
//
// Such types expose a `destroy()` method that must be called to cleanly
// dispose of the contained objects. Failure to call this method may result
// in memory leaks.
//
// The easiest way to ensure this method is called is to use the `.use`
// helper method to execute a block and destroy the object at the end.
interface Disposable {
    fun destroy()
    companion object {
        fun destroy(vararg args: Any?) {
            for (arg in args) {
                when (arg) {
                    is Disposable -> arg.destroy()
                    is ArrayList<*> -> {
                        for (idx in arg.indices) {
                            val element = arg[idx]
                            if (element is Disposable) {
                                element.destroy()
                            }
                        }
                    }
                    is Map<*, *> -> {
                        for (element in arg.values) {
                            if (element is Disposable) {
                                element.destroy()
                            }
                        }
                    }
                    is Iterable<*> -> {
                        for (element in arg) {
                            if (element is Disposable) {
                                element.destroy()
                            }
                        }
                    }
                }
            }
        }
    }
}

/**
 * @suppress
 */
inline fun <T : Disposable?, R> T.use(block: (T) -> R) =
    try {
        block(this)
    } finally {
        try {
            // N.B. our implementation is on the nullable type `Disposable?`.
            this?.destroy()
        } catch (e: Throwable) {
            // swallow
        }
    }

/**
 * Placeholder object used to signal that we're constructing an interface with a FFI handle.
 *
 * This is the first argument for interface constructors that input a raw handle. It exists is that
 * so we can avoid signature conflicts when an interface has a regular constructor than inputs a
 * Long.
 *
 * @suppress
 * */
object UniffiWithHandle

/**
 * Used to instantiate an interface without an actual pointer, for fakes in tests, mostly.
 *
 * @suppress
 * */
object NoHandle
/**
 * The cleaner interface for Object finalization code to run.
 * This is the entry point to any implementation that we're using.
 *
 * The cleaner registers objects and returns cleanables, so now we are
 * defining a `UniffiCleaner` with a `UniffiClenaer.Cleanable` to abstract the
 * different implmentations available at compile time.
 *
 * @suppress
 */
interface UniffiCleaner {
    interface Cleanable {
        fun clean()
    }

    fun register(value: Any, cleanUpTask: Runnable): UniffiCleaner.Cleanable

    companion object
}

// The fallback Jna cleaner, which is available for both Android, and the JVM.
private class UniffiJnaCleaner : UniffiCleaner {
    private val cleaner = com.sun.jna.internal.Cleaner.getCleaner()

    override fun register(value: Any, cleanUpTask: Runnable): UniffiCleaner.Cleanable =
        UniffiJnaCleanable(cleaner.register(value, cleanUpTask))
}

private class UniffiJnaCleanable(
    private val cleanable: com.sun.jna.internal.Cleaner.Cleanable,
) : UniffiCleaner.Cleanable {
    override fun clean() = cleanable.clean()
}


// We decide at uniffi binding generation time whether we were
// using Android or not.
// There are further runtime checks to chose the correct implementation
// of the cleaner.
private fun UniffiCleaner.Companion.create(): UniffiCleaner =
    try {
        // For safety's sake: if the library hasn't been run in android_cleaner = true
        // mode, but is being run on Android, then we still need to think about
        // Android API versions.
        // So we check if java.lang.ref.Cleaner is there, and use that…
        java.lang.Class.forName("java.lang.ref.Cleaner")
        JavaLangRefCleaner()
    } catch (e: ClassNotFoundException) {
        // … otherwise, fallback to the JNA cleaner.
        UniffiJnaCleaner()
    }

private class JavaLangRefCleaner : UniffiCleaner {
    val cleaner = java.lang.ref.Cleaner.create()

    override fun register(value: Any, cleanUpTask: Runnable): UniffiCleaner.Cleanable =
        JavaLangRefCleanable(cleaner.register(value, cleanUpTask))
}

private class JavaLangRefCleanable(
    val cleanable: java.lang.ref.Cleaner.Cleanable
) : UniffiCleaner.Cleanable {
    override fun clean() = cleanable.clean()
}

/**
 * @suppress
 */
public object FfiConverterInt: FfiConverter<Int, Int> {
    override fun lift(value: Int): Int {
        return value
    }

    override fun read(buf: ByteBuffer): Int {
        return buf.getInt()
    }

    override fun lower(value: Int): Int {
        return value
    }

    override fun allocationSize(value: Int) = 4UL

    override fun write(value: Int, buf: ByteBuffer) {
        buf.putInt(value)
    }
}

/**
 * @suppress
 */
public object FfiConverterLong: FfiConverter<Long, Long> {
    override fun lift(value: Long): Long {
        return value
    }

    override fun read(buf: ByteBuffer): Long {
        return buf.getLong()
    }

    override fun lower(value: Long): Long {
        return value
    }

    override fun allocationSize(value: Long) = 8UL

    override fun write(value: Long, buf: ByteBuffer) {
        buf.putLong(value)
    }
}

/**
 * @suppress
 */
public object FfiConverterBoolean: FfiConverter<Boolean, Byte> {
    override fun lift(value: Byte): Boolean {
        return value.toInt() != 0
    }

    override fun read(buf: ByteBuffer): Boolean {
        return lift(buf.get())
    }

    override fun lower(value: Boolean): Byte {
        return if (value) 1.toByte() else 0.toByte()
    }

    override fun allocationSize(value: Boolean) = 1UL

    override fun write(value: Boolean, buf: ByteBuffer) {
        buf.put(lower(value))
    }
}

/**
 * @suppress
 */
public object FfiConverterString: FfiConverter<String, RustBuffer.ByValue> {
    // Note: we don't inherit from FfiConverterRustBuffer, because we use a
    // special encoding when lowering/lifting.  We can use `RustBuffer.len` to
    // store our length and avoid writing it out to the buffer.
    override fun lift(value: RustBuffer.ByValue): String {
        try {
            val byteArr = ByteArray(value.len.toInt())
            value.asByteBuffer()!!.get(byteArr)
            return byteArr.toString(Charsets.UTF_8)
        } finally {
            RustBuffer.free(value)
        }
    }

    override fun read(buf: ByteBuffer): String {
        val len = buf.getInt()
        val byteArr = ByteArray(len)
        buf.get(byteArr)
        return byteArr.toString(Charsets.UTF_8)
    }

    fun toUtf8(value: String): ByteBuffer {
        // Make sure we don't have invalid UTF-16, check for lone surrogates.
        return Charsets.UTF_8.newEncoder().run {
            onMalformedInput(CodingErrorAction.REPORT)
            encode(CharBuffer.wrap(value))
        }
    }

    override fun lower(value: String): RustBuffer.ByValue {
        val byteBuf = toUtf8(value)
        // Ideally we'd pass these bytes to `ffi_bytebuffer_from_bytes`, but doing so would require us
        // to copy them into a JNA `Memory`. So we might as well directly copy them into a `RustBuffer`.
        val rbuf = RustBuffer.alloc(byteBuf.limit().toULong())
        rbuf.asByteBuffer()!!.put(byteBuf)
        return rbuf
    }

    // We aren't sure exactly how many bytes our string will be once it's UTF-8
    // encoded.  Allocate 3 bytes per UTF-16 code unit which will always be
    // enough.
    override fun allocationSize(value: String): ULong {
        val sizeForLength = 4UL
        val sizeForString = value.length.toULong() * 3UL
        return sizeForLength + sizeForString
    }

    override fun write(value: String, buf: ByteBuffer) {
        val byteBuf = toUtf8(value)
        buf.putInt(byteBuf.limit())
        buf.put(byteBuf)
    }
}

/**
 * @suppress
 */
public object FfiConverterByteArray: FfiConverterRustBuffer<ByteArray> {
    override fun read(buf: ByteBuffer): ByteArray {
        val len = buf.getInt()
        val byteArr = ByteArray(len)
        buf.get(byteArr)
        return byteArr
    }
    override fun allocationSize(value: ByteArray): ULong {
        return 4UL + value.size.toULong()
    }
    override fun write(value: ByteArray, buf: ByteBuffer) {
        buf.putInt(value.size)
        buf.put(value)
    }
}


// This template implements a class for working with a Rust struct via a handle
// to the live Rust struct on the other side of the FFI.
//
// There's some subtlety here, because we have to be careful not to operate on a Rust
// struct after it has been dropped, and because we must expose a public API for freeing
// theq Kotlin wrapper object in lieu of reliable finalizers. The core requirements are:
//
//   * Each instance holds an opaque handle to the underlying Rust struct.
//     Method calls need to read this handle from the object's state and pass it in to
//     the Rust FFI.
//
//   * When an instance is no longer needed, its handle should be passed to a
//     special destructor function provided by the Rust FFI, which will drop the
//     underlying Rust struct.
//
//   * Given an instance, calling code is expected to call the special
//     `destroy` method in order to free it after use, either by calling it explicitly
//     or by using a higher-level helper like the `use` method. Failing to do so risks
//     leaking the underlying Rust struct.
//
//   * We can't assume that calling code will do the right thing, and must be prepared
//     to handle Kotlin method calls executing concurrently with or even after a call to
//     `destroy`, and to handle multiple (possibly concurrent!) calls to `destroy`.
//
//   * We must never allow Rust code to operate on the underlying Rust struct after
//     the destructor has been called, and must never call the destructor more than once.
//     Doing so may trigger memory unsafety.
//
//   * To mitigate many of the risks of leaking memory and use-after-free unsafety, a `Cleaner`
//     is implemented to call the destructor when the Kotlin object becomes unreachable.
//     This is done in a background thread. This is not a panacea, and client code should be aware that
//      1. the thread may starve if some there are objects that have poorly performing
//     `drop` methods or do significant work in their `drop` methods.
//      2. the thread is shared across the whole library. This can be tuned by using `android_cleaner = true`,
//         or `android = true` in the [`kotlin` section of the `uniffi.toml` file](https://mozilla.github.io/uniffi-rs/kotlin/configuration.html).
//
// If we try to implement this with mutual exclusion on access to the handle, there is the
// possibility of a race between a method call and a concurrent call to `destroy`:
//
//    * Thread A starts a method call, reads the value of the handle, but is interrupted
//      before it can pass the handle over the FFI to Rust.
//    * Thread B calls `destroy` and frees the underlying Rust struct.
//    * Thread A resumes, passing the already-read handle value to Rust and triggering
//      a use-after-free.
//
// One possible solution would be to use a `ReadWriteLock`, with each method call taking
// a read lock (and thus allowed to run concurrently) and the special `destroy` method
// taking a write lock (and thus blocking on live method calls). However, we aim not to
// generate methods with any hidden blocking semantics, and a `destroy` method that might
// block if called incorrectly seems to meet that bar.
//
// So, we achieve our goals by giving each instance an associated `AtomicLong` counter to track
// the number of in-flight method calls, and an `AtomicBoolean` flag to indicate whether `destroy`
// has been called. These are updated according to the following rules:
//
//    * The initial value of the counter is 1, indicating a live object with no in-flight calls.
//      The initial value for the flag is false.
//
//    * At the start of each method call, we atomically check the counter.
//      If it is 0 then the underlying Rust struct has already been destroyed and the call is aborted.
//      If it is nonzero them we atomically increment it by 1 and proceed with the method call.
//
//    * At the end of each method call, we atomically decrement and check the counter.
//      If it has reached zero then we destroy the underlying Rust struct.
//
//    * When `destroy` is called, we atomically flip the flag from false to true.
//      If the flag was already true we silently fail.
//      Otherwise we atomically decrement and check the counter.
//      If it has reached zero then we destroy the underlying Rust struct.
//
// Astute readers may observe that this all sounds very similar to the way that Rust's `Arc<T>` works,
// and indeed it is, with the addition of a flag to guard against multiple calls to `destroy`.
//
// The overall effect is that the underlying Rust struct is destroyed only when `destroy` has been
// called *and* all in-flight method calls have completed, avoiding violating any of the expectations
// of the underlying Rust code.
//
// This makes a cleaner a better alternative to _not_ calling `destroy()` as
// and when the object is finished with, but the abstraction is not perfect: if the Rust object's `drop`
// method is slow, and/or there are many objects to cleanup, and it's on a low end Android device, then the cleaner
// thread may be starved, and the app will leak memory.
//
// In this case, `destroy`ing manually may be a better solution.
//
// The cleaner can live side by side with the manual calling of `destroy`. In the order of responsiveness, uniffi objects
// with Rust peers are reclaimed:
//
// 1. By calling the `destroy` method of the object, which calls `rustObject.free()`. If that doesn't happen:
// 2. When the object becomes unreachable, AND the Cleaner thread gets to call `rustObject.free()`. If the thread is starved then:
// 3. The memory is reclaimed when the process terminates.
//
// [1] https://stackoverflow.com/questions/24376768/can-java-finalize-an-object-when-it-is-still-in-scope/24380219
//


/**
 * Batches that were read once, or that were stored elsewhere.
 */
public interface NativeBatchesInterface {

    /**
     * How many there are.
     */
    fun `count`(): kotlin.Int

    /**
     * Offset after its last record.
     */
    fun `endOffset`(): kotlin.Long

    /**
     * Where batch `index` lies, until this object is gone; none past the last.
     */
    fun `lent`(`index`: kotlin.Int): Lent?

    /**
     * Where to go on reading.
     */
    fun `nextOffset`(): kotlin.Long

    /**
     * Offset of the partition's first record.
     */
    fun `startOffset`(): kotlin.Long

    companion object
}

/**
 * Batches that were read once, or that were stored elsewhere.
 */
open class NativeBatches: Disposable, AutoCloseable, NativeBatchesInterface
{

    @Suppress("UNUSED_PARAMETER")
    /**
     * @suppress
     */
    constructor(withHandle: UniffiWithHandle, handle: Long) {
        this.handle = handle
        this.cleanable = UniffiLib.CLEANER.register(this, UniffiCleanAction(handle))
    }

    /**
     * @suppress
     *
     * This constructor can be used to instantiate a fake object. Only used for tests. Any
     * attempt to actually use an object constructed this way will fail as there is no
     * connected Rust object.
     */
    @Suppress("UNUSED_PARAMETER")
    constructor(noHandle: NoHandle) {
        this.handle = 0
        this.cleanable = null
    }

    protected val handle: Long
    protected val cleanable: UniffiCleaner.Cleanable?

    private val wasDestroyed = AtomicBoolean(false)
    private val callCounter = AtomicLong(1)

    /**
     * Whether the current object has been destroyed and its reference is gone in the Rust side.
     */
    val uniffiIsDestroyed: Boolean get() = wasDestroyed.get()

    override fun destroy() {
        // Only allow a single call to this method.
        // TODO: maybe we should log a warning if called more than once?
        if (this.wasDestroyed.compareAndSet(false, true)) {
            // This decrement always matches the initial count of 1 given at creation time.
            if (this.callCounter.decrementAndGet() == 0L) {
                cleanable?.clean()
            }
        }
    }

    @Synchronized
    override fun close() {
        this.destroy()
    }

    internal inline fun <R> callWithHandle(block: (handle: Long) -> R): R {
        // Check and increment the call counter, to keep the object alive.
        // This needs a compare-and-set retry loop in case of concurrent updates.
        do {
            val c = this.callCounter.get()
            if (c == 0L) {
                throw IllegalStateException("${this.javaClass.simpleName} object has already been destroyed")
            }
            if (c == Long.MAX_VALUE) {
                throw IllegalStateException("${this.javaClass.simpleName} call counter would overflow")
            }
        } while (! this.callCounter.compareAndSet(c, c + 1L))
        // Now we can safely do the method call without the handle being freed concurrently.
        try {
            return block(this.uniffiCloneHandle())
        } finally {
            // This decrement always matches the increment we performed above.
            if (this.callCounter.decrementAndGet() == 0L) {
                cleanable?.clean()
            }
        }
    }

    // Use a static inner class instead of a closure so as not to accidentally
    // capture `this` as part of the cleanable's action.
    private class UniffiCleanAction(private val handle: Long) : Runnable {
        override fun run() {
            if (handle == 0.toLong()) {
                // Fake object created with `NoHandle`, don't try to free.
                return;
            }
            uniffiRustCall { status ->
                UniffiLib.uniffi_tidewire_uniffi_fn_free_nativebatches(handle, status)
            }
        }
    }

    /**
     * @suppress
     */
    fun uniffiCloneHandle(): Long {
        if (handle == 0.toLong()) {
            throw InternalException("uniffiCloneHandle() called on NoHandle object");
        }
        return uniffiRustCall() { status ->
            UniffiLib.uniffi_tidewire_uniffi_fn_clone_nativebatches(handle, status)
        }
    }


    /**
     * How many there are.
     */override fun `count`(): kotlin.Int {
            return FfiConverterInt.lift(
    callWithHandle {
    uniffiRustCall() { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativebatches_count(
        it,
        _status)
}
    }
    )
    }



    /**
     * Offset after its last record.
     */override fun `endOffset`(): kotlin.Long {
            return FfiConverterLong.lift(
    callWithHandle {
    uniffiRustCall() { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativebatches_end_offset(
        it,
        _status)
}
    }
    )
    }



    /**
     * Where batch `index` lies, until this object is gone; none past the last.
     */override fun `lent`(`index`: kotlin.Int): Lent? {
            return FfiConverterOptionalTypeLent.lift(
    callWithHandle {
    uniffiRustCall() { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativebatches_lent(
        it,

        FfiConverterInt.lower(`index`),_status)
}
    }
    )
    }



    /**
     * Where to go on reading.
     */override fun `nextOffset`(): kotlin.Long {
            return FfiConverterLong.lift(
    callWithHandle {
    uniffiRustCall() { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativebatches_next_offset(
        it,
        _status)
}
    }
    )
    }



    /**
     * Offset of the partition's first record.
     */override fun `startOffset`(): kotlin.Long {
            return FfiConverterLong.lift(
    callWithHandle {
    uniffiRustCall() { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativebatches_start_offset(
        it,
        _status)
}
    }
    )
    }









    /**
     * @suppress
     */
    companion object

}


/**
 * @suppress
 */
public object FfiConverterTypeNativeBatches: FfiConverter<NativeBatches, Long> {
    override fun lower(value: NativeBatches): Long {
        return value.uniffiCloneHandle()
    }

    override fun lift(value: Long): NativeBatches {
        return NativeBatches(UniffiWithHandle, value)
    }

    override fun read(buf: ByteBuffer): NativeBatches {
        return lift(buf.getLong())
    }

    override fun allocationSize(value: NativeBatches) = 8UL

    override fun write(value: NativeBatches, buf: ByteBuffer) {
        buf.putLong(lower(value))
    }
}


// This template implements a class for working with a Rust struct via a handle
// to the live Rust struct on the other side of the FFI.
//
// There's some subtlety here, because we have to be careful not to operate on a Rust
// struct after it has been dropped, and because we must expose a public API for freeing
// theq Kotlin wrapper object in lieu of reliable finalizers. The core requirements are:
//
//   * Each instance holds an opaque handle to the underlying Rust struct.
//     Method calls need to read this handle from the object's state and pass it in to
//     the Rust FFI.
//
//   * When an instance is no longer needed, its handle should be passed to a
//     special destructor function provided by the Rust FFI, which will drop the
//     underlying Rust struct.
//
//   * Given an instance, calling code is expected to call the special
//     `destroy` method in order to free it after use, either by calling it explicitly
//     or by using a higher-level helper like the `use` method. Failing to do so risks
//     leaking the underlying Rust struct.
//
//   * We can't assume that calling code will do the right thing, and must be prepared
//     to handle Kotlin method calls executing concurrently with or even after a call to
//     `destroy`, and to handle multiple (possibly concurrent!) calls to `destroy`.
//
//   * We must never allow Rust code to operate on the underlying Rust struct after
//     the destructor has been called, and must never call the destructor more than once.
//     Doing so may trigger memory unsafety.
//
//   * To mitigate many of the risks of leaking memory and use-after-free unsafety, a `Cleaner`
//     is implemented to call the destructor when the Kotlin object becomes unreachable.
//     This is done in a background thread. This is not a panacea, and client code should be aware that
//      1. the thread may starve if some there are objects that have poorly performing
//     `drop` methods or do significant work in their `drop` methods.
//      2. the thread is shared across the whole library. This can be tuned by using `android_cleaner = true`,
//         or `android = true` in the [`kotlin` section of the `uniffi.toml` file](https://mozilla.github.io/uniffi-rs/kotlin/configuration.html).
//
// If we try to implement this with mutual exclusion on access to the handle, there is the
// possibility of a race between a method call and a concurrent call to `destroy`:
//
//    * Thread A starts a method call, reads the value of the handle, but is interrupted
//      before it can pass the handle over the FFI to Rust.
//    * Thread B calls `destroy` and frees the underlying Rust struct.
//    * Thread A resumes, passing the already-read handle value to Rust and triggering
//      a use-after-free.
//
// One possible solution would be to use a `ReadWriteLock`, with each method call taking
// a read lock (and thus allowed to run concurrently) and the special `destroy` method
// taking a write lock (and thus blocking on live method calls). However, we aim not to
// generate methods with any hidden blocking semantics, and a `destroy` method that might
// block if called incorrectly seems to meet that bar.
//
// So, we achieve our goals by giving each instance an associated `AtomicLong` counter to track
// the number of in-flight method calls, and an `AtomicBoolean` flag to indicate whether `destroy`
// has been called. These are updated according to the following rules:
//
//    * The initial value of the counter is 1, indicating a live object with no in-flight calls.
//      The initial value for the flag is false.
//
//    * At the start of each method call, we atomically check the counter.
//      If it is 0 then the underlying Rust struct has already been destroyed and the call is aborted.
//      If it is nonzero them we atomically increment it by 1 and proceed with the method call.
//
//    * At the end of each method call, we atomically decrement and check the counter.
//      If it has reached zero then we destroy the underlying Rust struct.
//
//    * When `destroy` is called, we atomically flip the flag from false to true.
//      If the flag was already true we silently fail.
//      Otherwise we atomically decrement and check the counter.
//      If it has reached zero then we destroy the underlying Rust struct.
//
// Astute readers may observe that this all sounds very similar to the way that Rust's `Arc<T>` works,
// and indeed it is, with the addition of a flag to guard against multiple calls to `destroy`.
//
// The overall effect is that the underlying Rust struct is destroyed only when `destroy` has been
// called *and* all in-flight method calls have completed, avoiding violating any of the expectations
// of the underlying Rust code.
//
// This makes a cleaner a better alternative to _not_ calling `destroy()` as
// and when the object is finished with, but the abstraction is not perfect: if the Rust object's `drop`
// method is slow, and/or there are many objects to cleanup, and it's on a low end Android device, then the cleaner
// thread may be starved, and the app will leak memory.
//
// In this case, `destroy`ing manually may be a better solution.
//
// The cleaner can live side by side with the manual calling of `destroy`. In the order of responsiveness, uniffi objects
// with Rust peers are reclaimed:
//
// 1. By calling the `destroy` method of the object, which calls `rustObject.free()`. If that doesn't happen:
// 2. When the object becomes unreachable, AND the Cleaner thread gets to call `rustObject.free()`. If the thread is starved then:
// 3. The memory is reclaimed when the process terminates.
//
// [1] https://stackoverflow.com/questions/24376768/can-java-finalize-an-object-when-it-is-still-in-scope/24380219
//


/**
 * A client of the core's.
 */
public interface NativeClientInterface {

    suspend fun `addPartitions`(`topic`: kotlin.String, `partitions`: kotlin.Int): TopicInfo

    suspend fun `createStream`(`name`: kotlin.String): StreamInfo

    suspend fun `createTopic`(`topic`: kotlin.String, `options`: Map<kotlin.String, kotlin.String>): TopicInfo

    suspend fun `deleteStream`(`name`: kotlin.String, `withTopics`: kotlin.Boolean)

    suspend fun `deleteTopic`(`topic`: kotlin.String)

    suspend fun `describeLimits`(): List<LimitInfo>

    suspend fun `describeStream`(`name`: kotlin.String): StreamInfo

    suspend fun `describeTopic`(`topic`: kotlin.String): TopicInfo

    suspend fun `fetch`(`topic`: kotlin.String, `partition`: kotlin.Int, `offset`: kotlin.Long, `maxBytes`: kotlin.Int?, `minBytes`: kotlin.Int?, `maxWaitMs`: kotlin.Int?): NativeBatches

    suspend fun `forgetProducer`(`topic`: kotlin.String, `name`: kotlin.String)

    suspend fun `listStreams`(): List<StreamInfo>

    suspend fun `listTopics`(`stream`: kotlin.String): List<TopicInfo>

    suspend fun `partitions`(`topic`: kotlin.String): List<PartitionInfo>

    suspend fun `producers`(`topic`: kotlin.String): List<ProducerInfo>

    suspend fun `purgeStream`(`name`: kotlin.String)

    suspend fun `purgeTopic`(`topic`: kotlin.String)

    suspend fun `truncate`(`topic`: kotlin.String, `partition`: kotlin.Int, `before`: kotlin.Long): kotlin.Long

    suspend fun `updateTopic`(`topic`: kotlin.String, `options`: Map<kotlin.String, kotlin.String>): TopicInfo

    /**
     * Watches what happens to the connection from now on.
     */
    fun `events`(): NativeEvents

    /**
     * Asks the server for a sign of life; the time that it took, in microseconds.
     */
    suspend fun `ping`(): kotlin.Long

    /**
     * What the server said of itself; without a connection, what the last one said.
     */
    fun `server`(): ServerInfo

    /**
     * Closes the connection, for all that was made from it too.
     */
    suspend fun `shut`()

    /**
     * Subscribes, or joins the group.
     */
    suspend fun `consumer`(`topics`: List<kotlin.String>, `group`: kotlin.String?, `name`: kotlin.String?, `only`: List<kotlin.Int>?, `startAt`: Map<kotlin.Int, kotlin.Long>, `options`: Map<kotlin.String, kotlin.String>): NativeConsumer

    /**
     * Those partitions that have a stored offset, in order.
     */
    suspend fun `committed`(`group`: kotlin.String, `topic`: kotlin.String): List<CommittedOffset>

    suspend fun `createGroup`(`group`: kotlin.String): GroupInfo

    suspend fun `deleteGroup`(`group`: kotlin.String)

    suspend fun `deleteOffsets`(`group`: kotlin.String, `topic`: kotlin.String, `only`: List<kotlin.Int>?)

    suspend fun `describeGroup`(`group`: kotlin.String): GroupDescription

    suspend fun `listGroups`(): List<GroupInfo>

    suspend fun `resetOffsets`(`group`: kotlin.String, `topic`: kotlin.String, `only`: List<kotlin.Int>?, `to`: kotlin.String, `force`: kotlin.Boolean): List<PartitionOffset>

    /**
     * Opens a producer, under a name if one is given.
     */
    suspend fun `producer`(`topic`: kotlin.String, `name`: kotlin.String?, `options`: Map<kotlin.String, kotlin.String>): NativeProducer

    suspend fun `changeGrants`(`name`: kotlin.String, `revoke`: List<kotlin.String>, `grant`: List<kotlin.String>): List<kotlin.String>

    suspend fun `changePassword`(`password`: kotlin.String, `name`: kotlin.String?)

    suspend fun `createToken`(`name`: kotlin.String, `user`: kotlin.String?, `lifetimeMs`: kotlin.Long?): NewToken

    suspend fun `createUser`(`name`: kotlin.String, `password`: kotlin.String?, `grants`: List<kotlin.String>): UserInfo

    suspend fun `deleteToken`(`id`: kotlin.Long)

    suspend fun `deleteUser`(`name`: kotlin.String)

    suspend fun `describeUser`(`name`: kotlin.String?): UserDescription

    suspend fun `enableUser`(`name`: kotlin.String, `enabled`: kotlin.Boolean): UserInfo

    suspend fun `listTokens`(`user`: kotlin.String?): List<TokenInfo>

    suspend fun `listUsers`(): List<UserInfo>

    companion object
}

/**
 * A client of the core's.
 */
open class NativeClient: Disposable, AutoCloseable, NativeClientInterface
{

    @Suppress("UNUSED_PARAMETER")
    /**
     * @suppress
     */
    constructor(withHandle: UniffiWithHandle, handle: Long) {
        this.handle = handle
        this.cleanable = UniffiLib.CLEANER.register(this, UniffiCleanAction(handle))
    }

    /**
     * @suppress
     *
     * This constructor can be used to instantiate a fake object. Only used for tests. Any
     * attempt to actually use an object constructed this way will fail as there is no
     * connected Rust object.
     */
    @Suppress("UNUSED_PARAMETER")
    constructor(noHandle: NoHandle) {
        this.handle = 0
        this.cleanable = null
    }

    protected val handle: Long
    protected val cleanable: UniffiCleaner.Cleanable?

    private val wasDestroyed = AtomicBoolean(false)
    private val callCounter = AtomicLong(1)

    /**
     * Whether the current object has been destroyed and its reference is gone in the Rust side.
     */
    val uniffiIsDestroyed: Boolean get() = wasDestroyed.get()

    override fun destroy() {
        // Only allow a single call to this method.
        // TODO: maybe we should log a warning if called more than once?
        if (this.wasDestroyed.compareAndSet(false, true)) {
            // This decrement always matches the initial count of 1 given at creation time.
            if (this.callCounter.decrementAndGet() == 0L) {
                cleanable?.clean()
            }
        }
    }

    @Synchronized
    override fun close() {
        this.destroy()
    }

    internal inline fun <R> callWithHandle(block: (handle: Long) -> R): R {
        // Check and increment the call counter, to keep the object alive.
        // This needs a compare-and-set retry loop in case of concurrent updates.
        do {
            val c = this.callCounter.get()
            if (c == 0L) {
                throw IllegalStateException("${this.javaClass.simpleName} object has already been destroyed")
            }
            if (c == Long.MAX_VALUE) {
                throw IllegalStateException("${this.javaClass.simpleName} call counter would overflow")
            }
        } while (! this.callCounter.compareAndSet(c, c + 1L))
        // Now we can safely do the method call without the handle being freed concurrently.
        try {
            return block(this.uniffiCloneHandle())
        } finally {
            // This decrement always matches the increment we performed above.
            if (this.callCounter.decrementAndGet() == 0L) {
                cleanable?.clean()
            }
        }
    }

    // Use a static inner class instead of a closure so as not to accidentally
    // capture `this` as part of the cleanable's action.
    private class UniffiCleanAction(private val handle: Long) : Runnable {
        override fun run() {
            if (handle == 0.toLong()) {
                // Fake object created with `NoHandle`, don't try to free.
                return;
            }
            uniffiRustCall { status ->
                UniffiLib.uniffi_tidewire_uniffi_fn_free_nativeclient(handle, status)
            }
        }
    }

    /**
     * @suppress
     */
    fun uniffiCloneHandle(): Long {
        if (handle == 0.toLong()) {
            throw InternalException("uniffiCloneHandle() called on NoHandle object");
        }
        return uniffiRustCall() { status ->
            UniffiLib.uniffi_tidewire_uniffi_fn_clone_nativeclient(handle, status)
        }
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `addPartitions`(`topic`: kotlin.String, `partitions`: kotlin.Int) : TopicInfo {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_add_partitions(
                uniffiHandle,

        FfiConverterString.lower(`topic`),
        FfiConverterInt.lower(`partitions`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterTypeTopicInfo.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `createStream`(`name`: kotlin.String) : StreamInfo {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_create_stream(
                uniffiHandle,

        FfiConverterString.lower(`name`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterTypeStreamInfo.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `createTopic`(`topic`: kotlin.String, `options`: Map<kotlin.String, kotlin.String>) : TopicInfo {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_create_topic(
                uniffiHandle,

        FfiConverterString.lower(`topic`),
        FfiConverterMapStringString.lower(`options`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterTypeTopicInfo.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `deleteStream`(`name`: kotlin.String, `withTopics`: kotlin.Boolean) {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_delete_stream(
                uniffiHandle,

        FfiConverterString.lower(`name`),
        FfiConverterBoolean.lower(`withTopics`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_void(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_void(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_void(future) },
        // lift function
        { },

        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `deleteTopic`(`topic`: kotlin.String) {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_delete_topic(
                uniffiHandle,

        FfiConverterString.lower(`topic`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_void(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_void(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_void(future) },
        // lift function
        { },

        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `describeLimits`() : List<LimitInfo> {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_describe_limits(
                uniffiHandle,

            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterSequenceTypeLimitInfo.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `describeStream`(`name`: kotlin.String) : StreamInfo {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_describe_stream(
                uniffiHandle,

        FfiConverterString.lower(`name`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterTypeStreamInfo.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `describeTopic`(`topic`: kotlin.String) : TopicInfo {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_describe_topic(
                uniffiHandle,

        FfiConverterString.lower(`topic`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterTypeTopicInfo.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `fetch`(`topic`: kotlin.String, `partition`: kotlin.Int, `offset`: kotlin.Long, `maxBytes`: kotlin.Int?, `minBytes`: kotlin.Int?, `maxWaitMs`: kotlin.Int?) : NativeBatches {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_fetch(
                uniffiHandle,

        FfiConverterString.lower(`topic`),
        FfiConverterInt.lower(`partition`),
        FfiConverterLong.lower(`offset`),
        FfiConverterOptionalInt.lower(`maxBytes`),
        FfiConverterOptionalInt.lower(`minBytes`),
        FfiConverterOptionalInt.lower(`maxWaitMs`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_u64(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_u64(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_u64(future) },
        // lift function
        { FfiConverterTypeNativeBatches.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `forgetProducer`(`topic`: kotlin.String, `name`: kotlin.String) {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_forget_producer(
                uniffiHandle,

        FfiConverterString.lower(`topic`),
        FfiConverterString.lower(`name`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_void(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_void(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_void(future) },
        // lift function
        { },

        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `listStreams`() : List<StreamInfo> {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_list_streams(
                uniffiHandle,

            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterSequenceTypeStreamInfo.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `listTopics`(`stream`: kotlin.String) : List<TopicInfo> {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_list_topics(
                uniffiHandle,

        FfiConverterString.lower(`stream`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterSequenceTypeTopicInfo.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `partitions`(`topic`: kotlin.String) : List<PartitionInfo> {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_partitions(
                uniffiHandle,

        FfiConverterString.lower(`topic`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterSequenceTypePartitionInfo.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `producers`(`topic`: kotlin.String) : List<ProducerInfo> {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_producers(
                uniffiHandle,

        FfiConverterString.lower(`topic`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterSequenceTypeProducerInfo.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `purgeStream`(`name`: kotlin.String) {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_purge_stream(
                uniffiHandle,

        FfiConverterString.lower(`name`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_void(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_void(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_void(future) },
        // lift function
        { },

        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `purgeTopic`(`topic`: kotlin.String) {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_purge_topic(
                uniffiHandle,

        FfiConverterString.lower(`topic`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_void(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_void(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_void(future) },
        // lift function
        { },

        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `truncate`(`topic`: kotlin.String, `partition`: kotlin.Int, `before`: kotlin.Long) : kotlin.Long {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_truncate(
                uniffiHandle,

        FfiConverterString.lower(`topic`),
        FfiConverterInt.lower(`partition`),
        FfiConverterLong.lower(`before`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_i64(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_i64(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_i64(future) },
        // lift function
        { FfiConverterLong.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `updateTopic`(`topic`: kotlin.String, `options`: Map<kotlin.String, kotlin.String>) : TopicInfo {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_update_topic(
                uniffiHandle,

        FfiConverterString.lower(`topic`),
        FfiConverterMapStringString.lower(`options`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterTypeTopicInfo.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    /**
     * Watches what happens to the connection from now on.
     */
    @Throws(NativeException::class)override fun `events`(): NativeEvents {
            return FfiConverterTypeNativeEvents.lift(
    callWithHandle {
    uniffiRustCallWithError(NativeException) { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_events(
        it,
        _status)
}
    }
    )
    }



    /**
     * Asks the server for a sign of life; the time that it took, in microseconds.
     */
    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `ping`() : kotlin.Long {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_ping(
                uniffiHandle,

            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_i64(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_i64(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_i64(future) },
        // lift function
        { FfiConverterLong.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    /**
     * What the server said of itself; without a connection, what the last one said.
     */
    @Throws(NativeException::class)override fun `server`(): ServerInfo {
            return FfiConverterTypeServerInfo.lift(
    callWithHandle {
    uniffiRustCallWithError(NativeException) { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_server(
        it,
        _status)
}
    }
    )
    }



    /**
     * Closes the connection, for all that was made from it too.
     */
    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `shut`() {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_shut(
                uniffiHandle,

            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_void(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_void(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_void(future) },
        // lift function
        { },

        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    /**
     * Subscribes, or joins the group.
     */
    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `consumer`(`topics`: List<kotlin.String>, `group`: kotlin.String?, `name`: kotlin.String?, `only`: List<kotlin.Int>?, `startAt`: Map<kotlin.Int, kotlin.Long>, `options`: Map<kotlin.String, kotlin.String>) : NativeConsumer {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_consumer(
                uniffiHandle,

        FfiConverterSequenceString.lower(`topics`),
        FfiConverterOptionalString.lower(`group`),
        FfiConverterOptionalString.lower(`name`),
        FfiConverterOptionalSequenceInt.lower(`only`),
        FfiConverterMapIntLong.lower(`startAt`),
        FfiConverterMapStringString.lower(`options`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_u64(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_u64(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_u64(future) },
        // lift function
        { FfiConverterTypeNativeConsumer.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    /**
     * Those partitions that have a stored offset, in order.
     */
    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `committed`(`group`: kotlin.String, `topic`: kotlin.String) : List<CommittedOffset> {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_committed(
                uniffiHandle,

        FfiConverterString.lower(`group`),
        FfiConverterString.lower(`topic`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterSequenceTypeCommittedOffset.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `createGroup`(`group`: kotlin.String) : GroupInfo {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_create_group(
                uniffiHandle,

        FfiConverterString.lower(`group`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterTypeGroupInfo.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `deleteGroup`(`group`: kotlin.String) {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_delete_group(
                uniffiHandle,

        FfiConverterString.lower(`group`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_void(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_void(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_void(future) },
        // lift function
        { },

        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `deleteOffsets`(`group`: kotlin.String, `topic`: kotlin.String, `only`: List<kotlin.Int>?) {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_delete_offsets(
                uniffiHandle,

        FfiConverterString.lower(`group`),
        FfiConverterString.lower(`topic`),
        FfiConverterOptionalSequenceInt.lower(`only`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_void(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_void(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_void(future) },
        // lift function
        { },

        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `describeGroup`(`group`: kotlin.String) : GroupDescription {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_describe_group(
                uniffiHandle,

        FfiConverterString.lower(`group`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterTypeGroupDescription.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `listGroups`() : List<GroupInfo> {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_list_groups(
                uniffiHandle,

            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterSequenceTypeGroupInfo.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `resetOffsets`(`group`: kotlin.String, `topic`: kotlin.String, `only`: List<kotlin.Int>?, `to`: kotlin.String, `force`: kotlin.Boolean) : List<PartitionOffset> {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_reset_offsets(
                uniffiHandle,

        FfiConverterString.lower(`group`),
        FfiConverterString.lower(`topic`),
        FfiConverterOptionalSequenceInt.lower(`only`),
        FfiConverterString.lower(`to`),
        FfiConverterBoolean.lower(`force`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterSequenceTypePartitionOffset.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    /**
     * Opens a producer, under a name if one is given.
     */
    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `producer`(`topic`: kotlin.String, `name`: kotlin.String?, `options`: Map<kotlin.String, kotlin.String>) : NativeProducer {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_producer(
                uniffiHandle,

        FfiConverterString.lower(`topic`),
        FfiConverterOptionalString.lower(`name`),
        FfiConverterMapStringString.lower(`options`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_u64(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_u64(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_u64(future) },
        // lift function
        { FfiConverterTypeNativeProducer.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `changeGrants`(`name`: kotlin.String, `revoke`: List<kotlin.String>, `grant`: List<kotlin.String>) : List<kotlin.String> {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_change_grants(
                uniffiHandle,

        FfiConverterString.lower(`name`),
        FfiConverterSequenceString.lower(`revoke`),
        FfiConverterSequenceString.lower(`grant`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterSequenceString.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `changePassword`(`password`: kotlin.String, `name`: kotlin.String?) {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_change_password(
                uniffiHandle,

        FfiConverterString.lower(`password`),
        FfiConverterOptionalString.lower(`name`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_void(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_void(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_void(future) },
        // lift function
        { },

        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `createToken`(`name`: kotlin.String, `user`: kotlin.String?, `lifetimeMs`: kotlin.Long?) : NewToken {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_create_token(
                uniffiHandle,

        FfiConverterString.lower(`name`),
        FfiConverterOptionalString.lower(`user`),
        FfiConverterOptionalLong.lower(`lifetimeMs`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterTypeNewToken.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `createUser`(`name`: kotlin.String, `password`: kotlin.String?, `grants`: List<kotlin.String>) : UserInfo {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_create_user(
                uniffiHandle,

        FfiConverterString.lower(`name`),
        FfiConverterOptionalString.lower(`password`),
        FfiConverterSequenceString.lower(`grants`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterTypeUserInfo.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `deleteToken`(`id`: kotlin.Long) {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_delete_token(
                uniffiHandle,

        FfiConverterLong.lower(`id`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_void(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_void(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_void(future) },
        // lift function
        { },

        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `deleteUser`(`name`: kotlin.String) {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_delete_user(
                uniffiHandle,

        FfiConverterString.lower(`name`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_void(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_void(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_void(future) },
        // lift function
        { },

        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `describeUser`(`name`: kotlin.String?) : UserDescription {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_describe_user(
                uniffiHandle,

        FfiConverterOptionalString.lower(`name`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterTypeUserDescription.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `enableUser`(`name`: kotlin.String, `enabled`: kotlin.Boolean) : UserInfo {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_enable_user(
                uniffiHandle,

        FfiConverterString.lower(`name`),
        FfiConverterBoolean.lower(`enabled`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterTypeUserInfo.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `listTokens`(`user`: kotlin.String?) : List<TokenInfo> {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_list_tokens(
                uniffiHandle,

        FfiConverterOptionalString.lower(`user`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterSequenceTypeTokenInfo.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `listUsers`() : List<UserInfo> {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeclient_list_users(
                uniffiHandle,

            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterSequenceTypeUserInfo.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }








    /**
     * @suppress
     */
    companion object

}


/**
 * @suppress
 */
public object FfiConverterTypeNativeClient: FfiConverter<NativeClient, Long> {
    override fun lower(value: NativeClient): Long {
        return value.uniffiCloneHandle()
    }

    override fun lift(value: Long): NativeClient {
        return NativeClient(UniffiWithHandle, value)
    }

    override fun read(buf: ByteBuffer): NativeClient {
        return lift(buf.getLong())
    }

    override fun allocationSize(value: NativeClient) = 8UL

    override fun write(value: NativeClient, buf: ByteBuffer) {
        buf.putLong(lower(value))
    }
}


// This template implements a class for working with a Rust struct via a handle
// to the live Rust struct on the other side of the FFI.
//
// There's some subtlety here, because we have to be careful not to operate on a Rust
// struct after it has been dropped, and because we must expose a public API for freeing
// theq Kotlin wrapper object in lieu of reliable finalizers. The core requirements are:
//
//   * Each instance holds an opaque handle to the underlying Rust struct.
//     Method calls need to read this handle from the object's state and pass it in to
//     the Rust FFI.
//
//   * When an instance is no longer needed, its handle should be passed to a
//     special destructor function provided by the Rust FFI, which will drop the
//     underlying Rust struct.
//
//   * Given an instance, calling code is expected to call the special
//     `destroy` method in order to free it after use, either by calling it explicitly
//     or by using a higher-level helper like the `use` method. Failing to do so risks
//     leaking the underlying Rust struct.
//
//   * We can't assume that calling code will do the right thing, and must be prepared
//     to handle Kotlin method calls executing concurrently with or even after a call to
//     `destroy`, and to handle multiple (possibly concurrent!) calls to `destroy`.
//
//   * We must never allow Rust code to operate on the underlying Rust struct after
//     the destructor has been called, and must never call the destructor more than once.
//     Doing so may trigger memory unsafety.
//
//   * To mitigate many of the risks of leaking memory and use-after-free unsafety, a `Cleaner`
//     is implemented to call the destructor when the Kotlin object becomes unreachable.
//     This is done in a background thread. This is not a panacea, and client code should be aware that
//      1. the thread may starve if some there are objects that have poorly performing
//     `drop` methods or do significant work in their `drop` methods.
//      2. the thread is shared across the whole library. This can be tuned by using `android_cleaner = true`,
//         or `android = true` in the [`kotlin` section of the `uniffi.toml` file](https://mozilla.github.io/uniffi-rs/kotlin/configuration.html).
//
// If we try to implement this with mutual exclusion on access to the handle, there is the
// possibility of a race between a method call and a concurrent call to `destroy`:
//
//    * Thread A starts a method call, reads the value of the handle, but is interrupted
//      before it can pass the handle over the FFI to Rust.
//    * Thread B calls `destroy` and frees the underlying Rust struct.
//    * Thread A resumes, passing the already-read handle value to Rust and triggering
//      a use-after-free.
//
// One possible solution would be to use a `ReadWriteLock`, with each method call taking
// a read lock (and thus allowed to run concurrently) and the special `destroy` method
// taking a write lock (and thus blocking on live method calls). However, we aim not to
// generate methods with any hidden blocking semantics, and a `destroy` method that might
// block if called incorrectly seems to meet that bar.
//
// So, we achieve our goals by giving each instance an associated `AtomicLong` counter to track
// the number of in-flight method calls, and an `AtomicBoolean` flag to indicate whether `destroy`
// has been called. These are updated according to the following rules:
//
//    * The initial value of the counter is 1, indicating a live object with no in-flight calls.
//      The initial value for the flag is false.
//
//    * At the start of each method call, we atomically check the counter.
//      If it is 0 then the underlying Rust struct has already been destroyed and the call is aborted.
//      If it is nonzero them we atomically increment it by 1 and proceed with the method call.
//
//    * At the end of each method call, we atomically decrement and check the counter.
//      If it has reached zero then we destroy the underlying Rust struct.
//
//    * When `destroy` is called, we atomically flip the flag from false to true.
//      If the flag was already true we silently fail.
//      Otherwise we atomically decrement and check the counter.
//      If it has reached zero then we destroy the underlying Rust struct.
//
// Astute readers may observe that this all sounds very similar to the way that Rust's `Arc<T>` works,
// and indeed it is, with the addition of a flag to guard against multiple calls to `destroy`.
//
// The overall effect is that the underlying Rust struct is destroyed only when `destroy` has been
// called *and* all in-flight method calls have completed, avoiding violating any of the expectations
// of the underlying Rust code.
//
// This makes a cleaner a better alternative to _not_ calling `destroy()` as
// and when the object is finished with, but the abstraction is not perfect: if the Rust object's `drop`
// method is slow, and/or there are many objects to cleanup, and it's on a low end Android device, then the cleaner
// thread may be starved, and the app will leak memory.
//
// In this case, `destroy`ing manually may be a better solution.
//
// The cleaner can live side by side with the manual calling of `destroy`. In the order of responsiveness, uniffi objects
// with Rust peers are reclaimed:
//
// 1. By calling the `destroy` method of the object, which calls `rustObject.free()`. If that doesn't happen:
// 2. When the object becomes unreachable, AND the Cleaner thread gets to call `rustObject.free()`. If the thread is starved then:
// 3. The memory is reclaimed when the process terminates.
//
// [1] https://stackoverflow.com/questions/24376768/can-java-finalize-an-object-when-it-is-still-in-scope/24380219
//


/**
 * A consumer of the core's.
 */
public interface NativeConsumerInterface {

    /**
     * Reads a further partition.
     */
    fun `addPartition`(`partition`: kotlin.Int, `start`: kotlin.String)

    /**
     * What it reads at the moment.
     */
    fun `assignment`(): List<TopicPartition>

    /**
     * Ends it: it unsubscribes, and a member stores what it is to, and leaves its group. Waits
     * until the server has answered, or for the limit.
     */
    suspend fun `closeWithin`(`limitMs`: kotlin.Long?)

    /**
     * Stores how far what was taken reaches.
     */
    suspend fun `commit`()

    /**
     * Stores the offset of the next record to read.
     */
    suspend fun `commitOffset`(`topic`: kotlin.String, `partition`: kotlin.Int, `offset`: kotlin.Long)

    /**
     * As [`commit`](Self::commit), but of the batch that was taken last only up to an offset: for
     * who returns its records one by one.
     */
    suspend fun `commitUntil`(`topic`: kotlin.String, `partition`: kotlin.Int, `offset`: kotlin.Long)

    /**
     * Whether nothing will come any more, unless it is moved.
     */
    fun `isClosed`(): kotlin.Boolean

    /**
     * Records known to follow what was returned.
     */
    fun `lag`(): kotlin.Long

    /**
     * Returns nothing of a partition until it is resumed.
     */
    fun `pause`(`partition`: kotlin.Int)

    /**
     * Where it stands in what it reads.
     */
    fun `positions`(): List<Position>

    /**
     * Waits until something may have come since [`take`](Self::take) found nothing. False when
     * the time is over. One at a time waits.
     */
    suspend fun `ready`(`limitMs`: kotlin.Long?): kotlin.Boolean

    /**
     * Stops reading a partition; whether it was read.
     */
    fun `removePartition`(`partition`: kotlin.Int): kotlin.Boolean

    /**
     * Ends a pause.
     */
    fun `resume`(`partition`: kotlin.Int)

    /**
     * Goes on reading a partition at another place.
     */
    fun `seek`(`partition`: kotlin.Int, `to`: kotlin.String)

    /**
     * What it did so far, and what it holds.
     */
    fun `stats`(): ConsumerStats

    /**
     * Takes the next batch, if there is one, and gives back the memory of the last one; what it
     * held counts as done by that.
     */
    fun `take`(): Taken

    /**
     * The topic, `stream/topic`, of batches that carry this number.
     */
    fun `topic`(`number`: kotlin.Int): kotlin.String?

    companion object
}

/**
 * A consumer of the core's.
 */
open class NativeConsumer: Disposable, AutoCloseable, NativeConsumerInterface
{

    @Suppress("UNUSED_PARAMETER")
    /**
     * @suppress
     */
    constructor(withHandle: UniffiWithHandle, handle: Long) {
        this.handle = handle
        this.cleanable = UniffiLib.CLEANER.register(this, UniffiCleanAction(handle))
    }

    /**
     * @suppress
     *
     * This constructor can be used to instantiate a fake object. Only used for tests. Any
     * attempt to actually use an object constructed this way will fail as there is no
     * connected Rust object.
     */
    @Suppress("UNUSED_PARAMETER")
    constructor(noHandle: NoHandle) {
        this.handle = 0
        this.cleanable = null
    }

    protected val handle: Long
    protected val cleanable: UniffiCleaner.Cleanable?

    private val wasDestroyed = AtomicBoolean(false)
    private val callCounter = AtomicLong(1)

    /**
     * Whether the current object has been destroyed and its reference is gone in the Rust side.
     */
    val uniffiIsDestroyed: Boolean get() = wasDestroyed.get()

    override fun destroy() {
        // Only allow a single call to this method.
        // TODO: maybe we should log a warning if called more than once?
        if (this.wasDestroyed.compareAndSet(false, true)) {
            // This decrement always matches the initial count of 1 given at creation time.
            if (this.callCounter.decrementAndGet() == 0L) {
                cleanable?.clean()
            }
        }
    }

    @Synchronized
    override fun close() {
        this.destroy()
    }

    internal inline fun <R> callWithHandle(block: (handle: Long) -> R): R {
        // Check and increment the call counter, to keep the object alive.
        // This needs a compare-and-set retry loop in case of concurrent updates.
        do {
            val c = this.callCounter.get()
            if (c == 0L) {
                throw IllegalStateException("${this.javaClass.simpleName} object has already been destroyed")
            }
            if (c == Long.MAX_VALUE) {
                throw IllegalStateException("${this.javaClass.simpleName} call counter would overflow")
            }
        } while (! this.callCounter.compareAndSet(c, c + 1L))
        // Now we can safely do the method call without the handle being freed concurrently.
        try {
            return block(this.uniffiCloneHandle())
        } finally {
            // This decrement always matches the increment we performed above.
            if (this.callCounter.decrementAndGet() == 0L) {
                cleanable?.clean()
            }
        }
    }

    // Use a static inner class instead of a closure so as not to accidentally
    // capture `this` as part of the cleanable's action.
    private class UniffiCleanAction(private val handle: Long) : Runnable {
        override fun run() {
            if (handle == 0.toLong()) {
                // Fake object created with `NoHandle`, don't try to free.
                return;
            }
            uniffiRustCall { status ->
                UniffiLib.uniffi_tidewire_uniffi_fn_free_nativeconsumer(handle, status)
            }
        }
    }

    /**
     * @suppress
     */
    fun uniffiCloneHandle(): Long {
        if (handle == 0.toLong()) {
            throw InternalException("uniffiCloneHandle() called on NoHandle object");
        }
        return uniffiRustCall() { status ->
            UniffiLib.uniffi_tidewire_uniffi_fn_clone_nativeconsumer(handle, status)
        }
    }


    /**
     * Reads a further partition.
     */
    @Throws(NativeException::class)override fun `addPartition`(`partition`: kotlin.Int, `start`: kotlin.String)
        =
    callWithHandle {
    uniffiRustCallWithError(NativeException) { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeconsumer_add_partition(
        it,

        FfiConverterInt.lower(`partition`),
        FfiConverterString.lower(`start`),_status)
}
    }




    /**
     * What it reads at the moment.
     */override fun `assignment`(): List<TopicPartition> {
            return FfiConverterSequenceTypeTopicPartition.lift(
    callWithHandle {
    uniffiRustCall() { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeconsumer_assignment(
        it,
        _status)
}
    }
    )
    }



    /**
     * Ends it: it unsubscribes, and a member stores what it is to, and leaves its group. Waits
     * until the server has answered, or for the limit.
     */
    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `closeWithin`(`limitMs`: kotlin.Long?) {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeconsumer_close_within(
                uniffiHandle,

        FfiConverterOptionalLong.lower(`limitMs`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_void(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_void(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_void(future) },
        // lift function
        { },

        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    /**
     * Stores how far what was taken reaches.
     */
    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `commit`() {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeconsumer_commit(
                uniffiHandle,

            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_void(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_void(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_void(future) },
        // lift function
        { },

        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    /**
     * Stores the offset of the next record to read.
     */
    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `commitOffset`(`topic`: kotlin.String, `partition`: kotlin.Int, `offset`: kotlin.Long) {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeconsumer_commit_offset(
                uniffiHandle,

        FfiConverterString.lower(`topic`),
        FfiConverterInt.lower(`partition`),
        FfiConverterLong.lower(`offset`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_void(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_void(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_void(future) },
        // lift function
        { },

        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    /**
     * As [`commit`](Self::commit), but of the batch that was taken last only up to an offset: for
     * who returns its records one by one.
     */
    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `commitUntil`(`topic`: kotlin.String, `partition`: kotlin.Int, `offset`: kotlin.Long) {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeconsumer_commit_until(
                uniffiHandle,

        FfiConverterString.lower(`topic`),
        FfiConverterInt.lower(`partition`),
        FfiConverterLong.lower(`offset`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_void(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_void(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_void(future) },
        // lift function
        { },

        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    /**
     * Whether nothing will come any more, unless it is moved.
     */override fun `isClosed`(): kotlin.Boolean {
            return FfiConverterBoolean.lift(
    callWithHandle {
    uniffiRustCall() { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeconsumer_is_closed(
        it,
        _status)
}
    }
    )
    }



    /**
     * Records known to follow what was returned.
     */override fun `lag`(): kotlin.Long {
            return FfiConverterLong.lift(
    callWithHandle {
    uniffiRustCall() { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeconsumer_lag(
        it,
        _status)
}
    }
    )
    }



    /**
     * Returns nothing of a partition until it is resumed.
     */
    @Throws(NativeException::class)override fun `pause`(`partition`: kotlin.Int)
        =
    callWithHandle {
    uniffiRustCallWithError(NativeException) { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeconsumer_pause(
        it,

        FfiConverterInt.lower(`partition`),_status)
}
    }




    /**
     * Where it stands in what it reads.
     */override fun `positions`(): List<Position> {
            return FfiConverterSequenceTypePosition.lift(
    callWithHandle {
    uniffiRustCall() { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeconsumer_positions(
        it,
        _status)
}
    }
    )
    }



    /**
     * Waits until something may have come since [`take`](Self::take) found nothing. False when
     * the time is over. One at a time waits.
     */
    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `ready`(`limitMs`: kotlin.Long?) : kotlin.Boolean {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeconsumer_ready(
                uniffiHandle,

        FfiConverterOptionalLong.lower(`limitMs`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_i8(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_i8(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_i8(future) },
        // lift function
        { FfiConverterBoolean.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    /**
     * Stops reading a partition; whether it was read.
     */
    @Throws(NativeException::class)override fun `removePartition`(`partition`: kotlin.Int): kotlin.Boolean {
            return FfiConverterBoolean.lift(
    callWithHandle {
    uniffiRustCallWithError(NativeException) { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeconsumer_remove_partition(
        it,

        FfiConverterInt.lower(`partition`),_status)
}
    }
    )
    }



    /**
     * Ends a pause.
     */
    @Throws(NativeException::class)override fun `resume`(`partition`: kotlin.Int)
        =
    callWithHandle {
    uniffiRustCallWithError(NativeException) { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeconsumer_resume(
        it,

        FfiConverterInt.lower(`partition`),_status)
}
    }




    /**
     * Goes on reading a partition at another place.
     */
    @Throws(NativeException::class)override fun `seek`(`partition`: kotlin.Int, `to`: kotlin.String)
        =
    callWithHandle {
    uniffiRustCallWithError(NativeException) { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeconsumer_seek(
        it,

        FfiConverterInt.lower(`partition`),
        FfiConverterString.lower(`to`),_status)
}
    }




    /**
     * What it did so far, and what it holds.
     */override fun `stats`(): ConsumerStats {
            return FfiConverterTypeConsumerStats.lift(
    callWithHandle {
    uniffiRustCall() { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeconsumer_stats(
        it,
        _status)
}
    }
    )
    }



    /**
     * Takes the next batch, if there is one, and gives back the memory of the last one; what it
     * held counts as done by that.
     */
    @Throws(NativeException::class)override fun `take`(): Taken {
            return FfiConverterTypeTaken.lift(
    callWithHandle {
    uniffiRustCallWithError(NativeException) { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeconsumer_take(
        it,
        _status)
}
    }
    )
    }



    /**
     * The topic, `stream/topic`, of batches that carry this number.
     */override fun `topic`(`number`: kotlin.Int): kotlin.String? {
            return FfiConverterOptionalString.lift(
    callWithHandle {
    uniffiRustCall() { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeconsumer_topic(
        it,

        FfiConverterInt.lower(`number`),_status)
}
    }
    )
    }









    /**
     * @suppress
     */
    companion object

}


/**
 * @suppress
 */
public object FfiConverterTypeNativeConsumer: FfiConverter<NativeConsumer, Long> {
    override fun lower(value: NativeConsumer): Long {
        return value.uniffiCloneHandle()
    }

    override fun lift(value: Long): NativeConsumer {
        return NativeConsumer(UniffiWithHandle, value)
    }

    override fun read(buf: ByteBuffer): NativeConsumer {
        return lift(buf.getLong())
    }

    override fun allocationSize(value: NativeConsumer) = 8UL

    override fun write(value: NativeConsumer, buf: ByteBuffer) {
        buf.putLong(lower(value))
    }
}


// This template implements a class for working with a Rust struct via a handle
// to the live Rust struct on the other side of the FFI.
//
// There's some subtlety here, because we have to be careful not to operate on a Rust
// struct after it has been dropped, and because we must expose a public API for freeing
// theq Kotlin wrapper object in lieu of reliable finalizers. The core requirements are:
//
//   * Each instance holds an opaque handle to the underlying Rust struct.
//     Method calls need to read this handle from the object's state and pass it in to
//     the Rust FFI.
//
//   * When an instance is no longer needed, its handle should be passed to a
//     special destructor function provided by the Rust FFI, which will drop the
//     underlying Rust struct.
//
//   * Given an instance, calling code is expected to call the special
//     `destroy` method in order to free it after use, either by calling it explicitly
//     or by using a higher-level helper like the `use` method. Failing to do so risks
//     leaking the underlying Rust struct.
//
//   * We can't assume that calling code will do the right thing, and must be prepared
//     to handle Kotlin method calls executing concurrently with or even after a call to
//     `destroy`, and to handle multiple (possibly concurrent!) calls to `destroy`.
//
//   * We must never allow Rust code to operate on the underlying Rust struct after
//     the destructor has been called, and must never call the destructor more than once.
//     Doing so may trigger memory unsafety.
//
//   * To mitigate many of the risks of leaking memory and use-after-free unsafety, a `Cleaner`
//     is implemented to call the destructor when the Kotlin object becomes unreachable.
//     This is done in a background thread. This is not a panacea, and client code should be aware that
//      1. the thread may starve if some there are objects that have poorly performing
//     `drop` methods or do significant work in their `drop` methods.
//      2. the thread is shared across the whole library. This can be tuned by using `android_cleaner = true`,
//         or `android = true` in the [`kotlin` section of the `uniffi.toml` file](https://mozilla.github.io/uniffi-rs/kotlin/configuration.html).
//
// If we try to implement this with mutual exclusion on access to the handle, there is the
// possibility of a race between a method call and a concurrent call to `destroy`:
//
//    * Thread A starts a method call, reads the value of the handle, but is interrupted
//      before it can pass the handle over the FFI to Rust.
//    * Thread B calls `destroy` and frees the underlying Rust struct.
//    * Thread A resumes, passing the already-read handle value to Rust and triggering
//      a use-after-free.
//
// One possible solution would be to use a `ReadWriteLock`, with each method call taking
// a read lock (and thus allowed to run concurrently) and the special `destroy` method
// taking a write lock (and thus blocking on live method calls). However, we aim not to
// generate methods with any hidden blocking semantics, and a `destroy` method that might
// block if called incorrectly seems to meet that bar.
//
// So, we achieve our goals by giving each instance an associated `AtomicLong` counter to track
// the number of in-flight method calls, and an `AtomicBoolean` flag to indicate whether `destroy`
// has been called. These are updated according to the following rules:
//
//    * The initial value of the counter is 1, indicating a live object with no in-flight calls.
//      The initial value for the flag is false.
//
//    * At the start of each method call, we atomically check the counter.
//      If it is 0 then the underlying Rust struct has already been destroyed and the call is aborted.
//      If it is nonzero them we atomically increment it by 1 and proceed with the method call.
//
//    * At the end of each method call, we atomically decrement and check the counter.
//      If it has reached zero then we destroy the underlying Rust struct.
//
//    * When `destroy` is called, we atomically flip the flag from false to true.
//      If the flag was already true we silently fail.
//      Otherwise we atomically decrement and check the counter.
//      If it has reached zero then we destroy the underlying Rust struct.
//
// Astute readers may observe that this all sounds very similar to the way that Rust's `Arc<T>` works,
// and indeed it is, with the addition of a flag to guard against multiple calls to `destroy`.
//
// The overall effect is that the underlying Rust struct is destroyed only when `destroy` has been
// called *and* all in-flight method calls have completed, avoiding violating any of the expectations
// of the underlying Rust code.
//
// This makes a cleaner a better alternative to _not_ calling `destroy()` as
// and when the object is finished with, but the abstraction is not perfect: if the Rust object's `drop`
// method is slow, and/or there are many objects to cleanup, and it's on a low end Android device, then the cleaner
// thread may be starved, and the app will leak memory.
//
// In this case, `destroy`ing manually may be a better solution.
//
// The cleaner can live side by side with the manual calling of `destroy`. In the order of responsiveness, uniffi objects
// with Rust peers are reclaimed:
//
// 1. By calling the `destroy` method of the object, which calls `rustObject.free()`. If that doesn't happen:
// 2. When the object becomes unreachable, AND the Cleaner thread gets to call `rustObject.free()`. If the thread is starved then:
// 3. The memory is reclaimed when the process terminates.
//
// [1] https://stackoverflow.com/questions/24376768/can-java-finalize-an-object-when-it-is-still-in-scope/24380219
//


/**
 * Events that are watched.
 */
public interface NativeEventsInterface {

    /**
     * Waits until there is an event to take; false when the time is over, or when there will be
     * no more.
     */
    suspend fun `ready`(`limitMs`: kotlin.Long?): kotlin.Boolean

    /**
     * The event that was waited for.
     */
    fun `take`(): NativeEvent?

    companion object
}

/**
 * Events that are watched.
 */
open class NativeEvents: Disposable, AutoCloseable, NativeEventsInterface
{

    @Suppress("UNUSED_PARAMETER")
    /**
     * @suppress
     */
    constructor(withHandle: UniffiWithHandle, handle: Long) {
        this.handle = handle
        this.cleanable = UniffiLib.CLEANER.register(this, UniffiCleanAction(handle))
    }

    /**
     * @suppress
     *
     * This constructor can be used to instantiate a fake object. Only used for tests. Any
     * attempt to actually use an object constructed this way will fail as there is no
     * connected Rust object.
     */
    @Suppress("UNUSED_PARAMETER")
    constructor(noHandle: NoHandle) {
        this.handle = 0
        this.cleanable = null
    }

    protected val handle: Long
    protected val cleanable: UniffiCleaner.Cleanable?

    private val wasDestroyed = AtomicBoolean(false)
    private val callCounter = AtomicLong(1)

    /**
     * Whether the current object has been destroyed and its reference is gone in the Rust side.
     */
    val uniffiIsDestroyed: Boolean get() = wasDestroyed.get()

    override fun destroy() {
        // Only allow a single call to this method.
        // TODO: maybe we should log a warning if called more than once?
        if (this.wasDestroyed.compareAndSet(false, true)) {
            // This decrement always matches the initial count of 1 given at creation time.
            if (this.callCounter.decrementAndGet() == 0L) {
                cleanable?.clean()
            }
        }
    }

    @Synchronized
    override fun close() {
        this.destroy()
    }

    internal inline fun <R> callWithHandle(block: (handle: Long) -> R): R {
        // Check and increment the call counter, to keep the object alive.
        // This needs a compare-and-set retry loop in case of concurrent updates.
        do {
            val c = this.callCounter.get()
            if (c == 0L) {
                throw IllegalStateException("${this.javaClass.simpleName} object has already been destroyed")
            }
            if (c == Long.MAX_VALUE) {
                throw IllegalStateException("${this.javaClass.simpleName} call counter would overflow")
            }
        } while (! this.callCounter.compareAndSet(c, c + 1L))
        // Now we can safely do the method call without the handle being freed concurrently.
        try {
            return block(this.uniffiCloneHandle())
        } finally {
            // This decrement always matches the increment we performed above.
            if (this.callCounter.decrementAndGet() == 0L) {
                cleanable?.clean()
            }
        }
    }

    // Use a static inner class instead of a closure so as not to accidentally
    // capture `this` as part of the cleanable's action.
    private class UniffiCleanAction(private val handle: Long) : Runnable {
        override fun run() {
            if (handle == 0.toLong()) {
                // Fake object created with `NoHandle`, don't try to free.
                return;
            }
            uniffiRustCall { status ->
                UniffiLib.uniffi_tidewire_uniffi_fn_free_nativeevents(handle, status)
            }
        }
    }

    /**
     * @suppress
     */
    fun uniffiCloneHandle(): Long {
        if (handle == 0.toLong()) {
            throw InternalException("uniffiCloneHandle() called on NoHandle object");
        }
        return uniffiRustCall() { status ->
            UniffiLib.uniffi_tidewire_uniffi_fn_clone_nativeevents(handle, status)
        }
    }


    /**
     * Waits until there is an event to take; false when the time is over, or when there will be
     * no more.
     */
    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `ready`(`limitMs`: kotlin.Long?) : kotlin.Boolean {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeevents_ready(
                uniffiHandle,

        FfiConverterOptionalLong.lower(`limitMs`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_i8(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_i8(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_i8(future) },
        // lift function
        { FfiConverterBoolean.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    /**
     * The event that was waited for.
     */override fun `take`(): NativeEvent? {
            return FfiConverterOptionalTypeNativeEvent.lift(
    callWithHandle {
    uniffiRustCall() { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeevents_take(
        it,
        _status)
}
    }
    )
    }









    /**
     * @suppress
     */
    companion object

}


/**
 * @suppress
 */
public object FfiConverterTypeNativeEvents: FfiConverter<NativeEvents, Long> {
    override fun lower(value: NativeEvents): Long {
        return value.uniffiCloneHandle()
    }

    override fun lift(value: Long): NativeEvents {
        return NativeEvents(UniffiWithHandle, value)
    }

    override fun read(buf: ByteBuffer): NativeEvents {
        return lift(buf.getLong())
    }

    override fun allocationSize(value: NativeEvents) = 8UL

    override fun write(value: NativeEvents, buf: ByteBuffer) {
        buf.putLong(lower(value))
    }
}


// This template implements a class for working with a Rust struct via a handle
// to the live Rust struct on the other side of the FFI.
//
// There's some subtlety here, because we have to be careful not to operate on a Rust
// struct after it has been dropped, and because we must expose a public API for freeing
// theq Kotlin wrapper object in lieu of reliable finalizers. The core requirements are:
//
//   * Each instance holds an opaque handle to the underlying Rust struct.
//     Method calls need to read this handle from the object's state and pass it in to
//     the Rust FFI.
//
//   * When an instance is no longer needed, its handle should be passed to a
//     special destructor function provided by the Rust FFI, which will drop the
//     underlying Rust struct.
//
//   * Given an instance, calling code is expected to call the special
//     `destroy` method in order to free it after use, either by calling it explicitly
//     or by using a higher-level helper like the `use` method. Failing to do so risks
//     leaking the underlying Rust struct.
//
//   * We can't assume that calling code will do the right thing, and must be prepared
//     to handle Kotlin method calls executing concurrently with or even after a call to
//     `destroy`, and to handle multiple (possibly concurrent!) calls to `destroy`.
//
//   * We must never allow Rust code to operate on the underlying Rust struct after
//     the destructor has been called, and must never call the destructor more than once.
//     Doing so may trigger memory unsafety.
//
//   * To mitigate many of the risks of leaking memory and use-after-free unsafety, a `Cleaner`
//     is implemented to call the destructor when the Kotlin object becomes unreachable.
//     This is done in a background thread. This is not a panacea, and client code should be aware that
//      1. the thread may starve if some there are objects that have poorly performing
//     `drop` methods or do significant work in their `drop` methods.
//      2. the thread is shared across the whole library. This can be tuned by using `android_cleaner = true`,
//         or `android = true` in the [`kotlin` section of the `uniffi.toml` file](https://mozilla.github.io/uniffi-rs/kotlin/configuration.html).
//
// If we try to implement this with mutual exclusion on access to the handle, there is the
// possibility of a race between a method call and a concurrent call to `destroy`:
//
//    * Thread A starts a method call, reads the value of the handle, but is interrupted
//      before it can pass the handle over the FFI to Rust.
//    * Thread B calls `destroy` and frees the underlying Rust struct.
//    * Thread A resumes, passing the already-read handle value to Rust and triggering
//      a use-after-free.
//
// One possible solution would be to use a `ReadWriteLock`, with each method call taking
// a read lock (and thus allowed to run concurrently) and the special `destroy` method
// taking a write lock (and thus blocking on live method calls). However, we aim not to
// generate methods with any hidden blocking semantics, and a `destroy` method that might
// block if called incorrectly seems to meet that bar.
//
// So, we achieve our goals by giving each instance an associated `AtomicLong` counter to track
// the number of in-flight method calls, and an `AtomicBoolean` flag to indicate whether `destroy`
// has been called. These are updated according to the following rules:
//
//    * The initial value of the counter is 1, indicating a live object with no in-flight calls.
//      The initial value for the flag is false.
//
//    * At the start of each method call, we atomically check the counter.
//      If it is 0 then the underlying Rust struct has already been destroyed and the call is aborted.
//      If it is nonzero them we atomically increment it by 1 and proceed with the method call.
//
//    * At the end of each method call, we atomically decrement and check the counter.
//      If it has reached zero then we destroy the underlying Rust struct.
//
//    * When `destroy` is called, we atomically flip the flag from false to true.
//      If the flag was already true we silently fail.
//      Otherwise we atomically decrement and check the counter.
//      If it has reached zero then we destroy the underlying Rust struct.
//
// Astute readers may observe that this all sounds very similar to the way that Rust's `Arc<T>` works,
// and indeed it is, with the addition of a flag to guard against multiple calls to `destroy`.
//
// The overall effect is that the underlying Rust struct is destroyed only when `destroy` has been
// called *and* all in-flight method calls have completed, avoiding violating any of the expectations
// of the underlying Rust code.
//
// This makes a cleaner a better alternative to _not_ calling `destroy()` as
// and when the object is finished with, but the abstraction is not perfect: if the Rust object's `drop`
// method is slow, and/or there are many objects to cleanup, and it's on a low end Android device, then the cleaner
// thread may be starved, and the app will leak memory.
//
// In this case, `destroy`ing manually may be a better solution.
//
// The cleaner can live side by side with the manual calling of `destroy`. In the order of responsiveness, uniffi objects
// with Rust peers are reclaimed:
//
// 1. By calling the `destroy` method of the object, which calls `rustObject.free()`. If that doesn't happen:
// 2. When the object becomes unreachable, AND the Cleaner thread gets to call `rustObject.free()`. If the thread is starved then:
// 3. The memory is reclaimed when the process terminates.
//
// [1] https://stackoverflow.com/questions/24376768/can-java-finalize-an-object-when-it-is-still-in-scope/24380219
//


/**
 * A producer of the core's.
 */
public interface NativeProducerInterface {

    /**
     * Whether a record that finds no room is to be tried again once there is some; otherwise
     * its refusal is the outcome.
     */
    fun `blocks`(): kotlin.Boolean

    /**
     * Takes no more records, flushes, and closes; after the limit, what is left fails.
     */
    suspend fun `closeWithin`(`limitMs`: kotlin.Long?)

    /**
     * Sends all that is queued, and waits until it has its outcome.
     */
    suspend fun `flush`(`limitMs`: kotlin.Long?)

    /**
     * How many partitions the topic has.
     */
    fun `partitions`(): kotlin.Int

    /**
     * Takes the records of `chunk` in order, without waiting, and sends them at once if
     * `expedite`.
     */
    fun `push`(`chunk`: java.nio.ByteBuffer, `expedite`: kotlin.Boolean, `wantsTickets`: kotlin.Boolean): Pushed

    /**
     * Waits until the queue has room.
     */
    suspend fun `ready`(`limitMs`: kotlin.Long?)

    /**
     * What it did so far, and what waits.
     */
    fun `stats`(): ProducerStats

    companion object
}

/**
 * A producer of the core's.
 */
open class NativeProducer: Disposable, AutoCloseable, NativeProducerInterface
{

    @Suppress("UNUSED_PARAMETER")
    /**
     * @suppress
     */
    constructor(withHandle: UniffiWithHandle, handle: Long) {
        this.handle = handle
        this.cleanable = UniffiLib.CLEANER.register(this, UniffiCleanAction(handle))
    }

    /**
     * @suppress
     *
     * This constructor can be used to instantiate a fake object. Only used for tests. Any
     * attempt to actually use an object constructed this way will fail as there is no
     * connected Rust object.
     */
    @Suppress("UNUSED_PARAMETER")
    constructor(noHandle: NoHandle) {
        this.handle = 0
        this.cleanable = null
    }

    protected val handle: Long
    protected val cleanable: UniffiCleaner.Cleanable?

    private val wasDestroyed = AtomicBoolean(false)
    private val callCounter = AtomicLong(1)

    /**
     * Whether the current object has been destroyed and its reference is gone in the Rust side.
     */
    val uniffiIsDestroyed: Boolean get() = wasDestroyed.get()

    override fun destroy() {
        // Only allow a single call to this method.
        // TODO: maybe we should log a warning if called more than once?
        if (this.wasDestroyed.compareAndSet(false, true)) {
            // This decrement always matches the initial count of 1 given at creation time.
            if (this.callCounter.decrementAndGet() == 0L) {
                cleanable?.clean()
            }
        }
    }

    @Synchronized
    override fun close() {
        this.destroy()
    }

    internal inline fun <R> callWithHandle(block: (handle: Long) -> R): R {
        // Check and increment the call counter, to keep the object alive.
        // This needs a compare-and-set retry loop in case of concurrent updates.
        do {
            val c = this.callCounter.get()
            if (c == 0L) {
                throw IllegalStateException("${this.javaClass.simpleName} object has already been destroyed")
            }
            if (c == Long.MAX_VALUE) {
                throw IllegalStateException("${this.javaClass.simpleName} call counter would overflow")
            }
        } while (! this.callCounter.compareAndSet(c, c + 1L))
        // Now we can safely do the method call without the handle being freed concurrently.
        try {
            return block(this.uniffiCloneHandle())
        } finally {
            // This decrement always matches the increment we performed above.
            if (this.callCounter.decrementAndGet() == 0L) {
                cleanable?.clean()
            }
        }
    }

    // Use a static inner class instead of a closure so as not to accidentally
    // capture `this` as part of the cleanable's action.
    private class UniffiCleanAction(private val handle: Long) : Runnable {
        override fun run() {
            if (handle == 0.toLong()) {
                // Fake object created with `NoHandle`, don't try to free.
                return;
            }
            uniffiRustCall { status ->
                UniffiLib.uniffi_tidewire_uniffi_fn_free_nativeproducer(handle, status)
            }
        }
    }

    /**
     * @suppress
     */
    fun uniffiCloneHandle(): Long {
        if (handle == 0.toLong()) {
            throw InternalException("uniffiCloneHandle() called on NoHandle object");
        }
        return uniffiRustCall() { status ->
            UniffiLib.uniffi_tidewire_uniffi_fn_clone_nativeproducer(handle, status)
        }
    }


    /**
     * Whether a record that finds no room is to be tried again once there is some; otherwise
     * its refusal is the outcome.
     */
    @Throws(NativeException::class)override fun `blocks`(): kotlin.Boolean {
            return FfiConverterBoolean.lift(
    callWithHandle {
    uniffiRustCallWithError(NativeException) { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeproducer_blocks(
        it,
        _status)
}
    }
    )
    }



    /**
     * Takes no more records, flushes, and closes; after the limit, what is left fails.
     */
    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `closeWithin`(`limitMs`: kotlin.Long?) {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeproducer_close_within(
                uniffiHandle,

        FfiConverterOptionalLong.lower(`limitMs`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_void(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_void(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_void(future) },
        // lift function
        { },

        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    /**
     * Sends all that is queued, and waits until it has its outcome.
     */
    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `flush`(`limitMs`: kotlin.Long?) {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeproducer_flush(
                uniffiHandle,

        FfiConverterOptionalLong.lower(`limitMs`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_void(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_void(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_void(future) },
        // lift function
        { },

        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    /**
     * How many partitions the topic has.
     */
    @Throws(NativeException::class)override fun `partitions`(): kotlin.Int {
            return FfiConverterInt.lift(
    callWithHandle {
    uniffiRustCallWithError(NativeException) { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeproducer_partitions(
        it,
        _status)
}
    }
    )
    }



    /**
     * Takes the records of `chunk` in order, without waiting, and sends them at once if
     * `expedite`.
     */
    @Throws(NativeException::class)override fun `push`(`chunk`: java.nio.ByteBuffer, `expedite`: kotlin.Boolean, `wantsTickets`: kotlin.Boolean): Pushed {
            return FfiConverterTypePushed.lift(
    callWithHandle {
    uniffiRustCallWithError(NativeException) { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeproducer_push(
        it,

        FfiConverterByRefBytes.lower(`chunk`),
        FfiConverterBoolean.lower(`expedite`),
        FfiConverterBoolean.lower(`wantsTickets`),_status)
}
    }
    )
    }



    /**
     * Waits until the queue has room.
     */
    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `ready`(`limitMs`: kotlin.Long?) {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeproducer_ready(
                uniffiHandle,

        FfiConverterOptionalLong.lower(`limitMs`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_void(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_void(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_void(future) },
        // lift function
        { },

        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }


    /**
     * What it did so far, and what waits.
     */
    @Throws(NativeException::class)override fun `stats`(): ProducerStats {
            return FfiConverterTypeProducerStats.lift(
    callWithHandle {
    uniffiRustCallWithError(NativeException) { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_method_nativeproducer_stats(
        it,
        _status)
}
    }
    )
    }









    /**
     * @suppress
     */
    companion object

}


/**
 * @suppress
 */
public object FfiConverterTypeNativeProducer: FfiConverter<NativeProducer, Long> {
    override fun lower(value: NativeProducer): Long {
        return value.uniffiCloneHandle()
    }

    override fun lift(value: Long): NativeProducer {
        return NativeProducer(UniffiWithHandle, value)
    }

    override fun read(buf: ByteBuffer): NativeProducer {
        return lift(buf.getLong())
    }

    override fun allocationSize(value: NativeProducer) = 8UL

    override fun write(value: NativeProducer, buf: ByteBuffer) {
        buf.putLong(lower(value))
    }
}


// This template implements a class for working with a Rust struct via a handle
// to the live Rust struct on the other side of the FFI.
//
// There's some subtlety here, because we have to be careful not to operate on a Rust
// struct after it has been dropped, and because we must expose a public API for freeing
// theq Kotlin wrapper object in lieu of reliable finalizers. The core requirements are:
//
//   * Each instance holds an opaque handle to the underlying Rust struct.
//     Method calls need to read this handle from the object's state and pass it in to
//     the Rust FFI.
//
//   * When an instance is no longer needed, its handle should be passed to a
//     special destructor function provided by the Rust FFI, which will drop the
//     underlying Rust struct.
//
//   * Given an instance, calling code is expected to call the special
//     `destroy` method in order to free it after use, either by calling it explicitly
//     or by using a higher-level helper like the `use` method. Failing to do so risks
//     leaking the underlying Rust struct.
//
//   * We can't assume that calling code will do the right thing, and must be prepared
//     to handle Kotlin method calls executing concurrently with or even after a call to
//     `destroy`, and to handle multiple (possibly concurrent!) calls to `destroy`.
//
//   * We must never allow Rust code to operate on the underlying Rust struct after
//     the destructor has been called, and must never call the destructor more than once.
//     Doing so may trigger memory unsafety.
//
//   * To mitigate many of the risks of leaking memory and use-after-free unsafety, a `Cleaner`
//     is implemented to call the destructor when the Kotlin object becomes unreachable.
//     This is done in a background thread. This is not a panacea, and client code should be aware that
//      1. the thread may starve if some there are objects that have poorly performing
//     `drop` methods or do significant work in their `drop` methods.
//      2. the thread is shared across the whole library. This can be tuned by using `android_cleaner = true`,
//         or `android = true` in the [`kotlin` section of the `uniffi.toml` file](https://mozilla.github.io/uniffi-rs/kotlin/configuration.html).
//
// If we try to implement this with mutual exclusion on access to the handle, there is the
// possibility of a race between a method call and a concurrent call to `destroy`:
//
//    * Thread A starts a method call, reads the value of the handle, but is interrupted
//      before it can pass the handle over the FFI to Rust.
//    * Thread B calls `destroy` and frees the underlying Rust struct.
//    * Thread A resumes, passing the already-read handle value to Rust and triggering
//      a use-after-free.
//
// One possible solution would be to use a `ReadWriteLock`, with each method call taking
// a read lock (and thus allowed to run concurrently) and the special `destroy` method
// taking a write lock (and thus blocking on live method calls). However, we aim not to
// generate methods with any hidden blocking semantics, and a `destroy` method that might
// block if called incorrectly seems to meet that bar.
//
// So, we achieve our goals by giving each instance an associated `AtomicLong` counter to track
// the number of in-flight method calls, and an `AtomicBoolean` flag to indicate whether `destroy`
// has been called. These are updated according to the following rules:
//
//    * The initial value of the counter is 1, indicating a live object with no in-flight calls.
//      The initial value for the flag is false.
//
//    * At the start of each method call, we atomically check the counter.
//      If it is 0 then the underlying Rust struct has already been destroyed and the call is aborted.
//      If it is nonzero them we atomically increment it by 1 and proceed with the method call.
//
//    * At the end of each method call, we atomically decrement and check the counter.
//      If it has reached zero then we destroy the underlying Rust struct.
//
//    * When `destroy` is called, we atomically flip the flag from false to true.
//      If the flag was already true we silently fail.
//      Otherwise we atomically decrement and check the counter.
//      If it has reached zero then we destroy the underlying Rust struct.
//
// Astute readers may observe that this all sounds very similar to the way that Rust's `Arc<T>` works,
// and indeed it is, with the addition of a flag to guard against multiple calls to `destroy`.
//
// The overall effect is that the underlying Rust struct is destroyed only when `destroy` has been
// called *and* all in-flight method calls have completed, avoiding violating any of the expectations
// of the underlying Rust code.
//
// This makes a cleaner a better alternative to _not_ calling `destroy()` as
// and when the object is finished with, but the abstraction is not perfect: if the Rust object's `drop`
// method is slow, and/or there are many objects to cleanup, and it's on a low end Android device, then the cleaner
// thread may be starved, and the app will leak memory.
//
// In this case, `destroy`ing manually may be a better solution.
//
// The cleaner can live side by side with the manual calling of `destroy`. In the order of responsiveness, uniffi objects
// with Rust peers are reclaimed:
//
// 1. By calling the `destroy` method of the object, which calls `rustObject.free()`. If that doesn't happen:
// 2. When the object becomes unreachable, AND the Cleaner thread gets to call `rustObject.free()`. If the thread is starved then:
// 3. The memory is reclaimed when the process terminates.
//
// [1] https://stackoverflow.com/questions/24376768/can-java-finalize-an-object-when-it-is-still-in-scope/24380219
//


/**
 * Records that were pushed together, until their outcome is known.
 */
public interface NativeTicketsInterface {

    /**
     * Waits until all have their outcome. After `TIMEOUT` it may be called again.
     */
    suspend fun `outcomes`(`limitMs`: kotlin.Long?): Outcomes

    companion object
}

/**
 * Records that were pushed together, until their outcome is known.
 */
open class NativeTickets: Disposable, AutoCloseable, NativeTicketsInterface
{

    @Suppress("UNUSED_PARAMETER")
    /**
     * @suppress
     */
    constructor(withHandle: UniffiWithHandle, handle: Long) {
        this.handle = handle
        this.cleanable = UniffiLib.CLEANER.register(this, UniffiCleanAction(handle))
    }

    /**
     * @suppress
     *
     * This constructor can be used to instantiate a fake object. Only used for tests. Any
     * attempt to actually use an object constructed this way will fail as there is no
     * connected Rust object.
     */
    @Suppress("UNUSED_PARAMETER")
    constructor(noHandle: NoHandle) {
        this.handle = 0
        this.cleanable = null
    }

    protected val handle: Long
    protected val cleanable: UniffiCleaner.Cleanable?

    private val wasDestroyed = AtomicBoolean(false)
    private val callCounter = AtomicLong(1)

    /**
     * Whether the current object has been destroyed and its reference is gone in the Rust side.
     */
    val uniffiIsDestroyed: Boolean get() = wasDestroyed.get()

    override fun destroy() {
        // Only allow a single call to this method.
        // TODO: maybe we should log a warning if called more than once?
        if (this.wasDestroyed.compareAndSet(false, true)) {
            // This decrement always matches the initial count of 1 given at creation time.
            if (this.callCounter.decrementAndGet() == 0L) {
                cleanable?.clean()
            }
        }
    }

    @Synchronized
    override fun close() {
        this.destroy()
    }

    internal inline fun <R> callWithHandle(block: (handle: Long) -> R): R {
        // Check and increment the call counter, to keep the object alive.
        // This needs a compare-and-set retry loop in case of concurrent updates.
        do {
            val c = this.callCounter.get()
            if (c == 0L) {
                throw IllegalStateException("${this.javaClass.simpleName} object has already been destroyed")
            }
            if (c == Long.MAX_VALUE) {
                throw IllegalStateException("${this.javaClass.simpleName} call counter would overflow")
            }
        } while (! this.callCounter.compareAndSet(c, c + 1L))
        // Now we can safely do the method call without the handle being freed concurrently.
        try {
            return block(this.uniffiCloneHandle())
        } finally {
            // This decrement always matches the increment we performed above.
            if (this.callCounter.decrementAndGet() == 0L) {
                cleanable?.clean()
            }
        }
    }

    // Use a static inner class instead of a closure so as not to accidentally
    // capture `this` as part of the cleanable's action.
    private class UniffiCleanAction(private val handle: Long) : Runnable {
        override fun run() {
            if (handle == 0.toLong()) {
                // Fake object created with `NoHandle`, don't try to free.
                return;
            }
            uniffiRustCall { status ->
                UniffiLib.uniffi_tidewire_uniffi_fn_free_nativetickets(handle, status)
            }
        }
    }

    /**
     * @suppress
     */
    fun uniffiCloneHandle(): Long {
        if (handle == 0.toLong()) {
            throw InternalException("uniffiCloneHandle() called on NoHandle object");
        }
        return uniffiRustCall() { status ->
            UniffiLib.uniffi_tidewire_uniffi_fn_clone_nativetickets(handle, status)
        }
    }


    /**
     * Waits until all have their outcome. After `TIMEOUT` it may be called again.
     */
    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
    override suspend fun `outcomes`(`limitMs`: kotlin.Long?) : Outcomes {
        return uniffiRustCallAsync(
        callWithHandle { uniffiHandle ->
            UniffiLib.uniffi_tidewire_uniffi_fn_method_nativetickets_outcomes(
                uniffiHandle,

        FfiConverterOptionalLong.lower(`limitMs`),
            )
        },
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_rust_buffer(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_rust_buffer(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_rust_buffer(future) },
        // lift function
        { FfiConverterTypeOutcomes.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }








    /**
     * @suppress
     */
    companion object

}


/**
 * @suppress
 */
public object FfiConverterTypeNativeTickets: FfiConverter<NativeTickets, Long> {
    override fun lower(value: NativeTickets): Long {
        return value.uniffiCloneHandle()
    }

    override fun lift(value: Long): NativeTickets {
        return NativeTickets(UniffiWithHandle, value)
    }

    override fun read(buf: ByteBuffer): NativeTickets {
        return lift(buf.getLong())
    }

    override fun allocationSize(value: NativeTickets) = 8UL

    override fun write(value: NativeTickets, buf: ByteBuffer) {
        buf.putLong(lower(value))
    }
}



/**
 * An offset that a group, or a named consumer, has stored.
 */
data class CommittedOffset (
    /**
     * The partition.
     */
    val `partition`: kotlin.Int
    ,
    /**
     * Offset of the next record to read.
     */
    val `offset`: kotlin.Long
    ,
    /**
     * When it was stored, in microseconds since the Unix epoch.
     */
    val `commitUs`: kotlin.Long
    ,
    /**
     * What the consumer keeps beside it.
     */
    val `note`: kotlin.String

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeCommittedOffset: FfiConverterRustBuffer<CommittedOffset> {
    override fun read(buf: ByteBuffer): CommittedOffset {
        return CommittedOffset(
            FfiConverterInt.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterString.read(buf),
        )
    }

    override fun allocationSize(value: CommittedOffset) = (
            FfiConverterInt.allocationSize(value.`partition`) +
            FfiConverterLong.allocationSize(value.`offset`) +
            FfiConverterLong.allocationSize(value.`commitUs`) +
            FfiConverterString.allocationSize(value.`note`)
    )

    override fun write(value: CommittedOffset, buf: ByteBuffer) {
            FfiConverterInt.write(value.`partition`, buf)
            FfiConverterLong.write(value.`offset`, buf)
            FfiConverterLong.write(value.`commitUs`, buf)
            FfiConverterString.write(value.`note`, buf)
    }
}



/**
 * What a consumer did so far, and what it holds.
 */
data class ConsumerStats (
    /**
     * Partitions that it reads.
     */
    val `partitions`: kotlin.Int
    ,
    /**
     * Those that are subscribed on the current connection.
     */
    val `livePartitions`: kotlin.Int
    ,
    /**
     * Bytes of batches that were delivered and not yet taken.
     */
    val `bufferedBytes`: kotlin.Long
    ,
    /**
     * Batches taken.
     */
    val `batches`: kotlin.Long
    ,
    /**
     * Their bytes, as they travelled.
     */
    val `bytes`: kotlin.Long
    ,
    /**
     * How often a partition was subscribed again.
     */
    val `resubscriptions`: kotlin.Long
    ,
    /**
     * Offsets left out because their records were deleted before they were read.
     */
    val `skippedOffsets`: kotlin.Long
    ,
    /**
     * Offsets that were stored, by hand or automatically.
     */
    val `storedOffsets`: kotlin.Long

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeConsumerStats: FfiConverterRustBuffer<ConsumerStats> {
    override fun read(buf: ByteBuffer): ConsumerStats {
        return ConsumerStats(
            FfiConverterInt.read(buf),
            FfiConverterInt.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
        )
    }

    override fun allocationSize(value: ConsumerStats) = (
            FfiConverterInt.allocationSize(value.`partitions`) +
            FfiConverterInt.allocationSize(value.`livePartitions`) +
            FfiConverterLong.allocationSize(value.`bufferedBytes`) +
            FfiConverterLong.allocationSize(value.`batches`) +
            FfiConverterLong.allocationSize(value.`bytes`) +
            FfiConverterLong.allocationSize(value.`resubscriptions`) +
            FfiConverterLong.allocationSize(value.`skippedOffsets`) +
            FfiConverterLong.allocationSize(value.`storedOffsets`)
    )

    override fun write(value: ConsumerStats, buf: ByteBuffer) {
            FfiConverterInt.write(value.`partitions`, buf)
            FfiConverterInt.write(value.`livePartitions`, buf)
            FfiConverterLong.write(value.`bufferedBytes`, buf)
            FfiConverterLong.write(value.`batches`, buf)
            FfiConverterLong.write(value.`bytes`, buf)
            FfiConverterLong.write(value.`resubscriptions`, buf)
            FfiConverterLong.write(value.`skippedOffsets`, buf)
            FfiConverterLong.write(value.`storedOffsets`, buf)
    }
}



/**
 * What went wrong.
 */
data class Failure (
    /**
     * The stable number.
     */
    val `number`: kotlin.Int
    ,
    /**
     * The number's name, such as `TOPIC_NOT_FOUND`; `UNKNOWN` if this version has none for it.
     */
    val `name`: kotlin.String
    ,
    /**
     * Its class in the table of errors, such as `not_found`.
     */
    val `kind`: kotlin.String
    ,
    /**
     * The disposition's bits.
     */
    val `disposition`: kotlin.Int
    ,
    /**
     * Nothing happened, and the same request may succeed later.
     */
    val `retriable`: kotlin.Boolean
    ,
    /**
     * The request may or may not have been carried out.
     */
    val `outcomeUnknown`: kotlin.Boolean
    ,
    /**
     * The text, for people.
     */
    val `text`: kotlin.String
    ,
    /**
     * With `OFFSET_OUT_OF_RANGE`: the first offset that there is.
     */
    val `firstOffset`: kotlin.Long?
    ,
    /**
     * With `OFFSET_OUT_OF_RANGE`: the offset after the last.
     */
    val `nextOffset`: kotlin.Long?
    ,
    /**
     * Of a producer that was closed: what became of records.
     */
    val `unsent`: List<Unsent>

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeFailure: FfiConverterRustBuffer<Failure> {
    override fun read(buf: ByteBuffer): Failure {
        return Failure(
            FfiConverterInt.read(buf),
            FfiConverterString.read(buf),
            FfiConverterString.read(buf),
            FfiConverterInt.read(buf),
            FfiConverterBoolean.read(buf),
            FfiConverterBoolean.read(buf),
            FfiConverterString.read(buf),
            FfiConverterOptionalLong.read(buf),
            FfiConverterOptionalLong.read(buf),
            FfiConverterSequenceTypeUnsent.read(buf),
        )
    }

    override fun allocationSize(value: Failure) = (
            FfiConverterInt.allocationSize(value.`number`) +
            FfiConverterString.allocationSize(value.`name`) +
            FfiConverterString.allocationSize(value.`kind`) +
            FfiConverterInt.allocationSize(value.`disposition`) +
            FfiConverterBoolean.allocationSize(value.`retriable`) +
            FfiConverterBoolean.allocationSize(value.`outcomeUnknown`) +
            FfiConverterString.allocationSize(value.`text`) +
            FfiConverterOptionalLong.allocationSize(value.`firstOffset`) +
            FfiConverterOptionalLong.allocationSize(value.`nextOffset`) +
            FfiConverterSequenceTypeUnsent.allocationSize(value.`unsent`)
    )

    override fun write(value: Failure, buf: ByteBuffer) {
            FfiConverterInt.write(value.`number`, buf)
            FfiConverterString.write(value.`name`, buf)
            FfiConverterString.write(value.`kind`, buf)
            FfiConverterInt.write(value.`disposition`, buf)
            FfiConverterBoolean.write(value.`retriable`, buf)
            FfiConverterBoolean.write(value.`outcomeUnknown`, buf)
            FfiConverterString.write(value.`text`, buf)
            FfiConverterOptionalLong.write(value.`firstOffset`, buf)
            FfiConverterOptionalLong.write(value.`nextOffset`, buf)
            FfiConverterSequenceTypeUnsent.write(value.`unsent`, buf)
    }
}



/**
 * A group with its members and partitions.
 */
data class GroupDescription (
    /**
     * The group.
     */
    val `info`: GroupInfo
    ,
    /**
     * Its members.
     */
    val `members`: List<GroupMember>
    ,
    /**
     * Its partitions.
     */
    val `partitions`: List<GroupPartition>

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeGroupDescription: FfiConverterRustBuffer<GroupDescription> {
    override fun read(buf: ByteBuffer): GroupDescription {
        return GroupDescription(
            FfiConverterTypeGroupInfo.read(buf),
            FfiConverterSequenceTypeGroupMember.read(buf),
            FfiConverterSequenceTypeGroupPartition.read(buf),
        )
    }

    override fun allocationSize(value: GroupDescription) = (
            FfiConverterTypeGroupInfo.allocationSize(value.`info`) +
            FfiConverterSequenceTypeGroupMember.allocationSize(value.`members`) +
            FfiConverterSequenceTypeGroupPartition.allocationSize(value.`partitions`)
    )

    override fun write(value: GroupDescription, buf: ByteBuffer) {
            FfiConverterTypeGroupInfo.write(value.`info`, buf)
            FfiConverterSequenceTypeGroupMember.write(value.`members`, buf)
            FfiConverterSequenceTypeGroupPartition.write(value.`partitions`, buf)
    }
}



/**
 * A group, or a named consumer.
 */
data class GroupInfo (
    /**
     * Its name.
     */
    val `name`: kotlin.String
    ,
    /**
     * When it was created, in microseconds since the Unix epoch.
     */
    val `createdUs`: kotlin.Long
    ,
    /**
     * `empty`, `stable` or `rebalancing`.
     */
    val `state`: kotlin.String
    ,
    /**
     * Counts its assignments.
     */
    val `generation`: kotlin.Int
    ,
    /**
     * How many members it has.
     */
    val `members`: kotlin.Int
    ,
    /**
     * How many partitions they read.
     */
    val `partitions`: kotlin.Int
    ,
    /**
     * How many offsets it has stored.
     */
    val `offsets`: kotlin.Int

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeGroupInfo: FfiConverterRustBuffer<GroupInfo> {
    override fun read(buf: ByteBuffer): GroupInfo {
        return GroupInfo(
            FfiConverterString.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterString.read(buf),
            FfiConverterInt.read(buf),
            FfiConverterInt.read(buf),
            FfiConverterInt.read(buf),
            FfiConverterInt.read(buf),
        )
    }

    override fun allocationSize(value: GroupInfo) = (
            FfiConverterString.allocationSize(value.`name`) +
            FfiConverterLong.allocationSize(value.`createdUs`) +
            FfiConverterString.allocationSize(value.`state`) +
            FfiConverterInt.allocationSize(value.`generation`) +
            FfiConverterInt.allocationSize(value.`members`) +
            FfiConverterInt.allocationSize(value.`partitions`) +
            FfiConverterInt.allocationSize(value.`offsets`)
    )

    override fun write(value: GroupInfo, buf: ByteBuffer) {
            FfiConverterString.write(value.`name`, buf)
            FfiConverterLong.write(value.`createdUs`, buf)
            FfiConverterString.write(value.`state`, buf)
            FfiConverterInt.write(value.`generation`, buf)
            FfiConverterInt.write(value.`members`, buf)
            FfiConverterInt.write(value.`partitions`, buf)
            FfiConverterInt.write(value.`offsets`, buf)
    }
}



/**
 * A member of a group.
 */
data class GroupMember (
    /**
     * Its number.
     */
    val `id`: kotlin.Long
    ,
    /**
     * How often it joined.
     */
    val `epoch`: kotlin.Int
    ,
    /**
     * The name that it gave itself.
     */
    val `name`: kotlin.String
    ,
    /**
     * Its client's name.
     */
    val `clientName`: kotlin.String
    ,
    /**
     * Where it comes from.
     */
    val `address`: kotlin.String
    ,
    /**
     * Whether it is connected.
     */
    val `connected`: kotlin.Boolean
    ,
    /**
     * How long it may be silent, in milliseconds.
     */
    val `sessionTimeoutMs`: kotlin.Int
    ,
    /**
     * How long it may take to give up a partition, in milliseconds.
     */
    val `rebalanceTimeoutMs`: kotlin.Int
    ,
    /**
     * How many partitions it reads.
     */
    val `partitions`: kotlin.Int
    ,
    /**
     * The topics that it reads, `stream/topic`.
     */
    val `topics`: List<kotlin.String>

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeGroupMember: FfiConverterRustBuffer<GroupMember> {
    override fun read(buf: ByteBuffer): GroupMember {
        return GroupMember(
            FfiConverterLong.read(buf),
            FfiConverterInt.read(buf),
            FfiConverterString.read(buf),
            FfiConverterString.read(buf),
            FfiConverterString.read(buf),
            FfiConverterBoolean.read(buf),
            FfiConverterInt.read(buf),
            FfiConverterInt.read(buf),
            FfiConverterInt.read(buf),
            FfiConverterSequenceString.read(buf),
        )
    }

    override fun allocationSize(value: GroupMember) = (
            FfiConverterLong.allocationSize(value.`id`) +
            FfiConverterInt.allocationSize(value.`epoch`) +
            FfiConverterString.allocationSize(value.`name`) +
            FfiConverterString.allocationSize(value.`clientName`) +
            FfiConverterString.allocationSize(value.`address`) +
            FfiConverterBoolean.allocationSize(value.`connected`) +
            FfiConverterInt.allocationSize(value.`sessionTimeoutMs`) +
            FfiConverterInt.allocationSize(value.`rebalanceTimeoutMs`) +
            FfiConverterInt.allocationSize(value.`partitions`) +
            FfiConverterSequenceString.allocationSize(value.`topics`)
    )

    override fun write(value: GroupMember, buf: ByteBuffer) {
            FfiConverterLong.write(value.`id`, buf)
            FfiConverterInt.write(value.`epoch`, buf)
            FfiConverterString.write(value.`name`, buf)
            FfiConverterString.write(value.`clientName`, buf)
            FfiConverterString.write(value.`address`, buf)
            FfiConverterBoolean.write(value.`connected`, buf)
            FfiConverterInt.write(value.`sessionTimeoutMs`, buf)
            FfiConverterInt.write(value.`rebalanceTimeoutMs`, buf)
            FfiConverterInt.write(value.`partitions`, buf)
            FfiConverterSequenceString.write(value.`topics`, buf)
    }
}



/**
 * A partition that a group reads, or has stored an offset for.
 */
data class GroupPartition (
    /**
     * The topic, `stream/topic`.
     */
    val `topic`: kotlin.String
    ,
    /**
     * The partition.
     */
    val `partition`: kotlin.Int
    ,
    /**
     * The member that reads it; 0 is none.
     */
    val `memberId`: kotlin.Long
    ,
    /**
     * Whether the member is asked to give it up.
     */
    val `revoking`: kotlin.Boolean
    ,
    /**
     * The stored offset of the next record to read.
     */
    val `offset`: kotlin.Long?
    ,
    /**
     * When it was stored, in microseconds since the Unix epoch.
     */
    val `commitUs`: kotlin.Long?

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeGroupPartition: FfiConverterRustBuffer<GroupPartition> {
    override fun read(buf: ByteBuffer): GroupPartition {
        return GroupPartition(
            FfiConverterString.read(buf),
            FfiConverterInt.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterBoolean.read(buf),
            FfiConverterOptionalLong.read(buf),
            FfiConverterOptionalLong.read(buf),
        )
    }

    override fun allocationSize(value: GroupPartition) = (
            FfiConverterString.allocationSize(value.`topic`) +
            FfiConverterInt.allocationSize(value.`partition`) +
            FfiConverterLong.allocationSize(value.`memberId`) +
            FfiConverterBoolean.allocationSize(value.`revoking`) +
            FfiConverterOptionalLong.allocationSize(value.`offset`) +
            FfiConverterOptionalLong.allocationSize(value.`commitUs`)
    )

    override fun write(value: GroupPartition, buf: ByteBuffer) {
            FfiConverterString.write(value.`topic`, buf)
            FfiConverterInt.write(value.`partition`, buf)
            FfiConverterLong.write(value.`memberId`, buf)
            FfiConverterBoolean.write(value.`revoking`, buf)
            FfiConverterOptionalLong.write(value.`offset`, buf)
            FfiConverterOptionalLong.write(value.`commitUs`, buf)
    }
}



/**
 * Where a batch lies in memory. The bytes are read at once, and copied, while their owner is
 * held; they are valid until that gives the next batch.
 */
data class Lent (
    /**
     * Address of the head.
     */
    val `head`: kotlin.Long
    ,
    /**
     * Bytes of the head.
     */
    val `headLen`: kotlin.Int
    ,
    /**
     * Address of the body.
     */
    val `body`: kotlin.Long
    ,
    /**
     * Bytes of the body.
     */
    val `bodyLen`: kotlin.Int

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeLent: FfiConverterRustBuffer<Lent> {
    override fun read(buf: ByteBuffer): Lent {
        return Lent(
            FfiConverterLong.read(buf),
            FfiConverterInt.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterInt.read(buf),
        )
    }

    override fun allocationSize(value: Lent) = (
            FfiConverterLong.allocationSize(value.`head`) +
            FfiConverterInt.allocationSize(value.`headLen`) +
            FfiConverterLong.allocationSize(value.`body`) +
            FfiConverterInt.allocationSize(value.`bodyLen`)
    )

    override fun write(value: Lent, buf: ByteBuffer) {
            FfiConverterLong.write(value.`head`, buf)
            FfiConverterInt.write(value.`headLen`, buf)
            FfiConverterLong.write(value.`body`, buf)
            FfiConverterInt.write(value.`bodyLen`, buf)
    }
}



/**
 * A limit that a server enforces.
 */
data class LimitInfo (
    /**
     * Its name in the server's configuration, or the protocol's.
     */
    val `name`: kotlin.String
    ,
    /**
     * How much is allowed; 0 is no limit.
     */
    val `value`: kotlin.Long
    ,
    /**
     * What is counted.
     */
    val `unit`: kotlin.String
    ,
    /**
     * Whether the server's configuration sets it; otherwise the protocol does.
     */
    val `configured`: kotlin.Boolean
    ,
    /**
     * How much is used now; 0 where that is not counted, or not for this user to know.
     */
    val `used`: kotlin.Long

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeLimitInfo: FfiConverterRustBuffer<LimitInfo> {
    override fun read(buf: ByteBuffer): LimitInfo {
        return LimitInfo(
            FfiConverterString.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterString.read(buf),
            FfiConverterBoolean.read(buf),
            FfiConverterLong.read(buf),
        )
    }

    override fun allocationSize(value: LimitInfo) = (
            FfiConverterString.allocationSize(value.`name`) +
            FfiConverterLong.allocationSize(value.`value`) +
            FfiConverterString.allocationSize(value.`unit`) +
            FfiConverterBoolean.allocationSize(value.`configured`) +
            FfiConverterLong.allocationSize(value.`used`)
    )

    override fun write(value: LimitInfo, buf: ByteBuffer) {
            FfiConverterString.write(value.`name`, buf)
            FfiConverterLong.write(value.`value`, buf)
            FfiConverterString.write(value.`unit`, buf)
            FfiConverterBoolean.write(value.`configured`, buf)
            FfiConverterLong.write(value.`used`, buf)
    }
}



/**
 * An event; what belongs to it is there.
 */
data class NativeEvent (
    /**
     * `connected`, `disconnected`, `reconnecting`, `gave_up`, `throttled`,
     * `partitions_assigned`, `partitions_revoked`, `partitions_lost`, `records_skipped` or
     * `missed`.
     */
    val `kind`: kotlin.String
    ,
    /**
     * The server's address.
     */
    val `address`: kotlin.String?
    ,
    /**
     * Which attempt it is.
     */
    val `attempt`: kotlin.Int?
    ,
    /**
     * Why.
     */
    val `failure`: Failure?
    ,
    /**
     * The topic, `stream/topic`.
     */
    val `topic`: kotlin.String?
    ,
    /**
     * The partition.
     */
    val `partition`: kotlin.Int?
    ,
    /**
     * The group.
     */
    val `group`: kotlin.String?
    ,
    /**
     * Partitions of the group.
     */
    val `partitions`: List<TopicPartition>?
    ,
    /**
     * The record that was due.
     */
    val `fromOffset`: kotlin.Long?
    ,
    /**
     * The record at which it goes on.
     */
    val `toOffset`: kotlin.Long?
    ,
    /**
     * How many events were lost.
     */
    val `count`: kotlin.Long?

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeNativeEvent: FfiConverterRustBuffer<NativeEvent> {
    override fun read(buf: ByteBuffer): NativeEvent {
        return NativeEvent(
            FfiConverterString.read(buf),
            FfiConverterOptionalString.read(buf),
            FfiConverterOptionalInt.read(buf),
            FfiConverterOptionalTypeFailure.read(buf),
            FfiConverterOptionalString.read(buf),
            FfiConverterOptionalInt.read(buf),
            FfiConverterOptionalString.read(buf),
            FfiConverterOptionalSequenceTypeTopicPartition.read(buf),
            FfiConverterOptionalLong.read(buf),
            FfiConverterOptionalLong.read(buf),
            FfiConverterOptionalLong.read(buf),
        )
    }

    override fun allocationSize(value: NativeEvent) = (
            FfiConverterString.allocationSize(value.`kind`) +
            FfiConverterOptionalString.allocationSize(value.`address`) +
            FfiConverterOptionalInt.allocationSize(value.`attempt`) +
            FfiConverterOptionalTypeFailure.allocationSize(value.`failure`) +
            FfiConverterOptionalString.allocationSize(value.`topic`) +
            FfiConverterOptionalInt.allocationSize(value.`partition`) +
            FfiConverterOptionalString.allocationSize(value.`group`) +
            FfiConverterOptionalSequenceTypeTopicPartition.allocationSize(value.`partitions`) +
            FfiConverterOptionalLong.allocationSize(value.`fromOffset`) +
            FfiConverterOptionalLong.allocationSize(value.`toOffset`) +
            FfiConverterOptionalLong.allocationSize(value.`count`)
    )

    override fun write(value: NativeEvent, buf: ByteBuffer) {
            FfiConverterString.write(value.`kind`, buf)
            FfiConverterOptionalString.write(value.`address`, buf)
            FfiConverterOptionalInt.write(value.`attempt`, buf)
            FfiConverterOptionalTypeFailure.write(value.`failure`, buf)
            FfiConverterOptionalString.write(value.`topic`, buf)
            FfiConverterOptionalInt.write(value.`partition`, buf)
            FfiConverterOptionalString.write(value.`group`, buf)
            FfiConverterOptionalSequenceTypeTopicPartition.write(value.`partitions`, buf)
            FfiConverterOptionalLong.write(value.`fromOffset`, buf)
            FfiConverterOptionalLong.write(value.`toOffset`, buf)
            FfiConverterOptionalLong.write(value.`count`, buf)
    }
}



/**
 * A token that was just made.
 */
data class NewToken (
    /**
     * The token.
     */
    val `token`: TokenInfo
    ,
    /**
     * What logs in with it; it is told here and never again.
     */
    val `secret`: kotlin.String

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeNewToken: FfiConverterRustBuffer<NewToken> {
    override fun read(buf: ByteBuffer): NewToken {
        return NewToken(
            FfiConverterTypeTokenInfo.read(buf),
            FfiConverterString.read(buf),
        )
    }

    override fun allocationSize(value: NewToken) = (
            FfiConverterTypeTokenInfo.allocationSize(value.`token`) +
            FfiConverterString.allocationSize(value.`secret`)
    )

    override fun write(value: NewToken, buf: ByteBuffer) {
            FfiConverterTypeTokenInfo.write(value.`token`, buf)
            FfiConverterString.write(value.`secret`, buf)
    }
}



/**
 * The outcomes of records that were pushed together, in order.
 */
data class Outcomes (
    /**
     * Runs of 32 bytes each, little-endian: the kind u32 (0 is a receipt, 1 a failure), how many
     * records u32, the partition u32, the level of acknowledgement u8, whether it is a duplicate
     * u8, u16 zero, the first record's offset u64 (or the number of the failure), the time of
     * the append i64. The offsets of a run follow each other.
     */
    val `runs`: kotlin.ByteArray
    ,
    /**
     * The failures, by their number.
     */
    val `failures`: List<Failure>

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeOutcomes: FfiConverterRustBuffer<Outcomes> {
    override fun read(buf: ByteBuffer): Outcomes {
        return Outcomes(
            FfiConverterByteArray.read(buf),
            FfiConverterSequenceTypeFailure.read(buf),
        )
    }

    override fun allocationSize(value: Outcomes) = (
            FfiConverterByteArray.allocationSize(value.`runs`) +
            FfiConverterSequenceTypeFailure.allocationSize(value.`failures`)
    )

    override fun write(value: Outcomes, buf: ByteBuffer) {
            FfiConverterByteArray.write(value.`runs`, buf)
            FfiConverterSequenceTypeFailure.write(value.`failures`, buf)
    }
}



/**
 * The state of a partition.
 */
data class PartitionInfo (
    /**
     * The partition.
     */
    val `partition`: kotlin.Int
    ,
    /**
     * The server's shard that owns it.
     */
    val `shard`: kotlin.Int
    ,
    /**
     * Offset of its first record.
     */
    val `startOffset`: kotlin.Long
    ,
    /**
     * Offset after its last record.
     */
    val `endOffset`: kotlin.Long
    ,
    /**
     * Offset up to which it is on the disk.
     */
    val `syncedOffset`: kotlin.Long
    ,
    /**
     * Its size, in bytes.
     */
    val `sizeBytes`: kotlin.Long
    ,
    /**
     * Files that it has.
     */
    val `segments`: kotlin.Int
    ,
    /**
     * 0, or the number of the error for which it cannot be used.
     */
    val `error`: kotlin.Int

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypePartitionInfo: FfiConverterRustBuffer<PartitionInfo> {
    override fun read(buf: ByteBuffer): PartitionInfo {
        return PartitionInfo(
            FfiConverterInt.read(buf),
            FfiConverterInt.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterInt.read(buf),
            FfiConverterInt.read(buf),
        )
    }

    override fun allocationSize(value: PartitionInfo) = (
            FfiConverterInt.allocationSize(value.`partition`) +
            FfiConverterInt.allocationSize(value.`shard`) +
            FfiConverterLong.allocationSize(value.`startOffset`) +
            FfiConverterLong.allocationSize(value.`endOffset`) +
            FfiConverterLong.allocationSize(value.`syncedOffset`) +
            FfiConverterLong.allocationSize(value.`sizeBytes`) +
            FfiConverterInt.allocationSize(value.`segments`) +
            FfiConverterInt.allocationSize(value.`error`)
    )

    override fun write(value: PartitionInfo, buf: ByteBuffer) {
            FfiConverterInt.write(value.`partition`, buf)
            FfiConverterInt.write(value.`shard`, buf)
            FfiConverterLong.write(value.`startOffset`, buf)
            FfiConverterLong.write(value.`endOffset`, buf)
            FfiConverterLong.write(value.`syncedOffset`, buf)
            FfiConverterLong.write(value.`sizeBytes`, buf)
            FfiConverterInt.write(value.`segments`, buf)
            FfiConverterInt.write(value.`error`, buf)
    }
}



/**
 * An offset of a partition.
 */
data class PartitionOffset (
    /**
     * The partition.
     */
    val `partition`: kotlin.Int
    ,
    /**
     * The offset.
     */
    val `offset`: kotlin.Long

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypePartitionOffset: FfiConverterRustBuffer<PartitionOffset> {
    override fun read(buf: ByteBuffer): PartitionOffset {
        return PartitionOffset(
            FfiConverterInt.read(buf),
            FfiConverterLong.read(buf),
        )
    }

    override fun allocationSize(value: PartitionOffset) = (
            FfiConverterInt.allocationSize(value.`partition`) +
            FfiConverterLong.allocationSize(value.`offset`)
    )

    override fun write(value: PartitionOffset, buf: ByteBuffer) {
            FfiConverterInt.write(value.`partition`, buf)
            FfiConverterLong.write(value.`offset`, buf)
    }
}



/**
 * Where a consumer stands in a partition.
 */
data class Position (
    /**
     * The topic, `stream/topic`.
     */
    val `topic`: kotlin.String
    ,
    /**
     * The partition.
     */
    val `partition`: kotlin.Int
    ,
    /**
     * Offset of the record that the consumer returns next.
     */
    val `nextOffset`: kotlin.Long
    ,
    /**
     * Offset after the partition's last record, as far as it is known.
     */
    val `endOffset`: kotlin.Long
    ,
    /**
     * What is stored for the consumer's group or name, as far as it is known.
     */
    val `storedOffset`: kotlin.Long?

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypePosition: FfiConverterRustBuffer<Position> {
    override fun read(buf: ByteBuffer): Position {
        return Position(
            FfiConverterString.read(buf),
            FfiConverterInt.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterOptionalLong.read(buf),
        )
    }

    override fun allocationSize(value: Position) = (
            FfiConverterString.allocationSize(value.`topic`) +
            FfiConverterInt.allocationSize(value.`partition`) +
            FfiConverterLong.allocationSize(value.`nextOffset`) +
            FfiConverterLong.allocationSize(value.`endOffset`) +
            FfiConverterOptionalLong.allocationSize(value.`storedOffset`)
    )

    override fun write(value: Position, buf: ByteBuffer) {
            FfiConverterString.write(value.`topic`, buf)
            FfiConverterInt.write(value.`partition`, buf)
            FfiConverterLong.write(value.`nextOffset`, buf)
            FfiConverterLong.write(value.`endOffset`, buf)
            FfiConverterOptionalLong.write(value.`storedOffset`, buf)
    }
}



/**
 * A named producer that a topic remembers.
 */
data class ProducerInfo (
    /**
     * Its name.
     */
    val `name`: kotlin.String
    ,
    /**
     * Its number.
     */
    val `id`: kotlin.Long
    ,
    /**
     * How often the name was opened.
     */
    val `epoch`: kotlin.Int
    ,
    /**
     * When it was opened last, in microseconds since the Unix epoch.
     */
    val `openedUs`: kotlin.Long

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeProducerInfo: FfiConverterRustBuffer<ProducerInfo> {
    override fun read(buf: ByteBuffer): ProducerInfo {
        return ProducerInfo(
            FfiConverterString.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterInt.read(buf),
            FfiConverterLong.read(buf),
        )
    }

    override fun allocationSize(value: ProducerInfo) = (
            FfiConverterString.allocationSize(value.`name`) +
            FfiConverterLong.allocationSize(value.`id`) +
            FfiConverterInt.allocationSize(value.`epoch`) +
            FfiConverterLong.allocationSize(value.`openedUs`)
    )

    override fun write(value: ProducerInfo, buf: ByteBuffer) {
            FfiConverterString.write(value.`name`, buf)
            FfiConverterLong.write(value.`id`, buf)
            FfiConverterInt.write(value.`epoch`, buf)
            FfiConverterLong.write(value.`openedUs`, buf)
    }
}



/**
 * What a producer did so far, and what waits.
 */
data class ProducerStats (
    /**
     * Records without an outcome.
     */
    val `queuedRecords`: kotlin.Long
    ,
    /**
     * Their bytes, as they count against `queue_bytes`.
     */
    val `queuedBytes`: kotlin.Long
    ,
    /**
     * Batches on the wire that are not answered.
     */
    val `inFlightBatches`: kotlin.Long
    ,
    /**
     * Batches sent, each time counted.
     */
    val `sentBatches`: kotlin.Long
    ,
    /**
     * Their bytes.
     */
    val `sentBytes`: kotlin.Long
    ,
    /**
     * Of them, those that had been sent before.
     */
    val `retriedBatches`: kotlin.Long
    ,
    /**
     * Batches that an earlier sending had appended already.
     */
    val `duplicateBatches`: kotlin.Long
    ,
    /**
     * Records acknowledged.
     */
    val `acknowledgedRecords`: kotlin.Long
    ,
    /**
     * Records that were certainly not appended.
     */
    val `failedRecords`: kotlin.Long
    ,
    /**
     * Records whose outcome is unknown.
     */
    val `unknownRecords`: kotlin.Long
    ,
    /**
     * Records dropped because the queue was full, with `queue_full` drop.
     */
    val `droppedRecords`: kotlin.Long

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeProducerStats: FfiConverterRustBuffer<ProducerStats> {
    override fun read(buf: ByteBuffer): ProducerStats {
        return ProducerStats(
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
        )
    }

    override fun allocationSize(value: ProducerStats) = (
            FfiConverterLong.allocationSize(value.`queuedRecords`) +
            FfiConverterLong.allocationSize(value.`queuedBytes`) +
            FfiConverterLong.allocationSize(value.`inFlightBatches`) +
            FfiConverterLong.allocationSize(value.`sentBatches`) +
            FfiConverterLong.allocationSize(value.`sentBytes`) +
            FfiConverterLong.allocationSize(value.`retriedBatches`) +
            FfiConverterLong.allocationSize(value.`duplicateBatches`) +
            FfiConverterLong.allocationSize(value.`acknowledgedRecords`) +
            FfiConverterLong.allocationSize(value.`failedRecords`) +
            FfiConverterLong.allocationSize(value.`unknownRecords`) +
            FfiConverterLong.allocationSize(value.`droppedRecords`)
    )

    override fun write(value: ProducerStats, buf: ByteBuffer) {
            FfiConverterLong.write(value.`queuedRecords`, buf)
            FfiConverterLong.write(value.`queuedBytes`, buf)
            FfiConverterLong.write(value.`inFlightBatches`, buf)
            FfiConverterLong.write(value.`sentBatches`, buf)
            FfiConverterLong.write(value.`sentBytes`, buf)
            FfiConverterLong.write(value.`retriedBatches`, buf)
            FfiConverterLong.write(value.`duplicateBatches`, buf)
            FfiConverterLong.write(value.`acknowledgedRecords`, buf)
            FfiConverterLong.write(value.`failedRecords`, buf)
            FfiConverterLong.write(value.`unknownRecords`, buf)
            FfiConverterLong.write(value.`droppedRecords`, buf)
    }
}



/**
 * What came of a push.
 */
data class Pushed (
    /**
     * Records that were taken, from the first on.
     */
    val `records`: kotlin.Int
    ,
    /**
     * Their bytes in the chunk.
     */
    val `bytes`: kotlin.Int
    ,
    /**
     * Why the next one was not.
     */
    val `failure`: Failure?
    ,
    /**
     * The outcomes of those that were taken, if they are wanted.
     */
    val `tickets`: NativeTickets?

): Disposable{





    @Suppress("UNNECESSARY_SAFE_CALL") // codegen is much simpler if we unconditionally emit safe calls here
    override fun destroy() {

    Disposable.destroy(
        this.`records`,
        this.`bytes`,
        this.`failure`,
        this.`tickets`
    )
    }

    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypePushed: FfiConverterRustBuffer<Pushed> {
    override fun read(buf: ByteBuffer): Pushed {
        return Pushed(
            FfiConverterInt.read(buf),
            FfiConverterInt.read(buf),
            FfiConverterOptionalTypeFailure.read(buf),
            FfiConverterOptionalTypeNativeTickets.read(buf),
        )
    }

    override fun allocationSize(value: Pushed) = (
            FfiConverterInt.allocationSize(value.`records`) +
            FfiConverterInt.allocationSize(value.`bytes`) +
            FfiConverterOptionalTypeFailure.allocationSize(value.`failure`) +
            FfiConverterOptionalTypeNativeTickets.allocationSize(value.`tickets`)
    )

    override fun write(value: Pushed, buf: ByteBuffer) {
            FfiConverterInt.write(value.`records`, buf)
            FfiConverterInt.write(value.`bytes`, buf)
            FfiConverterOptionalTypeFailure.write(value.`failure`, buf)
            FfiConverterOptionalTypeNativeTickets.write(value.`tickets`, buf)
    }
}



/**
 * What the server said of itself.
 */
data class ServerInfo (
    /**
     * Its name.
     */
    val `name`: kotlin.String
    ,
    /**
     * Its version.
     */
    val `version`: kotlin.String
    ,
    /**
     * Where it was reached, `host:port`.
     */
    val `address`: kotlin.String
    ,
    /**
     * The number of its data directory, in decimal digits.
     */
    val `id`: kotlin.String
    ,
    /**
     * What it allows a connection.
     */
    val `limits`: ServerLimits

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeServerInfo: FfiConverterRustBuffer<ServerInfo> {
    override fun read(buf: ByteBuffer): ServerInfo {
        return ServerInfo(
            FfiConverterString.read(buf),
            FfiConverterString.read(buf),
            FfiConverterString.read(buf),
            FfiConverterString.read(buf),
            FfiConverterTypeServerLimits.read(buf),
        )
    }

    override fun allocationSize(value: ServerInfo) = (
            FfiConverterString.allocationSize(value.`name`) +
            FfiConverterString.allocationSize(value.`version`) +
            FfiConverterString.allocationSize(value.`address`) +
            FfiConverterString.allocationSize(value.`id`) +
            FfiConverterTypeServerLimits.allocationSize(value.`limits`)
    )

    override fun write(value: ServerInfo, buf: ByteBuffer) {
            FfiConverterString.write(value.`name`, buf)
            FfiConverterString.write(value.`version`, buf)
            FfiConverterString.write(value.`address`, buf)
            FfiConverterString.write(value.`id`, buf)
            FfiConverterTypeServerLimits.write(value.`limits`, buf)
    }
}



/**
 * Limits that the server told of when the client connected.
 */
data class ServerLimits (
    /**
     * Longest frame, in bytes.
     */
    val `maxFrameLen`: kotlin.Int
    ,
    /**
     * Longest batch, in bytes.
     */
    val `maxBatchLen`: kotlin.Int
    ,
    /**
     * Most records of a batch.
     */
    val `maxBatchRecords`: kotlin.Int
    ,
    /**
     * Most unanswered requests of a connection.
     */
    val `maxInFlight`: kotlin.Int
    ,
    /**
     * Most channels of a connection.
     */
    val `maxChannels`: kotlin.Int

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeServerLimits: FfiConverterRustBuffer<ServerLimits> {
    override fun read(buf: ByteBuffer): ServerLimits {
        return ServerLimits(
            FfiConverterInt.read(buf),
            FfiConverterInt.read(buf),
            FfiConverterInt.read(buf),
            FfiConverterInt.read(buf),
            FfiConverterInt.read(buf),
        )
    }

    override fun allocationSize(value: ServerLimits) = (
            FfiConverterInt.allocationSize(value.`maxFrameLen`) +
            FfiConverterInt.allocationSize(value.`maxBatchLen`) +
            FfiConverterInt.allocationSize(value.`maxBatchRecords`) +
            FfiConverterInt.allocationSize(value.`maxInFlight`) +
            FfiConverterInt.allocationSize(value.`maxChannels`)
    )

    override fun write(value: ServerLimits, buf: ByteBuffer) {
            FfiConverterInt.write(value.`maxFrameLen`, buf)
            FfiConverterInt.write(value.`maxBatchLen`, buf)
            FfiConverterInt.write(value.`maxBatchRecords`, buf)
            FfiConverterInt.write(value.`maxInFlight`, buf)
            FfiConverterInt.write(value.`maxChannels`, buf)
    }
}



/**
 * A stream.
 */
data class StreamInfo (
    /**
     * Its name.
     */
    val `name`: kotlin.String
    ,
    /**
     * Its number, never used again.
     */
    val `id`: kotlin.Long
    ,
    /**
     * When it was created, in microseconds since the Unix epoch.
     */
    val `createdUs`: kotlin.Long
    ,
    /**
     * How many topics it has.
     */
    val `topics`: kotlin.Int

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeStreamInfo: FfiConverterRustBuffer<StreamInfo> {
    override fun read(buf: ByteBuffer): StreamInfo {
        return StreamInfo(
            FfiConverterString.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterInt.read(buf),
        )
    }

    override fun allocationSize(value: StreamInfo) = (
            FfiConverterString.allocationSize(value.`name`) +
            FfiConverterLong.allocationSize(value.`id`) +
            FfiConverterLong.allocationSize(value.`createdUs`) +
            FfiConverterInt.allocationSize(value.`topics`)
    )

    override fun write(value: StreamInfo, buf: ByteBuffer) {
            FfiConverterString.write(value.`name`, buf)
            FfiConverterLong.write(value.`id`, buf)
            FfiConverterLong.write(value.`createdUs`, buf)
            FfiConverterInt.write(value.`topics`, buf)
    }
}



/**
 * What a look for the next batch found.
 */
data class Taken (
    /**
     * The next batch, valid until the next one is taken; if none, none is there now.
     */
    val `batch`: Lent?
    ,
    /**
     * No more will come.
     */
    val `closed`: kotlin.Boolean

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeTaken: FfiConverterRustBuffer<Taken> {
    override fun read(buf: ByteBuffer): Taken {
        return Taken(
            FfiConverterOptionalTypeLent.read(buf),
            FfiConverterBoolean.read(buf),
        )
    }

    override fun allocationSize(value: Taken) = (
            FfiConverterOptionalTypeLent.allocationSize(value.`batch`) +
            FfiConverterBoolean.allocationSize(value.`closed`)
    )

    override fun write(value: Taken, buf: ByteBuffer) {
            FfiConverterOptionalTypeLent.write(value.`batch`, buf)
            FfiConverterBoolean.write(value.`closed`, buf)
    }
}



/**
 * A token.
 */
data class TokenInfo (
    /**
     * Its number.
     */
    val `id`: kotlin.Long
    ,
    /**
     * Its name.
     */
    val `name`: kotlin.String
    ,
    /**
     * Whose it is.
     */
    val `user`: kotlin.String
    ,
    /**
     * When it was created, in microseconds since the Unix epoch.
     */
    val `createdUs`: kotlin.Long
    ,
    /**
     * When it ceases to be valid, in microseconds since the Unix epoch; never if there is none.
     */
    val `expiresUs`: kotlin.Long?

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeTokenInfo: FfiConverterRustBuffer<TokenInfo> {
    override fun read(buf: ByteBuffer): TokenInfo {
        return TokenInfo(
            FfiConverterLong.read(buf),
            FfiConverterString.read(buf),
            FfiConverterString.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterOptionalLong.read(buf),
        )
    }

    override fun allocationSize(value: TokenInfo) = (
            FfiConverterLong.allocationSize(value.`id`) +
            FfiConverterString.allocationSize(value.`name`) +
            FfiConverterString.allocationSize(value.`user`) +
            FfiConverterLong.allocationSize(value.`createdUs`) +
            FfiConverterOptionalLong.allocationSize(value.`expiresUs`)
    )

    override fun write(value: TokenInfo, buf: ByteBuffer) {
            FfiConverterLong.write(value.`id`, buf)
            FfiConverterString.write(value.`name`, buf)
            FfiConverterString.write(value.`user`, buf)
            FfiConverterLong.write(value.`createdUs`, buf)
            FfiConverterOptionalLong.write(value.`expiresUs`, buf)
    }
}



/**
 * A topic.
 */
data class TopicInfo (
    /**
     * Its stream.
     */
    val `stream`: kotlin.String
    ,
    /**
     * Its name within the stream.
     */
    val `name`: kotlin.String
    ,
    /**
     * Its number, never used again.
     */
    val `id`: kotlin.Long
    ,
    /**
     * When it was created, in microseconds since the Unix epoch.
     */
    val `createdUs`: kotlin.Long
    ,
    /**
     * How many partitions it has.
     */
    val `partitions`: kotlin.Int
    ,
    /**
     * Size at which a partition's log begins a new file, in bytes.
     */
    val `segmentBytes`: kotlin.Long
    ,
    /**
     * Compression by producers that do not choose for themselves: `none`, `lz4` or `zstd`.
     */
    val `codec`: kotlin.String
    ,
    /**
     * How long records are kept, in milliseconds; 0 is for ever.
     */
    val `retentionMs`: kotlin.Long
    ,
    /**
     * How much of each partition is kept, in bytes; 0 is all.
     */
    val `retentionBytes`: kotlin.Long
    ,
    /**
     * For how long a record's id is remembered, in milliseconds; 0 is not at all.
     */
    val `dedupWindowMs`: kotlin.Long

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeTopicInfo: FfiConverterRustBuffer<TopicInfo> {
    override fun read(buf: ByteBuffer): TopicInfo {
        return TopicInfo(
            FfiConverterString.read(buf),
            FfiConverterString.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterInt.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterString.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
        )
    }

    override fun allocationSize(value: TopicInfo) = (
            FfiConverterString.allocationSize(value.`stream`) +
            FfiConverterString.allocationSize(value.`name`) +
            FfiConverterLong.allocationSize(value.`id`) +
            FfiConverterLong.allocationSize(value.`createdUs`) +
            FfiConverterInt.allocationSize(value.`partitions`) +
            FfiConverterLong.allocationSize(value.`segmentBytes`) +
            FfiConverterString.allocationSize(value.`codec`) +
            FfiConverterLong.allocationSize(value.`retentionMs`) +
            FfiConverterLong.allocationSize(value.`retentionBytes`) +
            FfiConverterLong.allocationSize(value.`dedupWindowMs`)
    )

    override fun write(value: TopicInfo, buf: ByteBuffer) {
            FfiConverterString.write(value.`stream`, buf)
            FfiConverterString.write(value.`name`, buf)
            FfiConverterLong.write(value.`id`, buf)
            FfiConverterLong.write(value.`createdUs`, buf)
            FfiConverterInt.write(value.`partitions`, buf)
            FfiConverterLong.write(value.`segmentBytes`, buf)
            FfiConverterString.write(value.`codec`, buf)
            FfiConverterLong.write(value.`retentionMs`, buf)
            FfiConverterLong.write(value.`retentionBytes`, buf)
            FfiConverterLong.write(value.`dedupWindowMs`, buf)
    }
}



/**
 * A partition of a topic.
 */
data class TopicPartition (
    /**
     * The topic, `stream/topic`.
     */
    val `topic`: kotlin.String
    ,
    /**
     * The partition.
     */
    val `partition`: kotlin.Int

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeTopicPartition: FfiConverterRustBuffer<TopicPartition> {
    override fun read(buf: ByteBuffer): TopicPartition {
        return TopicPartition(
            FfiConverterString.read(buf),
            FfiConverterInt.read(buf),
        )
    }

    override fun allocationSize(value: TopicPartition) = (
            FfiConverterString.allocationSize(value.`topic`) +
            FfiConverterInt.allocationSize(value.`partition`)
    )

    override fun write(value: TopicPartition, buf: ByteBuffer) {
            FfiConverterString.write(value.`topic`, buf)
            FfiConverterInt.write(value.`partition`, buf)
    }
}



/**
 * Records of a partition that were not acknowledged when their producer was closed.
 */
data class Unsent (
    /**
     * The partition.
     */
    val `partition`: kotlin.Int
    ,
    /**
     * Records that were certainly not appended.
     */
    val `failedRecords`: kotlin.Long
    ,
    /**
     * Records that may have been appended.
     */
    val `unknownRecords`: kotlin.Long

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeUnsent: FfiConverterRustBuffer<Unsent> {
    override fun read(buf: ByteBuffer): Unsent {
        return Unsent(
            FfiConverterInt.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
        )
    }

    override fun allocationSize(value: Unsent) = (
            FfiConverterInt.allocationSize(value.`partition`) +
            FfiConverterLong.allocationSize(value.`failedRecords`) +
            FfiConverterLong.allocationSize(value.`unknownRecords`)
    )

    override fun write(value: Unsent, buf: ByteBuffer) {
            FfiConverterInt.write(value.`partition`, buf)
            FfiConverterLong.write(value.`failedRecords`, buf)
            FfiConverterLong.write(value.`unknownRecords`, buf)
    }
}



/**
 * A user and its rights.
 */
data class UserDescription (
    /**
     * The user.
     */
    val `user`: UserInfo
    ,
    /**
     * Its rights, each as its text: `read,write topic shop/orders`.
     */
    val `grants`: List<kotlin.String>

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeUserDescription: FfiConverterRustBuffer<UserDescription> {
    override fun read(buf: ByteBuffer): UserDescription {
        return UserDescription(
            FfiConverterTypeUserInfo.read(buf),
            FfiConverterSequenceString.read(buf),
        )
    }

    override fun allocationSize(value: UserDescription) = (
            FfiConverterTypeUserInfo.allocationSize(value.`user`) +
            FfiConverterSequenceString.allocationSize(value.`grants`)
    )

    override fun write(value: UserDescription, buf: ByteBuffer) {
            FfiConverterTypeUserInfo.write(value.`user`, buf)
            FfiConverterSequenceString.write(value.`grants`, buf)
    }
}



/**
 * A user.
 */
data class UserInfo (
    /**
     * Its name.
     */
    val `name`: kotlin.String
    ,
    /**
     * Its number.
     */
    val `id`: kotlin.Long
    ,
    /**
     * When it was created, in microseconds since the Unix epoch.
     */
    val `createdUs`: kotlin.Long
    ,
    /**
     * Whether it may log in.
     */
    val `enabled`: kotlin.Boolean
    ,
    /**
     * Whether it has a password.
     */
    val `password`: kotlin.Boolean
    ,
    /**
     * How many tokens it has.
     */
    val `tokens`: kotlin.Int

){





    companion object
}

/**
 * @suppress
 */
public object FfiConverterTypeUserInfo: FfiConverterRustBuffer<UserInfo> {
    override fun read(buf: ByteBuffer): UserInfo {
        return UserInfo(
            FfiConverterString.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterLong.read(buf),
            FfiConverterBoolean.read(buf),
            FfiConverterBoolean.read(buf),
            FfiConverterInt.read(buf),
        )
    }

    override fun allocationSize(value: UserInfo) = (
            FfiConverterString.allocationSize(value.`name`) +
            FfiConverterLong.allocationSize(value.`id`) +
            FfiConverterLong.allocationSize(value.`createdUs`) +
            FfiConverterBoolean.allocationSize(value.`enabled`) +
            FfiConverterBoolean.allocationSize(value.`password`) +
            FfiConverterInt.allocationSize(value.`tokens`)
    )

    override fun write(value: UserInfo, buf: ByteBuffer) {
            FfiConverterString.write(value.`name`, buf)
            FfiConverterLong.write(value.`id`, buf)
            FfiConverterLong.write(value.`createdUs`, buf)
            FfiConverterBoolean.write(value.`enabled`, buf)
            FfiConverterBoolean.write(value.`password`, buf)
            FfiConverterInt.write(value.`tokens`, buf)
    }
}





/**
 * The one error of all calls.
 */
sealed class NativeException: kotlin.Exception() {

    /**
     * It failed.
     */
    class Failed(

        /**
         * Why.
         */
        val `failure`: Failure
        ) : NativeException() {
        override val message
            get() = "failure=${ `failure` }"
    }





    companion object ErrorHandler : UniffiRustCallStatusErrorHandler<NativeException> {
        override fun lift(error_buf: RustBuffer.ByValue): NativeException = FfiConverterTypeNativeError.lift(error_buf)
    }


}

/**
 * @suppress
 */
public object FfiConverterTypeNativeError : FfiConverterRustBuffer<NativeException> {
    override fun read(buf: ByteBuffer): NativeException {


        return when(buf.getInt()) {
            1 -> NativeException.Failed(
                FfiConverterTypeFailure.read(buf),
                )
            else -> throw RuntimeException("invalid error enum value, something is very wrong!!")
        }
    }

    override fun allocationSize(value: NativeException): ULong {
        return when(value) {
            is NativeException.Failed -> (
                // Add the size for the Int that specifies the variant plus the size needed for all fields
                4UL
                + FfiConverterTypeFailure.allocationSize(value.`failure`)
            )
        }
    }

    override fun write(value: NativeException, buf: ByteBuffer) {
        when(value) {
            is NativeException.Failed -> {
                buf.putInt(1)
                FfiConverterTypeFailure.write(value.`failure`, buf)
                Unit
            }
        }.let { /* this makes the `when` an expression, which ensures it is exhaustive */ }
    }

}




/**
 * @suppress
 */
public object FfiConverterOptionalInt: FfiConverterRustBuffer<kotlin.Int?> {
    override fun read(buf: ByteBuffer): kotlin.Int? {
        if (buf.get().toInt() == 0) {
            return null
        }
        return FfiConverterInt.read(buf)
    }

    override fun allocationSize(value: kotlin.Int?): ULong {
        if (value == null) {
            return 1UL
        } else {
            return 1UL + FfiConverterInt.allocationSize(value)
        }
    }

    override fun write(value: kotlin.Int?, buf: ByteBuffer) {
        if (value == null) {
            buf.put(0)
        } else {
            buf.put(1)
            FfiConverterInt.write(value, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterOptionalLong: FfiConverterRustBuffer<kotlin.Long?> {
    override fun read(buf: ByteBuffer): kotlin.Long? {
        if (buf.get().toInt() == 0) {
            return null
        }
        return FfiConverterLong.read(buf)
    }

    override fun allocationSize(value: kotlin.Long?): ULong {
        if (value == null) {
            return 1UL
        } else {
            return 1UL + FfiConverterLong.allocationSize(value)
        }
    }

    override fun write(value: kotlin.Long?, buf: ByteBuffer) {
        if (value == null) {
            buf.put(0)
        } else {
            buf.put(1)
            FfiConverterLong.write(value, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterOptionalString: FfiConverterRustBuffer<kotlin.String?> {
    override fun read(buf: ByteBuffer): kotlin.String? {
        if (buf.get().toInt() == 0) {
            return null
        }
        return FfiConverterString.read(buf)
    }

    override fun allocationSize(value: kotlin.String?): ULong {
        if (value == null) {
            return 1UL
        } else {
            return 1UL + FfiConverterString.allocationSize(value)
        }
    }

    override fun write(value: kotlin.String?, buf: ByteBuffer) {
        if (value == null) {
            buf.put(0)
        } else {
            buf.put(1)
            FfiConverterString.write(value, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterOptionalTypeNativeTickets: FfiConverterRustBuffer<NativeTickets?> {
    override fun read(buf: ByteBuffer): NativeTickets? {
        if (buf.get().toInt() == 0) {
            return null
        }
        return FfiConverterTypeNativeTickets.read(buf)
    }

    override fun allocationSize(value: NativeTickets?): ULong {
        if (value == null) {
            return 1UL
        } else {
            return 1UL + FfiConverterTypeNativeTickets.allocationSize(value)
        }
    }

    override fun write(value: NativeTickets?, buf: ByteBuffer) {
        if (value == null) {
            buf.put(0)
        } else {
            buf.put(1)
            FfiConverterTypeNativeTickets.write(value, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterOptionalTypeFailure: FfiConverterRustBuffer<Failure?> {
    override fun read(buf: ByteBuffer): Failure? {
        if (buf.get().toInt() == 0) {
            return null
        }
        return FfiConverterTypeFailure.read(buf)
    }

    override fun allocationSize(value: Failure?): ULong {
        if (value == null) {
            return 1UL
        } else {
            return 1UL + FfiConverterTypeFailure.allocationSize(value)
        }
    }

    override fun write(value: Failure?, buf: ByteBuffer) {
        if (value == null) {
            buf.put(0)
        } else {
            buf.put(1)
            FfiConverterTypeFailure.write(value, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterOptionalTypeLent: FfiConverterRustBuffer<Lent?> {
    override fun read(buf: ByteBuffer): Lent? {
        if (buf.get().toInt() == 0) {
            return null
        }
        return FfiConverterTypeLent.read(buf)
    }

    override fun allocationSize(value: Lent?): ULong {
        if (value == null) {
            return 1UL
        } else {
            return 1UL + FfiConverterTypeLent.allocationSize(value)
        }
    }

    override fun write(value: Lent?, buf: ByteBuffer) {
        if (value == null) {
            buf.put(0)
        } else {
            buf.put(1)
            FfiConverterTypeLent.write(value, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterOptionalTypeNativeEvent: FfiConverterRustBuffer<NativeEvent?> {
    override fun read(buf: ByteBuffer): NativeEvent? {
        if (buf.get().toInt() == 0) {
            return null
        }
        return FfiConverterTypeNativeEvent.read(buf)
    }

    override fun allocationSize(value: NativeEvent?): ULong {
        if (value == null) {
            return 1UL
        } else {
            return 1UL + FfiConverterTypeNativeEvent.allocationSize(value)
        }
    }

    override fun write(value: NativeEvent?, buf: ByteBuffer) {
        if (value == null) {
            buf.put(0)
        } else {
            buf.put(1)
            FfiConverterTypeNativeEvent.write(value, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterOptionalSequenceInt: FfiConverterRustBuffer<List<kotlin.Int>?> {
    override fun read(buf: ByteBuffer): List<kotlin.Int>? {
        if (buf.get().toInt() == 0) {
            return null
        }
        return FfiConverterSequenceInt.read(buf)
    }

    override fun allocationSize(value: List<kotlin.Int>?): ULong {
        if (value == null) {
            return 1UL
        } else {
            return 1UL + FfiConverterSequenceInt.allocationSize(value)
        }
    }

    override fun write(value: List<kotlin.Int>?, buf: ByteBuffer) {
        if (value == null) {
            buf.put(0)
        } else {
            buf.put(1)
            FfiConverterSequenceInt.write(value, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterOptionalSequenceTypeTopicPartition: FfiConverterRustBuffer<List<TopicPartition>?> {
    override fun read(buf: ByteBuffer): List<TopicPartition>? {
        if (buf.get().toInt() == 0) {
            return null
        }
        return FfiConverterSequenceTypeTopicPartition.read(buf)
    }

    override fun allocationSize(value: List<TopicPartition>?): ULong {
        if (value == null) {
            return 1UL
        } else {
            return 1UL + FfiConverterSequenceTypeTopicPartition.allocationSize(value)
        }
    }

    override fun write(value: List<TopicPartition>?, buf: ByteBuffer) {
        if (value == null) {
            buf.put(0)
        } else {
            buf.put(1)
            FfiConverterSequenceTypeTopicPartition.write(value, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterSequenceInt: FfiConverterRustBuffer<List<kotlin.Int>> {
    override fun read(buf: ByteBuffer): List<kotlin.Int> {
        val len = buf.getInt()
        return List<kotlin.Int>(len) {
            FfiConverterInt.read(buf)
        }
    }

    override fun allocationSize(value: List<kotlin.Int>): ULong {
        val sizeForLength = 4UL
        val sizeForItems = value.map { FfiConverterInt.allocationSize(it) }.sum()
        return sizeForLength + sizeForItems
    }

    override fun write(value: List<kotlin.Int>, buf: ByteBuffer) {
        buf.putInt(value.size)
        value.iterator().forEach {
            FfiConverterInt.write(it, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterSequenceString: FfiConverterRustBuffer<List<kotlin.String>> {
    override fun read(buf: ByteBuffer): List<kotlin.String> {
        val len = buf.getInt()
        return List<kotlin.String>(len) {
            FfiConverterString.read(buf)
        }
    }

    override fun allocationSize(value: List<kotlin.String>): ULong {
        val sizeForLength = 4UL
        val sizeForItems = value.map { FfiConverterString.allocationSize(it) }.sum()
        return sizeForLength + sizeForItems
    }

    override fun write(value: List<kotlin.String>, buf: ByteBuffer) {
        buf.putInt(value.size)
        value.iterator().forEach {
            FfiConverterString.write(it, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterSequenceTypeCommittedOffset: FfiConverterRustBuffer<List<CommittedOffset>> {
    override fun read(buf: ByteBuffer): List<CommittedOffset> {
        val len = buf.getInt()
        return List<CommittedOffset>(len) {
            FfiConverterTypeCommittedOffset.read(buf)
        }
    }

    override fun allocationSize(value: List<CommittedOffset>): ULong {
        val sizeForLength = 4UL
        val sizeForItems = value.map { FfiConverterTypeCommittedOffset.allocationSize(it) }.sum()
        return sizeForLength + sizeForItems
    }

    override fun write(value: List<CommittedOffset>, buf: ByteBuffer) {
        buf.putInt(value.size)
        value.iterator().forEach {
            FfiConverterTypeCommittedOffset.write(it, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterSequenceTypeFailure: FfiConverterRustBuffer<List<Failure>> {
    override fun read(buf: ByteBuffer): List<Failure> {
        val len = buf.getInt()
        return List<Failure>(len) {
            FfiConverterTypeFailure.read(buf)
        }
    }

    override fun allocationSize(value: List<Failure>): ULong {
        val sizeForLength = 4UL
        val sizeForItems = value.map { FfiConverterTypeFailure.allocationSize(it) }.sum()
        return sizeForLength + sizeForItems
    }

    override fun write(value: List<Failure>, buf: ByteBuffer) {
        buf.putInt(value.size)
        value.iterator().forEach {
            FfiConverterTypeFailure.write(it, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterSequenceTypeGroupInfo: FfiConverterRustBuffer<List<GroupInfo>> {
    override fun read(buf: ByteBuffer): List<GroupInfo> {
        val len = buf.getInt()
        return List<GroupInfo>(len) {
            FfiConverterTypeGroupInfo.read(buf)
        }
    }

    override fun allocationSize(value: List<GroupInfo>): ULong {
        val sizeForLength = 4UL
        val sizeForItems = value.map { FfiConverterTypeGroupInfo.allocationSize(it) }.sum()
        return sizeForLength + sizeForItems
    }

    override fun write(value: List<GroupInfo>, buf: ByteBuffer) {
        buf.putInt(value.size)
        value.iterator().forEach {
            FfiConverterTypeGroupInfo.write(it, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterSequenceTypeGroupMember: FfiConverterRustBuffer<List<GroupMember>> {
    override fun read(buf: ByteBuffer): List<GroupMember> {
        val len = buf.getInt()
        return List<GroupMember>(len) {
            FfiConverterTypeGroupMember.read(buf)
        }
    }

    override fun allocationSize(value: List<GroupMember>): ULong {
        val sizeForLength = 4UL
        val sizeForItems = value.map { FfiConverterTypeGroupMember.allocationSize(it) }.sum()
        return sizeForLength + sizeForItems
    }

    override fun write(value: List<GroupMember>, buf: ByteBuffer) {
        buf.putInt(value.size)
        value.iterator().forEach {
            FfiConverterTypeGroupMember.write(it, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterSequenceTypeGroupPartition: FfiConverterRustBuffer<List<GroupPartition>> {
    override fun read(buf: ByteBuffer): List<GroupPartition> {
        val len = buf.getInt()
        return List<GroupPartition>(len) {
            FfiConverterTypeGroupPartition.read(buf)
        }
    }

    override fun allocationSize(value: List<GroupPartition>): ULong {
        val sizeForLength = 4UL
        val sizeForItems = value.map { FfiConverterTypeGroupPartition.allocationSize(it) }.sum()
        return sizeForLength + sizeForItems
    }

    override fun write(value: List<GroupPartition>, buf: ByteBuffer) {
        buf.putInt(value.size)
        value.iterator().forEach {
            FfiConverterTypeGroupPartition.write(it, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterSequenceTypeLimitInfo: FfiConverterRustBuffer<List<LimitInfo>> {
    override fun read(buf: ByteBuffer): List<LimitInfo> {
        val len = buf.getInt()
        return List<LimitInfo>(len) {
            FfiConverterTypeLimitInfo.read(buf)
        }
    }

    override fun allocationSize(value: List<LimitInfo>): ULong {
        val sizeForLength = 4UL
        val sizeForItems = value.map { FfiConverterTypeLimitInfo.allocationSize(it) }.sum()
        return sizeForLength + sizeForItems
    }

    override fun write(value: List<LimitInfo>, buf: ByteBuffer) {
        buf.putInt(value.size)
        value.iterator().forEach {
            FfiConverterTypeLimitInfo.write(it, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterSequenceTypePartitionInfo: FfiConverterRustBuffer<List<PartitionInfo>> {
    override fun read(buf: ByteBuffer): List<PartitionInfo> {
        val len = buf.getInt()
        return List<PartitionInfo>(len) {
            FfiConverterTypePartitionInfo.read(buf)
        }
    }

    override fun allocationSize(value: List<PartitionInfo>): ULong {
        val sizeForLength = 4UL
        val sizeForItems = value.map { FfiConverterTypePartitionInfo.allocationSize(it) }.sum()
        return sizeForLength + sizeForItems
    }

    override fun write(value: List<PartitionInfo>, buf: ByteBuffer) {
        buf.putInt(value.size)
        value.iterator().forEach {
            FfiConverterTypePartitionInfo.write(it, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterSequenceTypePartitionOffset: FfiConverterRustBuffer<List<PartitionOffset>> {
    override fun read(buf: ByteBuffer): List<PartitionOffset> {
        val len = buf.getInt()
        return List<PartitionOffset>(len) {
            FfiConverterTypePartitionOffset.read(buf)
        }
    }

    override fun allocationSize(value: List<PartitionOffset>): ULong {
        val sizeForLength = 4UL
        val sizeForItems = value.map { FfiConverterTypePartitionOffset.allocationSize(it) }.sum()
        return sizeForLength + sizeForItems
    }

    override fun write(value: List<PartitionOffset>, buf: ByteBuffer) {
        buf.putInt(value.size)
        value.iterator().forEach {
            FfiConverterTypePartitionOffset.write(it, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterSequenceTypePosition: FfiConverterRustBuffer<List<Position>> {
    override fun read(buf: ByteBuffer): List<Position> {
        val len = buf.getInt()
        return List<Position>(len) {
            FfiConverterTypePosition.read(buf)
        }
    }

    override fun allocationSize(value: List<Position>): ULong {
        val sizeForLength = 4UL
        val sizeForItems = value.map { FfiConverterTypePosition.allocationSize(it) }.sum()
        return sizeForLength + sizeForItems
    }

    override fun write(value: List<Position>, buf: ByteBuffer) {
        buf.putInt(value.size)
        value.iterator().forEach {
            FfiConverterTypePosition.write(it, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterSequenceTypeProducerInfo: FfiConverterRustBuffer<List<ProducerInfo>> {
    override fun read(buf: ByteBuffer): List<ProducerInfo> {
        val len = buf.getInt()
        return List<ProducerInfo>(len) {
            FfiConverterTypeProducerInfo.read(buf)
        }
    }

    override fun allocationSize(value: List<ProducerInfo>): ULong {
        val sizeForLength = 4UL
        val sizeForItems = value.map { FfiConverterTypeProducerInfo.allocationSize(it) }.sum()
        return sizeForLength + sizeForItems
    }

    override fun write(value: List<ProducerInfo>, buf: ByteBuffer) {
        buf.putInt(value.size)
        value.iterator().forEach {
            FfiConverterTypeProducerInfo.write(it, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterSequenceTypeStreamInfo: FfiConverterRustBuffer<List<StreamInfo>> {
    override fun read(buf: ByteBuffer): List<StreamInfo> {
        val len = buf.getInt()
        return List<StreamInfo>(len) {
            FfiConverterTypeStreamInfo.read(buf)
        }
    }

    override fun allocationSize(value: List<StreamInfo>): ULong {
        val sizeForLength = 4UL
        val sizeForItems = value.map { FfiConverterTypeStreamInfo.allocationSize(it) }.sum()
        return sizeForLength + sizeForItems
    }

    override fun write(value: List<StreamInfo>, buf: ByteBuffer) {
        buf.putInt(value.size)
        value.iterator().forEach {
            FfiConverterTypeStreamInfo.write(it, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterSequenceTypeTokenInfo: FfiConverterRustBuffer<List<TokenInfo>> {
    override fun read(buf: ByteBuffer): List<TokenInfo> {
        val len = buf.getInt()
        return List<TokenInfo>(len) {
            FfiConverterTypeTokenInfo.read(buf)
        }
    }

    override fun allocationSize(value: List<TokenInfo>): ULong {
        val sizeForLength = 4UL
        val sizeForItems = value.map { FfiConverterTypeTokenInfo.allocationSize(it) }.sum()
        return sizeForLength + sizeForItems
    }

    override fun write(value: List<TokenInfo>, buf: ByteBuffer) {
        buf.putInt(value.size)
        value.iterator().forEach {
            FfiConverterTypeTokenInfo.write(it, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterSequenceTypeTopicInfo: FfiConverterRustBuffer<List<TopicInfo>> {
    override fun read(buf: ByteBuffer): List<TopicInfo> {
        val len = buf.getInt()
        return List<TopicInfo>(len) {
            FfiConverterTypeTopicInfo.read(buf)
        }
    }

    override fun allocationSize(value: List<TopicInfo>): ULong {
        val sizeForLength = 4UL
        val sizeForItems = value.map { FfiConverterTypeTopicInfo.allocationSize(it) }.sum()
        return sizeForLength + sizeForItems
    }

    override fun write(value: List<TopicInfo>, buf: ByteBuffer) {
        buf.putInt(value.size)
        value.iterator().forEach {
            FfiConverterTypeTopicInfo.write(it, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterSequenceTypeTopicPartition: FfiConverterRustBuffer<List<TopicPartition>> {
    override fun read(buf: ByteBuffer): List<TopicPartition> {
        val len = buf.getInt()
        return List<TopicPartition>(len) {
            FfiConverterTypeTopicPartition.read(buf)
        }
    }

    override fun allocationSize(value: List<TopicPartition>): ULong {
        val sizeForLength = 4UL
        val sizeForItems = value.map { FfiConverterTypeTopicPartition.allocationSize(it) }.sum()
        return sizeForLength + sizeForItems
    }

    override fun write(value: List<TopicPartition>, buf: ByteBuffer) {
        buf.putInt(value.size)
        value.iterator().forEach {
            FfiConverterTypeTopicPartition.write(it, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterSequenceTypeUnsent: FfiConverterRustBuffer<List<Unsent>> {
    override fun read(buf: ByteBuffer): List<Unsent> {
        val len = buf.getInt()
        return List<Unsent>(len) {
            FfiConverterTypeUnsent.read(buf)
        }
    }

    override fun allocationSize(value: List<Unsent>): ULong {
        val sizeForLength = 4UL
        val sizeForItems = value.map { FfiConverterTypeUnsent.allocationSize(it) }.sum()
        return sizeForLength + sizeForItems
    }

    override fun write(value: List<Unsent>, buf: ByteBuffer) {
        buf.putInt(value.size)
        value.iterator().forEach {
            FfiConverterTypeUnsent.write(it, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterSequenceTypeUserInfo: FfiConverterRustBuffer<List<UserInfo>> {
    override fun read(buf: ByteBuffer): List<UserInfo> {
        val len = buf.getInt()
        return List<UserInfo>(len) {
            FfiConverterTypeUserInfo.read(buf)
        }
    }

    override fun allocationSize(value: List<UserInfo>): ULong {
        val sizeForLength = 4UL
        val sizeForItems = value.map { FfiConverterTypeUserInfo.allocationSize(it) }.sum()
        return sizeForLength + sizeForItems
    }

    override fun write(value: List<UserInfo>, buf: ByteBuffer) {
        buf.putInt(value.size)
        value.iterator().forEach {
            FfiConverterTypeUserInfo.write(it, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterMapIntLong: FfiConverterRustBuffer<Map<kotlin.Int, kotlin.Long>> {
    override fun read(buf: ByteBuffer): Map<kotlin.Int, kotlin.Long> {
        val len = buf.getInt()
        return buildMap<kotlin.Int, kotlin.Long>(len) {
            repeat(len) {
                val k = FfiConverterInt.read(buf)
                val v = FfiConverterLong.read(buf)
                this[k] = v
            }
        }
    }

    override fun allocationSize(value: Map<kotlin.Int, kotlin.Long>): ULong {
        val spaceForMapSize = 4UL
        val spaceForChildren = value.map { (k, v) ->
            FfiConverterInt.allocationSize(k) +
            FfiConverterLong.allocationSize(v)
        }.sum()
        return spaceForMapSize + spaceForChildren
    }

    override fun write(value: Map<kotlin.Int, kotlin.Long>, buf: ByteBuffer) {
        buf.putInt(value.size)
        // The parens on `(k, v)` here ensure we're calling the right method,
        // which is important for compatibility with older android devices.
        // Ref https://blog.danlew.net/2017/03/16/kotlin-puzzler-whose-line-is-it-anyways/
        value.forEach { (k, v) ->
            FfiConverterInt.write(k, buf)
            FfiConverterLong.write(v, buf)
        }
    }
}




/**
 * @suppress
 */
public object FfiConverterMapStringString: FfiConverterRustBuffer<Map<kotlin.String, kotlin.String>> {
    override fun read(buf: ByteBuffer): Map<kotlin.String, kotlin.String> {
        val len = buf.getInt()
        return buildMap<kotlin.String, kotlin.String>(len) {
            repeat(len) {
                val k = FfiConverterString.read(buf)
                val v = FfiConverterString.read(buf)
                this[k] = v
            }
        }
    }

    override fun allocationSize(value: Map<kotlin.String, kotlin.String>): ULong {
        val spaceForMapSize = 4UL
        val spaceForChildren = value.map { (k, v) ->
            FfiConverterString.allocationSize(k) +
            FfiConverterString.allocationSize(v)
        }.sum()
        return spaceForMapSize + spaceForChildren
    }

    override fun write(value: Map<kotlin.String, kotlin.String>, buf: ByteBuffer) {
        buf.putInt(value.size)
        // The parens on `(k, v)` here ensure we're calling the right method,
        // which is important for compatibility with older android devices.
        // Ref https://blog.danlew.net/2017/03/16/kotlin-puzzler-whose-line-is-it-anyways/
        value.forEach { (k, v) ->
            FfiConverterString.write(k, buf)
            FfiConverterString.write(v, buf)
        }
    }
}








        /**
         * Reads one batch as it is stored, with its header, after checking all of it; `CORRUPT_BATCH`
         * says what is wrong with it.
         */
    @Throws(NativeException::class) fun `storedBatch`(`bytes`: kotlin.ByteArray): NativeBatches {
            return FfiConverterTypeNativeBatches.lift(
    uniffiRustCallWithError(NativeException) { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_func_stored_batch(


        FfiConverterByteArray.lower(`bytes`),_status)
}
    )
    }


        /**
         * Connects to the first server of `url` that can be reached.
         */
    @Throws(NativeException::class)
    @Suppress("ASSIGNED_BUT_NEVER_ACCESSED_VARIABLE")
     suspend fun `connect`(`url`: kotlin.String?, `options`: Map<kotlin.String, kotlin.String>) : NativeClient {
        return uniffiRustCallAsync(
        UniffiLib.uniffi_tidewire_uniffi_fn_func_connect(
        FfiConverterOptionalString.lower(`url`),
        FfiConverterMapStringString.lower(`options`),),
        { future, callback, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_poll_u64(future, callback, continuation) },
        { future, continuation -> UniffiLib.ffi_tidewire_uniffi_rust_future_complete_u64(future, continuation) },
        { future -> UniffiLib.ffi_tidewire_uniffi_rust_future_free_u64(future) },
        // lift function
        { FfiConverterTypeNativeClient.lift(it) },
        // Error FFI converter
        NativeException.ErrorHandler,
    )
    }

        /**
         * The version of the library.
         */ fun `version`(): kotlin.String {
            return FfiConverterString.lift(
    uniffiRustCall() { _status ->
    UniffiLib.uniffi_tidewire_uniffi_fn_func_version(

        _status)
}
    )
    }
