import Foundation
@_exported import TidewireNative

/// A connection to a Tidewire server. Options have the names that they have in the URL.
///
/// What has no method here is asked of `native`, which has all that the server can be asked.
public struct Client: Sendable {
    public let native: NativeClient

    /// Connects to the first server of `url` that can be reached.
    public static func connect(_ url: String? = nil, options: [String: String] = [:]) async throws -> Client {
        Client(native: try await TidewireNative.connect(url: url, options: options))
    }

    public func createTopic(_ topic: String, options: [String: String] = [:]) async throws -> TopicInfo {
        try await native.createTopic(topic: topic, options: options)
    }

    /// Opens a producer, with options such as `acks` and `linger_ms`.
    public func producer(
        _ topic: String, name: String? = nil, options: [String: String] = [:]
    ) async throws -> Producer {
        Producer(native: try await native.producer(topic: topic, name: name, options: options))
    }

    /// Subscribes, or joins a group; options are such as `start`.
    public func consumer(
        _ topics: String..., group: String? = nil, name: String? = nil, partitions: [Int32]? = nil,
        startAt: [Int32: Int64] = [:], options: [String: String] = [:]
    ) async throws -> Consumer {
        let native = try await native.consumer(
            topics: topics, group: group, name: name, only: partitions, startAt: startAt, options: options)
        return Consumer(native: native)
    }

    /// Closes the connection, for all that was made from it too; close producers first.
    public func close() async throws { try await native.shut() }
}

/// A record to send.
public struct NewRecord: Sendable {
    public var value: [UInt8]?
    public var key: [UInt8]?
    public var partition: Int32?

    public init(_ value: [UInt8]?, key: [UInt8]? = nil, partition: Int32? = nil) {
        (self.value, self.key, self.partition) = (value, key, partition)
    }

    public init(_ value: String, key: String? = nil) {
        self.init(Array(value.utf8), key: key.map { Array($0.utf8) })
    }

    /// As `foreign/chunk.rs` of the core reads it.
    func pack(into chunk: inout Data) {
        func add(_ number: UInt32) { withUnsafeBytes(of: number.littleEndian) { chunk.append(contentsOf: $0) } }
        let begin = chunk.count
        add((key == nil ? 0 : 1) | (value == nil ? 0 : 2) | (partition == nil ? 0 : 8))
        add(UInt32(value?.count ?? 0))
        add(UInt32(key?.count ?? 0))
        add(0)
        if let partition { add(UInt32(bitPattern: partition)) }
        chunk.append(contentsOf: value ?? [])
        chunk.append(contentsOf: key ?? [])
        while (chunk.count - begin) & 3 != 0 { chunk.append(0) }
    }
}

/// Sends records to a topic.
public struct Producer: Sendable {
    public let native: NativeProducer

    /// Sends records together, and waits for the outcomes; see `Outcomes` for their form.
    public func sendAll(_ records: [NewRecord]) async throws -> [Outcomes] {
        var chunk = Data()
        for record in records { record.pack(into: &chunk) }
        var tickets: [NativeTickets] = []
        while !chunk.isEmpty {
            let pushed = try native.pushCopied(chunk: chunk, expedite: true, wantsTickets: true)
            if let taken = pushed.tickets { tickets.append(taken) }
            chunk = Data(chunk.dropFirst(Int(pushed.bytes)))
            guard let failure = pushed.failure else { continue }
            guard failure.name == "QUEUE_FULL", try native.blocks() else { throw NativeError.Failed(failure: failure) }
            try await native.ready(limitMs: nil)
        }
        var outcomes: [Outcomes] = []
        for one in tickets { outcomes.append(try await one.outcomes(limitMs: nil)) }
        return outcomes
    }

    /// Sends a record and waits for its acknowledgement.
    public func send(_ record: NewRecord) async throws {
        for part in try await sendAll([record]) {
            if let failure = part.failures.first { throw NativeError.Failed(failure: failure) }
        }
    }

    /// Sends all that is queued, and waits until it has its outcome.
    public func flush() async throws { try await native.flush(limitMs: nil) }

    /// Flushes and closes; what is left after the limit fails.
    public func close(limitMs: Int64? = nil) async throws { try await native.closeWithin(limitMs: limitMs) }
}

/// Receives a topic's records: `for try await batch in consumer`. One task at a time reads.
public struct Consumer: AsyncSequence, Sendable {
    public typealias Element = Batch
    public let native: NativeConsumer

    /// The next batch; nil once the consumer was closed.
    public func next() async throws -> Batch? {
        while true {
            let taken = try native.take()
            if let lent = taken.batch {
                return withExtendedLifetime(native) { Batch(copying: lent) { native.topic(number: $0) ?? "" } }
            }
            if taken.closed { return nil }
            _ = try await native.ready(limitMs: nil)
        }
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let consumer: Consumer

        public func next() async throws -> Batch? { try await consumer.next() }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(consumer: self) }

    /// Records one by one: `for try await record in consumer.records`. Whoever leaves the loop early
    /// does not get the rest of the batch from another one.
    public var records: Records { Records(consumer: self) }

    public struct Records: AsyncSequence, Sendable {
        public typealias Element = Record
        let consumer: Consumer

        public struct AsyncIterator: AsyncIteratorProtocol {
            let consumer: Consumer
            var batch: Batch?
            var index = 0

            public mutating func next() async throws -> Record? {
                while true {
                    if let batch, index < batch.endIndex {
                        index += 1
                        return batch[index - 1]
                    }
                    guard let fresh = try await consumer.next() else { return nil }
                    (batch, index) = (fresh, 0)
                }
            }
        }

        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(consumer: consumer) }
    }

    /// Stores how far the batches reach that were returned.
    public func commit() async throws { try await native.commit() }

    /// As `commit()`, but of the partition of a record only up to that one: for who takes records one
    /// by one.
    public func commit(through record: Record) async throws {
        try await native.commitUntil(
            topic: record.topic, partition: record.partition, offset: record.offset + 1)
    }

    /// Unsubscribes, or leaves the group.
    public func close(limitMs: Int64? = nil) async throws { try await native.closeWithin(limitMs: limitMs) }
}
