/** The native module: its types, and where it is found. */

import { existsSync } from 'node:fs'
import { endianness } from 'node:os'
import { join } from 'node:path'

/** An error on its way from the core. */
export interface Failure {
  failed: true
  number: number
  disposition: number
  message: string
  firstOffset?: bigint
  nextOffset?: bigint
  unsent?: { partition: number; failedRecords: number; unknownRecords: number }[]
}

export interface NativeHub {
  drain(): unknown[] | null
  settle(words: Uint32Array): number
  failures(): Failure[]
  cancel(number: number): void
  hold(): boolean
  crowd(): void
  release(): void
  look(): number
}

export interface NativeEvent {
  kind: string
  address?: string
  attempt?: number
  error?: Failure
  topic?: string
  partition?: number
  group?: string
  partitions?: { topic: string; partition: number }[]
  missed?: number
}

export interface NativeWatch {
  take(): NativeEvent[]
  end(): void
}

export interface NativeFetched {
  batch(index: number): ArrayBuffer | null
  startOffset(): bigint
  endOffset(): bigint
  nextOffset(): bigint
}

export interface NativeProducer {
  partitions(): number
  push(chunk: Uint8Array, expedite: boolean): number
  failure(): Failure | null
  ready(number: number): void
  flush(number: number): void
  close(number: number, limitMs: number | null): void
  stats(): object | null
}

export interface NativeConsumer {
  next(): ArrayBuffer | Failure | boolean | null
  topic(number: number): string | null
  seek(partition: number, to: string): Failure | boolean | null
  pause(partition: number): Failure | boolean | null
  resume(partition: number): Failure | boolean | null
  addPartition(partition: number, start: string): Failure | boolean | null
  removePartition(partition: number): Failure | boolean | null
  positions(): { partition: number; nextOffset: bigint; endOffset: bigint }[] | null
  stats(): object | null
  lag(): bigint
  assignment(): { topic: string; partition: number }[] | null
  commit(number: number): void
  commitUntil(number: number, topic: string, partition: number, offset: bigint): void
  commitOffset(number: number, topic: string, partition: number, offset: bigint): void
  isClosed(): boolean
  close(number: number): void
}

export interface NativeClient {
  server(): unknown
  ping(number: number): void
  close(number: number): void
  watch(number: number): NativeWatch | null
  producer(hub: NativeHub, number: number, id: number, topic: string, options: string[]): void
  consumer(
    number: number,
    id: number,
    topics: string[],
    group: string | null,
    name: string | null,
    partitions: number[] | null,
    startAt: [number, bigint][],
    options: string[],
  ): void
  createStream(number: number, name: string): void
  describeStream(number: number, name: string): void
  deleteStream(number: number, name: string, withTopics: boolean): void
  purgeStream(number: number, name: string): void
  listStreams(number: number): void
  createTopic(number: number, topic: string, options: string[]): void
  updateTopic(number: number, topic: string, options: string[]): void
  describeTopic(number: number, topic: string): void
  listTopics(number: number, stream: string): void
  addPartitions(number: number, topic: string, partitions: number): void
  purgeTopic(number: number, topic: string): void
  deleteTopic(number: number, topic: string): void
  truncate(number: number, topic: string, partition: number, before: bigint): void
  partitions(number: number, topic: string): void
  producers(number: number, topic: string): void
  forgetProducer(number: number, topic: string, name: string): void
  fetch(
    number: number,
    topic: string,
    partition: number,
    offset: bigint,
    maxBytes: number | null,
    minBytes: number | null,
    maxWaitMs: number | null,
  ): void
  describeLimits(number: number): void
  createUser(number: number, name: string, password: string | null, grants: string[]): void
  deleteUser(number: number, name: string): void
  enableUser(number: number, name: string, enabled: boolean): void
  changePassword(number: number, password: string, name: string | null): void
  describeUser(number: number, name: string | null): void
  listUsers(number: number): void
  changeGrants(number: number, name: string, revoke: string[], grant: string[]): void
  createToken(
    number: number,
    name: string,
    user: string | null,
    lifetimeMs: number | null,
  ): void
  listTokens(number: number, user: string | null): void
  deleteToken(number: number, id: bigint): void
  createGroup(number: number, group: string): void
  listGroups(number: number): void
  describeGroup(number: number, group: string): void
  deleteGroup(number: number, group: string): void
  committed(number: number, group: string, topic: string): void
  resetOffsets(
    number: number,
    group: string,
    topic: string,
    partitions: number[] | null,
    to: string,
    force: boolean,
  ): void
  deleteOffsets(number: number, group: string, topic: string, partitions: number[] | null): void
}

export interface Native {
  Hub: new (look: () => void) => NativeHub
  connect(hub: NativeHub, number: number, url: string | null, options: string[]): void
}

/** This platform as packages name it: `linux-x64-gnu`. */
export function platform(): string {
  const parts = [process.platform === 'win32' ? 'win32' : process.platform, process.arch]
  if (process.platform === 'linux') parts.push(isMusl() ? 'musl' : 'gnu')
  if (process.platform === 'win32') parts.push('msvc')
  return parts.join('-')
}

/** Node was built for glibc if it says which one it runs on. */
function isMusl(): boolean {
  const report = process.report as (NodeJS.ProcessReport & { excludeNetwork?: boolean | undefined }) | undefined
  if (!report?.getReport) return false
  const { excludeNetwork } = report
  // Otherwise a report asks who is behind each open connection, and that may take seconds.
  report.excludeNetwork = true
  try {
    const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } }
    return !header?.glibcVersionRuntime
  } finally {
    report.excludeNetwork = excludeNetwork
  }
}

const FROM_SOURCE = 'build it from source with `npm install` in bindings-node of the repository'

/** Why there is no native module, and what to do about it. */
function lack(here: string): string {
  const { optionalDependencies = {} } = require('../package.json') as {
    optionalDependencies?: Record<string, string>
  }
  const packages = Object.keys(optionalDependencies)
  if (packages.length > 0 && !packages.includes(here)) {
    const there = packages.map((name) => name.replace('@tidewire/', '')).join(', ')
    return `tidewire has no native module for this platform, ${platform()}, only for ${there}: ${FROM_SOURCE}`
  }
  const missing = `the native module of tidewire for this platform, ${here}, is not installed`
  const other = packages.find(isInstalled)
  return other
    ? `${missing}, but ${other} is: node_modules comes from another platform, so install again on ` +
        'this one; npm install takes --os, --cpu and --libc if it mistakes it'
    : `${missing}: install without --omit=optional, or ${FROM_SOURCE}`
}

function isInstalled(name: string): boolean {
  try {
    require.resolve(name)
    return true
  } catch {
    return false
  }
}

function load(): Native {
  if (endianness() !== 'LE') {
    throw new Error(`tidewire runs on little-endian machines, and this one (${process.arch}) is not`)
  }
  const built = join(__dirname, '..', 'native', 'tidewire.node')
  if (existsSync(built)) return require(built) as Native
  const name = `@tidewire/${platform()}`
  try {
    return require(name) as Native
  } catch (cause) {
    const missing = (cause as { code?: string }).code === 'MODULE_NOT_FOUND'
    throw new Error(
      missing
        ? lack(name)
        : `the native module ${name} of tidewire cannot be loaded: ${(cause as Error).message}`,
      { cause },
    )
  }
}

export const native: Native = load()

export function isFailure(value: unknown): value is Failure {
  return typeof value === 'object' && value !== null && (value as Failure).failed === true
}
