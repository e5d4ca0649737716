// Exits in the middle of everything.
import { Client } from '../../dist/index.mjs'

const [url, topic] = process.argv.slice(2)
const client = await Client.connect(url)
const producer = await client.producer(topic, { acks: 'written' })
const consumer = await client.consumer(topic, { start: 'earliest' })
void (async () => {
  for await (const batch of consumer.batches()) if (batch.length === 0) throw new Error('an empty batch')
})()
let sent = 0
const more = () => {
  for (let i = 0; i < 50; i++) {
    producer.send(`v${i}`).then(() => {
      if (++sent === 500) process.exit(7)
    }, () => {})
  }
  setImmediate(more)
}
void client.listStreams()
more()
