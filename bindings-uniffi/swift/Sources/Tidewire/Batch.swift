import Foundation
import TidewireNative

/// Consecutive records of one partition, over one piece of memory: records are views, made when
/// they are asked for.
public struct Batch: RandomAccessCollection, Sendable {
    // A head of 32 words, as `foreign/head.rs` of the core writes them, then the body by column.
    private let memory: [UInt8]
    /// The topic, `stream/topic`.
    public let topic: String

    private static let head = 128

    init(copying lent: Lent, topic: (Int32) -> String) {
        var memory = [UInt8]()
        memory.reserveCapacity(Int(lent.headLen) + Int(lent.bodyLen))
        for (address, length) in [(lent.head, lent.headLen), (lent.body, lent.bodyLen)] {
            if length > 0, let at = UnsafeRawPointer(bitPattern: Int(address)) {
                memory.append(contentsOf: UnsafeRawBufferPointer(start: at, count: Int(length)))
            }
        }
        self.memory = memory
        self.topic = topic(Int32(bitPattern: Batch.word(memory, 0)))
    }

    /// One batch as it is stored, with its header; throws `CORRUPT_BATCH` and what is wrong with it.
    public static func ofStored(_ bytes: Data) throws -> Batch {
        let stored = try storedBatch(bytes: bytes)
        return withExtendedLifetime(stored) {
            guard let lent = stored.lent(index: 0) else { preconditionFailure("it is one batch") }
            return Batch(copying: lent) { _ in "" }
        }
    }

    private static func word(_ memory: [UInt8], _ at: Int) -> UInt32 {
        memory.withUnsafeBytes { UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: UInt32.self)) }
    }

    private func word(_ at: Int) -> UInt32 { Batch.word(memory, at) }

    private func number(_ at: Int) -> UInt64 {
        memory.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: UInt64.self)) }
    }

    /// Where a column begins that word `index` of the head names.
    private func column(_ index: Int) -> Int { Batch.head + Int(word(4 * index)) }

    private func has(_ column: UInt32) -> Bool { word(12) & column != 0 }

    private func bit(_ begin: Int, _ index: Int) -> Bool { memory[begin + index >> 3] >> UInt8(index & 7) & 1 != 0 }

    private var hidden: Int { Int(word(16)) }

    /// The partition.
    public var partition: Int32 { Int32(bitPattern: word(4)) }
    /// When the server appended it, in microseconds since the Unix epoch.
    public var appendTimeUs: Int64 { Int64(bitPattern: number(72)) }
    /// Offset after its last record: where to go on reading.
    public var nextOffset: Int64 { Int64(bitPattern: number(96)) }
    /// Offset after the partition's last record, as known when the batch was delivered.
    public var endOffset: Int64 { Int64(bitPattern: number(88)) }

    public var startIndex: Int { 0 }
    public var endIndex: Int { Int(word(8)) - hidden }
    public subscript(position: Int) -> Record { Record(batch: self, index: hidden + position) }

    func offset(_ index: Int) -> Int64 {
        let delta = has(64) ? Int64(word(column(13) + 4 * index)) : Int64(index)
        return Int64(bitPattern: number(64)) + delta
    }

    func timestampUs(_ index: Int) -> Int64 {
        Int64(bitPattern: number(80)) + (has(4) ? Int64(word(column(11) + 4 * index)) : 0)
    }

    private func bytes(from begin: Int, ends: Int, _ index: Int) -> ArraySlice<UInt8> {
        memory[(begin + Int(word(ends + 4 * index)))..<(begin + Int(word(ends + 4 * index + 4)))]
    }

    func value(_ index: Int) -> ArraySlice<UInt8>? {
        if has(16) && !bit(column(14), index) { return nil }
        return bytes(from: Batch.head, ends: column(8), index)
    }

    func key(_ index: Int) -> ArraySlice<UInt8>? {
        if !has(1) || has(32) && !bit(column(15), index) { return nil }
        return bytes(from: column(5), ends: column(9), index)
    }

    func id(_ index: Int) -> UUID? {
        if !has(8) { return nil }
        return memory.withUnsafeBytes {
            let id = $0.loadUnaligned(fromByteOffset: column(12) + 16 * index, as: uuid_t.self)
            // All zeros is none.
            return UUID(uuid: id) == Batch.noId ? nil : UUID(uuid: id)
        }
    }

    private static let noId = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))

    func headers(_ index: Int) -> [(name: String, value: ArraySlice<UInt8>)] {
        if !has(2) { return [] }
        let all = bytes(from: column(6), ends: column(10), index)
        var found: [(name: String, value: ArraySlice<UInt8>)] = []
        var at = all.startIndex
        while at < all.endIndex {
            let nameLength = Int(memory[at]) | Int(memory[at + 1]) << 8
            let valueLength = Int(word(at + 2))
            let name = String(decoding: memory[(at + 6)..<(at + 6 + nameLength)], as: UTF8.self)
            at += 6 + nameLength
            found.append((name: name, value: memory[at..<(at + valueLength)]))
            at += valueLength
        }
        return found
    }
}

/// A record that was read: a view of its batch.
public struct Record: Sendable {
    public let batch: Batch
    let index: Int

    public var topic: String { batch.topic }
    public var partition: Int32 { batch.partition }
    /// Its place in the partition.
    public var offset: Int64 { batch.offset(index) }
    /// The time that its producer gave it, in microseconds since the Unix epoch.
    public var timestampUs: Int64 { batch.timestampUs(index) }
    /// Its value; nil if it has none, as a tombstone.
    public var value: ArraySlice<UInt8>? { batch.value(index) }
    /// Its value as UTF-8; nil if it has none.
    public var text: String? { value.map { String(decoding: $0, as: UTF8.self) } }
    /// When that was.
    public var timestamp: Date { Date(timeIntervalSince1970: Double(timestampUs) / 1_000_000) }
    /// Its key; nil if it has none, which is not an empty one.
    public var key: ArraySlice<UInt8>? { batch.key(index) }
    /// By which its topic knows it; nil if it has none.
    public var id: UUID? { batch.id(index) }
    /// Its headers in order; a name may be there more than once.
    public var headers: [(name: String, value: ArraySlice<UInt8>)] { batch.headers(index) }
}
