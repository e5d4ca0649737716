// Enqueues and ends: what was enqueued is pending.
import { Client } from '../../dist/index.mjs'

const [url, topic] = process.argv.slice(2)
const client = await Client.connect(url)
const producer = await client.producer(topic, { lingerMs: 100 })
for (let i = 0; i < 1000; i++) producer.enqueue(`v${i}`)
