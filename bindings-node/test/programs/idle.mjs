// A client, a producer and a consumer that nobody waits for: nothing keeps the process.
import { Client } from '../../dist/index.mjs'

const [url, topic] = process.argv.slice(2)
const client = await Client.connect(url)
client.on('disconnected', () => {})
const producer = await client.producer(topic)
await producer.send('v')
const consumer = await client.consumer(topic, { start: 'earliest' })
if ((await consumer.nextRecord()).text() !== 'v') throw new Error('something else came')
console.log('nothing pending')
