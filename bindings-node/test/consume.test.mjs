// What a consumer promises.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Batch, Client, ConsumeError, NotFoundError, Record } from '../dist/index.mjs'
import { bench, readAll, startServer } from './support.mjs'

const made = bench()

async function filled(count, options) {
  const topic = await made.topic(options)
  const producer = await made.client.producer(topic, { acks: 'written', batchRecords: 100 })
  await producer.sendBatch(Array.from({ length: count }, (_, i) => ({ key: `k${i}`, value: `v${i}` })))
  await producer.close()
  return topic
}

test('records come one by one, batches whole, and a second loop goes on where the first stopped', async () => {
  const topic = await filled(1000)
  const consumer = await made.client.consumer(topic, { start: 'earliest' })
  let next = 0n
  for await (const record of consumer) {
    assert.ok(record instanceof Record)
    assert.equal(record.offset, next++)
    if (next === 150n) break
  }
  for await (const record of consumer.records()) {
    assert.equal(record.offset, next++)
    if (next === 250n) break
  }
  assert.equal(consumer.positions()[0].nextOffset, 250n)
  for await (const batch of consumer.batches()) {
    assert.ok(batch instanceof Batch)
    assert.equal(batch.baseOffset, next)
    assert.equal(batch.topic, `default/${topic}`)
    for (const record of batch) assert.equal(record.text(), `v${next++}`)
    assert.equal(batch.nextOffset, next)
    assert.equal(batch.length, Number(next - batch.baseOffset))
    assert.equal(batch.at(-1).offset, next - 1n)
    assert.equal(batch.at(batch.length), undefined)
    if (next === 1000n) break
  }
  assert.equal(consumer.lag(), 0n)
  assert.ok(consumer.stats().batches >= 10)
  await consumer.close()
  assert.equal(await consumer.nextBatch(), null)
  assert.ok(consumer.closed)
})

test('every place to begin', async () => {
  const topic = await filled(10)
  const first = async (start) => {
    const consumer = await made.client.consumer(topic, { start })
    const record = await consumer.nextRecord({ timeoutMs: 20_000 })
    await consumer.close()
    return record.offset
  }
  assert.equal(await first('earliest'), 0n)
  assert.equal(await first(4n), 4n)
  assert.equal(await first('last:3'), 7n)
  assert.equal(await first(new Date(0)), 0n)
  assert.equal(await first('time:0'), 0n)
  const consumer = await made.client.consumer(topic)
  assert.equal(await consumer.nextRecord({ timeoutMs: 0 }), null)
  const waiting = consumer.nextRecord()
  const producer = await made.client.producer(topic)
  await producer.send('new')
  assert.equal((await waiting).offset, 10n)
  await consumer.close()
  await assert.rejects(made.client.consumer(topic, { start: 99n }), (error) => {
    assert.ok(error instanceof ConsumeError)
    assert.equal(error.code, 'E_OFFSET_OUT_OF_RANGE')
    assert.deepEqual([error.firstOffset, error.nextOffset], [0n, 11n])
    return true
  })
})

test('seeking, pausing, and partitions that come and go', async () => {
  const topic = await made.topic({ partitions: 2 })
  const producer = await made.client.producer(topic)
  const both = (value) => producer.sendBatch([0, 1].map((partition) => ({ value, partition })))
  await both('a')
  await both('b')
  const consumer = await made.client.consumer(topic, { partitions: [0], startAt: { 0: 1n } })
  const next = async () => {
    const record = await consumer.nextRecord({ timeoutMs: 20_000 })
    return `${record.partition}:${record.text()}`
  }
  assert.equal(await next(), '0:b')
  consumer.seek(0, 'earliest')
  assert.equal(await next(), '0:a')
  assert.equal(await next(), '0:b')
  consumer.addPartition(1, 1n)
  assert.equal(await next(), '1:b')
  consumer.pause(0)
  await both('c')
  assert.equal(await next(), '1:c')
  assert.equal(await consumer.nextRecord({ timeoutMs: 50 }), null)
  assert.equal(consumer.closed, false)
  consumer.resume(0)
  assert.equal(await next(), '0:c')
  assert.equal(consumer.removePartition(1), true)
  assert.deepEqual(consumer.positions().map((p) => p.partition), [0])
  assert.throws(() => consumer.seek(1, 'earliest'), (e) => e instanceof NotFoundError && e.code === 'E_PARTITION_NOT_FOUND')
  await consumer.close()
})

test('closing and aborting end what waits', async () => {
  const topic = await made.topic()
  const consumer = await made.client.consumer(topic)
  const controller = new AbortController()
  const loop = (async () => {
    for await (const _ of consumer.batches({ signal: controller.signal })) assert.fail('nothing was sent')
  })()
  const read = consumer.nextBatch()
  controller.abort()
  await assert.rejects(loop, { name: 'AbortError' })
  const another = (async () => {
    for await (const _ of consumer) assert.fail('nothing was sent')
  })()
  await consumer.close()
  await another
  assert.equal(await read, null)
  await assert.rejects(made.client.consumer(topic, { signal: AbortSignal.abort() }), { name: 'AbortError' })
})

test('a deleted topic ends its consumers with an error that says so', async () => {
  const topic = await filled(1)
  const consumer = await made.client.consumer(topic)
  const told = assert.rejects(consumer.nextBatch(), (error) => error.code === 'E_TOPIC_NOT_FOUND' && error.message.includes(topic))
  await made.client.deleteTopic(topic)
  await told
  assert.equal(await consumer.nextBatch(), null)
})

test('full consumption leaves the event loop its turns', async () => {
  const topic = await filled(50_000)
  const consumer = await made.client.consumer(topic, { start: 'earliest' })
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  let seen = 0
  const pauses = new Int32Array(new SharedArrayBuffer(4))
  for await (const batch of consumer.batches()) {
    seen += batch.length
    // As if there was work for a millisecond: without turns no timer would ever run.
    Atomics.wait(pauses, 0, 0, 1)
    if (seen === 50_000) break
  }
  clearInterval(timer)
  assert.ok(turns >= 5, `${turns} turns`)
  await consumer.close()
})

test('reading goes on over a restart of the server, and events tell of it', async () => {
  let server = await startServer()
  const client = await Client.connect(server.url, { retryBackoffMs: 20, retryBackoffMaxMs: 100 })
  const told = []
  for (const name of ['disconnected', 'reconnecting', 'connected']) {
    client.on(name, (event) => told.push([name, event]))
  }
  await client.createTopic('t')
  const producer = await client.producer('t')
  const consumer = await client.consumer('t', { start: 'earliest' })
  await producer.send('before')
  assert.equal((await consumer.nextRecord()).text(), 'before')
  const waiting = consumer.nextRecord()
  server = await server.restart()
  assert.equal((await producer.send('after')).offset, 1n)
  assert.equal((await waiting).text(), 'after')
  const names = told.map(([name]) => name)
  assert.deepEqual([names[0], names.at(-1)], ['disconnected', 'connected'])
  assert.equal(told[0][1].error.kind, 'connection')
  assert.equal(typeof told[0][1].address, 'string')
  await client.close()
  await server.stop()
})

test('what is shown and what JSON has of a record', async () => {
  const topic = await made.topic()
  const producer = await made.client.producer(topic)
  await producer.send({ key: 'k', value: '{"a":1}', headers: { h: 'x' } })
  const [record] = await readAll(made.client, topic, 1)
  assert.deepEqual(record.json(), { a: 1 })
  const plain = JSON.parse(JSON.stringify(record))
  assert.equal(plain.value, '{"a":1}')
  assert.equal(plain.offset, '0')
  assert.deepEqual(plain.headers, [['h', 'x']])
  const { inspect } = await import('node:util')
  assert.match(inspect(record), /Record \{[^]*offset: 0n/)
})
