// A registry of npm on loopback that has the packages of a directory and nothing else, so that npm
// itself chooses those that fit.

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

/** Serves what `scripts/package.mjs` left there; its `url`, and `close`. */
export async function startRegistry(directory) {
  const names = readdirSync(join(directory, '@tidewire')).map((name) => `@tidewire/${name}`)
  const found = new Map()
  const server = createServer((request, response) => {
    const content = found.get(decodeURIComponent(request.url.slice(1)))
    response.writeHead(content ? 200 : 404).end(content)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${server.address().port}/`
  for (const name of ['tidewire', ...names]) {
    const manifest = JSON.parse(readFileSync(join(directory, name, 'package.json')))
    const file = `${name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`
    const tarball = readFileSync(join(directory, file))
    const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
    const versions = { [manifest.version]: { ...manifest, dist: { tarball: url + file, integrity } } }
    found.set(file, tarball)
    found.set(name, JSON.stringify({ name, 'dist-tags': { latest: manifest.version }, versions }))
  }
  return {
    url,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
