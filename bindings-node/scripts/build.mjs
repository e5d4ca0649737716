// Builds the package from source: the native module with cargo, then what is written in
// TypeScript. `npm install` in this directory runs it.
//
//   node scripts/build.mjs [--dev] [--only-ts | --only-native] [--target TRIPLE]
//
// Release unless --dev. The module goes to native/tidewire.node, the rest to dist/.

import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const words = process.argv.slice(2)
const has = (word) => words.includes(word)
const target = has('--target') ? words[words.indexOf('--target') + 1] : undefined

function run(program, args, options = {}) {
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'], cwd: root, ...options })
  if (error?.code === 'ENOENT') {
    throw new Error(`${program} is not installed: it is needed to build tidewire from source (https://rustup.rs)`)
  }
  if (error) throw error
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed`)
}

/** Where cargo put the library: it says so itself. */
function library() {
  const cargo = process.env.CARGO ?? 'cargo'
  // For tests, with the features of the whole workspace, as its own tests have built everything.
  const whole = ['--workspace', '--exclude', 'tidewire-python', '--lib']
  const packages = has('--dev') ? whole : ['--release', '--package', 'tidewire-node']
  const args = ['build', ...packages, '--message-format', 'json-render-diagnostics']
  if (target) args.push('--target', target)
  const { stdout, status, error } = spawnSync(cargo, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: root,
    maxBuffer: 1 << 28,
  })
  if (error?.code === 'ENOENT') {
    throw new Error('cargo is not installed: building tidewire from source needs Rust (https://rustup.rs)')
  }
  if (error) throw error
  if (status !== 0) throw new Error(`${cargo} ${args.join(' ')} failed`)
  for (const line of stdout.toString().split('\n')) {
    if (!line.startsWith('{')) continue
    const message = JSON.parse(line)
    if (message.reason !== 'compiler-artifact' || message.target.name !== 'tidewire_node') continue
    const found = message.filenames.find((name) => /\.(so|dylib|dll)$/.test(name))
    if (found) return found
  }
  throw new Error('cargo did not say where the library is')
}

function buildNative() {
  const from = library()
  mkdirSync(join(root, 'native'), { recursive: true })
  const to = join(root, 'native', 'tidewire.node')
  // Not written over: a process may have it loaded.
  const fresh = `${to}.${process.pid}`
  copyFileSync(from, fresh)
  renameSync(fresh, to)
}

/** ESM that hands on what the CommonJS files export: one instance of everything in a process. */
function wrap(name) {
  const source = readFileSync(join(root, 'dist', `${name}.js`), 'utf8')
  const names = new Set()
  for (const [, found] of source.matchAll(/Object\.defineProperty\(exports, "(\w+)"/g)) names.add(found)
  for (const [, found] of source.matchAll(/^exports\.(\w+) = /gm)) names.add(found)
  names.delete('__esModule')
  const list = [...names].sort().join(',\n  ')
  writeFileSync(
    join(root, 'dist', `${name}.mjs`),
    `import cjs from './${name}.js'\n\nexport const {\n  ${list},\n} = cjs\n`,
  )
  writeFileSync(join(root, 'dist', `${name}.d.mts`), `export * from './${name}.js'\n`)
}

function buildTypeScript() {
  const tsc = createRequire(join(root, 'package.json')).resolve('typescript/bin/tsc')
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  run(process.execPath, [tsc, '-p', root])
  for (const name of ['index', 'arrow']) wrap(name)
}

try {
  if (!has('--only-ts')) buildNative()
  if (!has('--only-native')) buildTypeScript()
} catch (error) {
  console.error(`tidewire: ${error.message}`)
  process.exit(1)
}
