// How the package's values are written in the suite's JSON: numbers of 64 bits as strings, bytes
// by content or, when they are many, by length and checksum.

import { crc32 } from 'node:zlib'

/** Bytes up to which a value is answered by content. */
const SHORT = 1024

export class Unsupported extends Error {}

/** `null`, `{utf8}`, `{base64}` or `{repeat, times}`. */
export function bytesOf(value) {
  if (value === null || value === undefined) return null
  if (value.utf8 !== undefined) return value.utf8
  if (value.base64 !== undefined) return Buffer.from(value.base64, 'base64')
  if (value.repeat !== undefined) return Buffer.from(value.repeat.repeat(value.times))
  throw new Error(`${JSON.stringify(value)} is no bytes`)
}

export function bytes(value) {
  if (value === null) return null
  if (value.length <= SHORT) return { base64: value.toString('base64') }
  return { len: value.length, crc32: crc32(value).toString(16).padStart(8, '0') }
}

export function recordOf(value) {
  const record = { value: bytesOf(value.value), key: bytesOf(value.key) }
  if (value.headers) record.headers = value.headers.map(([name, content]) => [name, bytesOf(content) ?? ''])
  if (value.timestamp_us !== undefined) record.timestampUs = BigInt(value.timestamp_us)
  if (value.partition !== undefined) record.partition = value.partition
  if (value.id) record.id = Buffer.from(bytesOf(value.id))
  return record
}

export const record = (r) => ({
  partition: r.partition,
  offset: `${r.offset}`,
  timestamp_us: `${r.timestampUs}`,
  append_time_us: `${r.appendTimeUs}`,
  key: bytes(r.key),
  value: bytes(r.value),
  headers: r.headers.map(([name, value]) => [name, bytes(value)]),
})

export const batch = (b) => ({
  partition: b.partition,
  base_offset: `${b.baseOffset}`,
  next_offset: `${b.nextOffset}`,
  records: [...b].map(record),
})

export const receipt = (r) => ({
  partition: r.partition,
  offset: `${r.offset}`,
  append_time_us: `${r.appendTimeUs}`,
  acks: r.acks,
  duplicate: r.duplicate,
})

export const server = (s) => ({
  name: s.name,
  version: s.version,
  address: s.address,
  id: `${s.id}`,
  limits: snakeKeys(s.limits),
})

export const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
export const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase())

/** An object of the package with names and numbers as the suite has them. */
export function snakeKeys(object) {
  const entries = Object.entries(object).map(([name, value]) => [
    snake(name),
    typeof value === 'bigint' ? `${value}` : value,
  ])
  return Object.fromEntries(entries)
}

export const token = (t) => ({ ...snakeKeys(t), expires_us: `${t.expiresUs ?? 0}` })

export function event(name, value) {
  const { error, ...rest } = value
  const type = snake(name)
  if (type === 'missed') return { type, count: `${rest.count}` }
  const told = { type, ...snakeKeys(rest) }
  return error ? { ...told, error: errorOf(error) } : told
}

export function errorOf(error, codes) {
  // A TypeError or RangeError has a code, and no number of its own.
  const code = error.number ?? codes?.[error.code?.slice(2)]
  const value = { code, disposition: error.disposition ?? 0, message: error.message }
  if (error.kind) value.kind = error.kind
  else if (error.number === undefined) value.kind = 'invalid'
  if (error.firstOffset !== undefined) value.offsets = [`${error.firstOffset}`, `${error.nextOffset}`]
  return value
}

/** What was read of each partition, for reads too large to be written out. */
export class Digests {
  #partitions = new Map()

  add(r) {
    let digest = this.#partitions.get(r.partition)
    if (!digest) {
      digest = { count: 0n, first: r.offset, next: 0n, crc: 0 }
      this.#partitions.set(r.partition, digest)
    }
    const head = Buffer.alloc(16)
    head.writeBigUInt64LE(r.offset, 0)
    head.writeBigInt64LE(r.timestampUs, 8)
    const { headers } = r
    const parts = [head, ...sized(r.key), ...sized(r.value), u32(headers.length)]
    for (const [name, value] of headers) parts.push(...sized(Buffer.from(name)), ...sized(value))
    for (const part of parts) digest.crc = crc32(part, digest.crc)
    digest.count++
    digest.next = r.offset + 1n
  }

  finish() {
    const entries = [...this.#partitions].map(([partition, d]) => [
      partition,
      {
        count: `${d.count}`,
        first_offset: `${d.first}`,
        next_offset: `${d.next}`,
        crc32: d.crc.toString(16).padStart(8, '0'),
      },
    ])
    return Object.fromEntries(entries)
  }
}

function u32(number) {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(number)
  return bytes
}

const sized = (value) => (value === null ? [u32(0xffff_ffff)] : [u32(value.length), value])
