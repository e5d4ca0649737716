import Foundation
import XCTest

@testable import Tidewire

/// What the client promises, against the real server.
final class ClientTests: ServerTest {
    func testWhatIsSentIsReadAsItWas() async throws {
        try await client.createTopic(topic)
        let producer = try await client.producer(topic)
        let id = UUID()
        let headers = [(name: "trace", value: [UInt8]("1".utf8)), (name: "größe", value: [0, 255]), (name: "trace", value: [])]
        let first = try await producer.send(NewRecord("hällo 🌊", key: "k", headers: headers))
        XCTAssertEqual([Int64(first.partition), first.offset], [0, 0])
        XCTAssertEqual(first.acks, "synced")
        XCTAssertFalse(first.isDuplicate)
        try await producer.send(NewRecord("", key: ""))
        try await producer.send(NewRecord(nil, key: [1, 2]))
        try await producer.send(NewRecord([UInt8](repeating: 120, count: 100_000), timestampUs: -5, id: id))
        try await producer.close()

        let found = try await readAll(topic, 4)
        XCTAssertEqual(found.map(\.offset), [0, 1, 2, 3])
        XCTAssertEqual(found[0].text, "hällo 🌊")
        XCTAssertEqual(found[0].topic, "default/t")
        XCTAssertEqual(found[0].headers.map(\.name), ["trace", "größe", "trace"])
        XCTAssertEqual(found[0].headers.map { Array($0.value) }, [[49], [0, 255], []])
        XCTAssertNil(found[0].id)
        XCTAssertEqual([found[1].value, found[1].key], [[], []])
        XCTAssertNil(found[2].value)
        XCTAssertEqual(found[2].key, [1, 2])
        XCTAssertNil(found[3].key)
        XCTAssertEqual(found[3].id, id)
        XCTAssertEqual(found[3].timestampUs, -5)
        XCTAssertEqual(found[3].value?.count, 100_000)
    }

    func testManyRecordsComeInOrderThroughAQueueThatHasNoRoomForThem() async throws {
        try await client.createTopic(topic)
        let options = ["acks": "written", "queue_bytes": "1048576", "batch_bytes": "65536"]
        let producer = try await client.producer(topic, options: options)
        let values = (0..<20_000).map { "v\($0)" }
        let outcomes = try await producer.sendAll(values.map { NewRecord($0) })
        XCTAssertEqual(try outcomes.map { try $0.get().offset }, (0..<20_000).map { Int64($0) })
        try await producer.close()
        let found = try await readAll(topic, values.count)
        XCTAssertEqual(found.map { $0.text ?? "" }, values)
    }

    func testTicketsTellWhereEachRecordIs() async throws {
        try await client.createTopic(topic, options: ["partitions": "2"])
        let producer = try await client.producer(topic)
        let tickets = try (0..<10).map { try producer.enqueue(NewRecord([UInt8($0)], partition: $0 % 2)) }
        try await producer.flush()
        for (at, ticket) in tickets.enumerated() {
            let receipt = try await ticket.receipts()[0]
            XCTAssertEqual([Int(receipt.partition), Int(receipt.offset)], [at % 2, at / 2])
        }
        let refused = await failure { try await producer.send(NewRecord([1], partition: 9)) }
        XCTAssertEqual(refused?.code, ErrorCode.partitionNotFound)
        try await producer.close()
        let late = await failure { try await producer.send(NewRecord("late")) }
        XCTAssertEqual(late?.kind, "closed")
    }

    func testRecordsComeOneByOneAndAGroupGoesOnWhereItWas() async throws {
        try await client.createTopic(topic)
        let producer = try await client.producer(topic)
        _ = try await producer.sendAll((0..<10).map { NewRecord("\($0)") })
        let first = try await client.consumer(topic, group: "g", options: ["start": "earliest"])
        var seen: [String] = []
        for try await record in first.records {
            seen.append(record.text ?? "")
            if seen.count == 4 {
                try await first.commit(through: record)
                break
            }
        }
        try await first.close()
        let second = try await client.consumer(topic, group: "g", options: ["start": "earliest"])
        while seen.count < 10, let batch = try await second.next() { seen += batch.map { $0.text ?? "" } }
        XCTAssertEqual(seen, (0..<10).map(String.init))
        try await second.commit()
        try await second.close()
        let committed = try await client.native.committed(group: "g", topic: topic)
        XCTAssertEqual(committed.map(\.offset), [10])
    }

    func testErrorsSayWhatTheyAreAboutAndWhatMayBeDone() async throws {
        let missing = await failure { _ = try await self.client.producer("nowhere") }
        XCTAssertEqual(missing?.code, ErrorCode.topicNotFound)
        XCTAssertEqual([missing?.name, missing?.kind], ["TOPIC_NOT_FOUND", "not_found"])
        XCTAssertEqual([missing?.isRetriable, missing?.isOutcomeUnknown], [false, false])
        let text = String(describing: missing!)
        XCTAssertTrue(text.hasPrefix("TOPIC_NOT_FOUND (") && text.contains("nowhere"), text)
        XCTAssertEqual(missing!.localizedDescription, text)
        let url = server.url
        let option = await failure { _ = try await Client.connect("\(url)/?lingr_ms=5") }
        XCTAssertTrue(option!.message.contains("linger_ms"), option!.message)
        let nobody = await failure {
            _ = try await Client.connect("tidewire://127.0.0.1:1", options: ["connect_timeout_ms": "1000"])
        }
        XCTAssertEqual(nobody?.kind, "connection")
        XCTAssertEqual(nobody?.isRetriable, true)
    }

    func testTheExampleSendsAndReads() throws {
        let example = Process()
        let tests = URL(fileURLWithPath: CommandLine.arguments[0])
        example.executableURL = tests.deletingLastPathComponent().appendingPathComponent("orders")
        example.arguments = [server.url]
        let output = Pipe()
        example.standardOutput = output
        try example.run()
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        example.waitUntilExit()
        XCTAssertEqual(example.terminationStatus, 0, said)
        XCTAssertTrue(said.contains("order 9"), said)
    }

    func testWaitingEndsWithItsTaskAndWithTheConsumer() async throws {
        try await client.createTopic(topic)
        let consumer = try await client.consumer(topic)
        let waiting = Task { try await consumer.next()?.count }
        try await Task.sleep(nanoseconds: 50_000_000)
        waiting.cancel()
        let ended = await waiting.result
        XCTAssertThrowsError(try ended.get()) { XCTAssertTrue($0 is CancellationError, "\($0)") }
        // What comes after is for the next one.
        let producer = try await client.producer(topic)
        try await producer.send(NewRecord("after"))
        let batch = try await consumer.next()
        XCTAssertEqual(batch?.first?.text, "after")
        let reading = Task { try await consumer.next()?.count }
        try await Task.sleep(nanoseconds: 50_000_000)
        try await consumer.close()
        let nothing = try await reading.value
        XCTAssertNil(nothing)
    }
}
