// Sends a few orders, in each of the ways there are.
//
//   node examples/produce.mjs [tidewire://127.0.0.1:8433]

import { Client } from 'tidewire'

const client = await Client.connect(process.argv[2])
await client.createTopic('orders', { partitions: 4 }).catch((error) => {
  if (error.code !== 'E_TOPIC_EXISTS') throw error
})
const producer = await client.producer('orders')

// One, and wait until it is on the disk.
const receipt = await producer.send({ key: 'alice', value: JSON.stringify({ item: 'tea' }), headers: { trace: '1' } })
console.log(`partition ${receipt.partition}, offset ${receipt.offset}`)

// Many, and wait for all.
const orders = ['cup', 'pot', 'spoon'].map((item) => ({ key: 'bob', value: JSON.stringify({ item }) }))
const receipts = await producer.sendBatch(orders)
console.log(`offsets ${receipts.map((r) => r.offset).join(', ')}`)

// As fast as it goes: nothing waits but when the queue is full.
for (let i = 0; i < 10_000; i++) {
  try {
    producer.enqueue({ key: `customer-${i % 100}`, value: `{"item":"stamp","number":${i}}` })
  } catch (error) {
    if (error.code !== 'E_QUEUE_FULL') throw error
    await producer.ready()
    i--
  }
}
await producer.flush()
console.log(`${producer.stats().acknowledgedRecords} orders are on the disk`)
await client.close()
