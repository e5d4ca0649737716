// A real server, for tests that use the package of this directory and for those that do not.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

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
