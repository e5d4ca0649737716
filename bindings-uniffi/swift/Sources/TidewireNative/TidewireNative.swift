// Written by UniFFI: `cargo xtask uniffi`. Do not edit.

// swiftlint:disable all
import Foundation

// Depending on the consumer's build setup, the low-level FFI code
// might be in a separate module, or it might be compiled inline into
// this module. This is a bit of light hackery to work with both.
#if canImport(TidewireNativeFFI)
import TidewireNativeFFI
#endif

fileprivate extension RustBuffer {
    // Allocate a new buffer, copying the contents of a `UInt8` array.
    init(bytes: [UInt8]) {
        let rbuf = bytes.withUnsafeBufferPointer { ptr in
            RustBuffer.from(ptr)
        }
        self.init(capacity: rbuf.capacity, len: rbuf.len, data: rbuf.data)
    }

    static func empty() -> RustBuffer {
        RustBuffer(capacity: 0, len:0, data: nil)
    }

    static func from(_ ptr: UnsafeBufferPointer<UInt8>) -> RustBuffer {
        try! rustCall { ffi_tidewire_uniffi_rustbuffer_from_bytes(ForeignBytes(bufferPointer: ptr), $0) }
    }

    // Frees the buffer in place.
    // The buffer must not be used after this is called.
    func deallocate() {
        try! rustCall { ffi_tidewire_uniffi_rustbuffer_free(self, $0) }
    }
}

fileprivate extension ForeignBytes {
    init(bufferPointer: UnsafeBufferPointer<UInt8>) {
        self.init(len: Int32(bufferPointer.count), data: bufferPointer.baseAddress)
    }

    init(rawBufferPointer: UnsafeRawBufferPointer) {
        self.init(
            len: Int32(rawBufferPointer.count),
            data: rawBufferPointer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        )
    }
}

// Converter for `&[u8]` / `[ByRef] bytes` arguments.
//
// Conforms to `FfiConverter` so the compiler enforces the full converter
// method set. Only the scope-bound `lower(_:_body:)` overload is sound —
// zero-copy byte buffers only flow foreign -> Rust, and only in argument
// position. The four protocol-witness methods (`lift`, `lower`, `read`,
// `write`) `fatalError` at runtime if anyone reaches them.
//
// The scope-bound `lower` takes a closure because the `ForeignBytes`
// pointer is only guaranteed valid for the duration of
// `Data.withUnsafeBytes`. Callers must run the full FFI call inside
// the closure body.
fileprivate enum FfiConverterByRefBytes: FfiConverter {
    typealias SwiftType = Data
    typealias FfiType = ForeignBytes

    static func lower<R>(_ value: Data, _ body: (ForeignBytes) throws -> R) rethrows -> R {
        return try value.withUnsafeBytes { rawBuf in
            try body(ForeignBytes(rawBufferPointer: rawBuf))
        }
    }

    static func lower(_ value: Data) -> ForeignBytes {
        fatalError("ByRef bytes cannot use the plain lower: returning ForeignBytes escapes the Data.withUnsafeBytes scope. Use the scope-bound lower(_:_body:) overload instead.")
    }

    static func lift(_ value: ForeignBytes) throws -> Data {
        fatalError("ByRef bytes cannot be lifted: zero-copy &[u8] only flows foreign->Rust")
    }

    static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> Data {
        fatalError("ByRef bytes cannot be read from a buffer: zero-copy &[u8] is only supported in argument position, not nested in records/options/etc.")
    }

    static func write(_ value: Data, into buf: inout [UInt8]) {
        fatalError("ByRef bytes cannot be written to a buffer: zero-copy &[u8] is only supported in argument position, not nested in records/options/etc.")
    }
}

// For every type used in the interface, we provide helper methods for conveniently
// lifting and lowering that type from C-compatible data, and for reading and writing
// values of that type in a buffer.

// Helper classes/extensions that don't change.
// Someday, this will be in a library of its own.

fileprivate extension Data {
    init(rustBuffer: RustBuffer) {
        self.init(
            bytesNoCopy: rustBuffer.data!,
            count: Int(rustBuffer.len),
            deallocator: .none
        )
    }
}

// Define reader functionality.  Normally this would be defined in a class or
// struct, but we use standalone functions instead in order to make external
// types work.
//
// With external types, one swift source file needs to be able to call the read
// method on another source file's FfiConverter, but then what visibility
// should Reader have?
// - If Reader is fileprivate, then this means the read() must also
//   be fileprivate, which doesn't work with external types.
// - If Reader is internal/public, we'll get compile errors since both source
//   files will try define the same type.
//
// Instead, the read() method and these helper functions input a tuple of data

fileprivate func createReader(data: Data) -> (data: Data, offset: Data.Index) {
    (data: data, offset: 0)
}

// Reads an integer at the current offset, in big-endian order, and advances
// the offset on success. Throws if reading the integer would move the
// offset past the end of the buffer.
fileprivate func readInt<T: FixedWidthInteger>(_ reader: inout (data: Data, offset: Data.Index)) throws -> T {
    let range = reader.offset..<reader.offset + MemoryLayout<T>.size
    guard reader.data.count >= range.upperBound else {
        throw UniffiInternalError.bufferOverflow
    }
    if T.self == UInt8.self {
        let value = reader.data[reader.offset]
        reader.offset += 1
        return value as! T
    }
    var value: T = 0
    let _ = withUnsafeMutableBytes(of: &value, { reader.data.copyBytes(to: $0, from: range)})
    reader.offset = range.upperBound
    return value.bigEndian
}

// Reads an arbitrary number of bytes, to be used to read
// raw bytes, this is useful when lifting strings
fileprivate func readBytes(_ reader: inout (data: Data, offset: Data.Index), count: Int) throws -> Array<UInt8> {
    let range = reader.offset..<(reader.offset+count)
    guard reader.data.count >= range.upperBound else {
        throw UniffiInternalError.bufferOverflow
    }
    var value = [UInt8](repeating: 0, count: count)
    value.withUnsafeMutableBufferPointer({ buffer in
        reader.data.copyBytes(to: buffer, from: range)
    })
    reader.offset = range.upperBound
    return value
}

// Reads a float at the current offset.
fileprivate func readFloat(_ reader: inout (data: Data, offset: Data.Index)) throws -> Float {
    return Float(bitPattern: try readInt(&reader))
}

// Reads a float at the current offset.
fileprivate func readDouble(_ reader: inout (data: Data, offset: Data.Index)) throws -> Double {
    return Double(bitPattern: try readInt(&reader))
}

// Indicates if the offset has reached the end of the buffer.
fileprivate func hasRemaining(_ reader: (data: Data, offset: Data.Index)) -> Bool {
    return reader.offset < reader.data.count
}

// Define writer functionality.  Normally this would be defined in a class or
// struct, but we use standalone functions instead in order to make external
// types work.  See the above discussion on Readers for details.

fileprivate func createWriter() -> [UInt8] {
    return []
}

fileprivate func writeBytes<S>(_ writer: inout [UInt8], _ byteArr: S) where S: Sequence, S.Element == UInt8 {
    writer.append(contentsOf: byteArr)
}

// Writes an integer in big-endian order.
//
// Warning: make sure what you are trying to write
// is in the correct type!
fileprivate func writeInt<T: FixedWidthInteger>(_ writer: inout [UInt8], _ value: T) {
    var value = value.bigEndian
    withUnsafeBytes(of: &value) { writer.append(contentsOf: $0) }
}

fileprivate func writeFloat(_ writer: inout [UInt8], _ value: Float) {
    writeInt(&writer, value.bitPattern)
}

fileprivate func writeDouble(_ writer: inout [UInt8], _ value: Double) {
    writeInt(&writer, value.bitPattern)
}

// Protocol for types that transfer other types across the FFI. This is
// analogous to the Rust trait of the same name.
fileprivate protocol FfiConverter {
    associatedtype FfiType
    associatedtype SwiftType

    static func lift(_ value: FfiType) throws -> SwiftType
    static func lower(_ value: SwiftType) -> FfiType
    static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> SwiftType
    static func write(_ value: SwiftType, into buf: inout [UInt8])
}

// Types conforming to `Primitive` pass themselves directly over the FFI.
fileprivate protocol FfiConverterPrimitive: FfiConverter where FfiType == SwiftType { }

extension FfiConverterPrimitive {
#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    public static func lift(_ value: FfiType) throws -> SwiftType {
        return value
    }

#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    public static func lower(_ value: SwiftType) -> FfiType {
        return value
    }
}

// Types conforming to `FfiConverterRustBuffer` lift and lower into a `RustBuffer`.
// Used for complex types where it's hard to write a custom lift/lower.
fileprivate protocol FfiConverterRustBuffer: FfiConverter where FfiType == RustBuffer {}

extension FfiConverterRustBuffer {
#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    public static func lift(_ buf: RustBuffer) throws -> SwiftType {
        var reader = createReader(data: Data(rustBuffer: buf))
        let value = try read(from: &reader)
        if hasRemaining(reader) {
            throw UniffiInternalError.incompleteData
        }
        buf.deallocate()
        return value
    }

#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    public static func lower(_ value: SwiftType) -> RustBuffer {
          var writer = createWriter()
          write(value, into: &writer)
          return RustBuffer(bytes: writer)
    }
}
// An error type for FFI errors. These errors occur at the UniFFI level, not
// the library level.
fileprivate enum UniffiInternalError: LocalizedError {
    case bufferOverflow
    case incompleteData
    case unexpectedOptionalTag
    case unexpectedEnumCase
    case unexpectedNullPointer
    case unexpectedRustCallStatusCode
    case unexpectedRustCallError
    case unexpectedStaleHandle
    case rustPanic(_ message: String)

    public var errorDescription: String? {
        switch self {
        case .bufferOverflow: return "Reading the requested value would read past the end of the buffer"
        case .incompleteData: return "The buffer still has data after lifting its containing value"
        case .unexpectedOptionalTag: return "Unexpected optional tag; should be 0 or 1"
        case .unexpectedEnumCase: return "Raw enum value doesn't match any cases"
        case .unexpectedNullPointer: return "Raw pointer value was null"
        case .unexpectedRustCallStatusCode: return "Unexpected RustCallStatus code"
        case .unexpectedRustCallError: return "CALL_ERROR but no errorClass specified"
        case .unexpectedStaleHandle: return "The object in the handle map has been dropped already"
        case let .rustPanic(message): return message
        }
    }
}

fileprivate extension NSLock {
    func withLock<T>(f: () throws -> T) rethrows -> T {
        self.lock()
        defer { self.unlock() }
        return try f()
    }
}

fileprivate let CALL_SUCCESS: Int8 = 0
fileprivate let CALL_ERROR: Int8 = 1
fileprivate let CALL_UNEXPECTED_ERROR: Int8 = 2
fileprivate let CALL_CANCELLED: Int8 = 3

fileprivate extension RustCallStatus {
    init() {
        self.init(
            code: CALL_SUCCESS,
            errorBuf: RustBuffer.init(
                capacity: 0,
                len: 0,
                data: nil
            )
        )
    }
}

private func rustCall<T>(_ callback: (UnsafeMutablePointer<RustCallStatus>) -> T) throws -> T {
    let neverThrow: ((RustBuffer) throws -> Never)? = nil
    return try makeRustCall(callback, errorHandler: neverThrow)
}

private func rustCallWithError<T, E: Swift.Error>(
    _ errorHandler: @escaping (RustBuffer) throws -> E,
    _ callback: (UnsafeMutablePointer<RustCallStatus>) -> T) throws -> T {
    try makeRustCall(callback, errorHandler: errorHandler)
}

private func makeRustCall<T, E: Swift.Error>(
    _ callback: (UnsafeMutablePointer<RustCallStatus>) -> T,
    errorHandler: ((RustBuffer) throws -> E)?
) throws -> T {
    uniffiEnsureTidewireUniffiInitialized()
    var callStatus = RustCallStatus.init()
    let returnedVal = callback(&callStatus)
    try uniffiCheckCallStatus(callStatus: callStatus, errorHandler: errorHandler)
    return returnedVal
}

private func uniffiCheckCallStatus<E: Swift.Error>(
    callStatus: RustCallStatus,
    errorHandler: ((RustBuffer) throws -> E)?
) throws {
    switch callStatus.code {
        case CALL_SUCCESS:
            return

        case CALL_ERROR:
            if let errorHandler = errorHandler {
                throw try errorHandler(callStatus.errorBuf)
            } else {
                callStatus.errorBuf.deallocate()
                throw UniffiInternalError.unexpectedRustCallError
            }

        case CALL_UNEXPECTED_ERROR:
            // When the rust code sees a panic, it tries to construct a RustBuffer
            // with the message.  But if that code panics, then it just sends back
            // an empty buffer.
            if callStatus.errorBuf.len > 0 {
                throw UniffiInternalError.rustPanic(try FfiConverterString.lift(callStatus.errorBuf))
            } else {
                callStatus.errorBuf.deallocate()
                throw UniffiInternalError.rustPanic("Rust panic")
            }

        case CALL_CANCELLED:
            fatalError("Cancellation not supported yet")

        default:
            throw UniffiInternalError.unexpectedRustCallStatusCode
    }
}

private func uniffiTraitInterfaceCall<T>(
    callStatus: UnsafeMutablePointer<RustCallStatus>,
    makeCall: () throws -> T,
    writeReturn: (T) -> ()
) {
    do {
        try writeReturn(makeCall())
    } catch let error {
        callStatus.pointee.code = CALL_UNEXPECTED_ERROR
        callStatus.pointee.errorBuf = FfiConverterString.lower(String(describing: error))
    }
}

private func uniffiTraitInterfaceCallWithError<T, E>(
    callStatus: UnsafeMutablePointer<RustCallStatus>,
    makeCall: () throws -> T,
    writeReturn: (T) -> (),
    lowerError: (E) -> RustBuffer
) {
    do {
        try writeReturn(makeCall())
    } catch let error as E {
        callStatus.pointee.code = CALL_ERROR
        callStatus.pointee.errorBuf = lowerError(error)
    } catch {
        callStatus.pointee.code = CALL_UNEXPECTED_ERROR
        callStatus.pointee.errorBuf = FfiConverterString.lower(String(describing: error))
    }
}
// Initial value and increment amount for handles.
// These ensure that SWIFT handles always have the lowest bit set
fileprivate let UNIFFI_HANDLEMAP_INITIAL: UInt64 = 1
fileprivate let UNIFFI_HANDLEMAP_DELTA: UInt64 = 2

fileprivate final class UniffiHandleMap<T>: @unchecked Sendable {
    // All mutation happens with this lock held, which is why we implement @unchecked Sendable.
    private let lock = NSLock()
    private var map: [UInt64: T] = [:]
    private var currentHandle: UInt64 = UNIFFI_HANDLEMAP_INITIAL

    func insert(obj: T) -> UInt64 {
        lock.withLock {
            return doInsert(obj)
        }
    }

    // Low-level insert function, this assumes `lock` is held.
    private func doInsert(_ obj: T) -> UInt64 {
        let handle = currentHandle
        currentHandle += UNIFFI_HANDLEMAP_DELTA
        map[handle] = obj
        return handle
    }

     func get(handle: UInt64) throws -> T {
        try lock.withLock {
            guard let obj = map[handle] else {
                throw UniffiInternalError.unexpectedStaleHandle
            }
            return obj
        }
    }

     func clone(handle: UInt64) throws -> UInt64 {
        try lock.withLock {
            guard let obj = map[handle] else {
                throw UniffiInternalError.unexpectedStaleHandle
            }
            return doInsert(obj)
        }
    }

    @discardableResult
    func remove(handle: UInt64) throws -> T {
        try lock.withLock {
            guard let obj = map.removeValue(forKey: handle) else {
                throw UniffiInternalError.unexpectedStaleHandle
            }
            return obj
        }
    }

    var count: Int {
        get {
            map.count
        }
    }
}


// Public interface members begin here.


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterInt32: FfiConverterPrimitive {
    typealias FfiType = Int32
    typealias SwiftType = Int32

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> Int32 {
        return try lift(readInt(&buf))
    }

    public static func write(_ value: Int32, into buf: inout [UInt8]) {
        writeInt(&buf, lower(value))
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterInt64: FfiConverterPrimitive {
    typealias FfiType = Int64
    typealias SwiftType = Int64

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> Int64 {
        return try lift(readInt(&buf))
    }

    public static func write(_ value: Int64, into buf: inout [UInt8]) {
        writeInt(&buf, lower(value))
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterBool : FfiConverter {
    typealias FfiType = Int8
    typealias SwiftType = Bool

    public static func lift(_ value: Int8) throws -> Bool {
        return value != 0
    }

    public static func lower(_ value: Bool) -> Int8 {
        return value ? 1 : 0
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> Bool {
        return try lift(readInt(&buf))
    }

    public static func write(_ value: Bool, into buf: inout [UInt8]) {
        writeInt(&buf, lower(value))
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterString: FfiConverter {
    typealias SwiftType = String
    typealias FfiType = RustBuffer

    public static func lift(_ value: RustBuffer) throws -> String {
        defer {
            value.deallocate()
        }
        if value.data == nil {
            return String()
        }
        let bytes = UnsafeBufferPointer<UInt8>(start: value.data!, count: Int(value.len))
        // Use Swift's native UTF-8 decoder; `String(bytes:encoding:.utf8)` goes
        // through Foundation's NSString and silently strips a leading U+FEFF BOM.
        // Invalid UTF-8 substitutes U+FFFD instead of trapping (unreachable
        // given Rust's `String` invariant).
        return String(decoding: bytes, as: UTF8.self)
    }

    public static func lower(_ value: String) -> RustBuffer {
        return value.utf8CString.withUnsafeBufferPointer { ptr in
            // The swift string gives us int8_t, we want uint8_t.
            ptr.withMemoryRebound(to: UInt8.self) { ptr in
                // The swift string gives us a trailing null byte, we don't want it.
                let buf = UnsafeBufferPointer(rebasing: ptr.prefix(upTo: ptr.count - 1))
                return RustBuffer.from(buf)
            }
        }
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> String {
        let len: Int32 = try readInt(&buf)
        // See `lift` above for why we avoid Foundation's NSString-backed decoder here.
        return String(decoding: try readBytes(&buf, count: Int(len)), as: UTF8.self)
    }

    public static func write(_ value: String, into buf: inout [UInt8]) {
        let len = Int32(value.utf8.count)
        writeInt(&buf, len)
        writeBytes(&buf, value.utf8)
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterData: FfiConverterRustBuffer {
    typealias SwiftType = Data

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> Data {
        let len: Int32 = try readInt(&buf)
        return Data(try readBytes(&buf, count: Int(len)))
    }

    public static func write(_ value: Data, into buf: inout [UInt8]) {
        let len = Int32(value.count)
        writeInt(&buf, len)
        writeBytes(&buf, value)
    }
}




/**
 * Batches that were read once, or that were stored elsewhere.
 */
public protocol NativeBatchesProtocol: AnyObject, Sendable {

    /**
     * How many there are.
     */
    func count()  -> Int32

    /**
     * Offset after its last record.
     */
    func endOffset()  -> Int64

    /**
     * Where batch `index` lies, until this object is gone; none past the last.
     */
    func lent(index: Int32)  -> Lent?

    /**
     * Where to go on reading.
     */
    func nextOffset()  -> Int64

    /**
     * Offset of the partition's first record.
     */
    func startOffset()  -> Int64

}
/**
 * Batches that were read once, or that were stored elsewhere.
 */
open class NativeBatches: NativeBatchesProtocol, @unchecked Sendable {
    fileprivate let handle: UInt64

    /// Used to instantiate a [FFIObject] without an actual handle, for fakes in tests, mostly.
#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    public struct NoHandle {
        public init() {}
    }

    // TODO: We'd like this to be `private` but for Swifty reasons,
    // we can't implement `FfiConverter` without making this `required` and we can't
    // make it `required` without making it `public`.
#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    required public init(unsafeFromHandle handle: UInt64) {
        self.handle = handle
    }

    // This constructor can be used to instantiate a fake object.
    // - Parameter noHandle: Placeholder value so we can have a constructor separate from the default empty one that may be implemented for classes extending [FFIObject].
    //
    // - Warning:
    //     Any object instantiated with this constructor cannot be passed to an actual Rust-backed object. Since there isn't a backing handle the FFI lower functions will crash.
#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    public init(noHandle: NoHandle) {
        self.handle = 0
    }

#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    public func uniffiCloneHandle() -> UInt64 {
        return try! rustCall { uniffi_tidewire_uniffi_fn_clone_nativebatches(self.handle, $0) }
    }
    // No primary constructor declared for this class.

    deinit {
        if handle == 0 {
            // Mock objects have handle=0 don't try to free them
            return
        }

        try! rustCall { uniffi_tidewire_uniffi_fn_free_nativebatches(handle, $0) }
    }




    /**
     * How many there are.
     */
open func count() -> Int32  {
    return try!  FfiConverterInt32.lift(try! rustCall() {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativebatches_count(
            self.uniffiCloneHandle(),uniffiCallStatus
    )
})
}

    /**
     * Offset after its last record.
     */
open func endOffset() -> Int64  {
    return try!  FfiConverterInt64.lift(try! rustCall() {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativebatches_end_offset(
            self.uniffiCloneHandle(),uniffiCallStatus
    )
})
}

    /**
     * Where batch `index` lies, until this object is gone; none past the last.
     */
open func lent(index: Int32) -> Lent?  {
    return try!  FfiConverterOptionTypeLent.lift(try! rustCall() {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativebatches_lent(
            self.uniffiCloneHandle(),
        FfiConverterInt32.lower(index),uniffiCallStatus
    )
})
}

    /**
     * Where to go on reading.
     */
open func nextOffset() -> Int64  {
    return try!  FfiConverterInt64.lift(try! rustCall() {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativebatches_next_offset(
            self.uniffiCloneHandle(),uniffiCallStatus
    )
})
}

    /**
     * Offset of the partition's first record.
     */
open func startOffset() -> Int64  {
    return try!  FfiConverterInt64.lift(try! rustCall() {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativebatches_start_offset(
            self.uniffiCloneHandle(),uniffiCallStatus
    )
})
}



}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeNativeBatches: FfiConverter {
    typealias FfiType = UInt64
    typealias SwiftType = NativeBatches

    public static func lift(_ handle: UInt64) throws -> NativeBatches {
        return NativeBatches(unsafeFromHandle: handle)
    }

    public static func lower(_ value: NativeBatches) -> UInt64 {
        return value.uniffiCloneHandle()
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> NativeBatches {
        let handle: UInt64 = try readInt(&buf)
        return try lift(handle)
    }

    public static func write(_ value: NativeBatches, into buf: inout [UInt8]) {
        writeInt(&buf, lower(value))
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeNativeBatches_lift(_ handle: UInt64) throws -> NativeBatches {
    return try FfiConverterTypeNativeBatches.lift(handle)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeNativeBatches_lower(_ value: NativeBatches) -> UInt64 {
    return FfiConverterTypeNativeBatches.lower(value)
}






/**
 * A client of the core's.
 */
public protocol NativeClientProtocol: AnyObject, Sendable {

    func addPartitions(topic: String, partitions: Int32) async throws  -> TopicInfo

    func createStream(name: String) async throws  -> StreamInfo

    func createTopic(topic: String, options: [String: String]) async throws  -> TopicInfo

    func deleteStream(name: String, withTopics: Bool) async throws

    func deleteTopic(topic: String) async throws

    func describeLimits() async throws  -> [LimitInfo]

    func describeStream(name: String) async throws  -> StreamInfo

    func describeTopic(topic: String) async throws  -> TopicInfo

    func fetch(topic: String, partition: Int32, offset: Int64, maxBytes: Int32?, minBytes: Int32?, maxWaitMs: Int32?) async throws  -> NativeBatches

    func forgetProducer(topic: String, name: String) async throws

    func listStreams() async throws  -> [StreamInfo]

    func listTopics(stream: String) async throws  -> [TopicInfo]

    func partitions(topic: String) async throws  -> [PartitionInfo]

    func producers(topic: String) async throws  -> [ProducerInfo]

    func purgeStream(name: String) async throws

    func purgeTopic(topic: String) async throws

    func truncate(topic: String, partition: Int32, before: Int64) async throws  -> Int64

    func updateTopic(topic: String, options: [String: String]) async throws  -> TopicInfo

    /**
     * Watches what happens to the connection from now on.
     */
    func events() throws  -> NativeEvents

    /**
     * Asks the server for a sign of life; the time that it took, in microseconds.
     */
    func ping() async throws  -> Int64

    /**
     * What the server said of itself; without a connection, what the last one said.
     */
    func server() throws  -> ServerInfo

    /**
     * Closes the connection, for all that was made from it too.
     */
    func shut() async throws

    /**
     * Subscribes, or joins the group.
     */
    func consumer(topics: [String], group: String?, name: String?, only: [Int32]?, startAt: [Int32: Int64], options: [String: String]) async throws  -> NativeConsumer

    /**
     * Those partitions that have a stored offset, in order.
     */
    func committed(group: String, topic: String) async throws  -> [CommittedOffset]

    func createGroup(group: String) async throws  -> GroupInfo

    func deleteGroup(group: String) async throws

    func deleteOffsets(group: String, topic: String, only: [Int32]?) async throws

    func describeGroup(group: String) async throws  -> GroupDescription

    func listGroups() async throws  -> [GroupInfo]

    func resetOffsets(group: String, topic: String, only: [Int32]?, to: String, force: Bool) async throws  -> [PartitionOffset]

    /**
     * Opens a producer, under a name if one is given.
     */
    func producer(topic: String, name: String?, options: [String: String]) async throws  -> NativeProducer

    func changeGrants(name: String, revoke: [String], grant: [String]) async throws  -> [String]

    func changePassword(password: String, name: String?) async throws

    func createToken(name: String, user: String?, lifetimeMs: Int64?) async throws  -> NewToken

    func createUser(name: String, password: String?, grants: [String]) async throws  -> UserInfo

    func deleteToken(id: Int64) async throws

    func deleteUser(name: String) async throws

    func describeUser(name: String?) async throws  -> UserDescription

    func enableUser(name: String, enabled: Bool) async throws  -> UserInfo

    func listTokens(user: String?) async throws  -> [TokenInfo]

    func listUsers() async throws  -> [UserInfo]

}
/**
 * A client of the core's.
 */
open class NativeClient: NativeClientProtocol, @unchecked Sendable {
    fileprivate let handle: UInt64

    /// Used to instantiate a [FFIObject] without an actual handle, for fakes in tests, mostly.
#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    public struct NoHandle {
        public init() {}
    }

    // TODO: We'd like this to be `private` but for Swifty reasons,
    // we can't implement `FfiConverter` without making this `required` and we can't
    // make it `required` without making it `public`.
#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    required public init(unsafeFromHandle handle: UInt64) {
        self.handle = handle
    }

    // This constructor can be used to instantiate a fake object.
    // - Parameter noHandle: Placeholder value so we can have a constructor separate from the default empty one that may be implemented for classes extending [FFIObject].
    //
    // - Warning:
    //     Any object instantiated with this constructor cannot be passed to an actual Rust-backed object. Since there isn't a backing handle the FFI lower functions will crash.
#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    public init(noHandle: NoHandle) {
        self.handle = 0
    }

#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    public func uniffiCloneHandle() -> UInt64 {
        return try! rustCall { uniffi_tidewire_uniffi_fn_clone_nativeclient(self.handle, $0) }
    }
    // No primary constructor declared for this class.

    deinit {
        if handle == 0 {
            // Mock objects have handle=0 don't try to free them
            return
        }

        try! rustCall { uniffi_tidewire_uniffi_fn_free_nativeclient(handle, $0) }
    }




open func addPartitions(topic: String, partitions: Int32)async throws  -> TopicInfo  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_add_partitions(
                        self.uniffiCloneHandle(),FfiConverterString.lower(topic),FfiConverterInt32.lower(partitions)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterTypeTopicInfo_lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func createStream(name: String)async throws  -> StreamInfo  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_create_stream(
                        self.uniffiCloneHandle(),FfiConverterString.lower(name)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterTypeStreamInfo_lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func createTopic(topic: String, options: [String: String])async throws  -> TopicInfo  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_create_topic(
                        self.uniffiCloneHandle(),FfiConverterString.lower(topic),FfiConverterDictionaryStringString.lower(options)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterTypeTopicInfo_lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func deleteStream(name: String, withTopics: Bool)async throws   {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_delete_stream(
                        self.uniffiCloneHandle(),FfiConverterString.lower(name),FfiConverterBool.lower(withTopics)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_void,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_void,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_void,
            liftFunc: { $0 },
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func deleteTopic(topic: String)async throws   {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_delete_topic(
                        self.uniffiCloneHandle(),FfiConverterString.lower(topic)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_void,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_void,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_void,
            liftFunc: { $0 },
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func describeLimits()async throws  -> [LimitInfo]  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_describe_limits(
                        self.uniffiCloneHandle()
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterSequenceTypeLimitInfo.lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func describeStream(name: String)async throws  -> StreamInfo  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_describe_stream(
                        self.uniffiCloneHandle(),FfiConverterString.lower(name)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterTypeStreamInfo_lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func describeTopic(topic: String)async throws  -> TopicInfo  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_describe_topic(
                        self.uniffiCloneHandle(),FfiConverterString.lower(topic)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterTypeTopicInfo_lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func fetch(topic: String, partition: Int32, offset: Int64, maxBytes: Int32?, minBytes: Int32?, maxWaitMs: Int32?)async throws  -> NativeBatches  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_fetch(
                        self.uniffiCloneHandle(),FfiConverterString.lower(topic),FfiConverterInt32.lower(partition),FfiConverterInt64.lower(offset),FfiConverterOptionInt32.lower(maxBytes),FfiConverterOptionInt32.lower(minBytes),FfiConverterOptionInt32.lower(maxWaitMs)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_u64,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_u64,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_u64,
            liftFunc: FfiConverterTypeNativeBatches_lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func forgetProducer(topic: String, name: String)async throws   {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_forget_producer(
                        self.uniffiCloneHandle(),FfiConverterString.lower(topic),FfiConverterString.lower(name)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_void,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_void,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_void,
            liftFunc: { $0 },
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func listStreams()async throws  -> [StreamInfo]  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_list_streams(
                        self.uniffiCloneHandle()
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterSequenceTypeStreamInfo.lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func listTopics(stream: String)async throws  -> [TopicInfo]  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_list_topics(
                        self.uniffiCloneHandle(),FfiConverterString.lower(stream)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterSequenceTypeTopicInfo.lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func partitions(topic: String)async throws  -> [PartitionInfo]  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_partitions(
                        self.uniffiCloneHandle(),FfiConverterString.lower(topic)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterSequenceTypePartitionInfo.lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func producers(topic: String)async throws  -> [ProducerInfo]  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_producers(
                        self.uniffiCloneHandle(),FfiConverterString.lower(topic)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterSequenceTypeProducerInfo.lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func purgeStream(name: String)async throws   {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_purge_stream(
                        self.uniffiCloneHandle(),FfiConverterString.lower(name)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_void,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_void,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_void,
            liftFunc: { $0 },
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func purgeTopic(topic: String)async throws   {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_purge_topic(
                        self.uniffiCloneHandle(),FfiConverterString.lower(topic)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_void,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_void,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_void,
            liftFunc: { $0 },
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func truncate(topic: String, partition: Int32, before: Int64)async throws  -> Int64  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_truncate(
                        self.uniffiCloneHandle(),FfiConverterString.lower(topic),FfiConverterInt32.lower(partition),FfiConverterInt64.lower(before)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_i64,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_i64,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_i64,
            liftFunc: FfiConverterInt64.lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func updateTopic(topic: String, options: [String: String])async throws  -> TopicInfo  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_update_topic(
                        self.uniffiCloneHandle(),FfiConverterString.lower(topic),FfiConverterDictionaryStringString.lower(options)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterTypeTopicInfo_lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

    /**
     * Watches what happens to the connection from now on.
     */
open func events()throws  -> NativeEvents  {
    return try  FfiConverterTypeNativeEvents_lift(try rustCallWithError(FfiConverterTypeNativeError_lift) {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativeclient_events(
            self.uniffiCloneHandle(),uniffiCallStatus
    )
})
}

    /**
     * Asks the server for a sign of life; the time that it took, in microseconds.
     */
open func ping()async throws  -> Int64  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_ping(
                        self.uniffiCloneHandle()
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_i64,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_i64,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_i64,
            liftFunc: FfiConverterInt64.lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

    /**
     * What the server said of itself; without a connection, what the last one said.
     */
open func server()throws  -> ServerInfo  {
    return try  FfiConverterTypeServerInfo_lift(try rustCallWithError(FfiConverterTypeNativeError_lift) {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativeclient_server(
            self.uniffiCloneHandle(),uniffiCallStatus
    )
})
}

    /**
     * Closes the connection, for all that was made from it too.
     */
open func shut()async throws   {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_shut(
                        self.uniffiCloneHandle()
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_void,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_void,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_void,
            liftFunc: { $0 },
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

    /**
     * Subscribes, or joins the group.
     */
open func consumer(topics: [String], group: String?, name: String?, only: [Int32]?, startAt: [Int32: Int64], options: [String: String])async throws  -> NativeConsumer  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_consumer(
                        self.uniffiCloneHandle(),FfiConverterSequenceString.lower(topics),FfiConverterOptionString.lower(group),FfiConverterOptionString.lower(name),FfiConverterOptionSequenceInt32.lower(only),FfiConverterDictionaryInt32Int64.lower(startAt),FfiConverterDictionaryStringString.lower(options)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_u64,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_u64,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_u64,
            liftFunc: FfiConverterTypeNativeConsumer_lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

    /**
     * Those partitions that have a stored offset, in order.
     */
open func committed(group: String, topic: String)async throws  -> [CommittedOffset]  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_committed(
                        self.uniffiCloneHandle(),FfiConverterString.lower(group),FfiConverterString.lower(topic)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterSequenceTypeCommittedOffset.lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func createGroup(group: String)async throws  -> GroupInfo  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_create_group(
                        self.uniffiCloneHandle(),FfiConverterString.lower(group)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterTypeGroupInfo_lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func deleteGroup(group: String)async throws   {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_delete_group(
                        self.uniffiCloneHandle(),FfiConverterString.lower(group)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_void,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_void,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_void,
            liftFunc: { $0 },
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func deleteOffsets(group: String, topic: String, only: [Int32]?)async throws   {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_delete_offsets(
                        self.uniffiCloneHandle(),FfiConverterString.lower(group),FfiConverterString.lower(topic),FfiConverterOptionSequenceInt32.lower(only)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_void,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_void,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_void,
            liftFunc: { $0 },
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func describeGroup(group: String)async throws  -> GroupDescription  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_describe_group(
                        self.uniffiCloneHandle(),FfiConverterString.lower(group)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterTypeGroupDescription_lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func listGroups()async throws  -> [GroupInfo]  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_list_groups(
                        self.uniffiCloneHandle()
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterSequenceTypeGroupInfo.lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func resetOffsets(group: String, topic: String, only: [Int32]?, to: String, force: Bool)async throws  -> [PartitionOffset]  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_reset_offsets(
                        self.uniffiCloneHandle(),FfiConverterString.lower(group),FfiConverterString.lower(topic),FfiConverterOptionSequenceInt32.lower(only),FfiConverterString.lower(to),FfiConverterBool.lower(force)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterSequenceTypePartitionOffset.lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

    /**
     * Opens a producer, under a name if one is given.
     */
open func producer(topic: String, name: String?, options: [String: String])async throws  -> NativeProducer  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_producer(
                        self.uniffiCloneHandle(),FfiConverterString.lower(topic),FfiConverterOptionString.lower(name),FfiConverterDictionaryStringString.lower(options)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_u64,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_u64,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_u64,
            liftFunc: FfiConverterTypeNativeProducer_lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func changeGrants(name: String, revoke: [String], grant: [String])async throws  -> [String]  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_change_grants(
                        self.uniffiCloneHandle(),FfiConverterString.lower(name),FfiConverterSequenceString.lower(revoke),FfiConverterSequenceString.lower(grant)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterSequenceString.lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func changePassword(password: String, name: String?)async throws   {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_change_password(
                        self.uniffiCloneHandle(),FfiConverterString.lower(password),FfiConverterOptionString.lower(name)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_void,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_void,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_void,
            liftFunc: { $0 },
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func createToken(name: String, user: String?, lifetimeMs: Int64?)async throws  -> NewToken  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_create_token(
                        self.uniffiCloneHandle(),FfiConverterString.lower(name),FfiConverterOptionString.lower(user),FfiConverterOptionInt64.lower(lifetimeMs)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterTypeNewToken_lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func createUser(name: String, password: String?, grants: [String])async throws  -> UserInfo  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_create_user(
                        self.uniffiCloneHandle(),FfiConverterString.lower(name),FfiConverterOptionString.lower(password),FfiConverterSequenceString.lower(grants)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterTypeUserInfo_lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func deleteToken(id: Int64)async throws   {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_delete_token(
                        self.uniffiCloneHandle(),FfiConverterInt64.lower(id)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_void,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_void,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_void,
            liftFunc: { $0 },
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func deleteUser(name: String)async throws   {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_delete_user(
                        self.uniffiCloneHandle(),FfiConverterString.lower(name)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_void,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_void,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_void,
            liftFunc: { $0 },
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func describeUser(name: String?)async throws  -> UserDescription  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_describe_user(
                        self.uniffiCloneHandle(),FfiConverterOptionString.lower(name)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterTypeUserDescription_lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func enableUser(name: String, enabled: Bool)async throws  -> UserInfo  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_enable_user(
                        self.uniffiCloneHandle(),FfiConverterString.lower(name),FfiConverterBool.lower(enabled)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterTypeUserInfo_lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func listTokens(user: String?)async throws  -> [TokenInfo]  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_list_tokens(
                        self.uniffiCloneHandle(),FfiConverterOptionString.lower(user)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterSequenceTypeTokenInfo.lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

open func listUsers()async throws  -> [UserInfo]  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeclient_list_users(
                        self.uniffiCloneHandle()
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterSequenceTypeUserInfo.lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}



}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeNativeClient: FfiConverter {
    typealias FfiType = UInt64
    typealias SwiftType = NativeClient

    public static func lift(_ handle: UInt64) throws -> NativeClient {
        return NativeClient(unsafeFromHandle: handle)
    }

    public static func lower(_ value: NativeClient) -> UInt64 {
        return value.uniffiCloneHandle()
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> NativeClient {
        let handle: UInt64 = try readInt(&buf)
        return try lift(handle)
    }

    public static func write(_ value: NativeClient, into buf: inout [UInt8]) {
        writeInt(&buf, lower(value))
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeNativeClient_lift(_ handle: UInt64) throws -> NativeClient {
    return try FfiConverterTypeNativeClient.lift(handle)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeNativeClient_lower(_ value: NativeClient) -> UInt64 {
    return FfiConverterTypeNativeClient.lower(value)
}






/**
 * A consumer of the core's.
 */
public protocol NativeConsumerProtocol: AnyObject, Sendable {

    /**
     * Reads a further partition.
     */
    func addPartition(partition: Int32, start: String) throws

    /**
     * What it reads at the moment.
     */
    func assignment()  -> [TopicPartition]

    /**
     * Ends it: it unsubscribes, and a member stores what it is to, and leaves its group. Waits
     * until the server has answered, or for the limit.
     */
    func closeWithin(limitMs: Int64?) async throws

    /**
     * Stores how far what was taken reaches.
     */
    func commit() async throws

    /**
     * Stores the offset of the next record to read.
     */
    func commitOffset(topic: String, partition: Int32, offset: Int64) async throws

    /**
     * As [`commit`](Self::commit), but of the batch that was taken last only up to an offset: for
     * who returns its records one by one.
     */
    func commitUntil(topic: String, partition: Int32, offset: Int64) async throws

    /**
     * Whether nothing will come any more, unless it is moved.
     */
    func isClosed()  -> Bool

    /**
     * Records known to follow what was returned.
     */
    func lag()  -> Int64

    /**
     * Returns nothing of a partition until it is resumed.
     */
    func pause(partition: Int32) throws

    /**
     * Where it stands in what it reads.
     */
    func positions()  -> [Position]

    /**
     * Waits until something may have come since [`take`](Self::take) found nothing. False when
     * the time is over. One at a time waits.
     */
    func ready(limitMs: Int64?) async throws  -> Bool

    /**
     * Stops reading a partition; whether it was read.
     */
    func removePartition(partition: Int32) throws  -> Bool

    /**
     * Ends a pause.
     */
    func resume(partition: Int32) throws

    /**
     * Goes on reading a partition at another place.
     */
    func seek(partition: Int32, to: String) throws

    /**
     * What it did so far, and what it holds.
     */
    func stats()  -> ConsumerStats

    /**
     * Takes the next batch, if there is one, and gives back the memory of the last one; what it
     * held counts as done by that.
     */
    func take() throws  -> Taken

    /**
     * The topic, `stream/topic`, of batches that carry this number.
     */
    func topic(number: Int32)  -> String?

}
/**
 * A consumer of the core's.
 */
open class NativeConsumer: NativeConsumerProtocol, @unchecked Sendable {
    fileprivate let handle: UInt64

    /// Used to instantiate a [FFIObject] without an actual handle, for fakes in tests, mostly.
#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    public struct NoHandle {
        public init() {}
    }

    // TODO: We'd like this to be `private` but for Swifty reasons,
    // we can't implement `FfiConverter` without making this `required` and we can't
    // make it `required` without making it `public`.
#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    required public init(unsafeFromHandle handle: UInt64) {
        self.handle = handle
    }

    // This constructor can be used to instantiate a fake object.
    // - Parameter noHandle: Placeholder value so we can have a constructor separate from the default empty one that may be implemented for classes extending [FFIObject].
    //
    // - Warning:
    //     Any object instantiated with this constructor cannot be passed to an actual Rust-backed object. Since there isn't a backing handle the FFI lower functions will crash.
#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    public init(noHandle: NoHandle) {
        self.handle = 0
    }

#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    public func uniffiCloneHandle() -> UInt64 {
        return try! rustCall { uniffi_tidewire_uniffi_fn_clone_nativeconsumer(self.handle, $0) }
    }
    // No primary constructor declared for this class.

    deinit {
        if handle == 0 {
            // Mock objects have handle=0 don't try to free them
            return
        }

        try! rustCall { uniffi_tidewire_uniffi_fn_free_nativeconsumer(handle, $0) }
    }




    /**
     * Reads a further partition.
     */
open func addPartition(partition: Int32, start: String)throws   {try rustCallWithError(FfiConverterTypeNativeError_lift) {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativeconsumer_add_partition(
            self.uniffiCloneHandle(),
        FfiConverterInt32.lower(partition),
        FfiConverterString.lower(start),uniffiCallStatus
    )
}
}

    /**
     * What it reads at the moment.
     */
open func assignment() -> [TopicPartition]  {
    return try!  FfiConverterSequenceTypeTopicPartition.lift(try! rustCall() {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativeconsumer_assignment(
            self.uniffiCloneHandle(),uniffiCallStatus
    )
})
}

    /**
     * Ends it: it unsubscribes, and a member stores what it is to, and leaves its group. Waits
     * until the server has answered, or for the limit.
     */
open func closeWithin(limitMs: Int64?)async throws   {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeconsumer_close_within(
                        self.uniffiCloneHandle(),FfiConverterOptionInt64.lower(limitMs)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_void,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_void,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_void,
            liftFunc: { $0 },
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

    /**
     * Stores how far what was taken reaches.
     */
open func commit()async throws   {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeconsumer_commit(
                        self.uniffiCloneHandle()
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_void,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_void,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_void,
            liftFunc: { $0 },
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

    /**
     * Stores the offset of the next record to read.
     */
open func commitOffset(topic: String, partition: Int32, offset: Int64)async throws   {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeconsumer_commit_offset(
                        self.uniffiCloneHandle(),FfiConverterString.lower(topic),FfiConverterInt32.lower(partition),FfiConverterInt64.lower(offset)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_void,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_void,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_void,
            liftFunc: { $0 },
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

    /**
     * As [`commit`](Self::commit), but of the batch that was taken last only up to an offset: for
     * who returns its records one by one.
     */
open func commitUntil(topic: String, partition: Int32, offset: Int64)async throws   {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeconsumer_commit_until(
                        self.uniffiCloneHandle(),FfiConverterString.lower(topic),FfiConverterInt32.lower(partition),FfiConverterInt64.lower(offset)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_void,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_void,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_void,
            liftFunc: { $0 },
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

    /**
     * Whether nothing will come any more, unless it is moved.
     */
open func isClosed() -> Bool  {
    return try!  FfiConverterBool.lift(try! rustCall() {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativeconsumer_is_closed(
            self.uniffiCloneHandle(),uniffiCallStatus
    )
})
}

    /**
     * Records known to follow what was returned.
     */
open func lag() -> Int64  {
    return try!  FfiConverterInt64.lift(try! rustCall() {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativeconsumer_lag(
            self.uniffiCloneHandle(),uniffiCallStatus
    )
})
}

    /**
     * Returns nothing of a partition until it is resumed.
     */
open func pause(partition: Int32)throws   {try rustCallWithError(FfiConverterTypeNativeError_lift) {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativeconsumer_pause(
            self.uniffiCloneHandle(),
        FfiConverterInt32.lower(partition),uniffiCallStatus
    )
}
}

    /**
     * Where it stands in what it reads.
     */
open func positions() -> [Position]  {
    return try!  FfiConverterSequenceTypePosition.lift(try! rustCall() {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativeconsumer_positions(
            self.uniffiCloneHandle(),uniffiCallStatus
    )
})
}

    /**
     * Waits until something may have come since [`take`](Self::take) found nothing. False when
     * the time is over. One at a time waits.
     */
open func ready(limitMs: Int64?)async throws  -> Bool  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeconsumer_ready(
                        self.uniffiCloneHandle(),FfiConverterOptionInt64.lower(limitMs)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_i8,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_i8,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_i8,
            liftFunc: FfiConverterBool.lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

    /**
     * Stops reading a partition; whether it was read.
     */
open func removePartition(partition: Int32)throws  -> Bool  {
    return try  FfiConverterBool.lift(try rustCallWithError(FfiConverterTypeNativeError_lift) {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativeconsumer_remove_partition(
            self.uniffiCloneHandle(),
        FfiConverterInt32.lower(partition),uniffiCallStatus
    )
})
}

    /**
     * Ends a pause.
     */
open func resume(partition: Int32)throws   {try rustCallWithError(FfiConverterTypeNativeError_lift) {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativeconsumer_resume(
            self.uniffiCloneHandle(),
        FfiConverterInt32.lower(partition),uniffiCallStatus
    )
}
}

    /**
     * Goes on reading a partition at another place.
     */
open func seek(partition: Int32, to: String)throws   {try rustCallWithError(FfiConverterTypeNativeError_lift) {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativeconsumer_seek(
            self.uniffiCloneHandle(),
        FfiConverterInt32.lower(partition),
        FfiConverterString.lower(to),uniffiCallStatus
    )
}
}

    /**
     * What it did so far, and what it holds.
     */
open func stats() -> ConsumerStats  {
    return try!  FfiConverterTypeConsumerStats_lift(try! rustCall() {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativeconsumer_stats(
            self.uniffiCloneHandle(),uniffiCallStatus
    )
})
}

    /**
     * Takes the next batch, if there is one, and gives back the memory of the last one; what it
     * held counts as done by that.
     */
open func take()throws  -> Taken  {
    return try  FfiConverterTypeTaken_lift(try rustCallWithError(FfiConverterTypeNativeError_lift) {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativeconsumer_take(
            self.uniffiCloneHandle(),uniffiCallStatus
    )
})
}

    /**
     * The topic, `stream/topic`, of batches that carry this number.
     */
open func topic(number: Int32) -> String?  {
    return try!  FfiConverterOptionString.lift(try! rustCall() {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativeconsumer_topic(
            self.uniffiCloneHandle(),
        FfiConverterInt32.lower(number),uniffiCallStatus
    )
})
}



}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeNativeConsumer: FfiConverter {
    typealias FfiType = UInt64
    typealias SwiftType = NativeConsumer

    public static func lift(_ handle: UInt64) throws -> NativeConsumer {
        return NativeConsumer(unsafeFromHandle: handle)
    }

    public static func lower(_ value: NativeConsumer) -> UInt64 {
        return value.uniffiCloneHandle()
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> NativeConsumer {
        let handle: UInt64 = try readInt(&buf)
        return try lift(handle)
    }

    public static func write(_ value: NativeConsumer, into buf: inout [UInt8]) {
        writeInt(&buf, lower(value))
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeNativeConsumer_lift(_ handle: UInt64) throws -> NativeConsumer {
    return try FfiConverterTypeNativeConsumer.lift(handle)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeNativeConsumer_lower(_ value: NativeConsumer) -> UInt64 {
    return FfiConverterTypeNativeConsumer.lower(value)
}






/**
 * Events that are watched.
 */
public protocol NativeEventsProtocol: AnyObject, Sendable {

    /**
     * Waits until there is an event to take; false when the time is over, or when there will be
     * no more.
     */
    func ready(limitMs: Int64?) async throws  -> Bool

    /**
     * The event that was waited for.
     */
    func take()  -> NativeEvent?

}
/**
 * Events that are watched.
 */
open class NativeEvents: NativeEventsProtocol, @unchecked Sendable {
    fileprivate let handle: UInt64

    /// Used to instantiate a [FFIObject] without an actual handle, for fakes in tests, mostly.
#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    public struct NoHandle {
        public init() {}
    }

    // TODO: We'd like this to be `private` but for Swifty reasons,
    // we can't implement `FfiConverter` without making this `required` and we can't
    // make it `required` without making it `public`.
#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    required public init(unsafeFromHandle handle: UInt64) {
        self.handle = handle
    }

    // This constructor can be used to instantiate a fake object.
    // - Parameter noHandle: Placeholder value so we can have a constructor separate from the default empty one that may be implemented for classes extending [FFIObject].
    //
    // - Warning:
    //     Any object instantiated with this constructor cannot be passed to an actual Rust-backed object. Since there isn't a backing handle the FFI lower functions will crash.
#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    public init(noHandle: NoHandle) {
        self.handle = 0
    }

#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    public func uniffiCloneHandle() -> UInt64 {
        return try! rustCall { uniffi_tidewire_uniffi_fn_clone_nativeevents(self.handle, $0) }
    }
    // No primary constructor declared for this class.

    deinit {
        if handle == 0 {
            // Mock objects have handle=0 don't try to free them
            return
        }

        try! rustCall { uniffi_tidewire_uniffi_fn_free_nativeevents(handle, $0) }
    }




    /**
     * Waits until there is an event to take; false when the time is over, or when there will be
     * no more.
     */
open func ready(limitMs: Int64?)async throws  -> Bool  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeevents_ready(
                        self.uniffiCloneHandle(),FfiConverterOptionInt64.lower(limitMs)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_i8,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_i8,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_i8,
            liftFunc: FfiConverterBool.lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

    /**
     * The event that was waited for.
     */
open func take() -> NativeEvent?  {
    return try!  FfiConverterOptionTypeNativeEvent.lift(try! rustCall() {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativeevents_take(
            self.uniffiCloneHandle(),uniffiCallStatus
    )
})
}



}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeNativeEvents: FfiConverter {
    typealias FfiType = UInt64
    typealias SwiftType = NativeEvents

    public static func lift(_ handle: UInt64) throws -> NativeEvents {
        return NativeEvents(unsafeFromHandle: handle)
    }

    public static func lower(_ value: NativeEvents) -> UInt64 {
        return value.uniffiCloneHandle()
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> NativeEvents {
        let handle: UInt64 = try readInt(&buf)
        return try lift(handle)
    }

    public static func write(_ value: NativeEvents, into buf: inout [UInt8]) {
        writeInt(&buf, lower(value))
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeNativeEvents_lift(_ handle: UInt64) throws -> NativeEvents {
    return try FfiConverterTypeNativeEvents.lift(handle)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeNativeEvents_lower(_ value: NativeEvents) -> UInt64 {
    return FfiConverterTypeNativeEvents.lower(value)
}






/**
 * A producer of the core's.
 */
public protocol NativeProducerProtocol: AnyObject, Sendable {

    /**
     * Whether a record that finds no room is to be tried again once there is some; otherwise
     * its refusal is the outcome.
     */
    func blocks() throws  -> Bool

    /**
     * Takes no more records, flushes, and closes; after the limit, what is left fails.
     */
    func closeWithin(limitMs: Int64?) async throws

    /**
     * Sends all that is queued, and waits until it has its outcome.
     */
    func flush(limitMs: Int64?) async throws

    /**
     * How many partitions the topic has.
     */
    func partitions() throws  -> Int32

    /**
     * As [`push`](Self::push), for languages that cannot lend memory.
     */
    func pushCopied(chunk: Data, expedite: Bool, wantsTickets: Bool) throws  -> Pushed

    /**
     * Waits until the queue has room.
     */
    func ready(limitMs: Int64?) async throws

    /**
     * What it did so far, and what waits.
     */
    func stats() throws  -> ProducerStats

}
/**
 * A producer of the core's.
 */
open class NativeProducer: NativeProducerProtocol, @unchecked Sendable {
    fileprivate let handle: UInt64

    /// Used to instantiate a [FFIObject] without an actual handle, for fakes in tests, mostly.
#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    public struct NoHandle {
        public init() {}
    }

    // TODO: We'd like this to be `private` but for Swifty reasons,
    // we can't implement `FfiConverter` without making this `required` and we can't
    // make it `required` without making it `public`.
#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    required public init(unsafeFromHandle handle: UInt64) {
        self.handle = handle
    }

    // This constructor can be used to instantiate a fake object.
    // - Parameter noHandle: Placeholder value so we can have a constructor separate from the default empty one that may be implemented for classes extending [FFIObject].
    //
    // - Warning:
    //     Any object instantiated with this constructor cannot be passed to an actual Rust-backed object. Since there isn't a backing handle the FFI lower functions will crash.
#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    public init(noHandle: NoHandle) {
        self.handle = 0
    }

#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    public func uniffiCloneHandle() -> UInt64 {
        return try! rustCall { uniffi_tidewire_uniffi_fn_clone_nativeproducer(self.handle, $0) }
    }
    // No primary constructor declared for this class.

    deinit {
        if handle == 0 {
            // Mock objects have handle=0 don't try to free them
            return
        }

        try! rustCall { uniffi_tidewire_uniffi_fn_free_nativeproducer(handle, $0) }
    }




    /**
     * Whether a record that finds no room is to be tried again once there is some; otherwise
     * its refusal is the outcome.
     */
open func blocks()throws  -> Bool  {
    return try  FfiConverterBool.lift(try rustCallWithError(FfiConverterTypeNativeError_lift) {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativeproducer_blocks(
            self.uniffiCloneHandle(),uniffiCallStatus
    )
})
}

    /**
     * Takes no more records, flushes, and closes; after the limit, what is left fails.
     */
open func closeWithin(limitMs: Int64?)async throws   {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeproducer_close_within(
                        self.uniffiCloneHandle(),FfiConverterOptionInt64.lower(limitMs)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_void,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_void,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_void,
            liftFunc: { $0 },
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

    /**
     * Sends all that is queued, and waits until it has its outcome.
     */
open func flush(limitMs: Int64?)async throws   {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeproducer_flush(
                        self.uniffiCloneHandle(),FfiConverterOptionInt64.lower(limitMs)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_void,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_void,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_void,
            liftFunc: { $0 },
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

    /**
     * How many partitions the topic has.
     */
open func partitions()throws  -> Int32  {
    return try  FfiConverterInt32.lift(try rustCallWithError(FfiConverterTypeNativeError_lift) {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativeproducer_partitions(
            self.uniffiCloneHandle(),uniffiCallStatus
    )
})
}

    /**
     * As [`push`](Self::push), for languages that cannot lend memory.
     */
open func pushCopied(chunk: Data, expedite: Bool, wantsTickets: Bool)throws  -> Pushed  {
    return try  FfiConverterTypePushed_lift(try rustCallWithError(FfiConverterTypeNativeError_lift) {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativeproducer_push_copied(
            self.uniffiCloneHandle(),
        FfiConverterData.lower(chunk),
        FfiConverterBool.lower(expedite),
        FfiConverterBool.lower(wantsTickets),uniffiCallStatus
    )
})
}

    /**
     * Waits until the queue has room.
     */
open func ready(limitMs: Int64?)async throws   {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativeproducer_ready(
                        self.uniffiCloneHandle(),FfiConverterOptionInt64.lower(limitMs)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_void,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_void,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_void,
            liftFunc: { $0 },
            errorHandler: FfiConverterTypeNativeError_lift
        )
}

    /**
     * What it did so far, and what waits.
     */
open func stats()throws  -> ProducerStats  {
    return try  FfiConverterTypeProducerStats_lift(try rustCallWithError(FfiConverterTypeNativeError_lift) {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_method_nativeproducer_stats(
            self.uniffiCloneHandle(),uniffiCallStatus
    )
})
}



}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeNativeProducer: FfiConverter {
    typealias FfiType = UInt64
    typealias SwiftType = NativeProducer

    public static func lift(_ handle: UInt64) throws -> NativeProducer {
        return NativeProducer(unsafeFromHandle: handle)
    }

    public static func lower(_ value: NativeProducer) -> UInt64 {
        return value.uniffiCloneHandle()
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> NativeProducer {
        let handle: UInt64 = try readInt(&buf)
        return try lift(handle)
    }

    public static func write(_ value: NativeProducer, into buf: inout [UInt8]) {
        writeInt(&buf, lower(value))
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeNativeProducer_lift(_ handle: UInt64) throws -> NativeProducer {
    return try FfiConverterTypeNativeProducer.lift(handle)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeNativeProducer_lower(_ value: NativeProducer) -> UInt64 {
    return FfiConverterTypeNativeProducer.lower(value)
}






/**
 * Records that were pushed together, until their outcome is known.
 */
public protocol NativeTicketsProtocol: AnyObject, Sendable {

    /**
     * Waits until all have their outcome. After `TIMEOUT` it may be called again.
     */
    func outcomes(limitMs: Int64?) async throws  -> Outcomes

}
/**
 * Records that were pushed together, until their outcome is known.
 */
open class NativeTickets: NativeTicketsProtocol, @unchecked Sendable {
    fileprivate let handle: UInt64

    /// Used to instantiate a [FFIObject] without an actual handle, for fakes in tests, mostly.
#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    public struct NoHandle {
        public init() {}
    }

    // TODO: We'd like this to be `private` but for Swifty reasons,
    // we can't implement `FfiConverter` without making this `required` and we can't
    // make it `required` without making it `public`.
#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    required public init(unsafeFromHandle handle: UInt64) {
        self.handle = handle
    }

    // This constructor can be used to instantiate a fake object.
    // - Parameter noHandle: Placeholder value so we can have a constructor separate from the default empty one that may be implemented for classes extending [FFIObject].
    //
    // - Warning:
    //     Any object instantiated with this constructor cannot be passed to an actual Rust-backed object. Since there isn't a backing handle the FFI lower functions will crash.
#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    public init(noHandle: NoHandle) {
        self.handle = 0
    }

#if swift(>=5.8)
    @_documentation(visibility: private)
#endif
    public func uniffiCloneHandle() -> UInt64 {
        return try! rustCall { uniffi_tidewire_uniffi_fn_clone_nativetickets(self.handle, $0) }
    }
    // No primary constructor declared for this class.

    deinit {
        if handle == 0 {
            // Mock objects have handle=0 don't try to free them
            return
        }

        try! rustCall { uniffi_tidewire_uniffi_fn_free_nativetickets(handle, $0) }
    }




    /**
     * Waits until all have their outcome. After `TIMEOUT` it may be called again.
     */
open func outcomes(limitMs: Int64?)async throws  -> Outcomes  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_method_nativetickets_outcomes(
                        self.uniffiCloneHandle(),FfiConverterOptionInt64.lower(limitMs)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_rust_buffer,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_rust_buffer,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_rust_buffer,
            liftFunc: FfiConverterTypeOutcomes_lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}



}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeNativeTickets: FfiConverter {
    typealias FfiType = UInt64
    typealias SwiftType = NativeTickets

    public static func lift(_ handle: UInt64) throws -> NativeTickets {
        return NativeTickets(unsafeFromHandle: handle)
    }

    public static func lower(_ value: NativeTickets) -> UInt64 {
        return value.uniffiCloneHandle()
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> NativeTickets {
        let handle: UInt64 = try readInt(&buf)
        return try lift(handle)
    }

    public static func write(_ value: NativeTickets, into buf: inout [UInt8]) {
        writeInt(&buf, lower(value))
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeNativeTickets_lift(_ handle: UInt64) throws -> NativeTickets {
    return try FfiConverterTypeNativeTickets.lift(handle)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeNativeTickets_lower(_ value: NativeTickets) -> UInt64 {
    return FfiConverterTypeNativeTickets.lower(value)
}




/**
 * An offset that a group, or a named consumer, has stored.
 */
public struct CommittedOffset: Equatable, Hashable {
    /**
     * The partition.
     */
    public var partition: Int32
    /**
     * Offset of the next record to read.
     */
    public var offset: Int64
    /**
     * When it was stored, in microseconds since the Unix epoch.
     */
    public var commitUs: Int64
    /**
     * What the consumer keeps beside it.
     */
    public var note: String

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * The partition.
         */partition: Int32,
        /**
         * Offset of the next record to read.
         */offset: Int64,
        /**
         * When it was stored, in microseconds since the Unix epoch.
         */commitUs: Int64,
        /**
         * What the consumer keeps beside it.
         */note: String) {
        self.partition = partition
        self.offset = offset
        self.commitUs = commitUs
        self.note = note
    }




}

#if compiler(>=6)
extension CommittedOffset: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeCommittedOffset: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> CommittedOffset {
        return
            try CommittedOffset(
                partition: FfiConverterInt32.read(from: &buf),
                offset: FfiConverterInt64.read(from: &buf),
                commitUs: FfiConverterInt64.read(from: &buf),
                note: FfiConverterString.read(from: &buf)
        )
    }

    public static func write(_ value: CommittedOffset, into buf: inout [UInt8]) {
        FfiConverterInt32.write(value.partition, into: &buf)
        FfiConverterInt64.write(value.offset, into: &buf)
        FfiConverterInt64.write(value.commitUs, into: &buf)
        FfiConverterString.write(value.note, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeCommittedOffset_lift(_ buf: RustBuffer) throws -> CommittedOffset {
    return try FfiConverterTypeCommittedOffset.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeCommittedOffset_lower(_ value: CommittedOffset) -> RustBuffer {
    return FfiConverterTypeCommittedOffset.lower(value)
}


/**
 * What a consumer did so far, and what it holds.
 */
public struct ConsumerStats: Equatable, Hashable {
    /**
     * Partitions that it reads.
     */
    public var partitions: Int32
    /**
     * Those that are subscribed on the current connection.
     */
    public var livePartitions: Int32
    /**
     * Bytes of batches that were delivered and not yet taken.
     */
    public var bufferedBytes: Int64
    /**
     * Batches taken.
     */
    public var batches: Int64
    /**
     * Their bytes, as they travelled.
     */
    public var bytes: Int64
    /**
     * How often a partition was subscribed again.
     */
    public var resubscriptions: Int64
    /**
     * Offsets left out because their records were deleted before they were read.
     */
    public var skippedOffsets: Int64
    /**
     * Offsets that were stored, by hand or automatically.
     */
    public var storedOffsets: Int64

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * Partitions that it reads.
         */partitions: Int32,
        /**
         * Those that are subscribed on the current connection.
         */livePartitions: Int32,
        /**
         * Bytes of batches that were delivered and not yet taken.
         */bufferedBytes: Int64,
        /**
         * Batches taken.
         */batches: Int64,
        /**
         * Their bytes, as they travelled.
         */bytes: Int64,
        /**
         * How often a partition was subscribed again.
         */resubscriptions: Int64,
        /**
         * Offsets left out because their records were deleted before they were read.
         */skippedOffsets: Int64,
        /**
         * Offsets that were stored, by hand or automatically.
         */storedOffsets: Int64) {
        self.partitions = partitions
        self.livePartitions = livePartitions
        self.bufferedBytes = bufferedBytes
        self.batches = batches
        self.bytes = bytes
        self.resubscriptions = resubscriptions
        self.skippedOffsets = skippedOffsets
        self.storedOffsets = storedOffsets
    }




}

#if compiler(>=6)
extension ConsumerStats: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeConsumerStats: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> ConsumerStats {
        return
            try ConsumerStats(
                partitions: FfiConverterInt32.read(from: &buf),
                livePartitions: FfiConverterInt32.read(from: &buf),
                bufferedBytes: FfiConverterInt64.read(from: &buf),
                batches: FfiConverterInt64.read(from: &buf),
                bytes: FfiConverterInt64.read(from: &buf),
                resubscriptions: FfiConverterInt64.read(from: &buf),
                skippedOffsets: FfiConverterInt64.read(from: &buf),
                storedOffsets: FfiConverterInt64.read(from: &buf)
        )
    }

    public static func write(_ value: ConsumerStats, into buf: inout [UInt8]) {
        FfiConverterInt32.write(value.partitions, into: &buf)
        FfiConverterInt32.write(value.livePartitions, into: &buf)
        FfiConverterInt64.write(value.bufferedBytes, into: &buf)
        FfiConverterInt64.write(value.batches, into: &buf)
        FfiConverterInt64.write(value.bytes, into: &buf)
        FfiConverterInt64.write(value.resubscriptions, into: &buf)
        FfiConverterInt64.write(value.skippedOffsets, into: &buf)
        FfiConverterInt64.write(value.storedOffsets, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeConsumerStats_lift(_ buf: RustBuffer) throws -> ConsumerStats {
    return try FfiConverterTypeConsumerStats.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeConsumerStats_lower(_ value: ConsumerStats) -> RustBuffer {
    return FfiConverterTypeConsumerStats.lower(value)
}


/**
 * What went wrong.
 */
public struct Failure: Equatable, Hashable {
    /**
     * The stable number.
     */
    public var number: Int32
    /**
     * The number's name, such as `TOPIC_NOT_FOUND`; `UNKNOWN` if this version has none for it.
     */
    public var name: String
    /**
     * Its class in the table of errors, such as `not_found`.
     */
    public var kind: String
    /**
     * The disposition's bits.
     */
    public var disposition: Int32
    /**
     * Nothing happened, and the same request may succeed later.
     */
    public var retriable: Bool
    /**
     * The request may or may not have been carried out.
     */
    public var outcomeUnknown: Bool
    /**
     * The text, for people.
     */
    public var text: String
    /**
     * With `OFFSET_OUT_OF_RANGE`: the first offset that there is.
     */
    public var firstOffset: Int64?
    /**
     * With `OFFSET_OUT_OF_RANGE`: the offset after the last.
     */
    public var nextOffset: Int64?
    /**
     * Of a producer that was closed: what became of records.
     */
    public var unsent: [Unsent]

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * The stable number.
         */number: Int32,
        /**
         * The number's name, such as `TOPIC_NOT_FOUND`; `UNKNOWN` if this version has none for it.
         */name: String,
        /**
         * Its class in the table of errors, such as `not_found`.
         */kind: String,
        /**
         * The disposition's bits.
         */disposition: Int32,
        /**
         * Nothing happened, and the same request may succeed later.
         */retriable: Bool,
        /**
         * The request may or may not have been carried out.
         */outcomeUnknown: Bool,
        /**
         * The text, for people.
         */text: String,
        /**
         * With `OFFSET_OUT_OF_RANGE`: the first offset that there is.
         */firstOffset: Int64?,
        /**
         * With `OFFSET_OUT_OF_RANGE`: the offset after the last.
         */nextOffset: Int64?,
        /**
         * Of a producer that was closed: what became of records.
         */unsent: [Unsent]) {
        self.number = number
        self.name = name
        self.kind = kind
        self.disposition = disposition
        self.retriable = retriable
        self.outcomeUnknown = outcomeUnknown
        self.text = text
        self.firstOffset = firstOffset
        self.nextOffset = nextOffset
        self.unsent = unsent
    }




}

#if compiler(>=6)
extension Failure: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeFailure: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> Failure {
        return
            try Failure(
                number: FfiConverterInt32.read(from: &buf),
                name: FfiConverterString.read(from: &buf),
                kind: FfiConverterString.read(from: &buf),
                disposition: FfiConverterInt32.read(from: &buf),
                retriable: FfiConverterBool.read(from: &buf),
                outcomeUnknown: FfiConverterBool.read(from: &buf),
                text: FfiConverterString.read(from: &buf),
                firstOffset: FfiConverterOptionInt64.read(from: &buf),
                nextOffset: FfiConverterOptionInt64.read(from: &buf),
                unsent: FfiConverterSequenceTypeUnsent.read(from: &buf)
        )
    }

    public static func write(_ value: Failure, into buf: inout [UInt8]) {
        FfiConverterInt32.write(value.number, into: &buf)
        FfiConverterString.write(value.name, into: &buf)
        FfiConverterString.write(value.kind, into: &buf)
        FfiConverterInt32.write(value.disposition, into: &buf)
        FfiConverterBool.write(value.retriable, into: &buf)
        FfiConverterBool.write(value.outcomeUnknown, into: &buf)
        FfiConverterString.write(value.text, into: &buf)
        FfiConverterOptionInt64.write(value.firstOffset, into: &buf)
        FfiConverterOptionInt64.write(value.nextOffset, into: &buf)
        FfiConverterSequenceTypeUnsent.write(value.unsent, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeFailure_lift(_ buf: RustBuffer) throws -> Failure {
    return try FfiConverterTypeFailure.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeFailure_lower(_ value: Failure) -> RustBuffer {
    return FfiConverterTypeFailure.lower(value)
}


/**
 * A group with its members and partitions.
 */
public struct GroupDescription: Equatable, Hashable {
    /**
     * The group.
     */
    public var info: GroupInfo
    /**
     * Its members.
     */
    public var members: [GroupMember]
    /**
     * Its partitions.
     */
    public var partitions: [GroupPartition]

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * The group.
         */info: GroupInfo,
        /**
         * Its members.
         */members: [GroupMember],
        /**
         * Its partitions.
         */partitions: [GroupPartition]) {
        self.info = info
        self.members = members
        self.partitions = partitions
    }




}

#if compiler(>=6)
extension GroupDescription: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeGroupDescription: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> GroupDescription {
        return
            try GroupDescription(
                info: FfiConverterTypeGroupInfo.read(from: &buf),
                members: FfiConverterSequenceTypeGroupMember.read(from: &buf),
                partitions: FfiConverterSequenceTypeGroupPartition.read(from: &buf)
        )
    }

    public static func write(_ value: GroupDescription, into buf: inout [UInt8]) {
        FfiConverterTypeGroupInfo.write(value.info, into: &buf)
        FfiConverterSequenceTypeGroupMember.write(value.members, into: &buf)
        FfiConverterSequenceTypeGroupPartition.write(value.partitions, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeGroupDescription_lift(_ buf: RustBuffer) throws -> GroupDescription {
    return try FfiConverterTypeGroupDescription.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeGroupDescription_lower(_ value: GroupDescription) -> RustBuffer {
    return FfiConverterTypeGroupDescription.lower(value)
}


/**
 * A group, or a named consumer.
 */
public struct GroupInfo: Equatable, Hashable {
    /**
     * Its name.
     */
    public var name: String
    /**
     * When it was created, in microseconds since the Unix epoch.
     */
    public var createdUs: Int64
    /**
     * `empty`, `stable` or `rebalancing`.
     */
    public var state: String
    /**
     * Counts its assignments.
     */
    public var generation: Int32
    /**
     * How many members it has.
     */
    public var members: Int32
    /**
     * How many partitions they read.
     */
    public var partitions: Int32
    /**
     * How many offsets it has stored.
     */
    public var offsets: Int32

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * Its name.
         */name: String,
        /**
         * When it was created, in microseconds since the Unix epoch.
         */createdUs: Int64,
        /**
         * `empty`, `stable` or `rebalancing`.
         */state: String,
        /**
         * Counts its assignments.
         */generation: Int32,
        /**
         * How many members it has.
         */members: Int32,
        /**
         * How many partitions they read.
         */partitions: Int32,
        /**
         * How many offsets it has stored.
         */offsets: Int32) {
        self.name = name
        self.createdUs = createdUs
        self.state = state
        self.generation = generation
        self.members = members
        self.partitions = partitions
        self.offsets = offsets
    }




}

#if compiler(>=6)
extension GroupInfo: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeGroupInfo: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> GroupInfo {
        return
            try GroupInfo(
                name: FfiConverterString.read(from: &buf),
                createdUs: FfiConverterInt64.read(from: &buf),
                state: FfiConverterString.read(from: &buf),
                generation: FfiConverterInt32.read(from: &buf),
                members: FfiConverterInt32.read(from: &buf),
                partitions: FfiConverterInt32.read(from: &buf),
                offsets: FfiConverterInt32.read(from: &buf)
        )
    }

    public static func write(_ value: GroupInfo, into buf: inout [UInt8]) {
        FfiConverterString.write(value.name, into: &buf)
        FfiConverterInt64.write(value.createdUs, into: &buf)
        FfiConverterString.write(value.state, into: &buf)
        FfiConverterInt32.write(value.generation, into: &buf)
        FfiConverterInt32.write(value.members, into: &buf)
        FfiConverterInt32.write(value.partitions, into: &buf)
        FfiConverterInt32.write(value.offsets, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeGroupInfo_lift(_ buf: RustBuffer) throws -> GroupInfo {
    return try FfiConverterTypeGroupInfo.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeGroupInfo_lower(_ value: GroupInfo) -> RustBuffer {
    return FfiConverterTypeGroupInfo.lower(value)
}


/**
 * A member of a group.
 */
public struct GroupMember: Equatable, Hashable {
    /**
     * Its number.
     */
    public var id: Int64
    /**
     * How often it joined.
     */
    public var epoch: Int32
    /**
     * The name that it gave itself.
     */
    public var name: String
    /**
     * Its client's name.
     */
    public var clientName: String
    /**
     * Where it comes from.
     */
    public var address: String
    /**
     * Whether it is connected.
     */
    public var connected: Bool
    /**
     * How long it may be silent, in milliseconds.
     */
    public var sessionTimeoutMs: Int32
    /**
     * How long it may take to give up a partition, in milliseconds.
     */
    public var rebalanceTimeoutMs: Int32
    /**
     * How many partitions it reads.
     */
    public var partitions: Int32
    /**
     * The topics that it reads, `stream/topic`.
     */
    public var topics: [String]

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * Its number.
         */id: Int64,
        /**
         * How often it joined.
         */epoch: Int32,
        /**
         * The name that it gave itself.
         */name: String,
        /**
         * Its client's name.
         */clientName: String,
        /**
         * Where it comes from.
         */address: String,
        /**
         * Whether it is connected.
         */connected: Bool,
        /**
         * How long it may be silent, in milliseconds.
         */sessionTimeoutMs: Int32,
        /**
         * How long it may take to give up a partition, in milliseconds.
         */rebalanceTimeoutMs: Int32,
        /**
         * How many partitions it reads.
         */partitions: Int32,
        /**
         * The topics that it reads, `stream/topic`.
         */topics: [String]) {
        self.id = id
        self.epoch = epoch
        self.name = name
        self.clientName = clientName
        self.address = address
        self.connected = connected
        self.sessionTimeoutMs = sessionTimeoutMs
        self.rebalanceTimeoutMs = rebalanceTimeoutMs
        self.partitions = partitions
        self.topics = topics
    }




}

#if compiler(>=6)
extension GroupMember: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeGroupMember: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> GroupMember {
        return
            try GroupMember(
                id: FfiConverterInt64.read(from: &buf),
                epoch: FfiConverterInt32.read(from: &buf),
                name: FfiConverterString.read(from: &buf),
                clientName: FfiConverterString.read(from: &buf),
                address: FfiConverterString.read(from: &buf),
                connected: FfiConverterBool.read(from: &buf),
                sessionTimeoutMs: FfiConverterInt32.read(from: &buf),
                rebalanceTimeoutMs: FfiConverterInt32.read(from: &buf),
                partitions: FfiConverterInt32.read(from: &buf),
                topics: FfiConverterSequenceString.read(from: &buf)
        )
    }

    public static func write(_ value: GroupMember, into buf: inout [UInt8]) {
        FfiConverterInt64.write(value.id, into: &buf)
        FfiConverterInt32.write(value.epoch, into: &buf)
        FfiConverterString.write(value.name, into: &buf)
        FfiConverterString.write(value.clientName, into: &buf)
        FfiConverterString.write(value.address, into: &buf)
        FfiConverterBool.write(value.connected, into: &buf)
        FfiConverterInt32.write(value.sessionTimeoutMs, into: &buf)
        FfiConverterInt32.write(value.rebalanceTimeoutMs, into: &buf)
        FfiConverterInt32.write(value.partitions, into: &buf)
        FfiConverterSequenceString.write(value.topics, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeGroupMember_lift(_ buf: RustBuffer) throws -> GroupMember {
    return try FfiConverterTypeGroupMember.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeGroupMember_lower(_ value: GroupMember) -> RustBuffer {
    return FfiConverterTypeGroupMember.lower(value)
}


/**
 * A partition that a group reads, or has stored an offset for.
 */
public struct GroupPartition: Equatable, Hashable {
    /**
     * The topic, `stream/topic`.
     */
    public var topic: String
    /**
     * The partition.
     */
    public var partition: Int32
    /**
     * The member that reads it; 0 is none.
     */
    public var memberId: Int64
    /**
     * Whether the member is asked to give it up.
     */
    public var revoking: Bool
    /**
     * The stored offset of the next record to read.
     */
    public var offset: Int64?
    /**
     * When it was stored, in microseconds since the Unix epoch.
     */
    public var commitUs: Int64?

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * The topic, `stream/topic`.
         */topic: String,
        /**
         * The partition.
         */partition: Int32,
        /**
         * The member that reads it; 0 is none.
         */memberId: Int64,
        /**
         * Whether the member is asked to give it up.
         */revoking: Bool,
        /**
         * The stored offset of the next record to read.
         */offset: Int64?,
        /**
         * When it was stored, in microseconds since the Unix epoch.
         */commitUs: Int64?) {
        self.topic = topic
        self.partition = partition
        self.memberId = memberId
        self.revoking = revoking
        self.offset = offset
        self.commitUs = commitUs
    }




}

#if compiler(>=6)
extension GroupPartition: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeGroupPartition: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> GroupPartition {
        return
            try GroupPartition(
                topic: FfiConverterString.read(from: &buf),
                partition: FfiConverterInt32.read(from: &buf),
                memberId: FfiConverterInt64.read(from: &buf),
                revoking: FfiConverterBool.read(from: &buf),
                offset: FfiConverterOptionInt64.read(from: &buf),
                commitUs: FfiConverterOptionInt64.read(from: &buf)
        )
    }

    public static func write(_ value: GroupPartition, into buf: inout [UInt8]) {
        FfiConverterString.write(value.topic, into: &buf)
        FfiConverterInt32.write(value.partition, into: &buf)
        FfiConverterInt64.write(value.memberId, into: &buf)
        FfiConverterBool.write(value.revoking, into: &buf)
        FfiConverterOptionInt64.write(value.offset, into: &buf)
        FfiConverterOptionInt64.write(value.commitUs, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeGroupPartition_lift(_ buf: RustBuffer) throws -> GroupPartition {
    return try FfiConverterTypeGroupPartition.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeGroupPartition_lower(_ value: GroupPartition) -> RustBuffer {
    return FfiConverterTypeGroupPartition.lower(value)
}


/**
 * Where a batch lies in memory. The bytes are read at once, and copied, while their owner is
 * held; they are valid until that gives the next batch.
 */
public struct Lent: Equatable, Hashable {
    /**
     * Address of the head.
     */
    public var head: Int64
    /**
     * Bytes of the head.
     */
    public var headLen: Int32
    /**
     * Address of the body.
     */
    public var body: Int64
    /**
     * Bytes of the body.
     */
    public var bodyLen: Int32

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * Address of the head.
         */head: Int64,
        /**
         * Bytes of the head.
         */headLen: Int32,
        /**
         * Address of the body.
         */body: Int64,
        /**
         * Bytes of the body.
         */bodyLen: Int32) {
        self.head = head
        self.headLen = headLen
        self.body = body
        self.bodyLen = bodyLen
    }




}

#if compiler(>=6)
extension Lent: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeLent: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> Lent {
        return
            try Lent(
                head: FfiConverterInt64.read(from: &buf),
                headLen: FfiConverterInt32.read(from: &buf),
                body: FfiConverterInt64.read(from: &buf),
                bodyLen: FfiConverterInt32.read(from: &buf)
        )
    }

    public static func write(_ value: Lent, into buf: inout [UInt8]) {
        FfiConverterInt64.write(value.head, into: &buf)
        FfiConverterInt32.write(value.headLen, into: &buf)
        FfiConverterInt64.write(value.body, into: &buf)
        FfiConverterInt32.write(value.bodyLen, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeLent_lift(_ buf: RustBuffer) throws -> Lent {
    return try FfiConverterTypeLent.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeLent_lower(_ value: Lent) -> RustBuffer {
    return FfiConverterTypeLent.lower(value)
}


/**
 * A limit that a server enforces.
 */
public struct LimitInfo: Equatable, Hashable {
    /**
     * Its name in the server's configuration, or the protocol's.
     */
    public var name: String
    /**
     * How much is allowed; 0 is no limit.
     */
    public var value: Int64
    /**
     * What is counted.
     */
    public var unit: String
    /**
     * Whether the server's configuration sets it; otherwise the protocol does.
     */
    public var configured: Bool
    /**
     * How much is used now; 0 where that is not counted, or not for this user to know.
     */
    public var used: Int64

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * Its name in the server's configuration, or the protocol's.
         */name: String,
        /**
         * How much is allowed; 0 is no limit.
         */value: Int64,
        /**
         * What is counted.
         */unit: String,
        /**
         * Whether the server's configuration sets it; otherwise the protocol does.
         */configured: Bool,
        /**
         * How much is used now; 0 where that is not counted, or not for this user to know.
         */used: Int64) {
        self.name = name
        self.value = value
        self.unit = unit
        self.configured = configured
        self.used = used
    }




}

#if compiler(>=6)
extension LimitInfo: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeLimitInfo: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> LimitInfo {
        return
            try LimitInfo(
                name: FfiConverterString.read(from: &buf),
                value: FfiConverterInt64.read(from: &buf),
                unit: FfiConverterString.read(from: &buf),
                configured: FfiConverterBool.read(from: &buf),
                used: FfiConverterInt64.read(from: &buf)
        )
    }

    public static func write(_ value: LimitInfo, into buf: inout [UInt8]) {
        FfiConverterString.write(value.name, into: &buf)
        FfiConverterInt64.write(value.value, into: &buf)
        FfiConverterString.write(value.unit, into: &buf)
        FfiConverterBool.write(value.configured, into: &buf)
        FfiConverterInt64.write(value.used, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeLimitInfo_lift(_ buf: RustBuffer) throws -> LimitInfo {
    return try FfiConverterTypeLimitInfo.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeLimitInfo_lower(_ value: LimitInfo) -> RustBuffer {
    return FfiConverterTypeLimitInfo.lower(value)
}


/**
 * An event; what belongs to it is there.
 */
public struct NativeEvent: Equatable, Hashable {
    /**
     * `connected`, `disconnected`, `reconnecting`, `gave_up`, `throttled`,
     * `partitions_assigned`, `partitions_revoked`, `partitions_lost`, `records_skipped` or
     * `missed`.
     */
    public var kind: String
    /**
     * The server's address.
     */
    public var address: String?
    /**
     * Which attempt it is.
     */
    public var attempt: Int32?
    /**
     * Why.
     */
    public var failure: Failure?
    /**
     * The topic, `stream/topic`.
     */
    public var topic: String?
    /**
     * The partition.
     */
    public var partition: Int32?
    /**
     * The group.
     */
    public var group: String?
    /**
     * Partitions of the group.
     */
    public var partitions: [TopicPartition]?
    /**
     * The record that was due.
     */
    public var fromOffset: Int64?
    /**
     * The record at which it goes on.
     */
    public var toOffset: Int64?
    /**
     * How many events were lost.
     */
    public var count: Int64?

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * `connected`, `disconnected`, `reconnecting`, `gave_up`, `throttled`,
         * `partitions_assigned`, `partitions_revoked`, `partitions_lost`, `records_skipped` or
         * `missed`.
         */kind: String,
        /**
         * The server's address.
         */address: String?,
        /**
         * Which attempt it is.
         */attempt: Int32?,
        /**
         * Why.
         */failure: Failure?,
        /**
         * The topic, `stream/topic`.
         */topic: String?,
        /**
         * The partition.
         */partition: Int32?,
        /**
         * The group.
         */group: String?,
        /**
         * Partitions of the group.
         */partitions: [TopicPartition]?,
        /**
         * The record that was due.
         */fromOffset: Int64?,
        /**
         * The record at which it goes on.
         */toOffset: Int64?,
        /**
         * How many events were lost.
         */count: Int64?) {
        self.kind = kind
        self.address = address
        self.attempt = attempt
        self.failure = failure
        self.topic = topic
        self.partition = partition
        self.group = group
        self.partitions = partitions
        self.fromOffset = fromOffset
        self.toOffset = toOffset
        self.count = count
    }




}

#if compiler(>=6)
extension NativeEvent: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeNativeEvent: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> NativeEvent {
        return
            try NativeEvent(
                kind: FfiConverterString.read(from: &buf),
                address: FfiConverterOptionString.read(from: &buf),
                attempt: FfiConverterOptionInt32.read(from: &buf),
                failure: FfiConverterOptionTypeFailure.read(from: &buf),
                topic: FfiConverterOptionString.read(from: &buf),
                partition: FfiConverterOptionInt32.read(from: &buf),
                group: FfiConverterOptionString.read(from: &buf),
                partitions: FfiConverterOptionSequenceTypeTopicPartition.read(from: &buf),
                fromOffset: FfiConverterOptionInt64.read(from: &buf),
                toOffset: FfiConverterOptionInt64.read(from: &buf),
                count: FfiConverterOptionInt64.read(from: &buf)
        )
    }

    public static func write(_ value: NativeEvent, into buf: inout [UInt8]) {
        FfiConverterString.write(value.kind, into: &buf)
        FfiConverterOptionString.write(value.address, into: &buf)
        FfiConverterOptionInt32.write(value.attempt, into: &buf)
        FfiConverterOptionTypeFailure.write(value.failure, into: &buf)
        FfiConverterOptionString.write(value.topic, into: &buf)
        FfiConverterOptionInt32.write(value.partition, into: &buf)
        FfiConverterOptionString.write(value.group, into: &buf)
        FfiConverterOptionSequenceTypeTopicPartition.write(value.partitions, into: &buf)
        FfiConverterOptionInt64.write(value.fromOffset, into: &buf)
        FfiConverterOptionInt64.write(value.toOffset, into: &buf)
        FfiConverterOptionInt64.write(value.count, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeNativeEvent_lift(_ buf: RustBuffer) throws -> NativeEvent {
    return try FfiConverterTypeNativeEvent.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeNativeEvent_lower(_ value: NativeEvent) -> RustBuffer {
    return FfiConverterTypeNativeEvent.lower(value)
}


/**
 * A token that was just made.
 */
public struct NewToken: Equatable, Hashable {
    /**
     * The token.
     */
    public var token: TokenInfo
    /**
     * What logs in with it; it is told here and never again.
     */
    public var secret: String

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * The token.
         */token: TokenInfo,
        /**
         * What logs in with it; it is told here and never again.
         */secret: String) {
        self.token = token
        self.secret = secret
    }




}

#if compiler(>=6)
extension NewToken: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeNewToken: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> NewToken {
        return
            try NewToken(
                token: FfiConverterTypeTokenInfo.read(from: &buf),
                secret: FfiConverterString.read(from: &buf)
        )
    }

    public static func write(_ value: NewToken, into buf: inout [UInt8]) {
        FfiConverterTypeTokenInfo.write(value.token, into: &buf)
        FfiConverterString.write(value.secret, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeNewToken_lift(_ buf: RustBuffer) throws -> NewToken {
    return try FfiConverterTypeNewToken.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeNewToken_lower(_ value: NewToken) -> RustBuffer {
    return FfiConverterTypeNewToken.lower(value)
}


/**
 * The outcomes of records that were pushed together, in order.
 */
public struct Outcomes: Equatable, Hashable {
    /**
     * Runs of 32 bytes each, little-endian: the kind u32 (0 is a receipt, 1 a failure), how many
     * records u32, the partition u32, the level of acknowledgement u8, whether it is a duplicate
     * u8, u16 zero, the first record's offset u64 (or the number of the failure), the time of
     * the append i64. The offsets of a run follow each other.
     */
    public var runs: Data
    /**
     * The failures, by their number.
     */
    public var failures: [Failure]

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * Runs of 32 bytes each, little-endian: the kind u32 (0 is a receipt, 1 a failure), how many
         * records u32, the partition u32, the level of acknowledgement u8, whether it is a duplicate
         * u8, u16 zero, the first record's offset u64 (or the number of the failure), the time of
         * the append i64. The offsets of a run follow each other.
         */runs: Data,
        /**
         * The failures, by their number.
         */failures: [Failure]) {
        self.runs = runs
        self.failures = failures
    }




}

#if compiler(>=6)
extension Outcomes: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeOutcomes: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> Outcomes {
        return
            try Outcomes(
                runs: FfiConverterData.read(from: &buf),
                failures: FfiConverterSequenceTypeFailure.read(from: &buf)
        )
    }

    public static func write(_ value: Outcomes, into buf: inout [UInt8]) {
        FfiConverterData.write(value.runs, into: &buf)
        FfiConverterSequenceTypeFailure.write(value.failures, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeOutcomes_lift(_ buf: RustBuffer) throws -> Outcomes {
    return try FfiConverterTypeOutcomes.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeOutcomes_lower(_ value: Outcomes) -> RustBuffer {
    return FfiConverterTypeOutcomes.lower(value)
}


/**
 * The state of a partition.
 */
public struct PartitionInfo: Equatable, Hashable {
    /**
     * The partition.
     */
    public var partition: Int32
    /**
     * The server's shard that owns it.
     */
    public var shard: Int32
    /**
     * Offset of its first record.
     */
    public var startOffset: Int64
    /**
     * Offset after its last record.
     */
    public var endOffset: Int64
    /**
     * Offset up to which it is on the disk.
     */
    public var syncedOffset: Int64
    /**
     * Its size, in bytes.
     */
    public var sizeBytes: Int64
    /**
     * Files that it has.
     */
    public var segments: Int32
    /**
     * 0, or the number of the error for which it cannot be used.
     */
    public var error: Int32

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * The partition.
         */partition: Int32,
        /**
         * The server's shard that owns it.
         */shard: Int32,
        /**
         * Offset of its first record.
         */startOffset: Int64,
        /**
         * Offset after its last record.
         */endOffset: Int64,
        /**
         * Offset up to which it is on the disk.
         */syncedOffset: Int64,
        /**
         * Its size, in bytes.
         */sizeBytes: Int64,
        /**
         * Files that it has.
         */segments: Int32,
        /**
         * 0, or the number of the error for which it cannot be used.
         */error: Int32) {
        self.partition = partition
        self.shard = shard
        self.startOffset = startOffset
        self.endOffset = endOffset
        self.syncedOffset = syncedOffset
        self.sizeBytes = sizeBytes
        self.segments = segments
        self.error = error
    }




}

#if compiler(>=6)
extension PartitionInfo: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypePartitionInfo: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> PartitionInfo {
        return
            try PartitionInfo(
                partition: FfiConverterInt32.read(from: &buf),
                shard: FfiConverterInt32.read(from: &buf),
                startOffset: FfiConverterInt64.read(from: &buf),
                endOffset: FfiConverterInt64.read(from: &buf),
                syncedOffset: FfiConverterInt64.read(from: &buf),
                sizeBytes: FfiConverterInt64.read(from: &buf),
                segments: FfiConverterInt32.read(from: &buf),
                error: FfiConverterInt32.read(from: &buf)
        )
    }

    public static func write(_ value: PartitionInfo, into buf: inout [UInt8]) {
        FfiConverterInt32.write(value.partition, into: &buf)
        FfiConverterInt32.write(value.shard, into: &buf)
        FfiConverterInt64.write(value.startOffset, into: &buf)
        FfiConverterInt64.write(value.endOffset, into: &buf)
        FfiConverterInt64.write(value.syncedOffset, into: &buf)
        FfiConverterInt64.write(value.sizeBytes, into: &buf)
        FfiConverterInt32.write(value.segments, into: &buf)
        FfiConverterInt32.write(value.error, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypePartitionInfo_lift(_ buf: RustBuffer) throws -> PartitionInfo {
    return try FfiConverterTypePartitionInfo.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypePartitionInfo_lower(_ value: PartitionInfo) -> RustBuffer {
    return FfiConverterTypePartitionInfo.lower(value)
}


/**
 * An offset of a partition.
 */
public struct PartitionOffset: Equatable, Hashable {
    /**
     * The partition.
     */
    public var partition: Int32
    /**
     * The offset.
     */
    public var offset: Int64

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * The partition.
         */partition: Int32,
        /**
         * The offset.
         */offset: Int64) {
        self.partition = partition
        self.offset = offset
    }




}

#if compiler(>=6)
extension PartitionOffset: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypePartitionOffset: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> PartitionOffset {
        return
            try PartitionOffset(
                partition: FfiConverterInt32.read(from: &buf),
                offset: FfiConverterInt64.read(from: &buf)
        )
    }

    public static func write(_ value: PartitionOffset, into buf: inout [UInt8]) {
        FfiConverterInt32.write(value.partition, into: &buf)
        FfiConverterInt64.write(value.offset, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypePartitionOffset_lift(_ buf: RustBuffer) throws -> PartitionOffset {
    return try FfiConverterTypePartitionOffset.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypePartitionOffset_lower(_ value: PartitionOffset) -> RustBuffer {
    return FfiConverterTypePartitionOffset.lower(value)
}


/**
 * Where a consumer stands in a partition.
 */
public struct Position: Equatable, Hashable {
    /**
     * The topic, `stream/topic`.
     */
    public var topic: String
    /**
     * The partition.
     */
    public var partition: Int32
    /**
     * Offset of the record that the consumer returns next.
     */
    public var nextOffset: Int64
    /**
     * Offset after the partition's last record, as far as it is known.
     */
    public var endOffset: Int64
    /**
     * What is stored for the consumer's group or name, as far as it is known.
     */
    public var storedOffset: Int64?

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * The topic, `stream/topic`.
         */topic: String,
        /**
         * The partition.
         */partition: Int32,
        /**
         * Offset of the record that the consumer returns next.
         */nextOffset: Int64,
        /**
         * Offset after the partition's last record, as far as it is known.
         */endOffset: Int64,
        /**
         * What is stored for the consumer's group or name, as far as it is known.
         */storedOffset: Int64?) {
        self.topic = topic
        self.partition = partition
        self.nextOffset = nextOffset
        self.endOffset = endOffset
        self.storedOffset = storedOffset
    }




}

#if compiler(>=6)
extension Position: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypePosition: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> Position {
        return
            try Position(
                topic: FfiConverterString.read(from: &buf),
                partition: FfiConverterInt32.read(from: &buf),
                nextOffset: FfiConverterInt64.read(from: &buf),
                endOffset: FfiConverterInt64.read(from: &buf),
                storedOffset: FfiConverterOptionInt64.read(from: &buf)
        )
    }

    public static func write(_ value: Position, into buf: inout [UInt8]) {
        FfiConverterString.write(value.topic, into: &buf)
        FfiConverterInt32.write(value.partition, into: &buf)
        FfiConverterInt64.write(value.nextOffset, into: &buf)
        FfiConverterInt64.write(value.endOffset, into: &buf)
        FfiConverterOptionInt64.write(value.storedOffset, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypePosition_lift(_ buf: RustBuffer) throws -> Position {
    return try FfiConverterTypePosition.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypePosition_lower(_ value: Position) -> RustBuffer {
    return FfiConverterTypePosition.lower(value)
}


/**
 * A named producer that a topic remembers.
 */
public struct ProducerInfo: Equatable, Hashable {
    /**
     * Its name.
     */
    public var name: String
    /**
     * Its number.
     */
    public var id: Int64
    /**
     * How often the name was opened.
     */
    public var epoch: Int32
    /**
     * When it was opened last, in microseconds since the Unix epoch.
     */
    public var openedUs: Int64

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * Its name.
         */name: String,
        /**
         * Its number.
         */id: Int64,
        /**
         * How often the name was opened.
         */epoch: Int32,
        /**
         * When it was opened last, in microseconds since the Unix epoch.
         */openedUs: Int64) {
        self.name = name
        self.id = id
        self.epoch = epoch
        self.openedUs = openedUs
    }




}

#if compiler(>=6)
extension ProducerInfo: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeProducerInfo: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> ProducerInfo {
        return
            try ProducerInfo(
                name: FfiConverterString.read(from: &buf),
                id: FfiConverterInt64.read(from: &buf),
                epoch: FfiConverterInt32.read(from: &buf),
                openedUs: FfiConverterInt64.read(from: &buf)
        )
    }

    public static func write(_ value: ProducerInfo, into buf: inout [UInt8]) {
        FfiConverterString.write(value.name, into: &buf)
        FfiConverterInt64.write(value.id, into: &buf)
        FfiConverterInt32.write(value.epoch, into: &buf)
        FfiConverterInt64.write(value.openedUs, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeProducerInfo_lift(_ buf: RustBuffer) throws -> ProducerInfo {
    return try FfiConverterTypeProducerInfo.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeProducerInfo_lower(_ value: ProducerInfo) -> RustBuffer {
    return FfiConverterTypeProducerInfo.lower(value)
}


/**
 * What a producer did so far, and what waits.
 */
public struct ProducerStats: Equatable, Hashable {
    /**
     * Records without an outcome.
     */
    public var queuedRecords: Int64
    /**
     * Their bytes, as they count against `queue_bytes`.
     */
    public var queuedBytes: Int64
    /**
     * Batches on the wire that are not answered.
     */
    public var inFlightBatches: Int64
    /**
     * Batches sent, each time counted.
     */
    public var sentBatches: Int64
    /**
     * Their bytes.
     */
    public var sentBytes: Int64
    /**
     * Of them, those that had been sent before.
     */
    public var retriedBatches: Int64
    /**
     * Batches that an earlier sending had appended already.
     */
    public var duplicateBatches: Int64
    /**
     * Records acknowledged.
     */
    public var acknowledgedRecords: Int64
    /**
     * Records that were certainly not appended.
     */
    public var failedRecords: Int64
    /**
     * Records whose outcome is unknown.
     */
    public var unknownRecords: Int64
    /**
     * Records dropped because the queue was full, with `queue_full` drop.
     */
    public var droppedRecords: Int64

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * Records without an outcome.
         */queuedRecords: Int64,
        /**
         * Their bytes, as they count against `queue_bytes`.
         */queuedBytes: Int64,
        /**
         * Batches on the wire that are not answered.
         */inFlightBatches: Int64,
        /**
         * Batches sent, each time counted.
         */sentBatches: Int64,
        /**
         * Their bytes.
         */sentBytes: Int64,
        /**
         * Of them, those that had been sent before.
         */retriedBatches: Int64,
        /**
         * Batches that an earlier sending had appended already.
         */duplicateBatches: Int64,
        /**
         * Records acknowledged.
         */acknowledgedRecords: Int64,
        /**
         * Records that were certainly not appended.
         */failedRecords: Int64,
        /**
         * Records whose outcome is unknown.
         */unknownRecords: Int64,
        /**
         * Records dropped because the queue was full, with `queue_full` drop.
         */droppedRecords: Int64) {
        self.queuedRecords = queuedRecords
        self.queuedBytes = queuedBytes
        self.inFlightBatches = inFlightBatches
        self.sentBatches = sentBatches
        self.sentBytes = sentBytes
        self.retriedBatches = retriedBatches
        self.duplicateBatches = duplicateBatches
        self.acknowledgedRecords = acknowledgedRecords
        self.failedRecords = failedRecords
        self.unknownRecords = unknownRecords
        self.droppedRecords = droppedRecords
    }




}

#if compiler(>=6)
extension ProducerStats: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeProducerStats: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> ProducerStats {
        return
            try ProducerStats(
                queuedRecords: FfiConverterInt64.read(from: &buf),
                queuedBytes: FfiConverterInt64.read(from: &buf),
                inFlightBatches: FfiConverterInt64.read(from: &buf),
                sentBatches: FfiConverterInt64.read(from: &buf),
                sentBytes: FfiConverterInt64.read(from: &buf),
                retriedBatches: FfiConverterInt64.read(from: &buf),
                duplicateBatches: FfiConverterInt64.read(from: &buf),
                acknowledgedRecords: FfiConverterInt64.read(from: &buf),
                failedRecords: FfiConverterInt64.read(from: &buf),
                unknownRecords: FfiConverterInt64.read(from: &buf),
                droppedRecords: FfiConverterInt64.read(from: &buf)
        )
    }

    public static func write(_ value: ProducerStats, into buf: inout [UInt8]) {
        FfiConverterInt64.write(value.queuedRecords, into: &buf)
        FfiConverterInt64.write(value.queuedBytes, into: &buf)
        FfiConverterInt64.write(value.inFlightBatches, into: &buf)
        FfiConverterInt64.write(value.sentBatches, into: &buf)
        FfiConverterInt64.write(value.sentBytes, into: &buf)
        FfiConverterInt64.write(value.retriedBatches, into: &buf)
        FfiConverterInt64.write(value.duplicateBatches, into: &buf)
        FfiConverterInt64.write(value.acknowledgedRecords, into: &buf)
        FfiConverterInt64.write(value.failedRecords, into: &buf)
        FfiConverterInt64.write(value.unknownRecords, into: &buf)
        FfiConverterInt64.write(value.droppedRecords, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeProducerStats_lift(_ buf: RustBuffer) throws -> ProducerStats {
    return try FfiConverterTypeProducerStats.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeProducerStats_lower(_ value: ProducerStats) -> RustBuffer {
    return FfiConverterTypeProducerStats.lower(value)
}


/**
 * What came of a push.
 */
public struct Pushed {
    /**
     * Records that were taken, from the first on.
     */
    public var records: Int32
    /**
     * Their bytes in the chunk.
     */
    public var bytes: Int32
    /**
     * Why the next one was not.
     */
    public var failure: Failure?
    /**
     * The outcomes of those that were taken, if they are wanted.
     */
    public var tickets: NativeTickets?

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * Records that were taken, from the first on.
         */records: Int32,
        /**
         * Their bytes in the chunk.
         */bytes: Int32,
        /**
         * Why the next one was not.
         */failure: Failure?,
        /**
         * The outcomes of those that were taken, if they are wanted.
         */tickets: NativeTickets?) {
        self.records = records
        self.bytes = bytes
        self.failure = failure
        self.tickets = tickets
    }




}

#if compiler(>=6)
extension Pushed: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypePushed: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> Pushed {
        return
            try Pushed(
                records: FfiConverterInt32.read(from: &buf),
                bytes: FfiConverterInt32.read(from: &buf),
                failure: FfiConverterOptionTypeFailure.read(from: &buf),
                tickets: FfiConverterOptionTypeNativeTickets.read(from: &buf)
        )
    }

    public static func write(_ value: Pushed, into buf: inout [UInt8]) {
        FfiConverterInt32.write(value.records, into: &buf)
        FfiConverterInt32.write(value.bytes, into: &buf)
        FfiConverterOptionTypeFailure.write(value.failure, into: &buf)
        FfiConverterOptionTypeNativeTickets.write(value.tickets, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypePushed_lift(_ buf: RustBuffer) throws -> Pushed {
    return try FfiConverterTypePushed.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypePushed_lower(_ value: Pushed) -> RustBuffer {
    return FfiConverterTypePushed.lower(value)
}


/**
 * What the server said of itself.
 */
public struct ServerInfo: Equatable, Hashable {
    /**
     * Its name.
     */
    public var name: String
    /**
     * Its version.
     */
    public var version: String
    /**
     * Where it was reached, `host:port`.
     */
    public var address: String
    /**
     * The number of its data directory, in decimal digits.
     */
    public var id: String
    /**
     * What it allows a connection.
     */
    public var limits: ServerLimits

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * Its name.
         */name: String,
        /**
         * Its version.
         */version: String,
        /**
         * Where it was reached, `host:port`.
         */address: String,
        /**
         * The number of its data directory, in decimal digits.
         */id: String,
        /**
         * What it allows a connection.
         */limits: ServerLimits) {
        self.name = name
        self.version = version
        self.address = address
        self.id = id
        self.limits = limits
    }




}

#if compiler(>=6)
extension ServerInfo: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeServerInfo: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> ServerInfo {
        return
            try ServerInfo(
                name: FfiConverterString.read(from: &buf),
                version: FfiConverterString.read(from: &buf),
                address: FfiConverterString.read(from: &buf),
                id: FfiConverterString.read(from: &buf),
                limits: FfiConverterTypeServerLimits.read(from: &buf)
        )
    }

    public static func write(_ value: ServerInfo, into buf: inout [UInt8]) {
        FfiConverterString.write(value.name, into: &buf)
        FfiConverterString.write(value.version, into: &buf)
        FfiConverterString.write(value.address, into: &buf)
        FfiConverterString.write(value.id, into: &buf)
        FfiConverterTypeServerLimits.write(value.limits, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeServerInfo_lift(_ buf: RustBuffer) throws -> ServerInfo {
    return try FfiConverterTypeServerInfo.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeServerInfo_lower(_ value: ServerInfo) -> RustBuffer {
    return FfiConverterTypeServerInfo.lower(value)
}


/**
 * Limits that the server told of when the client connected.
 */
public struct ServerLimits: Equatable, Hashable {
    /**
     * Longest frame, in bytes.
     */
    public var maxFrameLen: Int32
    /**
     * Longest batch, in bytes.
     */
    public var maxBatchLen: Int32
    /**
     * Most records of a batch.
     */
    public var maxBatchRecords: Int32
    /**
     * Most unanswered requests of a connection.
     */
    public var maxInFlight: Int32
    /**
     * Most channels of a connection.
     */
    public var maxChannels: Int32

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * Longest frame, in bytes.
         */maxFrameLen: Int32,
        /**
         * Longest batch, in bytes.
         */maxBatchLen: Int32,
        /**
         * Most records of a batch.
         */maxBatchRecords: Int32,
        /**
         * Most unanswered requests of a connection.
         */maxInFlight: Int32,
        /**
         * Most channels of a connection.
         */maxChannels: Int32) {
        self.maxFrameLen = maxFrameLen
        self.maxBatchLen = maxBatchLen
        self.maxBatchRecords = maxBatchRecords
        self.maxInFlight = maxInFlight
        self.maxChannels = maxChannels
    }




}

#if compiler(>=6)
extension ServerLimits: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeServerLimits: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> ServerLimits {
        return
            try ServerLimits(
                maxFrameLen: FfiConverterInt32.read(from: &buf),
                maxBatchLen: FfiConverterInt32.read(from: &buf),
                maxBatchRecords: FfiConverterInt32.read(from: &buf),
                maxInFlight: FfiConverterInt32.read(from: &buf),
                maxChannels: FfiConverterInt32.read(from: &buf)
        )
    }

    public static func write(_ value: ServerLimits, into buf: inout [UInt8]) {
        FfiConverterInt32.write(value.maxFrameLen, into: &buf)
        FfiConverterInt32.write(value.maxBatchLen, into: &buf)
        FfiConverterInt32.write(value.maxBatchRecords, into: &buf)
        FfiConverterInt32.write(value.maxInFlight, into: &buf)
        FfiConverterInt32.write(value.maxChannels, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeServerLimits_lift(_ buf: RustBuffer) throws -> ServerLimits {
    return try FfiConverterTypeServerLimits.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeServerLimits_lower(_ value: ServerLimits) -> RustBuffer {
    return FfiConverterTypeServerLimits.lower(value)
}


/**
 * A stream.
 */
public struct StreamInfo: Equatable, Hashable {
    /**
     * Its name.
     */
    public var name: String
    /**
     * Its number, never used again.
     */
    public var id: Int64
    /**
     * When it was created, in microseconds since the Unix epoch.
     */
    public var createdUs: Int64
    /**
     * How many topics it has.
     */
    public var topics: Int32

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * Its name.
         */name: String,
        /**
         * Its number, never used again.
         */id: Int64,
        /**
         * When it was created, in microseconds since the Unix epoch.
         */createdUs: Int64,
        /**
         * How many topics it has.
         */topics: Int32) {
        self.name = name
        self.id = id
        self.createdUs = createdUs
        self.topics = topics
    }




}

#if compiler(>=6)
extension StreamInfo: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeStreamInfo: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> StreamInfo {
        return
            try StreamInfo(
                name: FfiConverterString.read(from: &buf),
                id: FfiConverterInt64.read(from: &buf),
                createdUs: FfiConverterInt64.read(from: &buf),
                topics: FfiConverterInt32.read(from: &buf)
        )
    }

    public static func write(_ value: StreamInfo, into buf: inout [UInt8]) {
        FfiConverterString.write(value.name, into: &buf)
        FfiConverterInt64.write(value.id, into: &buf)
        FfiConverterInt64.write(value.createdUs, into: &buf)
        FfiConverterInt32.write(value.topics, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeStreamInfo_lift(_ buf: RustBuffer) throws -> StreamInfo {
    return try FfiConverterTypeStreamInfo.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeStreamInfo_lower(_ value: StreamInfo) -> RustBuffer {
    return FfiConverterTypeStreamInfo.lower(value)
}


/**
 * What a look for the next batch found.
 */
public struct Taken: Equatable, Hashable {
    /**
     * The next batch, valid until the next one is taken; if none, none is there now.
     */
    public var batch: Lent?
    /**
     * No more will come.
     */
    public var closed: Bool

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * The next batch, valid until the next one is taken; if none, none is there now.
         */batch: Lent?,
        /**
         * No more will come.
         */closed: Bool) {
        self.batch = batch
        self.closed = closed
    }




}

#if compiler(>=6)
extension Taken: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeTaken: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> Taken {
        return
            try Taken(
                batch: FfiConverterOptionTypeLent.read(from: &buf),
                closed: FfiConverterBool.read(from: &buf)
        )
    }

    public static func write(_ value: Taken, into buf: inout [UInt8]) {
        FfiConverterOptionTypeLent.write(value.batch, into: &buf)
        FfiConverterBool.write(value.closed, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeTaken_lift(_ buf: RustBuffer) throws -> Taken {
    return try FfiConverterTypeTaken.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeTaken_lower(_ value: Taken) -> RustBuffer {
    return FfiConverterTypeTaken.lower(value)
}


/**
 * A token.
 */
public struct TokenInfo: Equatable, Hashable {
    /**
     * Its number.
     */
    public var id: Int64
    /**
     * Its name.
     */
    public var name: String
    /**
     * Whose it is.
     */
    public var user: String
    /**
     * When it was created, in microseconds since the Unix epoch.
     */
    public var createdUs: Int64
    /**
     * When it ceases to be valid, in microseconds since the Unix epoch; never if there is none.
     */
    public var expiresUs: Int64?

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * Its number.
         */id: Int64,
        /**
         * Its name.
         */name: String,
        /**
         * Whose it is.
         */user: String,
        /**
         * When it was created, in microseconds since the Unix epoch.
         */createdUs: Int64,
        /**
         * When it ceases to be valid, in microseconds since the Unix epoch; never if there is none.
         */expiresUs: Int64?) {
        self.id = id
        self.name = name
        self.user = user
        self.createdUs = createdUs
        self.expiresUs = expiresUs
    }




}

#if compiler(>=6)
extension TokenInfo: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeTokenInfo: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> TokenInfo {
        return
            try TokenInfo(
                id: FfiConverterInt64.read(from: &buf),
                name: FfiConverterString.read(from: &buf),
                user: FfiConverterString.read(from: &buf),
                createdUs: FfiConverterInt64.read(from: &buf),
                expiresUs: FfiConverterOptionInt64.read(from: &buf)
        )
    }

    public static func write(_ value: TokenInfo, into buf: inout [UInt8]) {
        FfiConverterInt64.write(value.id, into: &buf)
        FfiConverterString.write(value.name, into: &buf)
        FfiConverterString.write(value.user, into: &buf)
        FfiConverterInt64.write(value.createdUs, into: &buf)
        FfiConverterOptionInt64.write(value.expiresUs, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeTokenInfo_lift(_ buf: RustBuffer) throws -> TokenInfo {
    return try FfiConverterTypeTokenInfo.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeTokenInfo_lower(_ value: TokenInfo) -> RustBuffer {
    return FfiConverterTypeTokenInfo.lower(value)
}


/**
 * A topic.
 */
public struct TopicInfo: Equatable, Hashable {
    /**
     * Its stream.
     */
    public var stream: String
    /**
     * Its name within the stream.
     */
    public var name: String
    /**
     * Its number, never used again.
     */
    public var id: Int64
    /**
     * When it was created, in microseconds since the Unix epoch.
     */
    public var createdUs: Int64
    /**
     * How many partitions it has.
     */
    public var partitions: Int32
    /**
     * Size at which a partition's log begins a new file, in bytes.
     */
    public var segmentBytes: Int64
    /**
     * Compression by producers that do not choose for themselves: `none`, `lz4` or `zstd`.
     */
    public var codec: String
    /**
     * How long records are kept, in milliseconds; 0 is for ever.
     */
    public var retentionMs: Int64
    /**
     * How much of each partition is kept, in bytes; 0 is all.
     */
    public var retentionBytes: Int64
    /**
     * For how long a record's id is remembered, in milliseconds; 0 is not at all.
     */
    public var dedupWindowMs: Int64

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * Its stream.
         */stream: String,
        /**
         * Its name within the stream.
         */name: String,
        /**
         * Its number, never used again.
         */id: Int64,
        /**
         * When it was created, in microseconds since the Unix epoch.
         */createdUs: Int64,
        /**
         * How many partitions it has.
         */partitions: Int32,
        /**
         * Size at which a partition's log begins a new file, in bytes.
         */segmentBytes: Int64,
        /**
         * Compression by producers that do not choose for themselves: `none`, `lz4` or `zstd`.
         */codec: String,
        /**
         * How long records are kept, in milliseconds; 0 is for ever.
         */retentionMs: Int64,
        /**
         * How much of each partition is kept, in bytes; 0 is all.
         */retentionBytes: Int64,
        /**
         * For how long a record's id is remembered, in milliseconds; 0 is not at all.
         */dedupWindowMs: Int64) {
        self.stream = stream
        self.name = name
        self.id = id
        self.createdUs = createdUs
        self.partitions = partitions
        self.segmentBytes = segmentBytes
        self.codec = codec
        self.retentionMs = retentionMs
        self.retentionBytes = retentionBytes
        self.dedupWindowMs = dedupWindowMs
    }




}

#if compiler(>=6)
extension TopicInfo: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeTopicInfo: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> TopicInfo {
        return
            try TopicInfo(
                stream: FfiConverterString.read(from: &buf),
                name: FfiConverterString.read(from: &buf),
                id: FfiConverterInt64.read(from: &buf),
                createdUs: FfiConverterInt64.read(from: &buf),
                partitions: FfiConverterInt32.read(from: &buf),
                segmentBytes: FfiConverterInt64.read(from: &buf),
                codec: FfiConverterString.read(from: &buf),
                retentionMs: FfiConverterInt64.read(from: &buf),
                retentionBytes: FfiConverterInt64.read(from: &buf),
                dedupWindowMs: FfiConverterInt64.read(from: &buf)
        )
    }

    public static func write(_ value: TopicInfo, into buf: inout [UInt8]) {
        FfiConverterString.write(value.stream, into: &buf)
        FfiConverterString.write(value.name, into: &buf)
        FfiConverterInt64.write(value.id, into: &buf)
        FfiConverterInt64.write(value.createdUs, into: &buf)
        FfiConverterInt32.write(value.partitions, into: &buf)
        FfiConverterInt64.write(value.segmentBytes, into: &buf)
        FfiConverterString.write(value.codec, into: &buf)
        FfiConverterInt64.write(value.retentionMs, into: &buf)
        FfiConverterInt64.write(value.retentionBytes, into: &buf)
        FfiConverterInt64.write(value.dedupWindowMs, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeTopicInfo_lift(_ buf: RustBuffer) throws -> TopicInfo {
    return try FfiConverterTypeTopicInfo.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeTopicInfo_lower(_ value: TopicInfo) -> RustBuffer {
    return FfiConverterTypeTopicInfo.lower(value)
}


/**
 * A partition of a topic.
 */
public struct TopicPartition: Equatable, Hashable {
    /**
     * The topic, `stream/topic`.
     */
    public var topic: String
    /**
     * The partition.
     */
    public var partition: Int32

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * The topic, `stream/topic`.
         */topic: String,
        /**
         * The partition.
         */partition: Int32) {
        self.topic = topic
        self.partition = partition
    }




}

#if compiler(>=6)
extension TopicPartition: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeTopicPartition: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> TopicPartition {
        return
            try TopicPartition(
                topic: FfiConverterString.read(from: &buf),
                partition: FfiConverterInt32.read(from: &buf)
        )
    }

    public static func write(_ value: TopicPartition, into buf: inout [UInt8]) {
        FfiConverterString.write(value.topic, into: &buf)
        FfiConverterInt32.write(value.partition, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeTopicPartition_lift(_ buf: RustBuffer) throws -> TopicPartition {
    return try FfiConverterTypeTopicPartition.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeTopicPartition_lower(_ value: TopicPartition) -> RustBuffer {
    return FfiConverterTypeTopicPartition.lower(value)
}


/**
 * Records of a partition that were not acknowledged when their producer was closed.
 */
public struct Unsent: Equatable, Hashable {
    /**
     * The partition.
     */
    public var partition: Int32
    /**
     * Records that were certainly not appended.
     */
    public var failedRecords: Int64
    /**
     * Records that may have been appended.
     */
    public var unknownRecords: Int64

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * The partition.
         */partition: Int32,
        /**
         * Records that were certainly not appended.
         */failedRecords: Int64,
        /**
         * Records that may have been appended.
         */unknownRecords: Int64) {
        self.partition = partition
        self.failedRecords = failedRecords
        self.unknownRecords = unknownRecords
    }




}

#if compiler(>=6)
extension Unsent: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeUnsent: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> Unsent {
        return
            try Unsent(
                partition: FfiConverterInt32.read(from: &buf),
                failedRecords: FfiConverterInt64.read(from: &buf),
                unknownRecords: FfiConverterInt64.read(from: &buf)
        )
    }

    public static func write(_ value: Unsent, into buf: inout [UInt8]) {
        FfiConverterInt32.write(value.partition, into: &buf)
        FfiConverterInt64.write(value.failedRecords, into: &buf)
        FfiConverterInt64.write(value.unknownRecords, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeUnsent_lift(_ buf: RustBuffer) throws -> Unsent {
    return try FfiConverterTypeUnsent.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeUnsent_lower(_ value: Unsent) -> RustBuffer {
    return FfiConverterTypeUnsent.lower(value)
}


/**
 * A user and its rights.
 */
public struct UserDescription: Equatable, Hashable {
    /**
     * The user.
     */
    public var user: UserInfo
    /**
     * Its rights, each as its text: `read,write topic shop/orders`.
     */
    public var grants: [String]

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * The user.
         */user: UserInfo,
        /**
         * Its rights, each as its text: `read,write topic shop/orders`.
         */grants: [String]) {
        self.user = user
        self.grants = grants
    }




}

#if compiler(>=6)
extension UserDescription: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeUserDescription: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> UserDescription {
        return
            try UserDescription(
                user: FfiConverterTypeUserInfo.read(from: &buf),
                grants: FfiConverterSequenceString.read(from: &buf)
        )
    }

    public static func write(_ value: UserDescription, into buf: inout [UInt8]) {
        FfiConverterTypeUserInfo.write(value.user, into: &buf)
        FfiConverterSequenceString.write(value.grants, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeUserDescription_lift(_ buf: RustBuffer) throws -> UserDescription {
    return try FfiConverterTypeUserDescription.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeUserDescription_lower(_ value: UserDescription) -> RustBuffer {
    return FfiConverterTypeUserDescription.lower(value)
}


/**
 * A user.
 */
public struct UserInfo: Equatable, Hashable {
    /**
     * Its name.
     */
    public var name: String
    /**
     * Its number.
     */
    public var id: Int64
    /**
     * When it was created, in microseconds since the Unix epoch.
     */
    public var createdUs: Int64
    /**
     * Whether it may log in.
     */
    public var enabled: Bool
    /**
     * Whether it has a password.
     */
    public var password: Bool
    /**
     * How many tokens it has.
     */
    public var tokens: Int32

    // Default memberwise initializers are never public by default, so we
    // declare one manually.
    public init(
        /**
         * Its name.
         */name: String,
        /**
         * Its number.
         */id: Int64,
        /**
         * When it was created, in microseconds since the Unix epoch.
         */createdUs: Int64,
        /**
         * Whether it may log in.
         */enabled: Bool,
        /**
         * Whether it has a password.
         */password: Bool,
        /**
         * How many tokens it has.
         */tokens: Int32) {
        self.name = name
        self.id = id
        self.createdUs = createdUs
        self.enabled = enabled
        self.password = password
        self.tokens = tokens
    }




}

#if compiler(>=6)
extension UserInfo: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeUserInfo: FfiConverterRustBuffer {
    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> UserInfo {
        return
            try UserInfo(
                name: FfiConverterString.read(from: &buf),
                id: FfiConverterInt64.read(from: &buf),
                createdUs: FfiConverterInt64.read(from: &buf),
                enabled: FfiConverterBool.read(from: &buf),
                password: FfiConverterBool.read(from: &buf),
                tokens: FfiConverterInt32.read(from: &buf)
        )
    }

    public static func write(_ value: UserInfo, into buf: inout [UInt8]) {
        FfiConverterString.write(value.name, into: &buf)
        FfiConverterInt64.write(value.id, into: &buf)
        FfiConverterInt64.write(value.createdUs, into: &buf)
        FfiConverterBool.write(value.enabled, into: &buf)
        FfiConverterBool.write(value.password, into: &buf)
        FfiConverterInt32.write(value.tokens, into: &buf)
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeUserInfo_lift(_ buf: RustBuffer) throws -> UserInfo {
    return try FfiConverterTypeUserInfo.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeUserInfo_lower(_ value: UserInfo) -> RustBuffer {
    return FfiConverterTypeUserInfo.lower(value)
}


/**
 * The one error of all calls.
 */
public
enum NativeError: Swift.Error, Equatable, Hashable, Foundation.LocalizedError {



    /**
     * It failed.
     */
    case Failed(
        /**
         * Why.
         */failure: Failure
    )






    public var errorDescription: String? {
        String(reflecting: self)
    }

}

#if compiler(>=6)
extension NativeError: Sendable {}
#endif

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public struct FfiConverterTypeNativeError: FfiConverterRustBuffer {
    typealias SwiftType = NativeError

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> NativeError {
        let variant: Int32 = try readInt(&buf)
        switch variant {




        case 1: return .Failed(
            failure: try FfiConverterTypeFailure.read(from: &buf)
            )

         default: throw UniffiInternalError.unexpectedEnumCase
        }
    }

    public static func write(_ value: NativeError, into buf: inout [UInt8]) {
        switch value {





        case let .Failed(failure):
            writeInt(&buf, Int32(1))
            FfiConverterTypeFailure.write(failure, into: &buf)

        }
    }
}


#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeNativeError_lift(_ buf: RustBuffer) throws -> NativeError {
    return try FfiConverterTypeNativeError.lift(buf)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
public func FfiConverterTypeNativeError_lower(_ value: NativeError) -> RustBuffer {
    return FfiConverterTypeNativeError.lower(value)
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterOptionInt32: FfiConverterRustBuffer {
    typealias SwiftType = Int32?

    public static func write(_ value: SwiftType, into buf: inout [UInt8]) {
        guard let value = value else {
            writeInt(&buf, Int8(0))
            return
        }
        writeInt(&buf, Int8(1))
        FfiConverterInt32.write(value, into: &buf)
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> SwiftType {
        switch try readInt(&buf) as Int8 {
        case 0: return nil
        case 1: return try FfiConverterInt32.read(from: &buf)
        default: throw UniffiInternalError.unexpectedOptionalTag
        }
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterOptionInt64: FfiConverterRustBuffer {
    typealias SwiftType = Int64?

    public static func write(_ value: SwiftType, into buf: inout [UInt8]) {
        guard let value = value else {
            writeInt(&buf, Int8(0))
            return
        }
        writeInt(&buf, Int8(1))
        FfiConverterInt64.write(value, into: &buf)
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> SwiftType {
        switch try readInt(&buf) as Int8 {
        case 0: return nil
        case 1: return try FfiConverterInt64.read(from: &buf)
        default: throw UniffiInternalError.unexpectedOptionalTag
        }
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterOptionString: FfiConverterRustBuffer {
    typealias SwiftType = String?

    public static func write(_ value: SwiftType, into buf: inout [UInt8]) {
        guard let value = value else {
            writeInt(&buf, Int8(0))
            return
        }
        writeInt(&buf, Int8(1))
        FfiConverterString.write(value, into: &buf)
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> SwiftType {
        switch try readInt(&buf) as Int8 {
        case 0: return nil
        case 1: return try FfiConverterString.read(from: &buf)
        default: throw UniffiInternalError.unexpectedOptionalTag
        }
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterOptionTypeNativeTickets: FfiConverterRustBuffer {
    typealias SwiftType = NativeTickets?

    public static func write(_ value: SwiftType, into buf: inout [UInt8]) {
        guard let value = value else {
            writeInt(&buf, Int8(0))
            return
        }
        writeInt(&buf, Int8(1))
        FfiConverterTypeNativeTickets.write(value, into: &buf)
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> SwiftType {
        switch try readInt(&buf) as Int8 {
        case 0: return nil
        case 1: return try FfiConverterTypeNativeTickets.read(from: &buf)
        default: throw UniffiInternalError.unexpectedOptionalTag
        }
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterOptionTypeFailure: FfiConverterRustBuffer {
    typealias SwiftType = Failure?

    public static func write(_ value: SwiftType, into buf: inout [UInt8]) {
        guard let value = value else {
            writeInt(&buf, Int8(0))
            return
        }
        writeInt(&buf, Int8(1))
        FfiConverterTypeFailure.write(value, into: &buf)
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> SwiftType {
        switch try readInt(&buf) as Int8 {
        case 0: return nil
        case 1: return try FfiConverterTypeFailure.read(from: &buf)
        default: throw UniffiInternalError.unexpectedOptionalTag
        }
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterOptionTypeLent: FfiConverterRustBuffer {
    typealias SwiftType = Lent?

    public static func write(_ value: SwiftType, into buf: inout [UInt8]) {
        guard let value = value else {
            writeInt(&buf, Int8(0))
            return
        }
        writeInt(&buf, Int8(1))
        FfiConverterTypeLent.write(value, into: &buf)
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> SwiftType {
        switch try readInt(&buf) as Int8 {
        case 0: return nil
        case 1: return try FfiConverterTypeLent.read(from: &buf)
        default: throw UniffiInternalError.unexpectedOptionalTag
        }
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterOptionTypeNativeEvent: FfiConverterRustBuffer {
    typealias SwiftType = NativeEvent?

    public static func write(_ value: SwiftType, into buf: inout [UInt8]) {
        guard let value = value else {
            writeInt(&buf, Int8(0))
            return
        }
        writeInt(&buf, Int8(1))
        FfiConverterTypeNativeEvent.write(value, into: &buf)
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> SwiftType {
        switch try readInt(&buf) as Int8 {
        case 0: return nil
        case 1: return try FfiConverterTypeNativeEvent.read(from: &buf)
        default: throw UniffiInternalError.unexpectedOptionalTag
        }
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterOptionSequenceInt32: FfiConverterRustBuffer {
    typealias SwiftType = [Int32]?

    public static func write(_ value: SwiftType, into buf: inout [UInt8]) {
        guard let value = value else {
            writeInt(&buf, Int8(0))
            return
        }
        writeInt(&buf, Int8(1))
        FfiConverterSequenceInt32.write(value, into: &buf)
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> SwiftType {
        switch try readInt(&buf) as Int8 {
        case 0: return nil
        case 1: return try FfiConverterSequenceInt32.read(from: &buf)
        default: throw UniffiInternalError.unexpectedOptionalTag
        }
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterOptionSequenceTypeTopicPartition: FfiConverterRustBuffer {
    typealias SwiftType = [TopicPartition]?

    public static func write(_ value: SwiftType, into buf: inout [UInt8]) {
        guard let value = value else {
            writeInt(&buf, Int8(0))
            return
        }
        writeInt(&buf, Int8(1))
        FfiConverterSequenceTypeTopicPartition.write(value, into: &buf)
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> SwiftType {
        switch try readInt(&buf) as Int8 {
        case 0: return nil
        case 1: return try FfiConverterSequenceTypeTopicPartition.read(from: &buf)
        default: throw UniffiInternalError.unexpectedOptionalTag
        }
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterSequenceInt32: FfiConverterRustBuffer {
    typealias SwiftType = [Int32]

    public static func write(_ value: [Int32], into buf: inout [UInt8]) {
        let len = Int32(value.count)
        writeInt(&buf, len)
        for item in value {
            FfiConverterInt32.write(item, into: &buf)
        }
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> [Int32] {
        let len: Int32 = try readInt(&buf)
        var seq = [Int32]()
        seq.reserveCapacity(Int(len))
        for _ in 0 ..< len {
            seq.append(try FfiConverterInt32.read(from: &buf))
        }
        return seq
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterSequenceString: FfiConverterRustBuffer {
    typealias SwiftType = [String]

    public static func write(_ value: [String], into buf: inout [UInt8]) {
        let len = Int32(value.count)
        writeInt(&buf, len)
        for item in value {
            FfiConverterString.write(item, into: &buf)
        }
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> [String] {
        let len: Int32 = try readInt(&buf)
        var seq = [String]()
        seq.reserveCapacity(Int(len))
        for _ in 0 ..< len {
            seq.append(try FfiConverterString.read(from: &buf))
        }
        return seq
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterSequenceTypeCommittedOffset: FfiConverterRustBuffer {
    typealias SwiftType = [CommittedOffset]

    public static func write(_ value: [CommittedOffset], into buf: inout [UInt8]) {
        let len = Int32(value.count)
        writeInt(&buf, len)
        for item in value {
            FfiConverterTypeCommittedOffset.write(item, into: &buf)
        }
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> [CommittedOffset] {
        let len: Int32 = try readInt(&buf)
        var seq = [CommittedOffset]()
        seq.reserveCapacity(Int(len))
        for _ in 0 ..< len {
            seq.append(try FfiConverterTypeCommittedOffset.read(from: &buf))
        }
        return seq
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterSequenceTypeFailure: FfiConverterRustBuffer {
    typealias SwiftType = [Failure]

    public static func write(_ value: [Failure], into buf: inout [UInt8]) {
        let len = Int32(value.count)
        writeInt(&buf, len)
        for item in value {
            FfiConverterTypeFailure.write(item, into: &buf)
        }
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> [Failure] {
        let len: Int32 = try readInt(&buf)
        var seq = [Failure]()
        seq.reserveCapacity(Int(len))
        for _ in 0 ..< len {
            seq.append(try FfiConverterTypeFailure.read(from: &buf))
        }
        return seq
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterSequenceTypeGroupInfo: FfiConverterRustBuffer {
    typealias SwiftType = [GroupInfo]

    public static func write(_ value: [GroupInfo], into buf: inout [UInt8]) {
        let len = Int32(value.count)
        writeInt(&buf, len)
        for item in value {
            FfiConverterTypeGroupInfo.write(item, into: &buf)
        }
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> [GroupInfo] {
        let len: Int32 = try readInt(&buf)
        var seq = [GroupInfo]()
        seq.reserveCapacity(Int(len))
        for _ in 0 ..< len {
            seq.append(try FfiConverterTypeGroupInfo.read(from: &buf))
        }
        return seq
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterSequenceTypeGroupMember: FfiConverterRustBuffer {
    typealias SwiftType = [GroupMember]

    public static func write(_ value: [GroupMember], into buf: inout [UInt8]) {
        let len = Int32(value.count)
        writeInt(&buf, len)
        for item in value {
            FfiConverterTypeGroupMember.write(item, into: &buf)
        }
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> [GroupMember] {
        let len: Int32 = try readInt(&buf)
        var seq = [GroupMember]()
        seq.reserveCapacity(Int(len))
        for _ in 0 ..< len {
            seq.append(try FfiConverterTypeGroupMember.read(from: &buf))
        }
        return seq
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterSequenceTypeGroupPartition: FfiConverterRustBuffer {
    typealias SwiftType = [GroupPartition]

    public static func write(_ value: [GroupPartition], into buf: inout [UInt8]) {
        let len = Int32(value.count)
        writeInt(&buf, len)
        for item in value {
            FfiConverterTypeGroupPartition.write(item, into: &buf)
        }
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> [GroupPartition] {
        let len: Int32 = try readInt(&buf)
        var seq = [GroupPartition]()
        seq.reserveCapacity(Int(len))
        for _ in 0 ..< len {
            seq.append(try FfiConverterTypeGroupPartition.read(from: &buf))
        }
        return seq
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterSequenceTypeLimitInfo: FfiConverterRustBuffer {
    typealias SwiftType = [LimitInfo]

    public static func write(_ value: [LimitInfo], into buf: inout [UInt8]) {
        let len = Int32(value.count)
        writeInt(&buf, len)
        for item in value {
            FfiConverterTypeLimitInfo.write(item, into: &buf)
        }
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> [LimitInfo] {
        let len: Int32 = try readInt(&buf)
        var seq = [LimitInfo]()
        seq.reserveCapacity(Int(len))
        for _ in 0 ..< len {
            seq.append(try FfiConverterTypeLimitInfo.read(from: &buf))
        }
        return seq
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterSequenceTypePartitionInfo: FfiConverterRustBuffer {
    typealias SwiftType = [PartitionInfo]

    public static func write(_ value: [PartitionInfo], into buf: inout [UInt8]) {
        let len = Int32(value.count)
        writeInt(&buf, len)
        for item in value {
            FfiConverterTypePartitionInfo.write(item, into: &buf)
        }
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> [PartitionInfo] {
        let len: Int32 = try readInt(&buf)
        var seq = [PartitionInfo]()
        seq.reserveCapacity(Int(len))
        for _ in 0 ..< len {
            seq.append(try FfiConverterTypePartitionInfo.read(from: &buf))
        }
        return seq
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterSequenceTypePartitionOffset: FfiConverterRustBuffer {
    typealias SwiftType = [PartitionOffset]

    public static func write(_ value: [PartitionOffset], into buf: inout [UInt8]) {
        let len = Int32(value.count)
        writeInt(&buf, len)
        for item in value {
            FfiConverterTypePartitionOffset.write(item, into: &buf)
        }
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> [PartitionOffset] {
        let len: Int32 = try readInt(&buf)
        var seq = [PartitionOffset]()
        seq.reserveCapacity(Int(len))
        for _ in 0 ..< len {
            seq.append(try FfiConverterTypePartitionOffset.read(from: &buf))
        }
        return seq
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterSequenceTypePosition: FfiConverterRustBuffer {
    typealias SwiftType = [Position]

    public static func write(_ value: [Position], into buf: inout [UInt8]) {
        let len = Int32(value.count)
        writeInt(&buf, len)
        for item in value {
            FfiConverterTypePosition.write(item, into: &buf)
        }
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> [Position] {
        let len: Int32 = try readInt(&buf)
        var seq = [Position]()
        seq.reserveCapacity(Int(len))
        for _ in 0 ..< len {
            seq.append(try FfiConverterTypePosition.read(from: &buf))
        }
        return seq
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterSequenceTypeProducerInfo: FfiConverterRustBuffer {
    typealias SwiftType = [ProducerInfo]

    public static func write(_ value: [ProducerInfo], into buf: inout [UInt8]) {
        let len = Int32(value.count)
        writeInt(&buf, len)
        for item in value {
            FfiConverterTypeProducerInfo.write(item, into: &buf)
        }
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> [ProducerInfo] {
        let len: Int32 = try readInt(&buf)
        var seq = [ProducerInfo]()
        seq.reserveCapacity(Int(len))
        for _ in 0 ..< len {
            seq.append(try FfiConverterTypeProducerInfo.read(from: &buf))
        }
        return seq
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterSequenceTypeStreamInfo: FfiConverterRustBuffer {
    typealias SwiftType = [StreamInfo]

    public static func write(_ value: [StreamInfo], into buf: inout [UInt8]) {
        let len = Int32(value.count)
        writeInt(&buf, len)
        for item in value {
            FfiConverterTypeStreamInfo.write(item, into: &buf)
        }
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> [StreamInfo] {
        let len: Int32 = try readInt(&buf)
        var seq = [StreamInfo]()
        seq.reserveCapacity(Int(len))
        for _ in 0 ..< len {
            seq.append(try FfiConverterTypeStreamInfo.read(from: &buf))
        }
        return seq
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterSequenceTypeTokenInfo: FfiConverterRustBuffer {
    typealias SwiftType = [TokenInfo]

    public static func write(_ value: [TokenInfo], into buf: inout [UInt8]) {
        let len = Int32(value.count)
        writeInt(&buf, len)
        for item in value {
            FfiConverterTypeTokenInfo.write(item, into: &buf)
        }
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> [TokenInfo] {
        let len: Int32 = try readInt(&buf)
        var seq = [TokenInfo]()
        seq.reserveCapacity(Int(len))
        for _ in 0 ..< len {
            seq.append(try FfiConverterTypeTokenInfo.read(from: &buf))
        }
        return seq
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterSequenceTypeTopicInfo: FfiConverterRustBuffer {
    typealias SwiftType = [TopicInfo]

    public static func write(_ value: [TopicInfo], into buf: inout [UInt8]) {
        let len = Int32(value.count)
        writeInt(&buf, len)
        for item in value {
            FfiConverterTypeTopicInfo.write(item, into: &buf)
        }
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> [TopicInfo] {
        let len: Int32 = try readInt(&buf)
        var seq = [TopicInfo]()
        seq.reserveCapacity(Int(len))
        for _ in 0 ..< len {
            seq.append(try FfiConverterTypeTopicInfo.read(from: &buf))
        }
        return seq
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterSequenceTypeTopicPartition: FfiConverterRustBuffer {
    typealias SwiftType = [TopicPartition]

    public static func write(_ value: [TopicPartition], into buf: inout [UInt8]) {
        let len = Int32(value.count)
        writeInt(&buf, len)
        for item in value {
            FfiConverterTypeTopicPartition.write(item, into: &buf)
        }
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> [TopicPartition] {
        let len: Int32 = try readInt(&buf)
        var seq = [TopicPartition]()
        seq.reserveCapacity(Int(len))
        for _ in 0 ..< len {
            seq.append(try FfiConverterTypeTopicPartition.read(from: &buf))
        }
        return seq
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterSequenceTypeUnsent: FfiConverterRustBuffer {
    typealias SwiftType = [Unsent]

    public static func write(_ value: [Unsent], into buf: inout [UInt8]) {
        let len = Int32(value.count)
        writeInt(&buf, len)
        for item in value {
            FfiConverterTypeUnsent.write(item, into: &buf)
        }
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> [Unsent] {
        let len: Int32 = try readInt(&buf)
        var seq = [Unsent]()
        seq.reserveCapacity(Int(len))
        for _ in 0 ..< len {
            seq.append(try FfiConverterTypeUnsent.read(from: &buf))
        }
        return seq
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterSequenceTypeUserInfo: FfiConverterRustBuffer {
    typealias SwiftType = [UserInfo]

    public static func write(_ value: [UserInfo], into buf: inout [UInt8]) {
        let len = Int32(value.count)
        writeInt(&buf, len)
        for item in value {
            FfiConverterTypeUserInfo.write(item, into: &buf)
        }
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> [UserInfo] {
        let len: Int32 = try readInt(&buf)
        var seq = [UserInfo]()
        seq.reserveCapacity(Int(len))
        for _ in 0 ..< len {
            seq.append(try FfiConverterTypeUserInfo.read(from: &buf))
        }
        return seq
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterDictionaryInt32Int64: FfiConverterRustBuffer {
    public static func write(_ value: [Int32: Int64], into buf: inout [UInt8]) {
        let len = Int32(value.count)
        writeInt(&buf, len)
        for (key, value) in value {
            FfiConverterInt32.write(key, into: &buf)
            FfiConverterInt64.write(value, into: &buf)
        }
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> [Int32: Int64] {
        let len: Int32 = try readInt(&buf)
        var dict = [Int32: Int64]()
        dict.reserveCapacity(Int(len))
        for _ in 0..<len {
            let key = try FfiConverterInt32.read(from: &buf)
            let value = try FfiConverterInt64.read(from: &buf)
            dict[key] = value
        }
        return dict
    }
}

#if swift(>=5.8)
@_documentation(visibility: private)
#endif
fileprivate struct FfiConverterDictionaryStringString: FfiConverterRustBuffer {
    public static func write(_ value: [String: String], into buf: inout [UInt8]) {
        let len = Int32(value.count)
        writeInt(&buf, len)
        for (key, value) in value {
            FfiConverterString.write(key, into: &buf)
            FfiConverterString.write(value, into: &buf)
        }
    }

    public static func read(from buf: inout (data: Data, offset: Data.Index)) throws -> [String: String] {
        let len: Int32 = try readInt(&buf)
        var dict = [String: String]()
        dict.reserveCapacity(Int(len))
        for _ in 0..<len {
            let key = try FfiConverterString.read(from: &buf)
            let value = try FfiConverterString.read(from: &buf)
            dict[key] = value
        }
        return dict
    }
}
private let UNIFFI_RUST_FUTURE_POLL_READY: Int8 = 0
private let UNIFFI_RUST_FUTURE_POLL_WAKE: Int8 = 1

fileprivate let uniffiContinuationHandleMap = UniffiHandleMap<UnsafeContinuation<Int8, Never>>()

fileprivate func uniffiRustCallAsync<F, T>(
    rustFutureFunc: () -> UInt64,
    pollFunc: (UInt64, @escaping UniffiRustFutureContinuationCallback, UInt64) -> (),
    completeFunc: (UInt64, UnsafeMutablePointer<RustCallStatus>) -> F,
    freeFunc: (UInt64) -> (),
    liftFunc: (F) throws -> T,
    errorHandler: ((RustBuffer) throws -> Swift.Error)?
) async throws -> T {
    // Make sure to call the ensure init function since future creation doesn't have a
    // RustCallStatus param, so doesn't use makeRustCall()
    uniffiEnsureTidewireUniffiInitialized()
    let rustFuture = rustFutureFunc()
    defer {
        freeFunc(rustFuture)
    }
    var pollResult: Int8;
    repeat {
        pollResult = await withUnsafeContinuation {
            pollFunc(
                rustFuture,
                { handle, pollResult in
                    uniffiFutureContinuationCallback(handle: handle, pollResult: pollResult)
                },
                uniffiContinuationHandleMap.insert(obj: $0)
            )
        }
    } while pollResult != UNIFFI_RUST_FUTURE_POLL_READY

    return try liftFunc(makeRustCall(
        { completeFunc(rustFuture, $0) },
        errorHandler: errorHandler
    ))
}

// Callback handlers for an async calls.  These are invoked by Rust when the future is ready.  They
// lift the return value or error and resume the suspended function.
fileprivate func uniffiFutureContinuationCallback(handle: UInt64, pollResult: Int8) {
    if let continuation = try? uniffiContinuationHandleMap.remove(handle: handle) {
        continuation.resume(returning: pollResult)
    } else {
        print("uniffiFutureContinuationCallback invalid handle")
    }
}
/**
 * Reads one batch as it is stored, with its header, after checking all of it; `CORRUPT_BATCH`
 * says what is wrong with it.
 */
public func storedBatch(bytes: Data)throws  -> NativeBatches  {
    return try  FfiConverterTypeNativeBatches_lift(try rustCallWithError(FfiConverterTypeNativeError_lift) {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_func_stored_batch(
        FfiConverterData.lower(bytes),uniffiCallStatus
    )
})
}
/**
 * Connects to the first server of `url` that can be reached.
 */
public func connect(url: String?, options: [String: String])async throws  -> NativeClient  {
    return
        try  await uniffiRustCallAsync(
            rustFutureFunc: {
                uniffi_tidewire_uniffi_fn_func_connect(FfiConverterOptionString.lower(url),FfiConverterDictionaryStringString.lower(options)
                )
            },
            pollFunc: ffi_tidewire_uniffi_rust_future_poll_u64,
            completeFunc: ffi_tidewire_uniffi_rust_future_complete_u64,
            freeFunc: ffi_tidewire_uniffi_rust_future_free_u64,
            liftFunc: FfiConverterTypeNativeClient_lift,
            errorHandler: FfiConverterTypeNativeError_lift
        )
}
/**
 * The version of the library.
 */
public func version() -> String  {
    return try!  FfiConverterString.lift(try! rustCall() {
        uniffiCallStatus in
    uniffi_tidewire_uniffi_fn_func_version(uniffiCallStatus
    )
})
}

private enum InitializationResult {
    case ok
    case contractVersionMismatch
    case apiChecksumMismatch
}
// Use a global variable to perform the versioning checks. Swift ensures that
// the code inside is only computed once.
private let initializationResult: InitializationResult = {
    // Get the bindings contract version from our ComponentInterface
    let bindings_contract_version = 30
    // Get the scaffolding contract version by calling the into the dylib
    let scaffolding_contract_version = ffi_tidewire_uniffi_uniffi_contract_version()
    if bindings_contract_version != scaffolding_contract_version {
        return InitializationResult.contractVersionMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_func_stored_batch() != 35288) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_func_connect() != 23911) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_func_version() != 17544) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativebatches_count() != 13577) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativebatches_end_offset() != 25055) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativebatches_lent() != 10542) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativebatches_next_offset() != 20214) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativebatches_start_offset() != 62251) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_add_partitions() != 27135) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_create_stream() != 54724) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_create_topic() != 21540) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_stream() != 317) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_topic() != 53593) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_describe_limits() != 56972) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_describe_stream() != 47255) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_describe_topic() != 975) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_fetch() != 14553) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_forget_producer() != 53781) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_list_streams() != 32244) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_list_topics() != 54873) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_partitions() != 64371) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_producers() != 20051) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_purge_stream() != 13185) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_purge_topic() != 42963) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_truncate() != 22394) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_update_topic() != 31319) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_events() != 26145) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_ping() != 40270) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_server() != 45426) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_shut() != 56791) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_consumer() != 2106) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_committed() != 64666) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_create_group() != 64401) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_group() != 55512) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_offsets() != 59271) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_describe_group() != 37289) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_list_groups() != 61942) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_reset_offsets() != 41533) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_producer() != 52105) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_change_grants() != 12183) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_change_password() != 45087) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_create_token() != 60717) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_create_user() != 48332) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_token() != 50688) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_delete_user() != 16706) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_describe_user() != 7734) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_enable_user() != 54359) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_list_tokens() != 17740) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeclient_list_users() != 15941) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeconsumer_add_partition() != 58305) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeconsumer_assignment() != 34428) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeconsumer_close_within() != 2635) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeconsumer_commit() != 23210) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeconsumer_commit_offset() != 54673) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeconsumer_commit_until() != 55364) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeconsumer_is_closed() != 15539) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeconsumer_lag() != 4068) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeconsumer_pause() != 34553) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeconsumer_positions() != 2023) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeconsumer_ready() != 37062) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeconsumer_remove_partition() != 58575) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeconsumer_resume() != 50614) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeconsumer_seek() != 52996) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeconsumer_stats() != 63541) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeconsumer_take() != 1341) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeconsumer_topic() != 4316) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeevents_ready() != 30635) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeevents_take() != 37768) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeproducer_blocks() != 62236) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeproducer_close_within() != 9847) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeproducer_flush() != 8632) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeproducer_partitions() != 31134) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeproducer_push_copied() != 26448) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeproducer_ready() != 43516) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativeproducer_stats() != 21851) {
        return InitializationResult.apiChecksumMismatch
    }
    if (uniffi_tidewire_uniffi_checksum_method_nativetickets_outcomes() != 11864) {
        return InitializationResult.apiChecksumMismatch
    }

    return InitializationResult.ok
}()

// Make the ensure init function public so that other modules which have external type references to
// our types can call it.
public func uniffiEnsureTidewireUniffiInitialized() {
    switch initializationResult {
    case .ok:
        break
    case .contractVersionMismatch:
        fatalError("UniFFI contract version mismatch: try cleaning and rebuilding your project")
    case .apiChecksumMismatch:
        fatalError("UniFFI API checksum mismatch: try cleaning and rebuilding your project")
    }
}

// swiftlint:enable all
