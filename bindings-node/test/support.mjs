// A server of its own for each file of tests, and what they have in common.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'

import { Client } from '../dist/index.mjs'
import { startServer } from './server.mjs'

export { startServer }

/** Milliseconds that anything may take on a slow machine. */
export const PATIENCE = 60_000

/** A server and a client for the tests of a file; topics have names that nobody else has. */
export function bench(options) {
  const made = {}
  let topics = 0
  before(async () => {
    made.server = await startServer()
    made.url = made.server.url
    made.client = await Client.connect(made.url, options)
  })
  after(async () => {
    await made.client?.close({ timeoutMs: 1000 }).catch(() => {})
    await made.server?.stop()
  })
  made.topic = async (given = {}) => {
    const name = `t${++topics}`
    await made.client.createTopic(name, given)
    return name
  }
  return made
}

/** Reads so many records from the beginning. */
export async function readAll(client, topic, count, options = {}) {
  const consumer = await client.consumer(topic, { start: 'earliest', ...options })
  const found = []
  while (found.length < count) {
    const batch = await consumer.nextBatch({ timeoutMs: PATIENCE })
    if (!batch) throw new Error(`only ${found.length} of ${count} records came`)
    found.push(...batch)
  }
  await consumer.close()
  return found
}

/** Waits until something holds. */
export async function until(what, holds) {
  const end = Date.now() + PATIENCE
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`it never came that ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Runs a program of `programs/`; how it ended, and what it wrote. */
export async function program(name, args = [], { node = process.execPath, flags = [] } = {}) {
  const file = fileURLToPath(new URL(`programs/${name}`, import.meta.url))
  const child = spawn(node, [...flags, file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data) => (stdout += data))
  child.stderr.on('data', (data) => (stderr += data))
  const [code, signal] = await once(child, 'close')
  clearTimeout(timer)
  return { code, signal, stdout, stderr }
}
