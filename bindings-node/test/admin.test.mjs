// Administration, and the client itself.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Client, ConflictError, NotFoundError } from '../dist/index.mjs'
import { bench } from './support.mjs'

const made = bench()

test('streams and topics are created, changed, listed and deleted', async () => {
  const { client } = made
  const stream = await client.createStream('shop')
  assert.equal(stream.name, 'shop')
  assert.equal(typeof stream.id, 'bigint')
  const topic = await client.createTopic('shop/orders', { partitions: 2, retentionMs: 60_000, codec: 'lz4' })
  assert.deepEqual(
    [topic.stream, topic.name, topic.partitions, topic.retentionMs, topic.codec],
    ['shop', 'orders', 2, 60_000n, 'lz4'],
  )
  await assert.rejects(client.createTopic('shop/orders'), (e) => e instanceof ConflictError && e.code === 'E_TOPIC_EXISTS')
  const updated = await client.updateTopic('shop/orders', { retentionBytes: 2n ** 40n })
  assert.deepEqual([updated.retentionMs, updated.retentionBytes], [60_000n, 2n ** 40n])
  assert.equal((await client.addPartitions('shop/orders', 3)).partitions, 3)
  assert.deepEqual((await client.listTopics('shop')).map((t) => t.name), ['orders'])
  assert.ok((await client.listStreams()).some((s) => s.name === 'shop' && s.topics === 1))
  await assert.rejects(client.deleteStream('shop'), { code: 'E_STREAM_NOT_EMPTY' })
  await client.purgeStream('shop')
  await client.deleteStream('shop', { withTopics: true })
  await assert.rejects(client.describeStream('shop'), (e) => e instanceof NotFoundError && e.code === 'E_STREAM_NOT_FOUND')
})

test('partitions, truncating, purging, fetching', async () => {
  const { client } = made
  const topic = await made.topic()
  const producer = await client.producer(topic, { batchRecords: 5 })
  await producer.sendBatch(Array.from({ length: 20 }, (_, i) => `v${i}`))
  let [partition] = await client.partitions(topic)
  assert.deepEqual([partition.startOffset, partition.endOffset, partition.error], [0n, 20n, 0])
  assert.equal(await client.truncate(topic, 0, 5n), 5n)
  const fetched = await client.fetch(topic, 0, 7n, { maxBytes: 1 })
  assert.equal(fetched.batches.length, 1)
  assert.equal(fetched.batches[0].at(0).text(), 'v7')
  assert.equal(fetched.nextOffset, fetched.batches[0].nextOffset)
  assert.deepEqual([fetched.startOffset, fetched.endOffset], [5n, 20n])
  await client.purgeTopic(topic)
  ;[partition] = await client.partitions(topic)
  assert.equal(partition.startOffset, 20n)
})

test('the server says what it is', async () => {
  const { server } = made.client
  assert.equal(server.address, made.url.replace('tidewire://', '').replace('/', ''))
  assert.ok(server.limits.maxBatchLen > 0)
  assert.ok((await made.client.ping()) > 0)
})

test('the server says what it enforces', async () => {
  const limits = new Map((await made.client.describeLimits()).map(({ name, ...limit }) => [name, limit]))
  assert.deepEqual(limits.get('max_name_len'), { value: 255n, unit: 'bytes', configured: false, used: 0n })
  const { configured, used, value } = limits.get('max_connections')
  assert.ok(configured && used >= 1n && value >= used)
})

test('options come from the URL, and those in code win', async () => {
  const client = await Client.connect(`${made.url}/?linger_ms=60000`)
  const topic = await made.topic()
  const slow = await client.producer(topic)
  const fast = await client.producer(topic, { lingerMs: 0 })
  const late = slow.enqueue('late')
  const soon = fast.enqueue('soon')
  await soon.receipt()
  assert.equal(late.settled, false)
  // Closing waits for neither the linger nor longer.
  await client.close()
  assert.ok(late.settled)
})

test('a closed client says so', async () => {
  const client = await Client.connect(made.url)
  let closed = 0
  client.on('closed', () => closed++)
  await client.close()
  await client.close()
  assert.equal(closed, 1)
  await assert.rejects(client.ping(), { code: 'E_CLOSED' })
  await assert.rejects(client.producer('t'), { code: 'E_CLOSED' })
  await assert.rejects(client.consumer('t'), { code: 'E_CLOSED' })
})

test('a call that is aborted ends at once', async () => {
  const signal = AbortSignal.abort(new Error('no'))
  await assert.rejects(made.client.ping({ signal }), { message: 'no' })
  await assert.rejects(made.client.listStreams({ signal }), { message: 'no' })
  const topic = await made.topic()
  const controller = new AbortController()
  const waiting = made.client.fetch(topic, 0, 0n, { minBytes: 1, maxWaitMs: 60_000, signal: controller.signal })
  controller.abort(new Error('enough'))
  await assert.rejects(waiting, { message: 'enough' })
})
