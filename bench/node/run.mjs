// Measures the Node.js package against a server on the same machine, and prints a table.
//
//   cargo build --release -p tidewire-cli
//   (cd bindings-node && npm ci && node scripts/build.mjs)
//   node bench/node/run.mjs [--rounds 5] > table.md
//   (cd bench/node && npm install) && python3 bench/servers.py nats kafka -- node bench/node/run.mjs
//
// Each line is the median of the rounds; the rounds go through all measurements in turn, so that
// what else the machine does falls on all of them. The second form asks the same of NATS JetStream
// and Kafka, with the packages that bench/node/package.json names, in the same rounds.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { Client } from '../../bindings-node/dist/index.mjs'
import { peers } from './peers.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const word = (name, otherwise) => {
  const at = process.argv.indexOf(name)
  return at < 0 ? otherwise : process.argv[at + 1]
}
const rounds = Number(word('--rounds', 5))
const binary = word('--server', join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'release/tidewire'))

async function server() {
  const data = mkdtempSync(join(tmpdir(), 'tidewire-bench-'))
  const args = ['serve', '--dev', '--data', data, '--listen', '127.0.0.1:0', '--log', 'error']
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  const stop = async () => {
    child.kill('SIGKILL')
    await once(child, 'exit')
    rmSync(data, { recursive: true, force: true })
  }
  return { url: /tidewire:\S+/.exec(line)[0], stop }
}

let topics = 0
async function fresh(client) {
  const topic = `bench-${++topics}`
  await client.createTopic(topic)
  return topic
}

async function enqueueAll(producer, value, count) {
  const record = { value }
  for (let i = 0; i < count; i++) {
    try {
      producer.enqueue(record)
    } catch (error) {
      if (error.code !== 'E_QUEUE_FULL') throw error
      i--
      await producer.ready()
    }
  }
}

const bytes = Buffer.alloc(256, 'x')
const text = 'x'.repeat(256)

/** Records a second into the producer's queue, which holds all of them. */
const enqueue = (value) => async (client) => {
  const count = 500_000
  const topic = await fresh(client)
  const producer = await client.producer(topic, { acks: 'written', queueBytes: 2 ** 30 })
  const record = { value }
  for (let i = 0; i < 20_000; i++) producer.enqueue(record)
  await producer.flush()
  const begun = performance.now()
  for (let i = 0; i < count; i++) producer.enqueue(record)
  const rate = (count / (performance.now() - begun)) * 1000
  await producer.close()
  await client.deleteTopic(topic)
  return rate
}

/** Records a second until all are acknowledged as written. */
async function produce(client) {
  const count = 2_000_000
  const topic = await fresh(client)
  const producer = await client.producer(topic, { acks: 'written' })
  const begun = performance.now()
  await enqueueAll(producer, bytes, count)
  await producer.flush()
  const rate = (count / (performance.now() - begun)) * 1000
  await producer.close()
  await client.deleteTopic(topic)
  return rate
}

/** Sends a second, one after the other, or so many in flight. */
const send = (inFlight, acks, count) => async (client) => {
  const topic = await fresh(client)
  const producer = await client.producer(topic, { acks })
  await producer.send(bytes)
  const begun = performance.now()
  const one = async () => {
    for (let i = 0; i < count / inFlight; i++) await producer.send(bytes)
  }
  await Promise.all(Array.from({ length: inFlight }, one))
  const rate = (count / (performance.now() - begun)) * 1000
  await producer.close()
  await client.deleteTopic(topic)
  return rate
}

/** Records a second out of a topic that is there already, touched or not; and the loop's delay. */
const consume = (full, touch, delay) => async (client) => {
  const { topic, count } = full
  const consumer = await client.consumer(topic, { start: 'earliest' })
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  histogram.enable()
  let seen = 0
  let sum = 0
  const begun = performance.now()
  for await (const batch of consumer.batches()) {
    for (const record of batch) sum += touch(record)
    seen += batch.length
    if (seen >= count) break
  }
  const rate = (count / (performance.now() - begun)) * 1000
  histogram.disable()
  await consumer.close()
  if (sum < 0) throw new Error('no sum of lengths is negative')
  // The histogram counts its own period.
  return delay ? Math.max(0, histogram.percentile(99) / 1e6 - 1) : rate
}

async function oneByOne(client, { topic, count }) {
  const consumer = await client.consumer(topic, { start: 'earliest' })
  let seen = 0
  const begun = performance.now()
  for await (const record of consumer) if (record.partition === 0 && ++seen === count) break
  const rate = (count / (performance.now() - begun)) * 1000
  await consumer.close()
  return rate
}

async function fill(client, size, count) {
  const topic = await fresh(client)
  const producer = await client.producer(topic, { acks: 'written' })
  await enqueueAll(producer, Buffer.alloc(size, 'x'), count)
  await producer.close()
  return { topic, count }
}

const one = await server()
const client = await Client.connect(one.url)
const small = await fill(client, 100, 10_000_000)
const large = await fill(client, 256, 8_000_000)
const M = 1e6
const measurements = [
  ['`enqueue`, Buffer of 256 B', enqueue(bytes), 'M records/s', M, 3],
  ['`enqueue`, string of 256 B', enqueue(text), 'M records/s', M],
  ['`enqueue` and `flush` of 256 B, until written', produce, 'M records/s', M],
  ['consume 100 B, lazy records', consume(small, () => 1), 'M records/s', M, 8],
  ['consume 256 B, lazy records', consume(large, () => 1), 'M records/s', M, 8],
  ['consume 100 B, every value read', consume(small, (record) => record.value.length), 'M records/s', M],
  ['`for await` of 100 B, record by record', (client) => oneByOne(client, small), 'M records/s', M],
  ['`await send`, one at a time, `written`', send(1, 'written', 10_000), 'k/s', 1e3, 20],
  ['`await send`, one at a time, `synced`', send(1, 'synced', 500), 'k/s', 1e3],
  ['`send`, 100 in flight, `written`', send(100, 'written', 200_000), 'k/s', 1e3, 250],
  ['event loop delay, p99, under full consume of 256 B', consume(large, (r) => r.value.length, true), 'ms', 1, -20],
]
const others = await peers()
for (const [name, measure, goal] of others.measurements) measurements.push([name, measure, 'k/s', 1e3, goal])
const found = measurements.map(() => [])
const rss = []
for (let round = 0; round < rounds; round++) {
  for (const [i, [, measure]] of measurements.entries()) found[i].push(await measure(client))
  rss.push(process.memoryUsage.rss() / 2 ** 20)
  process.stderr.write(`round ${round + 1} of ${rounds}\n`)
}
await others.close()
await client.close()
await one.stop()

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1]
const shown = (number) => (number >= 100 ? number.toFixed(0) : number.toPrecision(3))
const load = loadavg()[0].toFixed(1)
console.log(`Node.js ${process.version}, ${cpus().length} × ${cpus()[0].model}, load ${load}; medians of ${rounds} rounds.\n`)
console.log('| | median | lowest – highest | unit | goal | of the goal |\n|---|---|---|---|---|---|')
for (const [i, [name, , unit, scale, goal]] of measurements.entries()) {
  const list = found[i].map((number) => number / scale)
  const middle = median(list)
  const against = goal === undefined ? '| |' : goal > 0
    ? `| ≥ ${goal} | ${Math.round((middle / goal) * 100)} % |`
    : `| < ${-goal} | ${middle < -goal ? 'kept' : `missed by ${shown(middle + goal)}`} |`
  console.log(`| ${name} | ${shown(middle)} | ${shown(Math.min(...list))} – ${shown(Math.max(...list))} | ${unit} ${against}`)
}
console.log(`| resident memory, by round | ${rss.map((mib) => mib.toFixed(0)).join(', ')} | | MiB | flat | |`)
