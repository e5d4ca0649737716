import Foundation
import XCTest

@testable import Tidewire

/// The reader of columns and the packer of records, by what all languages share.
final class GoldenTests: XCTestCase {
    /// The repository.
    private let root = (0..<5).reduce(URL(fileURLWithPath: #filePath)) { path, _ in path.deletingLastPathComponent() }

    private func examples(_ path: String) throws -> [[String: Any]] {
        let data = try Data(contentsOf: root.appendingPathComponent(path))
        return try XCTUnwrap(JSONSerialization.jsonObject(with: data) as? [[String: Any]])
    }

    func testBatchesOfTheGoldenVectorsAreReadAsTheyShouldBe() throws {
        var (read, refused) = (0, 0)
        for file in ["records", "columns", "codec"] {
            for vector in try examples("protocol/vectors/batch/\(file).json") {
                let name = vector["name"] as? String ?? ""
                let bytes = Data(try XCTUnwrap(unhex(vector["hex"])))
                if vector["class"] as? String == "reject" {
                    XCTAssertThrowsError(try Batch.ofStored(bytes), name) {
                        XCTAssertEqual(($0 as? TidewireError)?.code, ErrorCode.corruptBatch, name)
                    }
                    refused += 1
                    continue
                }
                let value = try XCTUnwrap(vector["value"] as? [String: Any])
                let batch = try Batch.ofStored(bytes)
                XCTAssertEqual(String(batch.appendTimeUs), value["append_time_us"] as? String, name)
                let found: [[String: Any]] = batch.map { record in
                    [
                        "offset": String(UInt64(bitPattern: record.offset)), "time_us": String(record.timestampUs),
                        "value": hex(record.value), "key": hex(record.key),
                        "id": hex(record.id.map { id in withUnsafeBytes(of: id.uuid) { ArraySlice($0) } }),
                        "headers": record.headers.map { [$0.name, hex($0.value)] },
                    ]
                }
                XCTAssertEqual(found as NSArray, try XCTUnwrap(value["records"] as? NSArray), name)
                read += 1
            }
        }
        XCTAssertGreaterThan(read, 100)
        XCTAssertGreaterThan(refused, 10)
    }

    /// The core's own tests read them.
    func testRecordsArePackedAsTheCoreReadsThem() throws {
        let all = try examples("core-client/src/foreign/chunks.json")
        for example in all {
            var chunk = Data()
            for one in try XCTUnwrap(example["records"] as? [[String: Any]]) {
                let headers = (one["headers"] as? [[String]] ?? []).map { (name: $0[0], value: unhex($0[1]) ?? []) }
                let id = unhex(one["id"]).map { bytes in
                    bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
                }
                let record = NewRecord(
                    unhex(one["value"]), key: unhex(one["key"]), headers: headers,
                    timestampUs: (one["timestamp_us"] as? NSNumber)?.int64Value,
                    partition: (one["partition"] as? NSNumber)?.int32Value, id: id)
                record.pack(into: &chunk)
            }
            XCTAssertEqual(hex(ArraySlice(chunk)) as? String, example["hex"] as? String, "\(example["name"] ?? "")")
        }
        XCTAssertGreaterThan(all.count, 5)
    }

    /// As JSON has it: a string, or null.
    private func hex(_ bytes: ArraySlice<UInt8>?) -> Any {
        bytes.map { $0.map { String(format: "%02x", $0) }.joined() } ?? NSNull()
    }

    private func unhex(_ value: Any?) -> [UInt8]? {
        guard let digits = (value as? String).map({ Array($0.utf8) }) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(decoding: digits[$0...($0 + 1)], as: UTF8.self), radix: 16)
        }
    }
}
