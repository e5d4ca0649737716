// The packed package where its users are: in a project of its own, without Rust and without the
// repository, on every runtime that npm has, from a bundle, and under the compilers of TypeScript.
//
// `cargo xtask node --packages` runs it; it fetches the runtimes from npm.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { startServer } from '../server.mjs'

const RUNTIMES = [
  { name: 'node', version: '20' },
  { name: 'node', version: '22' },
  { name: 'node', version: '24' },
  { name: 'bun', version: '1', flags: ['run'] },
  { name: 'deno', version: '2', flags: ['run', '-A'] },
]
const TOOLS = ['esbuild@0.28', 'typescript@5.9', '@types/node@20']
const PATIENCE = 300_000

const here = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))
// Kept from run to run: they are large.
const runtimes = join(root, '..', 'target', 'node-runtimes')

function run(program, args, { cwd, env = process.env } = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, env, timeout: PATIENCE })
  assert.equal(error, undefined)
  assert.equal(status, 0, `${program} ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout.toString().trim()
}

const npm = (cwd, ...args) => run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...args], { cwd })

/** A directory with these packages and nothing else, made if it is not there. */
function installed(directory, packages) {
  if (!existsSync(join(directory, 'node_modules'))) {
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'package.json'), '{"private":true}')
    npm(directory, ...packages)
  }
  return join(directory, 'node_modules', '.bin')
}

describe('the packed package', { timeout: 4 * PATIENCE }, () => {
  let server
  let project
  let topics = 0

  before(async () => {
    run(process.execPath, [join(root, 'scripts/package.mjs')], { cwd: root })
    server = await startServer()
    project = mkdtempSync(join(tmpdir(), 'tidewire-elsewhere-'))
    cpSync(join(here, 'project'), project, { recursive: true })
    writeFileSync(join(project, 'package.json'), '{"name":"project","private":true}')
    const tarballs = readdirSync(join(root, 'packages')).filter((name) => name.endsWith('.tgz'))
    npm(project, ...tarballs.map((name) => join(root, 'packages', name)))
  })
  after(async () => {
    await server?.stop()
    if (project) rmSync(project, { recursive: true, force: true })
  })

  /** Runs a program of the project with neither cargo nor anything else at hand. */
  function reads(program, flags, file) {
    const env = { PATH: [dirname(program), dirname(process.execPath)].join(delimiter), HOME: project }
    const said = run(program, [...flags, file, server.url, `t${++topics}`], { cwd: project, env })
    assert.equal(said, 'read 1001')
  }

  for (const { name, version, flags = [] } of RUNTIMES) {
    test(`runs in ${name} ${version}: ES module, CommonJS, Worker`, (t) => {
      const program = join(installed(join(runtimes, `${name}-${version}`), [`${name}@${version}`]), name)
      t.diagnostic(run(program, ['--version']).split('\n')[0])
      for (const file of ['esm.mjs', 'cjs.cjs', 'worker.mjs']) reads(program, flags, file)
    })
  }

  test('is without what only a debugger reads', () => {
    const native = readdirSync(join(project, 'node_modules', '@tidewire'))
    const bytes = native.map((name) => statSync(join(project, 'node_modules', '@tidewire', name, 'tidewire.node')).size)
    assert.ok(bytes.length === 1 && bytes[0] < 16 << 20, `${native}: ${bytes} bytes`)
  })

  test('runs from a bundle that leaves it outside', () => {
    const esbuild = join(installed(join(runtimes, 'tools'), TOOLS), 'esbuild')
    const bundle = ['--bundle', '--platform=node', '--external:tidewire', '--log-level=error']
    run(esbuild, ['esm.mjs', ...bundle, '--format=esm', '--outfile=bundle.mjs'], { cwd: project })
    run(esbuild, ['bundled.cjs', ...bundle, '--format=cjs', '--outfile=bundle.cjs'], { cwd: project })
    for (const file of ['bundle.mjs', 'bundle.cjs']) reads(process.execPath, [], file)
  })

  test('has types for every kind of module', () => {
    const tools = installed(join(runtimes, 'tools'), TOOLS)
    const check = (file, module, resolution) => {
      const args = ['--strict', '--noEmit', '--target', 'es2022', '--module', module, '--moduleResolution', resolution]
      const types = ['--types', 'node', '--typeRoots', join(tools, '..', '@types')]
      run(join(tools, 'tsc'), [...args, ...types, file], { cwd: project })
    }
    for (const ending of ['mts', 'cts']) cpSync(join(project, 'typed.ts'), join(project, `typed.${ending}`))
    check('typed.mts', 'node16', 'node16')
    check('typed.cts', 'node16', 'node16')
    check('typed.mts', 'nodenext', 'nodenext')
    check('typed.ts', 'esnext', 'bundler')
  })
})
