import Foundation

/// A record to send.
public struct NewRecord: Sendable {
    /// nil is a tombstone.
    public var value: [UInt8]?
    /// Records of one key are in one partition; nil is not an empty key.
    public var key: [UInt8]?
    /// A name may be there more than once.
    public var headers: [(name: String, value: [UInt8])]
    /// Its time, in microseconds since the Unix epoch, instead of when it is sent.
    public var timestampUs: Int64?
    /// Its partition, instead of the key's.
    public var partition: Int32?
    /// By which the topic knows it, within its `dedup_window_ms`.
    public var id: UUID?

    public init(
        _ value: [UInt8]?, key: [UInt8]? = nil, headers: [(name: String, value: [UInt8])] = [],
        timestampUs: Int64? = nil, partition: Int32? = nil, id: UUID? = nil
    ) {
        (self.value, self.key, self.headers) = (value, key, headers)
        (self.timestampUs, self.partition, self.id) = (timestampUs, partition, id)
    }

    public init(_ value: String, key: String? = nil, headers: [(name: String, value: [UInt8])] = []) {
        self.init(Array(value.utf8), key: key.map { Array($0.utf8) }, headers: headers)
    }

    /// As `foreign/chunk.rs` of the core reads it.
    func pack(into chunk: inout Data) {
        func add<T: FixedWidthInteger>(_ number: T) {
            withUnsafeBytes(of: number.littleEndian) { chunk.append(contentsOf: $0) }
        }
        let begin = chunk.count
        let names = headers.map { Array($0.name.utf8) }
        let headersLength = zip(names, headers).reduce(0) { $0 + 8 + $1.0.count + $1.1.value.count }
        var what: UInt32 = 0
        if key != nil { what |= 1 }
        if value != nil { what |= 2 }
        if timestampUs != nil { what |= 4 }
        if partition != nil { what |= 8 }
        if id != nil { what |= 16 }
        add(what)
        add(UInt32(value?.count ?? 0))
        add(UInt32(key?.count ?? 0))
        add(UInt32(headersLength))
        if let timestampUs { add(timestampUs) }
        if let partition { add(partition) }
        if let id { withUnsafeBytes(of: id.uuid) { chunk.append(contentsOf: $0) } }
        chunk.append(contentsOf: value ?? [])
        chunk.append(contentsOf: key ?? [])
        for (name, header) in zip(names, headers) {
            add(UInt32(name.count))
            add(UInt32(header.value.count))
            chunk.append(contentsOf: name)
            chunk.append(contentsOf: header.value)
        }
        while (chunk.count - begin) & 3 != 0 { chunk.append(0) }
    }
}
