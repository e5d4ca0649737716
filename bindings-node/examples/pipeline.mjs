// Copies orders for tea from one topic to another with Node's streams, as fast as both allow and
// with no more in memory than either holds. Ctrl-C ends it once all that was read is sent.
//
//   node examples/pipeline.mjs [tidewire://127.0.0.1:8433]

import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { Client } from 'tidewire'

const client = await Client.connect(process.argv[2])
await client.createTopic('tea').catch((error) => {
  if (error.code !== 'E_TOPIC_EXISTS') throw error
})
const consumer = await client.consumer('orders', { start: 'earliest' })
const producer = await client.producer('tea')
process.once('SIGINT', () => consumer.close())
process.once('SIGTERM', () => consumer.close())

let found = 0
const onlyTea = new Transform({
  objectMode: true,
  transform(record, _encoding, done) {
    if (record.json()?.item !== 'tea') return done()
    console.log(`tea for ${record.key}, the ${++found}. order of tea`)
    done(null, { key: record.key, value: record.value })
  },
})
await pipeline(consumer.readable(), onlyTea, producer.writable())
await client.close()
