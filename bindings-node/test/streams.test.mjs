// Node's streams over consumers and producers.

import assert from 'node:assert/strict'
import { Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'

import { bench, readAll, until } from './support.mjs'

const made = bench()

test('a pipeline from one topic to another', async () => {
  const from = await made.topic()
  const to = await made.topic()
  const source = await made.client.producer(from)
  await source.sendBatch(Array.from({ length: 2000 }, (_, i) => ({ value: `v${i}` })))
  const consumer = await made.client.consumer(from, { start: 'earliest' })
  const producer = await made.client.producer(to)
  let left = 2000
  const shout = new Transform({
    objectMode: true,
    transform(record, _encoding, done) {
      done(null, { key: record.key, value: record.text().toUpperCase() })
      if (--left === 0) void consumer.close()
    },
  })
  await pipeline(consumer.readable(), shout, producer.writable())
  const found = await readAll(made.client, to, 2000)
  found.forEach((record, i) => assert.equal(record.text(), `V${i}`))
})

test('a slow sink holds the source back', async () => {
  const topic = await made.topic()
  const producer = await made.client.producer(topic, { batchRecords: 100 })
  const value = Buffer.alloc(1000)
  await producer.sendBatch(Array.from({ length: 5000 }, () => ({ value })))
  const consumer = await made.client.consumer(topic, { start: 'earliest', prefetchBytes: 65_536 })
  const stream = consumer.readable({ highWaterMark: 10 })
  let open
  const sink = new Writable({
    objectMode: true,
    highWaterMark: 1,
    write(_record, _encoding, done) {
      open = done
    },
  })
  stream.pipe(sink)
  await until('it is full', () => open && stream.readableLength >= 10)
  // It takes no more batches, however long it waits.
  const taken = consumer.stats().batches
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal(consumer.stats().batches, taken)
  assert.ok(taken <= 2, `${taken} batches were taken`)
  assert.ok(stream.readableLength <= 11, `${stream.readableLength} records wait`)
  stream.destroy()
  sink.destroy()
  assert.equal((await consumer.nextBatch({ timeoutMs: 20_000 })).length > 0, true)
  await consumer.close()
})

test('a fast source is held back by the queue', async () => {
  const topic = await made.topic()
  const options = { queueBytes: 65_536, batchBytes: 16_384, acks: 'written' }
  const producer = await made.client.producer(topic, options)
  const value = Buffer.alloc(1000)
  let made_ = 0
  let most = 0
  const source = Readable.from(
    (function* () {
      for (; made_ < 5000; made_++) {
        most = Math.max(most, producer.stats().queuedBytes)
        yield { value }
      }
    })(),
  )
  await pipeline(source, producer.writable())
  assert.equal(made_, 5000)
  assert.ok(most < 200_000, `${most} bytes were queued`)
  assert.equal((await readAll(made.client, topic, 5000)).length, 5000)
})

test('errors end the streams', async () => {
  const topic = await made.topic()
  const producer = await made.client.producer(topic)
  await assert.rejects(
    pipeline(Readable.from([{ value: 'v' }, { value: 'v', partition: 9 }]), producer.writable()),
    { code: 'E_PARTITION_NOT_FOUND' },
  )
  await assert.rejects(pipeline(Readable.from([{ value: 7 }]), producer.writable()), TypeError)
  const consumer = await made.client.consumer(topic)
  const controller = new AbortController()
  const reading = pipeline(consumer.readable({ signal: controller.signal }), async (source) => {
    for await (const _ of source) continue
  })
  const told = assert.rejects(reading, { code: 'E_TOPIC_NOT_FOUND' })
  await made.client.deleteTopic(topic)
  await told
})
