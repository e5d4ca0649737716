// Processes: how they end, with and without work pending, and threads.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { bench, program, readAll } from './support.mjs'

const made = bench()

async function runs(name, ...args) {
  const ended = await program(name, [made.url, ...args])
  assert.deepEqual([ended.code, ended.signal], [0, null], ended.stderr || ended.stdout)
  return ended
}

test('a process with nothing pending exits by itself, with its client open', async () => {
  const { stdout } = await runs('idle.mjs', await made.topic())
  assert.match(stdout, /nothing pending/)
})

test('what was enqueued is sent before the process exits by itself', async () => {
  const topic = await made.topic()
  await runs('enqueues.mjs', topic)
  assert.equal((await readAll(made.client, topic, 1000)).length, 1000)
})

test('process.exit with work pending is no crash', async () => {
  for (let i = 0; i < 5; i++) {
    const ended = await program('exits.mjs', [made.url, await made.topic()])
    assert.deepEqual([ended.code, ended.signal], [7, null], ended.stderr)
  }
})

test('an unhandled rejection ends the process as any other does', async () => {
  const ended = await program('rejects.mjs', [made.url])
  assert.deepEqual([ended.code, ended.signal], [1, null])
  assert.match(ended.stderr, /NotFoundError: .*nowhere/)
  assert.match(ended.stderr, /E_TOPIC_NOT_FOUND/)
})

test('workers have clients of their own, and may end with work pending', async () => {
  const topic = await made.topic({ partitions: 2 })
  const { stdout } = await runs('workers.mjs', topic)
  assert.match(stdout, /4 workers sent 4000 records, 2 were terminated/)
  assert.ok((await readAll(made.client, topic, 4000)).length >= 4000)
})

test('CommonJS and ES modules are the same package', async () => {
  const { stdout } = await runs('both.cjs')
  assert.match(stdout, /the same classes/)
})

test('a million records leave no memory behind', { timeout: 120_000 }, async () => {
  const ended = await program('million.mjs', [made.url, await made.topic()], { flags: ['--expose-gc'] })
  assert.deepEqual([ended.code, ended.signal], [0, null], ended.stdout + ended.stderr)
})

test('one record after the other: others get their turns, and who waits in vain sleeps', async () => {
  for (const busyPollUs of [0, 100, 1000]) {
    const { stdout } = await runs('one-by-one.mjs', await made.topic(), String(busyPollUs))
    const { turns, refused, idleMs, last } = JSON.parse(stdout)
    assert.ok(turns > 100, `${turns} turns`)
    assert.equal(refused, 'E_PARTITION_NOT_FOUND')
    // Of 500 milliseconds.
    assert.ok(idleMs < 250, `${idleMs} ms of the processor while nothing happened`)
    assert.equal(last, 'x')
  }
})
