// Makes the tarballs to publish, in packages/: `tidewire`, and for each platform one that holds
// nothing but its native module, which npm installs where `os`, `cpu` and `libc` fit.
//
//   node scripts/package.mjs [PLATFORM=FILE …]
//
// Without arguments it packs native/tidewire.node for this platform. A release names what was built
// for each, such as linux-arm64-musl=artifacts/libtidewire_node.so; `cargo xtask node --packages` does
// that for Linux on x86-64. Run scripts/build.mjs before.

import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const out = join(root, 'packages')
const main = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

function fail(text) {
  console.error(`tidewire: ${text}`)
  process.exit(1)
}

/** What npm is told of a platform: `linux-x64-gnu`, `darwin-arm64`, `win32-x64-msvc`. */
function conditions(platform) {
  const [os, cpu, abi] = platform.split('-')
  const libc = { gnu: 'glibc', musl: 'musl' }[abi]
  if (!['linux', 'darwin', 'win32'].includes(os) || !['x64', 'arm64'].includes(cpu)) {
    fail(`${platform} is no platform, such as linux-x64-gnu`)
  }
  return { os: [os], cpu: [cpu], ...(os === 'linux' ? { libc: [libc] } : {}) }
}

function here() {
  const { platform } = createRequire(import.meta.url)(join(root, 'dist', 'native.js'))
  return platform()
}

function pack(directory) {
  const { stdout, status } = spawnSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', out], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (status !== 0) fail(`npm pack failed in ${directory}`)
  const [{ filename, size }] = JSON.parse(stdout.toString())
  console.log(`${join('packages', filename)} ${(size / 1024).toFixed(0)} KiB`)
}

const write = (directory, content) =>
  writeFileSync(join(directory, 'package.json'), `${JSON.stringify(content, null, 2)}\n`)

if (!existsSync(join(root, 'dist', 'index.js'))) fail('dist/ is missing: run scripts/build.mjs first')
const given = process.argv.slice(2).map((word) => word.split('='))
const natives = given.length > 0 ? given : [[here(), join(root, 'native', 'tidewire.node')]]
rmSync(out, { recursive: true, force: true })

const optionalDependencies = {}
for (const [platform, file] of natives) {
  if (!file || !existsSync(resolve(file))) fail(`${platform}: there is no file ${file}`)
  const name = `@tidewire/${platform}`
  const directory = join(out, name)
  mkdirSync(directory, { recursive: true })
  copyFileSync(resolve(file), join(directory, 'tidewire.node'))
  // Without what only a debugger reads, where that can be left out: it is five sixths of the module.
  if (platform.startsWith('linux')) spawnSync('strip', ['-S', 'tidewire.node'], { cwd: directory, stdio: 'ignore' })
  copyFileSync(join(root, '..', 'LICENSE'), join(directory, 'LICENSE'))
  writeFileSync(join(directory, 'README.md'), `# ${name}\n\nThe native module of [tidewire](https://www.npmjs.com/package/tidewire) for ${platform}. Install \`tidewire\`; it brings this.\n`)
  const { version, license, repository, engines } = main
  const description = `The native module of tidewire for ${platform}`
  write(directory, {
    name, version, description, license, repository, engines, ...conditions(platform),
    main: 'tidewire.node', files: ['tidewire.node'],
  })
  optionalDependencies[name] = version
  pack(directory)
}

const directory = join(out, 'tidewire')
mkdirSync(directory, { recursive: true })
cpSync(join(root, 'dist'), join(directory, 'dist'), { recursive: true })
for (const name of ['README.md', '../LICENSE']) copyFileSync(join(root, name), join(directory, name.replace('../', '')))
const { devDependencies: _, scripts: __, ...published } = main
write(directory, { ...published, files: ['dist', 'README.md', 'LICENSE'], optionalDependencies })
pack(directory)
