// What a producer promises.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { AppendError, BusyError, ClosedError, NotFoundError, Receipt, TidewireError } from '../dist/index.mjs'
import { bench, readAll } from './support.mjs'

const made = bench()

test('what is sent is read as it was', async () => {
  const topic = await made.topic()
  const producer = await made.client.producer(topic)
  const id = '01234567-89ab-cdef-0123-456789abcdef'
  const sent = [
    { key: 'k', value: 'hällo 🌊', headers: { trace: '1', other: Buffer.from([0, 255]) }, timestampUs: -5n },
    { key: '', value: '' },
    { key: Buffer.from([1, 2]), value: null },
    { value: new Uint8Array([9]).buffer, headers: [['a', '1'], ['a', '2']], timestamp: new Date(1234) },
    { value: 'x'.repeat(1000), id },
    'just a value',
    Buffer.from('bytes'),
    { value: 'lone \ud800 surrogate', key: undefined, headers: null },
  ]
  const receipts = []
  for (const record of sent) receipts.push(await producer.send(record))
  assert.deepEqual(receipts.map((r) => r.offset), sent.map((_, i) => BigInt(i)))
  assert.ok(receipts.every((r) => r instanceof Receipt && r.partition === 0 && r.acks === 'synced' && !r.duplicate))
  assert.ok(receipts[0].appendTimeUs > 1_600_000_000_000_000n)

  const [a, b, c, d, e, f, g, h] = await readAll(made.client, topic, sent.length)
  assert.equal(a.text(), 'hällo 🌊')
  assert.equal(a.key.toString(), 'k')
  assert.deepEqual(a.headers.map(([name, value]) => [name, [...value]]), [['trace', [49]], ['other', [0, 255]]])
  assert.equal(a.header('trace').toString(), '1')
  assert.equal(a.timestampUs, -5n)
  assert.equal(b.key.length, 0)
  assert.equal(b.value.length, 0)
  assert.deepEqual([...c.key], [1, 2])
  assert.equal(c.value, null)
  assert.equal(c.text(), null)
  assert.deepEqual([...d.value], [9])
  assert.deepEqual(d.headers.map(([, value]) => value.toString()), ['1', '2'])
  assert.equal(d.timestamp.getTime(), 1234)
  assert.equal(d.key, null)
  assert.equal(e.value.length, 1000)
  assert.equal(e.id.toString('hex'), id.replaceAll('-', ''))
  assert.equal(f.text(), 'just a value')
  assert.equal(g.text(), 'bytes')
  assert.equal(h.text(), 'lone \ufffd surrogate')
  assert.equal(a.id, undefined)
})

test('strings of every length around the chunk arrive whole', async () => {
  const topic = await made.topic()
  const producer = await made.client.producer(topic, { lingerMs: 0 })
  const lengths = [0, 1, 23, 24, 25, 26, 100, 21_800, 65_000, 65_535, 65_536, 70_000, 300_000, 1_000_000]
  const values = lengths.map((n, i) => (i % 2 ? 'é' : 'e').repeat(n))
  const receipts = await producer.sendBatch(values.map((value) => ({ value })))
  assert.equal(receipts.length, lengths.length)
  const found = await readAll(made.client, topic, lengths.length)
  found.forEach((record, i) => assert.equal(record.text(), values[i], `length ${lengths[i]}`))
})

test('a hundred thousand enqueued records come in order, and tickets tell where they are', async () => {
  const topic = await made.topic({ partitions: 1 })
  const producer = await made.client.producer(topic, { acks: 'written' })
  const tickets = []
  for (let i = 0; i < 100_000; i++) {
    for (;;) {
      try {
        tickets.push(producer.enqueue({ key: `k${i}`, value: `v${i}` }))
        break
      } catch (error) {
        assert.equal(error.code, 'E_QUEUE_FULL')
      }
      await producer.ready()
    }
  }
  await producer.flush()
  assert.ok(tickets.every((ticket) => ticket.settled))
  for (const i of [0, 1, 777, 50_000, 99_999]) assert.equal((await tickets[i].receipt()).offset, BigInt(i))
  const found = await readAll(made.client, topic, 100_000)
  found.forEach((record, i) => {
    if (i % 97 === 0) assert.equal(record.text(), `v${i}`)
  })
  const stats = producer.stats()
  assert.equal(stats.acknowledgedRecords, 100_000)
  assert.equal(stats.queuedRecords, 0)
  assert.ok(stats.sentBatches < 1000, `${stats.sentBatches} batches`)
})

test('what is sent in one turn travels together', async () => {
  const topic = await made.topic()
  const producer = await made.client.producer(topic)
  const receipts = await Promise.all(Array.from({ length: 500 }, (_, i) => producer.send(`v${i}`)))
  assert.deepEqual(receipts.map((r) => r.offset), receipts.map((_, i) => BigInt(i)))
  assert.ok(producer.stats().sentBatches <= 10, `${producer.stats().sentBatches} batches`)
})

test('keys keep to their partition, and a named partition comes first', async () => {
  const topic = await made.topic({ partitions: 8 })
  const producer = await made.client.producer(topic)
  assert.equal(producer.partitions, 8)
  const [a, b, c] = await producer.sendBatch([
    { key: 'same', value: '1' },
    { key: 'same', value: '2' },
    { key: 'same', value: '3', partition: 5 },
  ])
  assert.equal(a.partition, b.partition)
  assert.equal(c.partition, 5)
})

test('a refused record fails by itself, and the numbers of the others stay right', async () => {
  const topic = await made.topic({ partitions: 2 })
  const producer = await made.client.producer(topic)
  const tickets = [0, 9, 0, 7, 1, 0].map((partition) => producer.enqueue({ value: 'v', partition }))
  const outcomes = await Promise.allSettled(tickets.map((ticket) => ticket.receipt()))
  assert.deepEqual(
    outcomes.map((o) => (o.status === 'fulfilled' ? `${o.value.partition}:${o.value.offset}` : o.reason.code)),
    ['0:0', 'E_PARTITION_NOT_FOUND', '0:1', 'E_PARTITION_NOT_FOUND', '1:0', '0:2'],
  )
  assert.ok(outcomes[1].reason instanceof NotFoundError)
  await producer.flush()
})

test('a record over the limit is refused at once, and the producer goes on', async () => {
  const topic = await made.topic()
  const producer = await made.client.producer(topic)
  const large = Buffer.alloc(9 << 20)
  assert.throws(() => producer.enqueue({ value: large }), (error) => {
    assert.ok(error instanceof AppendError)
    assert.equal(error.code, 'E_RECORD_TOO_LARGE')
    assert.match(error.message, /8388608/)
    return true
  })
  await assert.rejects(producer.send({ value: large }), { code: 'E_RECORD_TOO_LARGE' })
  assert.equal((await producer.send('small')).offset, 0n)
})

test('a batch tells every outcome with the first error', async () => {
  const topic = await made.topic()
  const producer = await made.client.producer(topic)
  const error = await producer
    .sendBatch([{ value: 'a' }, { value: 'b', partition: 3 }, { value: 'c' }])
    .catch((error) => error)
  assert.equal(error.code, 'E_PARTITION_NOT_FOUND')
  assert.equal(error.outcomes.length, 3)
  assert.equal(error.outcomes[0].offset, 0n)
  assert.ok(error.outcomes[1] instanceof TidewireError)
  assert.equal(error.outcomes[2].offset, 1n)
  // It was told.
  await producer.flush()
  assert.deepEqual(await producer.sendBatch([]), [])
  async function* some() {
    yield 'd'
    yield 'e'
  }
  assert.deepEqual((await producer.sendBatch(some())).map((r) => r.offset), [2n, 3n])
})

test('flush tells the failure that nobody asked about, once', async () => {
  const topic = await made.topic()
  const producer = await made.client.producer(topic)
  producer.enqueue({ value: 'v', partition: 4 })
  await assert.rejects(producer.flush(), { code: 'E_PARTITION_NOT_FOUND' })
  await producer.flush()
})

test('a full queue is told, and ready waits for room', async () => {
  const topic = await made.topic()
  const options = { queueBytes: 65_536, lingerMs: 60_000, batchBytes: 8_388_608, queueFull: 'error' }
  const producer = await made.client.producer(topic, options)
  const value = Buffer.alloc(1000)
  let taken = 0
  assert.throws(() => {
    for (;;) {
      producer.enqueue({ value })
      taken++
    }
  }, (error) => error instanceof BusyError && error.code === 'E_QUEUE_FULL' && error.retriable)
  assert.ok(taken > 60 && taken < 200, `${taken} records`)
  await assert.rejects(producer.send({ value }), { code: 'E_QUEUE_FULL' })
  await producer.flush()
  await producer.ready()
  producer.enqueue({ value })
  await producer.close()
  assert.equal((await readAll(made.client, topic, taken + 1)).length, taken + 1)
})

test('send waits for room, and stops waiting when told to', async () => {
  const topic = await made.topic()
  const options = { queueBytes: 65_536, lingerMs: 60_000, batchBytes: 8_388_608 }
  const producer = await made.client.producer(topic, options)
  const value = Buffer.alloc(20_000)
  const sending = Array.from({ length: 50 }, () => producer.send({ value }))
  assert.equal((await Promise.all(sending)).length, 50)
  assert.equal((await producer.sendBatch(Array.from({ length: 50 }, () => ({ value })))).length, 50)
  await assert.rejects(producer.send('v', { signal: AbortSignal.abort() }), { name: 'AbortError' })
  const controller = new AbortController()
  const late = producer.send('v', { signal: controller.signal })
  controller.abort(new Error('enough'))
  await assert.rejects(late, { message: 'enough' })
})

test('queueFull drop loses records and says so', async () => {
  const topic = await made.topic()
  const options = { queueBytes: 65_536, lingerMs: 60_000, batchBytes: 8_388_608, queueFull: 'drop' }
  const producer = await made.client.producer(topic, options)
  const value = Buffer.alloc(2000)
  const tickets = Array.from({ length: 200 }, () => producer.enqueue({ value }))
  await producer.flush()
  const outcomes = await Promise.allSettled(tickets.map((ticket) => ticket.receipt()))
  const dropped = outcomes.filter((o) => o.status === 'rejected')
  assert.ok(dropped.length > 50 && dropped.every((o) => o.reason.code === 'E_QUEUE_FULL'))
  assert.equal(producer.stats().droppedRecords, dropped.length)
})

test('a closed producer has sent everything and takes nothing more', async () => {
  const topic = await made.topic()
  const producer = await made.client.producer(topic, { lingerMs: 60_000 })
  const ticket = producer.enqueue('v')
  await producer.close()
  assert.equal((await ticket.receipt()).offset, 0n)
  assert.throws(() => producer.enqueue('w'), (error) => error instanceof ClosedError && error.code === 'E_CLOSED')
  await assert.rejects(producer.send('w'), { code: 'E_CLOSED' })
  await assert.rejects(producer.ready(), { code: 'E_CLOSED' })
  await producer.close()
})

test('a producer of the same name takes the place of the first', async () => {
  const topic = await made.topic()
  const first = await made.client.producer(topic, { name: 'task' })
  await first.send('a')
  const second = await made.client.producer(topic, { name: 'task' })
  await second.send('b')
  const error = await first.send('c').catch((error) => error)
  assert.equal(error.code, 'E_PRODUCER_FENCED')
  assert.ok(error.fenced)
  assert.deepEqual((await made.client.producers(topic)).map((p) => p.name), ['task'])
})

test('equal ids within the window are stored once', async () => {
  const topic = await made.topic({ dedupWindowMs: 60_000 })
  const producer = await made.client.producer(topic)
  const id = Buffer.alloc(16, 7)
  const first = await producer.send({ value: 'a', id })
  const again = await producer.send({ value: 'a', id })
  assert.deepEqual([first.duplicate, again.duplicate, again.offset], [false, true, first.offset])
})

for (const codec of ['none', 'lz4', 'zstd']) {
  test(`records compressed with ${codec} are read as they were`, async () => {
    const topic = await made.topic()
    const producer = await made.client.producer(topic, { codec })
    await producer.sendBatch(Array.from({ length: 300 }, (_, i) => ({ key: `${i}`, value: 'same '.repeat(50) + i })))
    const found = await readAll(made.client, topic, 300)
    found.forEach((record, i) => {
      assert.equal(record.key.toString(), `${i}`)
      assert.equal(record.text(), 'same '.repeat(50) + i)
    })
  })
}

test('await using closes what it holds', async () => {
  const topic = await made.topic()
  const producer = await made.client.producer(topic, { lingerMs: 60_000 })
  producer.enqueue('v')
  await producer[Symbol.asyncDispose]()
  assert.equal((await readAll(made.client, topic, 1)).length, 1)
})
