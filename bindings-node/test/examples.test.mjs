// The examples do what they say, as processes.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { bench, PATIENCE, until } from './support.mjs'

const made = bench()

/** Runs an example; its output so far, and how it is ended. */
function example(name, ...args) {
  const file = fileURLToPath(new URL(`../examples/${name}.mjs`, import.meta.url))
  const child = spawn(process.execPath, [file, made.url, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
  const closed = once(child, 'close').then(([code, signal]) => {
    clearTimeout(timer)
    return code ?? signal
  })
  const running = { output: '' }
  child.stdout.on('data', (data) => (running.output += data))
  child.stderr.on('data', (data) => (running.output += data))
  running.shows = (text) => until(`${name} shows ${text}`, () => running.output.includes(text))
  running.ends = async (signal) => {
    if (signal) child.kill(signal)
    assert.equal(await closed, 0, running.output)
  }
  return running
}

test('produce, consume, pool and pipeline', async () => {
  const produce = example('produce')
  await produce.ends()
  assert.match(produce.output, /10004 orders are on the disk/)

  const consume = example('consume')
  await consume.shows('10004 orders')
  await consume.ends('SIGINT')
  const committed = await made.client.committed('billing', 'orders')
  assert.equal(committed.reduce((sum, { offset }) => sum + offset, 0n), 10_004n)

  const pool = example('pool', '2')
  await until('the pool did everything', async () => {
    const done = await made.client.committed('pool', 'orders').catch(() => [])
    return done.reduce((sum, { offset }) => sum + offset, 0n) > 5000n
  })
  await pool.ends('SIGTERM')
  assert.match(pool.output, /did \d+ orders[^]*did \d+ orders/)

  const pipeline = example('pipeline')
  await pipeline.shows('tea for alice')
  await pipeline.ends('SIGTERM')
  assert.equal((await made.client.partitions('tea'))[0].endOffset, 1n)
})

test('orders come by HTTP and go to a browser', async () => {
  const http = example('http', '0')
  await http.shows('listening on')
  const orders = /http:\S+/.exec(http.output)[0]
  const sse = example('sse', '0')
  await sse.shows('listening on')
  const events = /http:\S+(?=\/\d)/.exec(sse.output)[0]

  const post = (body) => fetch(orders, { method: 'POST', body })
  assert.equal((await post('no JSON')).status, 400)
  const answer = await post('{"customer":"carol","item":"milk"}')
  assert.equal(answer.status, 201)
  const { partition, offset } = await answer.json()

  const headers = BigInt(offset) > 0n ? { 'last-event-id': `${BigInt(offset) - 1n}` } : {}
  const stream = await fetch(`${events}/${partition}`, { headers })
  assert.equal(stream.headers.get('content-type'), 'text/event-stream')
  if (offset === '0') await post('{"customer":"carol","item":"milk"}')
  let seen = ''
  for await (const chunk of stream.body) {
    seen += Buffer.from(chunk).toString()
    if (seen.includes('\n\n')) break
  }
  assert.match(seen, /id: \d+\ndata: .*carol.*milk/)
  await http.ends('SIGTERM')
  assert.match(http.output, /everything is sent/)
  await sse.ends('SIGTERM')
})
