// Members of groups, and offsets that are stored.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Client } from '../dist/index.mjs'
import { bench, until } from './support.mjs'

const made = bench()

async function filled(partitions, count) {
  const topic = await made.topic({ partitions })
  const producer = await made.client.producer(topic)
  const records = Array.from({ length: count }, (_, i) => ({ value: `v${i}`, partition: i % partitions }))
  await producer.sendBatch(records)
  await producer.close()
  return topic
}

test('what was committed is not read again, and a record counts by itself', async () => {
  const topic = await filled(1, 10)
  const options = { group: 'once', start: 'earliest' }
  let consumer = await made.client.consumer(topic, options)
  for (let i = 0; i < 4; i++) await consumer.nextRecord()
  await consumer.commit()
  assert.deepEqual((await made.client.committed('once', topic)).map((c) => [c.partition, c.offset]), [[0, 4n]])
  const record = await consumer.nextRecord()
  await consumer.commit(record)
  assert.equal((await made.client.committed('once', topic))[0].offset, 5n)
  await consumer.close()
  await until('it has left', async () => (await made.client.describeGroup('once')).members.length === 0)

  consumer = await made.client.consumer(topic, options)
  assert.equal((await consumer.nextRecord()).offset, 5n)
  const rest = await consumer.nextBatch()
  assert.equal(rest.baseOffset, 6n)
  await consumer.commit(rest)
  assert.equal((await made.client.committed('once', topic))[0].offset, 10n)
  assert.equal(consumer.group, 'once')
  await consumer.close()
})

test('in the middle of a batch a commit stores what was returned of others, too', async () => {
  const topic = await made.topic({ partitions: 2 })
  const producer = await made.client.producer(topic)
  const send = (partition, count) =>
    producer.sendBatch(Array.from({ length: count }, (_, i) => ({ value: `v-${i}`, partition })))
  const consumer = await made.client.consumer(topic, { group: 'middle', start: 'earliest', autoCommit: 'off' })
  await send(1, 3)
  for (let i = 0; i < 3; i++) await consumer.nextRecord()
  await send(0, 10)
  for (let i = 0; i < 4; i++) await consumer.nextRecord()
  await consumer.commit()
  const stored = (await made.client.committed('middle', topic)).map((c) => [c.partition, c.offset])
  assert.deepEqual(stored, [[0, 4n], [1, 3n]])
  await consumer.close()
  await producer.close()
})

test('members divide the partitions, and each record is read by one', async () => {
  const topic = await filled(4, 400)
  const options = { group: 'shared', start: 'earliest', autoCommit: 'after', autoCommitIntervalMs: 10 }
  const a = await made.client.consumer(topic, options)
  const assigned = []
  const client = await Client.connect(made.url)
  client.on('partitionsAssigned', (event) => assigned.push(event))
  const b = await client.consumer(topic, options)
  const seen = new Map()
  const read = async (consumer) => {
    for await (const record of consumer) {
      const place = `${record.partition}:${record.offset}`
      seen.set(place, (seen.get(place) ?? 0) + 1)
    }
  }
  const reading = [read(a), read(b)]
  await until('all was read', () => seen.size === 400)
  await until('both have partitions', () => a.assignment().length === 2 && b.assignment().length === 2)
  await until('it was told', () => assigned.length > 0)
  assert.equal(assigned[0].group, 'shared')
  await a.close()
  await until('the other has all', () => b.assignment().length === 4)
  await b.close()
  await Promise.all(reading)
  await client.close()
})

test('a consumer with a name goes on where it was, and tells what was deleted meanwhile', async () => {
  const topic = await filled(1, 10)
  const client = await Client.connect(made.url)
  const skipped = []
  client.on('recordsSkipped', (event) => skipped.push(event))
  const options = { name: 'alone', start: 'earliest', autoCommit: 'off' }
  let consumer = await client.consumer(topic, options)
  assert.equal((await consumer.nextRecord()).offset, 0n)
  await consumer.commitOffset(consumer.topics[0], 0, 2n)
  assert.equal(consumer.stats().storedOffsets, 1)
  await consumer.close()
  await client.truncate(topic, 0, 5n)
  consumer = await client.consumer(topic, options)
  assert.equal((await consumer.nextRecord()).offset, 5n)
  assert.equal(consumer.stats().skippedOffsets, 3)
  await until('it was told', () => skipped.length > 0)
  const [{ partition, fromOffset, toOffset }] = skipped
  assert.deepEqual({ partition, fromOffset, toOffset }, { partition: 0, fromOffset: 2n, toOffset: 5n })
  const gone = { name: 'strict', onOutOfRange: 'error', startAt: { 0: 0n } }
  await assert.rejects(client.consumer(topic, gone), { code: 'E_OFFSET_OUT_OF_RANGE' })
  await client.close()
})

test('groups and offsets from outside', async () => {
  const topic = await filled(2, 20)
  await made.client.createGroup('outside')
  assert.ok((await made.client.listGroups()).some((group) => group.name === 'outside' && group.state === 'empty'))
  const reset = await made.client.resetOffsets('outside', topic, 3n, { partitions: [1] })
  assert.deepEqual(reset, [{ partition: 1, offset: 3n }])
  const [stored] = await made.client.committed('outside', topic)
  assert.deepEqual([stored.partition, stored.offset], [1, 3n])
  const group = await made.client.describeGroup('outside')
  assert.equal(group.info.offsets, 1)
  assert.equal(group.partitions[0].offset, 3n)
  await made.client.deleteOffsets('outside', topic)
  assert.deepEqual(await made.client.committed('outside', topic), [])
  await made.client.deleteGroup('outside')
  await assert.rejects(made.client.describeGroup('outside'), { code: 'E_GROUP_NOT_FOUND' })
})
