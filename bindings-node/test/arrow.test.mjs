// Columns, and tables of Apache Arrow.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { toArrow } from '../dist/arrow.mjs'
import { bench } from './support.mjs'

const made = bench()

test('a batch is a table over the same memory', async () => {
  const topic = await made.topic()
  const producer = await made.client.producer(topic)
  await producer.sendBatch([
    { key: 'a', value: 'first', timestampUs: 1000n },
    { value: 'no key', timestampUs: 2000n },
    { key: '', value: null, timestampUs: 3000n },
    { key: 'd', value: '', timestampUs: 4000n },
  ])
  const consumer = await made.client.consumer(topic, { start: 'earliest' })
  const batch = await consumer.nextBatch()
  assert.equal(batch.length, 4)
  const table = toArrow(batch)
  assert.deepEqual(table.schema.names, ['partition', 'offset', 'timestamp', 'key', 'value'])
  const text = (bytes) => (bytes === null ? null : Buffer.from(bytes).toString())
  assert.deepEqual([...table.getChild('value')].map(text), ['first', 'no key', null, ''])
  assert.deepEqual([...table.getChild('key')].map(text), ['a', null, '', 'd'])
  assert.deepEqual([...table.getChild('offset')], [0n, 1n, 2n, 3n])
  assert.deepEqual([...table.getChild('timestamp')].map(Number), [1, 2, 3, 4])
  assert.equal(table.getChild('value').nullCount, 1)
  const data = table.getChild('value').data[0].values
  assert.equal(data.buffer, batch.columns().values.bytes.buffer, 'values were copied')

  consumer.seek(0, 2n)
  const rest = await consumer.nextBatch()
  assert.equal(rest.length, 2)
  assert.equal(rest.columns().hidden, 2)
  assert.deepEqual([...toArrow(rest).getChild('offset')], [2n, 3n])
  assert.equal(toArrow([batch, rest]).numRows, 6)
  assert.throws(() => toArrow(7), TypeError)
  await consumer.close()
})
