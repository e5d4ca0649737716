// One record after the other, for which the thread may look instead of sleeping; then waits in vain.
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'

import { Client } from '../../dist/index.mjs'

const [url, topic, busyPollUs] = process.argv.slice(2)
const client = await Client.connect(url, { busyPollUs: Number(busyPollUs) })
const producer = await client.producer(topic, { acks: 'written' })

let turns = 0
let sending = true
const others = (async () => {
  for (; sending; turns++) await turn()
})()
for (let i = 0; i < 2000; i++) {
  const receipt = await producer.send('v')
  if (receipt.offset !== BigInt(i)) throw new Error(`offset ${receipt.offset} for ${i}`)
}
sending = false
await others

// Tests replace what is global, and never call what waits by it.
const own = globalThis.setImmediate
globalThis.setImmediate = () => ({})
for (let i = 0; i < 200; i++) await producer.send('v')
globalThis.setImmediate = own

// Several at once, and one that fails.
await Promise.all(Array.from({ length: 100 }, () => producer.send('w')))
const refused = await producer.send({ value: 'v', partition: 7 }).catch((error) => error.code)

const consumer = await client.consumer(topic, { start: 'latest' })
const waiting = consumer.nextRecord()
await sleep(100)
const before = process.cpuUsage()
await sleep(500)
const { user, system } = process.cpuUsage(before)
await producer.send('x')
const last = (await waiting).text()
await client.close()
console.log(JSON.stringify({ turns, refused, idleMs: (user + system) / 1000, last }))
