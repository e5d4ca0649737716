/** One record of a batch. */

import { inspect } from 'node:util'

import type { Batch } from './batch.js'

/**
 * A record that was read: a view of its batch, whose memory it keeps alive. Take what you need
 * (`Buffer.from(record.value)` copies) if you keep records for long.
 */
export class Record {
  readonly #batch: Batch
  readonly #index: number

  /** @internal */
  constructor(batch: Batch, index: number) {
    this.#batch = batch
    this.#index = index
  }

  /** Its topic, `stream/topic`. */
  get topic(): string {
    return this.#batch.topic
  }

  /** Its partition. */
  get partition(): number {
    return this.#batch.partition
  }

  /** Its offset in the partition. */
  get offset(): bigint {
    return this.#batch._offset(this.#index)
  }

  /** Its value; null is a tombstone. The bytes are the batch's: not copied. */
  get value(): Buffer | null {
    return this.#batch._value(this.#index)
  }

  /** Its key; no key (null) is not an empty one. The bytes are the batch's: not copied. */
  get key(): Buffer | null {
    return this.#batch._key(this.#index)
  }

  /** Its headers in the producer's order; names may repeat. */
  get headers(): [name: string, value: Buffer][] {
    return this.#batch._headers(this.#index)
  }

  /** The value of the first header with this name. */
  header(name: string): Buffer | undefined {
    return this.headers.find((header) => header[0] === name)?.[1]
  }

  /** Its producer's time, in microseconds since the Unix epoch. */
  get timestampUs(): bigint {
    return this.#batch._timestampUs(this.#index)
  }

  /** Its producer's time, to the millisecond. */
  get timestamp(): Date {
    return new Date(Number(this.timestampUs / 1000n))
  }

  /** When the server appended it, in microseconds since the Unix epoch. */
  get appendTimeUs(): bigint {
    return this.#batch.appendTimeUs
  }

  /** What the application that produced it knows it by. */
  get id(): Buffer | undefined {
    return this.#batch._id(this.#index)
  }

  /** Its value as text; null for a tombstone. */
  text(): string | null {
    return this.value?.toString() ?? null
  }

  /** Its value, read as JSON; null for a tombstone. */
  json<T = unknown>(): T | null {
    const text = this.text()
    return text === null ? null : (JSON.parse(text) as T)
  }

  #plain() {
    return {
      topic: this.topic,
      partition: this.partition,
      offset: this.offset,
      key: this.key,
      value: this.value,
      headers: this.headers,
      timestamp: this.timestamp,
    }
  }

  /** With bytes as text, and the offset as a string, as JSON has it. */
  toJSON(): object {
    const headers = this.headers.map(([name, value]) => [name, value.toString()])
    return {
      ...this.#plain(),
      offset: this.offset.toString(),
      key: this.key?.toString() ?? null,
      value: this.text(),
      headers,
    }
  }

  /** @internal */
  [inspect.custom](_depth: number, options: object, show: typeof inspect): string {
    return `Record ${show(this.#plain(), options)}`
  }
}
