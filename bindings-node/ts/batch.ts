/**
 * Batches as they are stored, and records as views of them, made when asked for.
 *
 * The one invariant: nothing of a record is copied or decoded before somebody asks for it.
 */

import { wide } from './receipt.js'
import { Record } from './record.js'

/** Bytes of the words before the body: see `foreign/head.rs` of the core. */
const HEAD = 128

/** Columns that a batch may have. */
export const COLUMN = {
  keys: 1,
  headers: 2,
  times: 4,
  ids: 8,
  valueNulls: 16,
  keyNulls: 32,
  offsetDeltas: 64,
} as const

/** A column of bytes, in Arrow's shape: value `i` lies between `ends[i]` and `ends[i + 1]`. */
export interface BinaryColumn {
  /** Where values end, with a leading 0. */
  ends: Int32Array
  /** The bytes of all values. */
  bytes: Uint8Array
  /** Which values there are, one bit each, the lowest first; absent if there are all. */
  validity: Uint8Array | undefined
}

/** A batch by column, over the same memory. Hidden records are part of it. */
export interface Columns {
  /** Records, hidden ones included. */
  length: number
  /** How many at the start are hidden: they lie before what was asked for. */
  hidden: number
  values: BinaryColumn
  /** Absent if no record has a key. */
  keys: BinaryColumn | undefined
  /** The offset of record `i` is this and `offsetDeltas[i]`, or and `i` if those are absent. */
  baseOffset: bigint
  offsetDeltas: Uint32Array | undefined
  /** The time of record `i` is this and `timeDeltas[i]`, in microseconds since the Unix epoch. */
  baseTimeUs: bigint
  timeDeltas: Uint32Array | undefined
}

/** Consecutive records of one partition, over one buffer. */
export class Batch implements Iterable<Record> {
  /** The topic, `stream/topic`. */
  readonly topic: string
  /** The partition. */
  readonly partition: number
  /** @internal */ readonly _memory: ArrayBuffer
  /** @internal */ readonly _words: Uint32Array
  /** @internal */ _first: number
  readonly #count: number
  readonly #columns: number

  /** @internal */
  constructor(memory: ArrayBuffer, topic: string) {
    const words = new Uint32Array(memory, 0, memory.byteLength >> 2)
    this._memory = memory
    this._words = words
    this.topic = topic
    this.partition = words[1]
    this.#count = words[2]
    this.#columns = words[3]
    this._first = words[4]
  }

  /** Number of records; at least one. */
  get length(): number {
    return this.#count - this._first
  }

  /** Offset of its first record. */
  get baseOffset(): bigint {
    return this._offset(this._first)
  }

  /** Offset after its last record: where to go on reading. */
  get nextOffset(): bigint {
    return wide(this._words[24], this._words[25])
  }

  /** Offset after the partition's last record, as known when the batch was delivered. */
  get endOffset(): bigint {
    return wide(this._words[22], this._words[23])
  }

  /** Records of the partition that were known to follow this batch. */
  get lag(): bigint {
    const lag = this.endOffset - this.nextOffset
    return lag > 0n ? lag : 0n
  }

  /** When the server appended it, in microseconds since the Unix epoch. */
  get appendTimeUs(): bigint {
    return signed(this._words[18], this._words[19])
  }

  /** When the server appended it. */
  get appendTime(): Date {
    return new Date(Number(this.appendTimeUs / 1000n))
  }

  /** Bytes of the batch as it travelled. */
  get byteLength(): number {
    return this._words[26]
  }

  /** Record `index`; from the end if negative; undefined if there is none. */
  at(index: number): Record | undefined {
    const place = index < 0 ? this.length + index : index
    if (!(place >= 0 && place < this.length)) return undefined
    return new Record(this, this._first + Math.trunc(place))
  }

  /** The records in order. */
  [Symbol.iterator](): IterableIterator<Record> {
    return new Records(this, this._first, this.#count)
  }

  /** Its columns, for readers of Arrow and the like; nothing is copied. */
  columns(): Columns {
    const words = this._words
    const memory = this._memory
    const length = this.#count
    const has = (column: number) => (this.#columns & column) !== 0
    const bits = (place: number, present: number) =>
      has(present) ? new Uint8Array(memory, HEAD + words[place], (length + 7) >> 3) : undefined
    const deltas = (place: number, present: number) =>
      has(present) ? new Uint32Array(memory, HEAD + words[place], length) : undefined
    const values = words[5]
    return {
      length,
      hidden: this._first,
      values: {
        ends: new Int32Array(memory, HEAD + words[8], length + 1),
        bytes: new Uint8Array(memory, HEAD, values),
        validity: bits(14, COLUMN.valueNulls),
      },
      keys: has(COLUMN.keys)
        ? {
            ends: new Int32Array(memory, HEAD + words[9], length + 1),
            bytes: new Uint8Array(memory, HEAD + values, words[6] - values),
            validity: bits(15, COLUMN.keyNulls),
          }
        : undefined,
      baseOffset: wide(words[16], words[17]),
      offsetDeltas: deltas(13, COLUMN.offsetDeltas),
      baseTimeUs: signed(words[20], words[21]),
      timeDeltas: deltas(11, COLUMN.times),
    }
  }

  /** The rest of it, from record `first` on. @internal */
  _from(first: number): Batch {
    const rest = new Batch(this._memory, this.topic)
    rest._first = first
    return rest
  }

  /** Index after the last record. @internal */
  get _end(): number {
    return this.#count
  }

  /** @internal */
  _offset(index: number): bigint {
    const words = this._words
    const delta =
      (this.#columns & COLUMN.offsetDeltas) === 0 ? index : words[((HEAD + words[13]) >> 2) + index]
    return wide(words[16], words[17]) + BigInt(delta)
  }

  /** @internal */
  _timestampUs(index: number): bigint {
    const words = this._words
    const delta =
      (this.#columns & COLUMN.times) === 0 ? 0 : words[((HEAD + words[11]) >> 2) + index]
    return BigInt.asIntN(64, signed(words[20], words[21]) + BigInt(delta))
  }

  /** @internal */
  _value(index: number): Buffer | null {
    const words = this._words
    if ((this.#columns & COLUMN.valueNulls) !== 0 && !this.#bit(14, index)) return null
    const ends = ((HEAD + words[8]) >> 2) + index
    const from = words[ends]
    return Buffer.from(this._memory, HEAD + from, words[ends + 1] - from)
  }

  /** @internal */
  _key(index: number): Buffer | null {
    const words = this._words
    if ((this.#columns & COLUMN.keys) === 0) return null
    if ((this.#columns & COLUMN.keyNulls) !== 0 && !this.#bit(15, index)) return null
    const ends = ((HEAD + words[9]) >> 2) + index
    const from = words[ends]
    return Buffer.from(this._memory, HEAD + words[5] + from, words[ends + 1] - from)
  }

  /** @internal */
  _headers(index: number): [string, Buffer][] {
    const words = this._words
    if ((this.#columns & COLUMN.headers) === 0) return []
    const ends = ((HEAD + words[10]) >> 2) + index
    const begin = HEAD + words[6]
    let at = begin + words[ends]
    const end = begin + words[ends + 1]
    if (at === end) return []
    const bytes = Buffer.from(this._memory)
    const headers: [string, Buffer][] = []
    while (at < end) {
      const nameLen = bytes.readUInt16LE(at)
      const valueLen = bytes.readUInt32LE(at + 2)
      at += 6
      const name = bytes.toString('utf8', at, at + nameLen)
      at += nameLen
      headers.push([name, bytes.subarray(at, at + valueLen)])
      at += valueLen
    }
    return headers
  }

  /** @internal */
  _id(index: number): Buffer | undefined {
    if ((this.#columns & COLUMN.ids) === 0) return undefined
    const id = Buffer.from(this._memory, HEAD + this._words[12] + 16 * index, 16)
    return id.every((byte) => byte === 0) ? undefined : id
  }

  #bit(place: number, index: number): boolean {
    const at = HEAD + this._words[place] + (index >> 3)
    return ((this._words[at >> 2] >>> ((at & 3) * 8 + (index & 7))) & 1) !== 0
  }
}

/** A time of two words. */
function signed(low: number, high: number): bigint {
  return high < 0x8000_0000 ? wide(low, high) : BigInt.asIntN(64, wide(low, high))
}

class Records implements IterableIterator<Record> {
  readonly #batch: Batch
  readonly #end: number
  #next: number

  constructor(batch: Batch, first: number, end: number) {
    this.#batch = batch
    this.#next = first
    this.#end = end
  }

  next(): IteratorResult<Record> {
    if (this.#next >= this.#end) return { done: true, value: undefined }
    return { done: false, value: new Record(this.#batch, this.#next++) }
  }

  [Symbol.iterator](): this {
    return this
  }
}
