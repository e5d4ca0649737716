// The packed package in a project of its own: without Rust, and without the repository.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { bench } from './support.mjs'

const made = bench()
const root = fileURLToPath(new URL('..', import.meta.url))

function run(program, args, cwd, env = process.env) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, env, timeout: 120_000 })
  assert.equal(status, 0, `${program} ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout.toString()
}

test('tarballs install and run elsewhere', { timeout: 240_000 }, async () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json')))
  for (const [name, entry] of Object.entries(lock.packages)) {
    assert.equal(entry.resolved, undefined, `${name} is to come from wherever npm is set up to look`)
  }
  run(process.execPath, [join(root, 'scripts/package.mjs')], root)
  const tarballs = readdirSync(join(root, 'packages')).filter((name) => name.endsWith('.tgz'))
  assert.equal(tarballs.length, 2)
  const packed = JSON.parse(readFileSync(join(root, 'packages/tidewire/package.json')))
  const [[native, version]] = Object.entries(packed.optionalDependencies)
  assert.equal(version, packed.version)
  const platform = JSON.parse(readFileSync(join(root, 'packages', native, 'package.json')))
  assert.deepEqual([platform.os, platform.cpu], [[process.platform], [process.arch]])
  const toml = readFileSync(join(root, '../Cargo.toml'), 'utf8')
  assert.equal(packed.version, /\[workspace\.package\]\s+version = "(.*)"/.exec(toml)[1])

  const project = mkdtempSync(join(tmpdir(), 'tidewire-project-'))
  try {
    writeFileSync(join(project, 'package.json'), '{"name":"project","private":true}')
    const files = tarballs.map((name) => join(root, 'packages', name))
    run('npm', ['install', '--offline', '--no-audit', '--no-fund', ...files], project)
    assert.ok(existsSync(join(project, 'node_modules', native, 'tidewire.node')))
    cpSync(join(root, 'test/elsewhere/project'), project, { recursive: true })
    // Neither cargo nor anything else but node.
    const env = { PATH: join(process.execPath, '..') }
    for (const file of ['esm.mjs', 'cjs.cjs', 'worker.mjs']) {
      assert.equal(run(process.execPath, [file, made.url, `t-${file}`], project, env).trim(), 'read 1001')
    }
    const modules = join(root, 'node_modules')
    const strict = ['--strict', '--noEmit', '--target', 'es2022', '--module', 'node16', '--moduleResolution', 'node16']
    const types = ['--types', 'node', '--typeRoots', join(modules, '@types')]
    for (const ending of ['mts', 'cts']) cpSync(join(project, 'typed.ts'), join(project, `typed.${ending}`))
    run(process.execPath, [join(modules, 'typescript/bin/tsc'), ...strict, ...types, 'typed.mts', 'typed.cts'], project)

    // What it says where it cannot run: on a machine for which there is no package, …
    const refused = (pretence) => {
      const args = ['--eval', `${pretence}; require('tidewire')`]
      const { status, stderr } = spawnSync(process.execPath, args, { cwd: project, env })
      assert.notEqual(status, 0)
      return stderr.toString()
    }
    const here = native.replace('@tidewire/', '')
    const strange = "Object.defineProperty(process, 'arch', { value: 'sparc' })"
    assert.match(refused(strange), new RegExp(`no native module for this platform, .*sparc.*, only for ${here}:`))
    if (process.platform === 'linux') {
      // … with what was installed by a Node.js for the other C library, …
      const other = here.endsWith('musl') ? here.replace('musl', 'gnu') : here.replace('gnu', 'musl')
      const manifest = join(project, 'node_modules/tidewire/package.json')
      const { optionalDependencies, ...rest } = JSON.parse(readFileSync(manifest))
      const both = { ...optionalDependencies, [`@tidewire/${other}`]: version }
      writeFileSync(manifest, JSON.stringify({ ...rest, optionalDependencies: both }))
      const glibc = here.endsWith('musl') ? "{ glibcVersionRuntime: '2.36' }" : '{}'
      const foreign = `process.report.getReport = () => ({ header: ${glibc} })`
      assert.match(refused(foreign), new RegExp(`${other}, is not installed, but ${native} is: `))
    }
    // … and without any.
    rmSync(join(project, 'node_modules', native), { recursive: true })
    assert.match(refused(''), new RegExp(`${native}, is not installed: install without --omit=optional`))
  } finally {
    rmSync(project, { recursive: true, force: true })
  }
})
