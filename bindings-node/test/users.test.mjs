// Users, tokens and grants, on a server that asks for credentials.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { inspect } from 'node:util'

import { AuthError, Client } from '../dist/index.mjs'
import { startServer, until } from './support.mjs'

let server
let root
before(async () => {
  server = await startServer({ secured: true })
  root = await Client.connect(readFileSync(join(server.directory, 'root.url'), 'utf8').trim())
})
after(async () => {
  await root?.close().catch(() => {})
  await server?.stop()
})

/** Waits until a client has learnt why it may not come back. */
async function ended(client) {
  let code
  await until('the connection ends', async () => {
    code = await client.ping().then(
      () => undefined,
      (error) => (error.retriable || error.outcomeUnknown ? undefined : error.code),
    )
    return code
  })
  return code
}

test('a user does what it was granted, and what changes holds at once', async () => {
  await root.createTopic('orders')
  const made = await root.createUser('ada', { password: 'pw', grants: ['read topic default/orders'] })
  assert.deepEqual([made.name, made.enabled, made.password, made.tokens], ['ada', true, true, 0])
  assert.deepEqual((await root.listUsers()).map((user) => user.name), ['ada', 'root'])
  const client = await Client.connect(server.url, { user: 'ada', secret: 'pw' })
  const self = await client.describeUser()
  assert.deepEqual([self.user.name, self.grants], ['ada', ['read topic default/orders']])
  assert.equal((await client.describeTopic('orders')).name, 'orders')
  await assert.rejects(client.deleteTopic('orders'), (e) => e instanceof AuthError && e.code === 'E_DENIED')
  // One that is not there looks as one that is.
  await assert.rejects(client.describeTopic('other'), { code: 'E_DENIED' })
  await assert.rejects(client.listUsers(), { code: 'E_DENIED' })
  // What it uses itself is for it to know, and what all use together is not.
  const used = async (name) => (await client.describeLimits()).find((limit) => limit.name === name).used
  assert.deepEqual([await used('max_user_connections'), await used('max_connections')], [1n, 0n])
  const changed = await root.changeGrants('ada', {
    revoke: ['read topic default/orders'],
    grant: ['read,manage topic default/o*'],
  })
  assert.deepEqual(changed, ['read,manage topic default/o*'])
  await client.purgeTopic('orders')
  await assert.rejects(root.changeGrants('ada', { grant: ['fly topic a'] }), {
    code: 'E_INVALID_ARGUMENT',
    message: /"fly topic a"/,
  })
  await root.changePassword('new', { user: 'ada' })
  assert.equal(await ended(client), 'E_AUTH_FAILED')
  assert.equal((await root.enableUser('ada', false)).enabled, false)
  await root.deleteUser('ada')
  await assert.rejects(root.describeUser('ada'), { code: 'E_USER_NOT_FOUND' })
})

test('a token logs in until it is deleted, and does not show', async () => {
  await root.createUser('bob')
  const made = await root.createToken('laptop', { user: 'bob', lifetimeMs: 3_600_000 })
  assert.match(made.secret, /^twt_/)
  assert.ok(!inspect(made).includes(made.secret) && !JSON.stringify(made.secret && inspect(made)).includes('twt_'))
  assert.ok(made.token.expiresUs - made.token.createdUs === 3_600_000_000n)
  const file = join(server.directory, 'secret')
  writeFileSync(file, made.secret, { mode: 0o600 })
  const client = await Client.connect(server.url, { secretFile: file })
  assert.deepEqual((await client.listTokens()).map((token) => [token.name, token.user]), [['laptop', 'bob']])
  const forever = await root.createToken('other', { user: 'bob' })
  assert.equal(forever.token.expiresUs, undefined)
  await root.deleteToken(made.token.id)
  assert.equal(await ended(client), 'E_AUTH_FAILED')
  await client.close().catch(() => {})
})

test('who shows nothing, or the wrong thing, stays out', async () => {
  await assert.rejects(Client.connect(server.url), (e) => e instanceof AuthError && e.code === 'E_AUTH_REQUIRED')
  await assert.rejects(Client.connect(server.url, { user: 'root', secret: 'wrong' }), { code: 'E_AUTH_FAILED' })
  await assert.rejects(Client.connect(server.url, { secret: 5 }), (e) => e instanceof TypeError && !/5/.test(e.message))
  await assert.rejects(root.createToken('x', { lifetimeMs: 0 }), RangeError)
})
