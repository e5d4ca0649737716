// The conformance adapter of the Node.js package: JSON lines in, calls of the public API, JSON
// lines out. It does what it is told and judges nothing; `conformance/README.md` of the
// repository describes the lines.

import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

import { Client, Code } from '../dist/index.mjs'
import * as values from './values.mjs'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url)))
const { Unsupported } = values

const FEATURES = [
  'admin', 'fetch', 'producer', 'enqueue', 'named_producer', 'record_id', 'codecs', 'consumer',
  'next_record', 'seek', 'pause', 'positions', 'partitions', 'stats', 'events', 'cancel',
  'concurrent', 'reconnect', 'timestamps', 'retention', 'option_structs', 'topic_update',
  'truncate', 'groups', 'offsets', 'named_consumer', 'users', 'limits',
]

const clients = new Map()
const producers = new Map()
const consumers = new Map()
const tickets = new Map()
const events = new Map()
const running = new Map()

function named(map, name, what) {
  const found = map.get(name)
  if (!found) throw new Error(`no ${what} ${name}`)
  return found
}
const client = (args) => named(clients, args.client, 'client')
const producer = (args) => named(producers, args.producer, 'producer')
const consumer = (args) => named(consumers, args.consumer, 'consumer')

const WIDE = new Set(['segment_bytes', 'retention_ms', 'retention_bytes', 'dedup_window_ms'])

/** Options by the names of JavaScript. */
function options(args, signal) {
  const given = {}
  for (const [name, value] of Object.entries(args.options ?? {})) {
    if (name === 'start') given.start = place(value)
    else if (WIDE.has(name)) given[values.camel(name)] = BigInt(value)
    else given[values.camel(name)] = value
  }
  return signal ? { ...given, signal } : given
}

function place(value) {
  const text = String(value)
  return /^\d+$/.test(text) ? BigInt(text) : text
}

const timed = (args, signal) => ({ timeoutMs: Number(args.timeout_ms ?? 10_000), signal })

async function outcome(ticket) {
  try {
    return values.receipt(await ticket.receipt())
  } catch (error) {
    return { error: values.errorOf(error, Code) }
  }
}

async function enqueueAll(open, records) {
  const taken = []
  for (const each of records) {
    for (;;) {
      try {
        taken.push(open.enqueue(values.recordOf(each)))
        break
      } catch (error) {
        if (error.code !== 'E_QUEUE_FULL') throw error
      }
      await open.ready()
    }
  }
  return taken
}

/** Whole batches until there are `count` records, or the time is up. */
async function read(open, args, signal) {
  const count = Number(args.count)
  const until = performance.now() + Number(args.timeout_ms ?? 10_000)
  const digests = new values.Digests()
  const records = []
  let seen = 0
  while (seen < count) {
    const timeoutMs = until - performance.now()
    if (timeoutMs <= 0) break
    const batch = await open.nextBatch({ timeoutMs, signal })
    if (!batch) break
    for (const each of batch) {
      seen++
      if (args.digest) digests.add(each)
      else records.push(values.record(each))
    }
  }
  return args.digest ? { count: `${seen}`, digests: digests.finish() } : { count: `${seen}`, records }
}

const none = async (promise) => {
  await promise
  return {}
}

const OPS = {
  hello: () => ({ protocol: 1, sdk: 'node', language: 'Node.js', sdk_version: version, features: FEATURES }),
  async connect(args, signal) {
    const opened = await Client.connect(args.url, options(args, signal))
    clients.set(args.client, opened)
    return values.server(opened.server)
  },
  server: (args) => values.server(client(args).server),
  ping: (args, signal) => none(client(args).ping({ signal })),
  'client.close': (args) => none(client(args).close()),

  'stream.create': async (args) => values.snakeKeys(await client(args).createStream(args.name)),
  'stream.describe': async (args) => values.snakeKeys(await client(args).describeStream(args.name)),
  'stream.list': async (args) => ({ streams: (await client(args).listStreams()).map(values.snakeKeys) }),
  'stream.delete': (args) =>
    none(client(args).deleteStream(args.name, { withTopics: args.with_topics ?? false })),
  'stream.purge': (args) => none(client(args).purgeStream(args.name)),
  'topic.create': async (args, signal) =>
    values.snakeKeys(await client(args).createTopic(args.topic, options(args, signal))),
  'topic.describe': async (args, signal) =>
    values.snakeKeys(await client(args).describeTopic(args.topic, { signal })),
  'topic.list': async (args) => ({ topics: (await client(args).listTopics(args.stream)).map(values.snakeKeys) }),
  'topic.update': async (args) => values.snakeKeys(await client(args).updateTopic(args.topic, options(args))),
  'topic.purge': (args) => none(client(args).purgeTopic(args.topic)),
  'topic.delete': (args) => none(client(args).deleteTopic(args.topic)),
  'topic.add_partitions': async (args) =>
    values.snakeKeys(await client(args).addPartitions(args.topic, args.partitions)),
  'topic.truncate': async (args) => ({
    start_offset: `${await client(args).truncate(args.topic, args.partition, BigInt(args.before_offset))}`,
  }),
  'topic.partitions': async (args) => ({
    partitions: (await client(args).partitions(args.topic)).map(values.snakeKeys),
  }),
  async fetch(args, signal) {
    const given = { signal }
    for (const name of ['max_bytes', 'min_bytes', 'max_wait_ms']) {
      if (args[name] !== undefined) given[values.camel(name)] = Number(args[name])
    }
    const fetched = await client(args).fetch(args.topic, args.partition, BigInt(args.offset), given)
    return {
      records: fetched.batches.flatMap((batch) => [...batch].map(values.record)),
      batches: fetched.batches.length,
      start_offset: `${fetched.startOffset}`,
      end_offset: `${fetched.endOffset}`,
      next_offset: `${fetched.nextOffset}`,
    }
  },

  async 'producer.open'(args, signal) {
    const given = options(args, signal)
    if (args.name) given.name = args.name
    const opened = await client(args).producer(args.topic, given)
    producers.set(args.producer, opened)
    return { partitions: opened.partitions }
  },
  'producer.list': async (args) => ({
    producers: (await client(args).producers(args.topic)).map(({ name }) => ({ name })),
  }),
  'producer.forget': (args) => none(client(args).forgetProducer(args.topic, args.name)),
  'producer.send': async (args, signal) =>
    values.receipt(await producer(args).send(values.recordOf(args.record), { signal })),
  async 'producer.send_many'(args) {
    const open = producer(args)
    const taken = await enqueueAll(open, args.records)
    // What fails is told by its ticket.
    await open.flush().catch(() => {})
    return { receipts: await Promise.all(taken.map(outcome)) }
  },
  'producer.enqueue'(args) {
    const names = []
    for (const each of args.records) {
      const ticket = producer(args).enqueue(values.recordOf(each))
      const name = `${args.producer}-${ticket.number}`
      tickets.set(name, ticket)
      names.push(name)
    }
    return { tickets: names }
  },
  async 'producer.wait'(args) {
    return { receipts: await Promise.all(args.tickets.map((name) => outcome(named(tickets, name, 'ticket')))) }
  },
  'producer.flush': (args, signal) => none(producer(args).flush({ signal })),
  'producer.close': (args) => none(producer(args).close()),
  'producer.stats': (args) => ({ queued_bytes: `${producer(args).stats().queuedBytes}` }),

  async 'consumer.open'(args, signal) {
    const given = options(args, signal)
    if (args.group) given.group = args.group
    if (args.name) given.name = args.name
    if (args.partitions) given.partitions = args.partitions
    if (args.start_at) {
      given.startAt = new Map(Object.entries(args.start_at).map(([k, v]) => [Number(k), BigInt(v)]))
    }
    consumers.set(args.consumer, await client(args).consumer(args.topic, given))
    return {}
  },
  async 'consumer.next_batch'(args, signal) {
    const batch = await consumer(args).nextBatch(timed(args, signal))
    return { batch: batch && values.batch(batch), closed: batch === null && consumer(args).closed }
  },
  async 'consumer.next_record'(args, signal) {
    const record = await consumer(args).nextRecord(timed(args, signal))
    return { record: record && values.record(record), closed: record === null && consumer(args).closed }
  },
  'consumer.read': (args, signal) => read(consumer(args), args, signal),
  'consumer.seek': (args) => none(consumer(args).seek(args.partition, place(args.to))),
  'consumer.pause': (args) => none(consumer(args).pause(args.partition)),
  'consumer.resume': (args) => none(consumer(args).resume(args.partition)),
  'consumer.add_partition': (args) => none(consumer(args).addPartition(args.partition, place(args.start))),
  'consumer.remove_partition': (args) => none(consumer(args).removePartition(args.partition)),
  'consumer.positions'(args) {
    const open = consumer(args)
    const positions = open.group === undefined ? open.positions().map(values.snakeKeys) : open.assignment()
    return { positions, lag: `${open.lag()}` }
  },
  'consumer.commit': (args, signal) => none(consumer(args).commit({ signal })),
  'consumer.stats'(args) {
    const stats = Object.entries(consumer(args).stats() ?? {})
    const small = new Set(['partitions', 'livePartitions'])
    return Object.fromEntries(stats.map(([k, v]) => [values.snake(k), small.has(k) ? v : `${v}`]))
  },
  'consumer.close': (args) => none(consumer(args).close()),

  'group.create': async (args) => ({ name: (await client(args).createGroup(args.group)).name }),
  'group.delete': (args) => none(client(args).deleteGroup(args.group)),
  async 'group.describe'(args) {
    const { info, members, partitions } = await client(args).describeGroup(args.group)
    return { name: info.name, generation: info.generation, members: members.length, partitions: partitions.length }
  },
  'group.list': async (args) => ({
    groups: (await client(args).listGroups()).map(({ name, members }) => ({ name, members })),
  }),
  'offsets.get': async (args) => ({
    offsets: (await client(args).committed(args.group, args.topic)).map(({ partition, offset }) => ({
      partition,
      offset: `${offset}`,
    })),
  }),
  'offsets.set': (args) =>
    none(client(args).resetOffsets(args.group, args.topic, BigInt(args.offset), { partitions: [args.partition] })),
  'offsets.delete': (args) =>
    none(client(args).deleteOffsets(args.group, args.topic, { partitions: [args.partition] })),

  'limits.describe': async (args) => ({
    limits: Object.fromEntries((await client(args).describeLimits()).map((each) => [each.name, values.snakeKeys(each)])),
  }),

  'user.create': async (args) =>
    values.snakeKeys(await client(args).createUser(args.name, { password: args.password, grants: args.grants })),
  async 'user.describe'(args) {
    const { user, grants } = await client(args).describeUser(args.name)
    return { ...values.snakeKeys(user), grants }
  },
  'user.list': async (args) => ({ users: (await client(args).listUsers()).map(values.snakeKeys) }),
  'user.enable': async (args) => values.snakeKeys(await client(args).enableUser(args.name, args.enabled)),
  'user.password': (args) => none(client(args).changePassword(args.password, { user: args.name })),
  'user.delete': (args) => none(client(args).deleteUser(args.name)),
  'user.grants': async (args) => ({
    grants: await client(args).changeGrants(args.name, { revoke: args.revoke, grant: args.grant }),
  }),
  async 'token.create'(args) {
    const lifetimeMs = args.lifetime_ms === undefined ? undefined : Number(args.lifetime_ms)
    const { token, secret } = await client(args).createToken(args.name, { user: args.user, lifetimeMs })
    return { ...values.token(token), secret }
  },
  'token.list': async (args) => ({
    tokens: (await client(args).listTokens({ user: args.user })).map(values.token),
  }),
  'token.delete': (args) => none(client(args).deleteToken(BigInt(args.id))),

  'events.watch'(args) {
    const watch = { queue: [], waiting: [] }
    for (const name of ['connected', 'disconnected', 'reconnecting', 'gaveUp', 'throttled', 'missed',
      'partitionsAssigned', 'partitionsRevoked', 'partitionsLost', 'recordsSkipped']) {
      client(args).on(name, (value) => {
        const told = values.event(name, value)
        const waiter = watch.waiting.shift()
        if (waiter) waiter(told)
        else watch.queue.push(told)
      })
    }
    events.set(args.client, watch)
    return {}
  },
  async 'events.next'(args) {
    const watch = named(events, args.client, 'watch of')
    if (watch.queue.length > 0) return { event: watch.queue.shift() }
    return new Promise((resolve) => {
      const waiter = (event) => {
        clearTimeout(timer)
        resolve({ event })
      }
      const timer = setTimeout(() => {
        watch.waiting = watch.waiting.filter((one) => one !== waiter)
        resolve({ event: null })
      }, Number(args.timeout_ms))
      watch.waiting.push(waiter)
    })
  },
}

const answer = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

async function run({ id, op, args }) {
  if (op === 'cancel') {
    running.get(args.request)?.abort()
    return answer({ id, ok: {} })
  }
  const call = Object.hasOwn(OPS, op) ? OPS[op] : undefined
  if (!call) return answer({ id, unsupported: `no operation ${op}` })
  const controller = new AbortController()
  running.set(id, controller)
  try {
    answer({ id, ok: await call(args, controller.signal) })
  } catch (error) {
    if (controller.signal.aborted && error === controller.signal.reason) answer({ id, cancelled: true })
    else if (error instanceof Unsupported) answer({ id, unsupported: error.message })
    else if (typeof error.code === 'string' && error.code.startsWith('E_')) {
      answer({ id, err: values.errorOf(error, Code) })
    } else answer({ id, fail: error.stack ?? String(error) })
  } finally {
    running.delete(id)
  }
}

const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => void run(JSON.parse(line)))
// The end of the input is the end of the adapter, whatever is still under way.
lines.on('close', () => process.exit(0))
