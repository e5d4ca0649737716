import Foundation
import TidewireNative

/// What the server answered for one record.
public struct Receipt: Sendable, Equatable {
    /// The record's partition.
    public let partition: Int32
    /// Its offset there.
    public let offset: Int64
    /// When it was appended, in microseconds since the Unix epoch; 0 for a duplicate by its id.
    public let appendTimeUs: Int64
    /// The promise that holds: `none`, `written` or `synced`.
    public let acks: String
    /// It was there already, or another record of its id was; the offset is that one's.
    public let isDuplicate: Bool
}

/// Sends records to a topic. Any task may call it.
public struct Producer: Sendable {
    public let native: NativeProducer

    /// Sends a record and waits for its acknowledgement; throws its outcome if there is none.
    @discardableResult
    public func send(_ record: NewRecord) async throws -> Receipt {
        guard let outcome = try await sendAll([record]).first else {
            preconditionFailure("every record has an outcome")
        }
        return try outcome.get()
    }

    /// Sends records together, waiting where the queue has no room, and waits for the outcomes, in
    /// order.
    public func sendAll(_ records: [NewRecord]) async throws -> [Result<Receipt, TidewireError>] {
        try await enqueueAll(records, expedite: true).outcomes()
    }

    /// Puts a record into the queue without waiting; throws `QUEUE_FULL` if it has no room, and
    /// `ready` waits for some.
    @discardableResult
    public func enqueue(_ record: NewRecord) throws -> Tickets {
        var chunk = Data()
        record.pack(into: &chunk)
        let pushed = try native.pushCopied(chunk: chunk, expedite: false, wantsTickets: true)
        if let failure = pushed.failure { throw TidewireError.Failed(failure: failure) }
        return Tickets(parts: pushed.tickets.map { [$0] } ?? [])
    }

    /// Puts records into the queue, waiting only where it has no room. Should one be refused, those
    /// before it are sent, and its error is thrown.
    @discardableResult
    public func enqueueAll(_ records: [NewRecord]) async throws -> Tickets {
        try await enqueueAll(records, expedite: false)
    }

    private func enqueueAll(_ records: [NewRecord], expedite: Bool) async throws -> Tickets {
        var chunk = Data()
        for record in records { record.pack(into: &chunk) }
        var parts: [NativeTickets] = []
        while !chunk.isEmpty {
            let pushed = try native.pushCopied(chunk: chunk, expedite: expedite, wantsTickets: true)
            if let taken = pushed.tickets { parts.append(taken) }
            chunk = Data(chunk.dropFirst(Int(pushed.bytes)))
            guard let failure = pushed.failure else { continue }
            guard failure.number == ErrorCode.queueFull, try native.blocks() else {
                throw TidewireError.Failed(failure: failure)
            }
            try await ready()
        }
        return Tickets(parts: parts)
    }

    /// Waits until the queue has room.
    public func ready() async throws {
        try await cancellable { [native] in try await native.ready(limitMs: nil) }
    }

    /// Sends all that is queued, and waits until it has its outcome.
    public func flush(limitMs: Int64? = nil) async throws {
        try await cancellable { [native] in try await native.flush(limitMs: limitMs) }
    }

    /// Flushes and closes; what is left after the limit fails.
    public func close(limitMs: Int64? = nil) async throws { try await native.closeWithin(limitMs: limitMs) }
}

/// The outcomes, to come, of records that were enqueued together. Dropping them changes nothing.
public struct Tickets: Sendable {
    let parts: [NativeTickets]

    /// Waits until all records have their outcome, in order. After `TIMEOUT` it may be called again.
    public func outcomes(limitMs: Int64? = nil) async throws -> [Result<Receipt, TidewireError>] {
        var found: [Result<Receipt, TidewireError>] = []
        for part in parts {
            found += Tickets.unpack(try await cancellable { try await part.outcomes(limitMs: limitMs) })
        }
        return found
    }

    /// Waits for the receipts; throws the first error if there is any.
    public func receipts(limitMs: Int64? = nil) async throws -> [Receipt] {
        try await outcomes(limitMs: limitMs).map { try $0.get() }
    }

    private static let levels = ["none", "written", "synced"]

    /// Runs of 32 bytes each, as `Outcomes` says.
    private static func unpack(_ told: Outcomes) -> [Result<Receipt, TidewireError>] {
        var found: [Result<Receipt, TidewireError>] = []
        told.runs.withUnsafeBytes { bytes in
            func number<T: FixedWidthInteger>(_ at: Int, _: T.Type) -> T {
                T(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: T.self))
            }
            for at in stride(from: 0, to: bytes.count, by: 32) {
                let count = Int(number(at + 4, UInt32.self))
                let offset = number(at + 16, Int64.self)
                guard bytes[at] == 0 else {
                    let error = TidewireError.Failed(failure: told.failures[Int(offset)])
                    found += Array(repeating: .failure(error), count: count)
                    continue
                }
                let level = Int(bytes[at + 12])
                for place in 0..<Int64(count) {
                    let receipt = Receipt(
                        partition: number(at + 8, Int32.self), offset: offset + place,
                        appendTimeUs: number(at + 24, Int64.self),
                        acks: level < levels.count ? levels[level] : String(level), isDuplicate: bytes[at + 13] != 0)
                    found.append(.success(receipt))
                }
            }
        }
        return found
    }
}
