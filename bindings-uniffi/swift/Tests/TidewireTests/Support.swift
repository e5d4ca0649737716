import Foundation
import XCTest

@testable import Tidewire

/// A server of its own, on a fresh directory and a port that the system chooses.
final class TestServer {
    let url: String
    private let process = Process()
    private let directory: URL

    init() throws {
        guard let binary = ProcessInfo.processInfo.environment["TIDEWIRE_TEST_SERVER"] else {
            throw XCTSkip("TIDEWIRE_TEST_SERVER names no server")
        }
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("tidewire-swift-\(UUID())")
        process.executableURL = URL(fileURLWithPath: binary)
        process.arguments = [
            "serve", "--dev", "--data", directory.path, "--listen", "127.0.0.1:0", "--log", "error",
        ]
        process.environment = [:]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        var line = ""
        while !line.hasSuffix("\n") {
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { break }
            line += String(decoding: more, as: UTF8.self)
        }
        guard let found = line.range(of: #"tidewire:\S+"#, options: .regularExpression) else {
            throw XCTSkip("the server said \(line)")
        }
        url = String(line[found])
    }

    func stop() {
        // Foundation's threads take no signals, and their children inherit that: SIGTERM would wait.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: directory)
    }
}

/// Tests with a server and a client of their own.
class ServerTest: XCTestCase {
    private(set) var server: TestServer!
    private(set) var client: Client!
    let topic = "t"

    override func setUp() async throws {
        server = try TestServer()
        client = try await Client.connect(server.url)
    }

    override func tearDown() async throws {
        try await client?.close()
        server?.stop()
    }

    /// Reads so many records from the beginning.
    func readAll(_ topic: String, _ count: Int) async throws -> [Record] {
        let consumer = try await client.consumer(topic, options: ["start": "earliest"])
        var found: [Record] = []
        while found.count < count, let batch = try await consumer.next() { found += batch }
        try await consumer.close()
        return found
    }

    /// The error that `work` throws; it has to.
    func failure(_ work: () async throws -> Void, line: UInt = #line) async -> TidewireError? {
        do {
            try await work()
            XCTFail("it should have failed", line: line)
        } catch let error as TidewireError {
            return error
        } catch {
            XCTFail("it failed otherwise: \(error)", line: line)
        }
        return nil
    }
}
