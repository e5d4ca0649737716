// Rounds of the same work: after the first ones the process grows no more.
import { Client } from '../../dist/index.mjs'

const [url, topic] = process.argv.slice(2)
const ROUNDS = 10
const PER_ROUND = 100_000
/** What a round may leave, in all rounds after the third; a leak of 16 bytes a record is more. */
const MOST = 48 << 20

const client = await Client.connect(url)
const value = Buffer.alloc(100)
const used = []
const collect = async () => {
  for (let i = 0; i < 3; i++) {
    globalThis.gc()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage()
  return { rss, heapUsed, external, arrayBuffers }
}
for (let round = 0; round < ROUNDS; round++) {
  const producer = await client.producer(topic, { acks: 'written' })
  const consumer = await client.consumer(topic)
  let seen = 0
  const reading = (async () => {
    for await (const batch of consumer.batches()) {
      for (const record of batch) {
        if (record.value.length !== value.length) throw new Error('another value')
        seen++
      }
      if (seen === PER_ROUND) return
    }
  })()
  for (let i = 0; i < PER_ROUND; i++) {
    for (;;) {
      try {
        const ticket = producer.enqueue({ key: `k${i & 15}`, value })
        if (i % 100 === 0) ticket.receipt().catch(() => {})
        break
      } catch (error) {
        if (error.code !== 'E_QUEUE_FULL') throw error
      }
      await producer.ready()
    }
  }
  await producer.flush()
  await reading
  await consumer.close()
  await producer.close()
  await client.truncate(topic, 0, 100n)
  used.push(await collect())
}
const [early, last] = [used[3], used.at(-1)]
const grown = Object.fromEntries(Object.keys(last).map((name) => [name, last[name] - early[name]]))
console.log(JSON.stringify(grown))
await client.close()
if (grown.heapUsed > 4 << 20 || grown.arrayBuffers > 16 << 20 || grown.rss > MOST) process.exit(1)
