import Foundation
import TidewireNative

/// Receives a topic's records: `for try await batch in consumer`. One task at a time reads.
public struct Consumer: AsyncSequence, Sendable {
    public typealias Element = Batch
    public let native: NativeConsumer

    /// The next batch; nil once the consumer was closed. Throws why a partition has ended; the next
    /// call goes on with the others. No batch is lost by cancelling the task.
    public func next() async throws -> Batch? {
        while true {
            let taken = try native.take()
            if let lent = taken.batch {
                return withExtendedLifetime(native) { Batch(copying: lent) { native.topic(number: $0) ?? "" } }
            }
            if taken.closed { return nil }
            _ = try await cancellable { [native] in try await native.ready(limitMs: nil) }
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

/// Waits for `work`, or until the task is cancelled. What UniFFI waits for hears nothing of that, and
/// is left to end by itself: so `work` must take nothing that would be missed.
func cancellable<T: Sendable>(_ work: @escaping @Sendable () async throws -> T) async throws -> T {
    let (results, told) = AsyncThrowingStream<T, Error>.makeStream()
    Task {
        do {
            told.yield(try await work())
            told.finish()
        } catch {
            told.finish(throwing: error)
        }
    }
    for try await result in results { return result }
    throw CancellationError()
}
