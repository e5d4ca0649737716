// Reads orders as a member of a group, from where the group stopped; Ctrl-C ends it.
//
//   node examples/consume.mjs [tidewire://127.0.0.1:8433]

import { Client } from 'tidewire'

const client = await Client.connect(process.argv[2])
const consumer = await client.consumer('orders', { group: 'billing', start: 'earliest' })
process.once('SIGINT', () => consumer.close())
process.once('SIGTERM', () => consumer.close())

let total = 0
for await (const batch of consumer.batches()) {
  for (const record of batch) {
    const order = record.json()
    if (total++ < 5) console.log(`${record.partition}:${record.offset} ${record.key} wants a ${order.item}`)
  }
  // What was done is not given again, to this member or another.
  await consumer.commit()
  console.log(`${total} orders`)
}
await client.close()
