// What a program does with the package, once around; each runtime runs it.

import assert from 'node:assert/strict'

import { Client, ClosedError, NotFoundError, TidewireError } from 'tidewire'

export async function rounds(url, topic) {
  const client = await Client.connect(url)
  await client.createTopic(topic, { partitions: 1 })
  const producer = await client.producer(topic)
  const receipt = await producer.send({ key: 'k', value: 'hello', headers: { trace: '1' } })
  assert.equal(receipt.offset, 0n)
  await producer.sendBatch(Array.from({ length: 1000 }, (_, i) => `v${i}`))

  const consumer = await client.consumer(topic, { group: 'g', start: 'earliest' })
  let seen = 0
  for await (const batch of consumer.batches()) {
    for (const record of batch) {
      assert.equal(record.offset, BigInt(seen))
      assert.equal(record.text(), seen === 0 ? 'hello' : `v${seen - 1}`)
      seen++
    }
    await consumer.commit()
    if (seen === 1001) break
  }
  assert.equal((await client.committed('g', topic))[0].offset, 1001n)

  // Waiting is given up when a signal says so, and nothing is broken by that.
  const late = new Error('late')
  await assert.rejects(consumer.nextBatch({ signal: AbortSignal.abort(late) }), (error) => error === late)
  const controller = new AbortController()
  setTimeout(() => controller.abort(late), 20)
  await assert.rejects(consumer.nextBatch({ signal: controller.signal }), (error) => error === late)

  // Errors are the package's own, with a code and the caller's stack.
  await assert.rejects(client.producer('nowhere'), (error) => {
    assert.ok(error instanceof NotFoundError && error instanceof TidewireError)
    assert.equal(error.code, 'E_TOPIC_NOT_FOUND')
    assert.match(error.stack, /rounds\.mjs|bundle\.[cm]js/)
    return true
  })
  await assert.rejects(Client.connect(`${url}/?lingr_ms=5`), /lingr_ms/)
  assert.throws(() => producer.enqueue({ key: 'k' }), TypeError)

  await producer.close()
  await client.close()
  await assert.rejects(client.ping(), ClosedError)
  return seen
}
