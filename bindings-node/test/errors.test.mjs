// Wrong input, and what is said of it.

import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'

import { Client, Code, ConnectionError, InvalidError, NotFoundError, TidewireError } from '../dist/index.mjs'
import { bench } from './support.mjs'

const made = bench()

/** What is thrown, now or by the promise. */
async function thrown(call) {
  try {
    await call()
  } catch (error) {
    return error
  }
  assert.fail('nothing was thrown')
}

test('records of the wrong types are refused by name', async () => {
  const topic = await made.topic({ partitions: 2 })
  const producer = await made.client.producer(topic)
  const cases = [
    [undefined, TypeError, /a record must be an object with a value.*undefined/],
    [null, TypeError, /not null/],
    [42, TypeError, /not 42 \(number\)/],
    [{}, TypeError, /record\.value must be given.*null for a tombstone/],
    [{ value: 42 }, TypeError, /record\.value must be a string, Buffer.*42 \(number\)/],
    [{ value: { a: 1 } }, TypeError, /JSON\.stringify.*instance of Object/],
    [{ value: 'v', key: 7 }, TypeError, /record\.key/],
    [{ value: 'v', headers: 'no' }, TypeError, /record\.headers must be/],
    [{ value: 'v', headers: { a: 1 } }, TypeError, /header a of record\.headers/],
    [{ value: 'v', headers: [['a']] }, TypeError, /pair/],
    [{ value: 'v', headers: { '': 'x' } }, RangeError, /1 to 65535 bytes/],
    [{ value: 'v', headers: { ['x'.repeat(65_536)]: 'x' } }, RangeError, /1 to 65535 bytes/],
    [{ value: 'v', partition: -1 }, RangeError, /record\.partition must be a whole number from 0 to 1/],
    [{ value: 'v', partition: '0' }, TypeError, /record\.partition must be a number/],
    [{ value: 'v', timestamp: 12 }, TypeError, /record\.timestamp must be a Date/],
    [{ value: 'v', timestamp: new Date(NaN) }, RangeError, /valid Date/],
    [{ value: 'v', timestampUs: 1.5 }, RangeError, /timestampUs/],
    [{ value: 'v', timestampUs: 2n ** 63n }, RangeError, /64 bits/],
    [{ value: 'v', id: 'x' }, RangeError, /UUID or 16 bytes/],
    [{ value: 'v', id: Buffer.alloc(15) }, RangeError, /16 bytes long/],
  ]
  for (const [record, Class, text] of cases) {
    for (const call of [() => producer.enqueue(record), () => producer.send(record), () => producer.sendBatch([record])]) {
      const error = await thrown(call)
      assert.ok(error instanceof Class, `${String(error)} of ${JSON.stringify(record, (_, v) => typeof v === 'bigint' ? `${v}` : v)}`)
      assert.match(error.message, text)
      assert.equal(error.code, 'E_INVALID_ARGUMENT')
    }
  }
  assert.equal(producer.stats().queuedRecords, 0)
  await assert.rejects(producer.sendBatch(7), TypeError)
  assert.equal((await producer.send('still works')).offset, 0n)
})

test('options that are unknown, of the wrong type or out of range', async () => {
  const topic = await made.topic()
  const { client } = made
  const cases = [
    [() => client.producer(topic, { linger: 5 }), TypeError, /no producer option linger; there are acks, lingerMs/],
    [() => client.producer(topic, { linger_ms: 5 }), TypeError, /it is written lingerMs here/],
    [() => client.producer(topic, { lingerMs: '5' }), TypeError, /options\.lingerMs must be a number, not '5' \(string\)/],
    [() => client.producer(topic, { lingerMs: 60_001 }), RangeError, /from 0 to 60000 milliseconds, not 60001/],
    [() => client.producer(topic, { lingerMs: 1.5 }), RangeError, /whole number/],
    [() => client.producer(topic, { acks: 'all' }), RangeError, /'none', 'written', 'synced', not 'all'/],
    [() => client.producer(topic, { queueFull: true }), TypeError, /'block', 'error', 'drop'/],
    [() => client.producer(topic, 'no'), TypeError, /options must be an object/],
    [() => client.consumer(topic, { start: 5 }), TypeError, /bigint/],
    [() => client.consumer(topic, { start: 'first' }), RangeError, /'earliest', 'latest'/],
    [() => client.consumer(topic, { start: -1n }), RangeError, /0n to/],
    [() => client.consumer(topic, { prefetchBytes: 1 }), RangeError, /65536 to/],
    [() => client.createTopic('x', { partitions: 0 }), RangeError, /from 1 to 100000/],
    [() => Client.connect(made.url, { heartbeatMs: 1 }), RangeError, /1000 to/],
    [() => Client.connect(made.url, { nope: 1 }), TypeError, /no client option nope/],
  ]
  for (const [call, Class, text] of cases) {
    const error = await thrown(call)
    assert.ok(error instanceof Class, String(error))
    assert.match(error.message, text)
    assert.match(error.code, /E_INVALID_(OPTION|ARGUMENT)/)
  }
})

test('arguments of the wrong types', async () => {
  const { client } = made
  const cases = [
    [() => client.createTopic(7), /topic must be a string/],
    [() => client.consumer(['a', 7]), /topic must be a string/],
    [() => client.consumer(['a', 'b']), /set options\.group/],
    [() => client.consumer('a', { memberName: 'm' }), /memberName is for members of a group/],
    [() => client.consumer('a', { autoCommit: 'after' }), /autoCommit needs a group or a name/],
    [() => client.consumer('a', { name: 7 }), /options\.name must be a string/],
    [() => client.consumer('a', { group: 'g', name: 'n' }), /either options\.group or options\.name/],
    [() => client.consumer('a', { group: 'g', partitions: [1] }), /partitions is not for members/],
    [() => client.truncate('t', 0, 5), /beforeOffset must be a bigint/],
    [() => client.fetch('t', 0, 0), /offset must be a bigint/],
    [() => client.ping({ signal: 'no' }), /options\.signal must be an AbortSignal/],
    [() => client.deleteStream('s', { withTopics: 1 }), /withTopics must be true or false/],
    [() => Client.connect(7), /url must be a string/],
  ]
  for (const [call, text] of cases) {
    const error = await thrown(call)
    assert.ok(error instanceof TypeError, String(error))
    assert.match(error.message, text)
  }
})

test('a URL that cannot be read, or has an unknown option', async () => {
  const bad = await thrown(() => Client.connect('http://localhost'))
  assert.ok(bad instanceof InvalidError)
  assert.equal(bad.code, 'E_INVALID_URL')
  const option = await thrown(() => Client.connect(`${made.url}/?nope=1`))
  assert.equal(option.code, 'E_INVALID_OPTION')
  assert.match(option.message, /nope/)
})

test('a server that is not there, or is something else', async () => {
  const none = createServer().listen(0, '127.0.0.1')
  await once(none, 'listening')
  const { port } = none.address()
  none.close()
  await once(none, 'close')
  const error = await thrown(() => Client.connect(`tidewire://127.0.0.1:${port}`))
  assert.ok(error instanceof ConnectionError)
  assert.equal(error.code, 'E_CONNECT_FAILED')
  assert.equal(error.number, Code.CONNECT_FAILED)
  assert.ok(error.retriable)
  assert.match(error.message, new RegExp(`${port}`))

  const other = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1')
  await once(other, 'listening')
  const wrong = await thrown(() => Client.connect(`tidewire://127.0.0.1:${other.address().port}`))
  assert.ok(wrong instanceof TidewireError)
  other.close()
})

test('an unknown topic is named, with its number, and the stack leads to the caller', async () => {
  async function fromTheApplication() {
    return await made.client.producer('nowhere')
  }
  const error = await thrown(fromTheApplication)
  assert.ok(error instanceof NotFoundError && error instanceof TidewireError && error instanceof Error)
  assert.equal(error.name, 'NotFoundError')
  assert.equal(error.code, 'E_TOPIC_NOT_FOUND')
  assert.equal(error.number, Code.TOPIC_NOT_FOUND)
  assert.equal(error.kind, 'not_found')
  assert.match(error.message, /nowhere/)
  assert.match(error.stack, /^NotFoundError: .*nowhere/)
  assert.match(error.stack, /fromTheApplication/)
  const topic = await made.topic()
  const producer = await made.client.producer(topic)
  async function sendsFromHere() {
    await producer.send({ value: 'v', partition: 9 })
  }
  const refused = await thrown(sendsFromHere)
  assert.equal(refused.code, 'E_PARTITION_NOT_FOUND')
  assert.match(refused.stack, /sendsFromHere/)
})
