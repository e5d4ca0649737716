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

    /// Creates a topic, with options such as `partitions`.
    @discardableResult
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
