/**
 * Records packed one behind the other, in the form that `foreign/chunk.rs` of the core reads: crossing into
 * the core costs more than packing a hundred records.
 *
 * The one invariant: a record that was refused left nothing behind.
 */

import type { Bytes, HeadersInput, RecordInput, RecordObject } from './input.js'
import { badRange, badType } from './invalid.js'

const KEY = 1
const VALUE = 2
const TIMESTAMP = 4
const PARTITION = 8
const ID = 16

/** Bytes before those of the record: four words, a time, a partition, an id. */
const HEAD = 16 + 8 + 4 + 16
/** Strings up to this many characters are written here; longer ones are left to Node. */
const SHORT = 24
const MAX_NAME = 65_535
const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i

/** A string, or its bytes. */
type Part = string | Uint8Array

/** A chunk of records. */
export class Packer {
  readonly #capacity: number
  #bytes: Buffer
  #words: Uint32Array
  #end = 0
  /** Records in it. */
  count = 0

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#bytes = Buffer.from(new ArrayBuffer(capacity))
    this.#words = new Uint32Array(this.#bytes.buffer)
  }

  /** What it holds. */
  chunk(): Uint8Array {
    return this.#bytes.subarray(0, this.#end)
  }

  clear(): void {
    this.#end = 0
    this.count = 0
    if (this.#bytes.length > this.#capacity) this.#allocate(this.#capacity)
  }

  /** Leaves the first `count` records out. */
  discard(count: number): void {
    let at = 0
    for (let i = 0; i < count; i++) at += this.#length(at)
    this.#bytes.copyWithin(0, at, this.#end)
    this.#end -= at
    this.count -= count
  }

  /** Bytes of the record that begins at `at`. */
  #length(at: number): number {
    const words = this.#words
    const word = at >> 2
    const what = words[word]
    let len = 16 + words[word + 1] + words[word + 2] + words[word + 3]
    if (what & TIMESTAMP) len += 8
    if (what & PARTITION) len += 4
    if (what & ID) len += 16
    return (len + 3) & ~3
  }

  #allocate(capacity: number): void {
    const before = this.#bytes.subarray(0, this.#end)
    this.#bytes = Buffer.from(new ArrayBuffer(capacity))
    this.#bytes.set(before)
    this.#words = new Uint32Array(this.#bytes.buffer)
  }

  /**
   * Adds a record; false if there is no room for it. An empty packer grows to whatever the record
   * takes.
   * @throws TypeError, RangeError
   */
  add(input: RecordInput, partitions: number): boolean {
    let value: Part | null
    let key: Part | null = null
    let headers: [Part, Part][] | undefined
    let what = 0
    let timestamp = 0n
    let partition = 0
    let id: Uint8Array | undefined
    if (typeof input === 'string' || input instanceof Uint8Array) {
      value = input
      what = VALUE
    } else {
      if (typeof input !== 'object' || input === null) {
        throw badType('a record', 'an object with a value, a string or a Buffer', input)
      }
      const record: RecordObject = input
      const given = record.value
      if (given === null) {
        value = null
      } else {
        if (given === undefined) {
          throw badType('record.value', 'given: a string, bytes, or null for a tombstone', given)
        }
        value = part('record.value', given)
        what |= VALUE
      }
      const givenKey = record.key
      if (givenKey !== undefined && givenKey !== null) {
        key = part('record.key', givenKey)
        what |= KEY
      }
      if (record.headers !== undefined && record.headers !== null) {
        headers = headerParts(record.headers)
      }
      if (record.timestampUs !== undefined || record.timestamp !== undefined) {
        timestamp = time(record)
        what |= TIMESTAMP
      }
      if (record.partition !== undefined) {
        partition = checkPartition(record.partition, partitions)
        what |= PARTITION
      }
      if (record.id !== undefined) {
        id = idBytes(record.id)
        what |= ID
      }
    }

    let most = HEAD + bound(value) + bound(key)
    if (headers) for (const [name, content] of headers) most += 8 + bound(name) + bound(content)
    if (this.#end + most > this.#bytes.length) {
      if (this.count > 0) return false
      this.#allocate((most + 7) & ~7)
    }

    const words = this.#words
    const start = this.#end >> 2
    let at = this.#end + 16
    if (what & TIMESTAMP) {
      words[at >> 2] = Number(timestamp & 0xffff_ffffn)
      words[(at >> 2) + 1] = Number((timestamp >> 32n) & 0xffff_ffffn)
      at += 8
    }
    if (what & PARTITION) {
      words[at >> 2] = partition
      at += 4
    }
    if (id) {
      this.#bytes.set(id, at)
      at += 16
    }
    words[start] = what
    let len = value === null ? 0 : this.#write(value, at)
    words[start + 1] = len
    at += len
    len = key === null ? 0 : this.#write(key, at)
    words[start + 2] = len
    at += len
    if (headers) {
      const begin = at
      for (const [name, content] of headers) {
        const nameLen = this.#write(name, at + 8)
        if (nameLen === 0 || nameLen > MAX_NAME) {
          throw badRange(
            'a header name of record.headers',
            `1 to ${MAX_NAME} bytes long`,
            nameLen,
          )
        }
        const contentLen = this.#write(content, at + 8 + nameLen)
        this.#bytes.writeUInt32LE(nameLen, at)
        this.#bytes.writeUInt32LE(contentLen, at + 4)
        at += 8 + nameLen + contentLen
      }
      words[start + 3] = at - begin
    } else {
      words[start + 3] = 0
    }
    this.#end = (at + 3) & ~3
    this.count++
    return true
  }

  #write(part: Part, at: number): number {
    const bytes = this.#bytes
    if (typeof part !== 'string') {
      bytes.set(part, at)
      return part.length
    }
    const { length } = part
    if (length > SHORT) return bytes.write(part, at)
    for (let i = 0; i < length; i++) {
      const unit = part.charCodeAt(i)
      if (unit > 127) return bytes.write(part, at)
      bytes[at + i] = unit
    }
    return length
  }
}

/** The most bytes that it can take. */
function bound(part: Part | null): number {
  if (part === null) return 0
  return typeof part === 'string' ? part.length * 3 : part.length
}

function part(name: string, given: Bytes): Part {
  if (typeof given === 'string' || given instanceof Uint8Array) return given
  if (ArrayBuffer.isView(given)) {
    const view = given as ArrayBufferView
    return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength)
  }
  if ((given as unknown) instanceof ArrayBuffer || isBuffer(given)) return new Uint8Array(given)
  throw badType(
    name,
    'a string, Buffer, Uint8Array or ArrayBuffer (JSON.stringify and the like make one)',
    given,
  )
}

/** Also one of another realm, or a shared one. */
function isBuffer(given: unknown): given is ArrayBuffer {
  const tag = Object.prototype.toString.call(given)
  return tag === '[object ArrayBuffer]' || tag === '[object SharedArrayBuffer]'
}

function headerParts(given: HeadersInput): [Part, Part][] {
  if (typeof given !== 'object') throw badType('record.headers', 'an object or pairs', given)
  const pairs = (
    Symbol.iterator in given ? [...(given as Iterable<readonly [string, Bytes]>)] : Object.entries(given)
  ) as [string, Bytes][]
  return pairs.map((pair) => {
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw badType('an entry of record.headers', 'a pair of name and value', pair)
    }
    const [name, value] = pair
    if (typeof name !== 'string') throw badType('a header name of record.headers', 'a string', name)
    if (name === '') throw badRange('a header name of record.headers', `1 to ${MAX_NAME} bytes long`, 0)
    return [name, part(`header ${name} of record.headers`, value)]
  })
}

function time(record: RecordObject): bigint {
  const us: unknown = record.timestampUs
  if (us !== undefined) {
    if (typeof us === 'bigint') {
      if (BigInt.asIntN(64, us) === us) return us
      throw badRange('record.timestampUs', 'microseconds that fit 64 bits', us)
    }
    if (typeof us !== 'number') throw badType('record.timestampUs', 'a bigint or number', us)
    if (!Number.isSafeInteger(us)) {
      throw badRange('record.timestampUs', 'a whole number of microseconds', us)
    }
    return BigInt(us)
  }
  const date: unknown = record.timestamp
  if (!(date instanceof Date)) throw badType('record.timestamp', 'a Date', date)
  if (Number.isNaN(date.getTime())) throw badRange('record.timestamp', 'a valid Date', date)
  return BigInt(date.getTime()) * 1000n
}

function checkPartition(partition: unknown, partitions: number): number {
  if (typeof partition !== 'number') throw badType('record.partition', 'a number', partition)
  if (!Number.isInteger(partition) || partition < 0 || partition > 0xffff_ffff) {
    throw badRange('record.partition', `a whole number from 0 to ${partitions - 1}`, partition)
  }
  return partition
}

function idBytes(id: unknown): Uint8Array {
  if (typeof id === 'string') {
    if (!UUID.test(id)) throw badRange('record.id', 'a UUID or 16 bytes', id)
    return Buffer.from(id.replaceAll('-', ''), 'hex')
  }
  if (!(id instanceof Uint8Array)) throw badType('record.id', 'a UUID or 16 bytes', id)
  if (id.length !== 16) throw badRange('record.id', '16 bytes long', id.length)
  return id
}

