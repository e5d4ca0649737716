/** What the server answered for a record. */

const ACKS = ['none', 'written', 'synced'] as const

/** A number of two words: low and high. */
export function wide(low: number, high: number): bigint {
  return high === 0
    ? BigInt(low)
    : high < 0x20_0000
      ? BigInt(high * 0x1_0000_0000 + low)
      : (BigInt(high) << 32n) | BigInt(low)
}

/** The acknowledgement of a record. */
export class Receipt {
  /** The record's partition. */
  readonly partition: number
  /** Its offset there. */
  readonly offset: bigint
  /**
   * When it was appended, in microseconds since the Unix epoch; 0n for a duplicate by its id, of
   * which a server tells no time.
   */
  readonly appendTimeUs: bigint
  /** The promise that holds, at least the one asked for. */
  readonly acks: 'none' | 'written' | 'synced'
  /**
   * It was there already, or another record of its id was, within the topic's `dedupWindowMs`;
   * the offset is that one's.
   */
  readonly duplicate: boolean

  /** @internal */
  constructor(partition: number, offset: bigint, time: bigint, acks: number, duplicate: boolean) {
    this.partition = partition
    this.offset = offset
    this.appendTimeUs = time
    this.acks = ACKS[acks] ?? 'synced'
    this.duplicate = duplicate
  }
}

/** The outcome of a run of records that lie behind each other. */
export class Outcome {
  readonly first: number
  readonly count: number
  readonly failure: import('./native.js').Failure | undefined
  readonly #partition: number
  readonly #low: number
  readonly #high: number
  readonly #time: bigint
  readonly #acks: number
  readonly #duplicate: boolean

  constructor(
    first: number,
    count: number,
    failure: import('./native.js').Failure | undefined,
    words: Uint32Array | undefined,
    at: number,
    skip: number,
  ) {
    this.first = first
    this.count = count
    this.failure = failure
    this.#partition = words ? words[at + 4] : 0
    const low = words && !failure ? words[at + 5] + skip : 0
    this.#low = low >>> 0
    this.#high = words && !failure ? words[at + 6] + (low > 0xffff_ffff ? 1 : 0) : 0
    this.#time = words && !failure ? wide(words[at + 7], words[at + 8]) : 0n
    this.#acks = words ? words[at + 9] : 0
    this.#duplicate = words !== undefined && words[at + 10] !== 0
  }

  receipt(number: number): Receipt {
    const low = this.#low + (number - this.first)
    const offset =
      low > 0xffff_ffff ? wide(low >>> 0, this.#high + 1) : wide(low, this.#high)
    return new Receipt(this.#partition, offset, this.#time, this.#acks, this.#duplicate)
  }
}
