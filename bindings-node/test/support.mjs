// A server of its own for each file of tests, and what they have in common.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'

import { Client } from '../dist/index.mjs'

/** Milliseconds that anything may take on a slow machine. */
export const PATIENCE = 60_000

const repository = fileURLToPath(new URL('../..', import.meta.url))

function binary() {
  const given = process.env.TIDEWIRE_TEST_SERVER
  if (given) return given
  const target = process.env.CARGO_TARGET_DIR ?? join(repository, 'target')
  const found = join(target, 'debug/tidewire')
  if (existsSync(found)) return found
  throw new Error('there is no server: set TIDEWIRE_TEST_SERVER, or run `cargo build` first')
}

/**
 * Starts a server; its `url`, and `stop`, and `restart` on the same port and data. A secured one
 * asks for credentials, and has left root's in its `directory`.
 */
export async function startServer({ data, port = 0, secured = false } = {}) {
  const directory = data ?? mkdtempSync(join(tmpdir(), 'tidewire-node-'))
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TIDEWIRE_')))
  const child = spawn(
    binary(),
    [
      'serve',
      ...(secured ? ['--socket-dir', `${directory}.sockets`] : ['--dev']),
      ...['--data', directory, '--listen', `127.0.0.1:${port}`, '--log', 'error'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], env },
  )
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  const url = await Promise.race([
    once(lines, 'line').then(([line]) => /tidewire:\S+/.exec(line)?.[0]),
    exited.then(([code]) => Promise.reject(new Error(`the server ended with ${code}`))),
  ])
  const stop = async (keep = false) => {
    child.kill('SIGKILL')
    await exited
    if (keep) return
    rmSync(directory, { recursive: true, force: true })
    rmSync(`${directory}.sockets`, { recursive: true, force: true })
  }
  return {
    url,
    directory,
    pid: child.pid,
    stop,
    async restart() {
      await stop(true)
      return startServer({ data: directory, port: Number(new URL(url).port) })
    },
  }
}

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
