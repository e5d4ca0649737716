// Sends orders and reads them again: orders [tidewire://127.0.0.1:8433]
import Tidewire

let url = CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : "tidewire://127.0.0.1:8433"
let client = try await Client.connect(url)
do {
    try await client.createTopic("orders", options: ["partitions": "4"])
} catch let error as TidewireError where error.code == ErrorCode.topicExists {
    // Of an earlier run.
}

let producer = try await client.producer("orders")
let receipt = try await producer.send(NewRecord("order 0", key: "alice"))  // waits for the acknowledgement
print("partition \(receipt.partition), offset \(receipt.offset)")
for number in 1..<10 { try producer.enqueue(NewRecord("order \(number)", key: "customer \(number % 3)")) }
try await producer.close()

let consumer = try await client.consumer("orders", group: "billing", options: ["start": "earliest"])
var read = 0
for try await batch in consumer {
    for record in batch { print(record.partition, record.offset, record.text ?? "") }
    try await consumer.commit()
    read += batch.count
    if read >= 10 { break }
}
try await consumer.close()
try await client.close()
