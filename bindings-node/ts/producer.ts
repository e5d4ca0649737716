/** Producing: records in, receipts back. */

import { Code } from './constants.js'
import { caller, errorOf, failureOf, TidewireError, type Unsent } from './errors.js'
import { hub } from './hub.js'
import type { RecordInput } from './input.js'
import { badType, checkOptions, checkSignal, checkU32 } from './invalid.js'
import { abortable, Ledger, Ticket, thrown, type Run } from './ledger.js'
import type { Failure, NativeProducer } from './native.js'
import type { ProducerOptionTable } from './options.js'
import { Packer } from './packer.js'
import type { Receipt } from './receipt.js'
import { producerWritable, type ProducerWritableOptions } from './streams.js'
import type { Writable } from 'node:stream'

/** Options of a producer. */
export interface ProducerOptions extends ProducerOptionTable {
  /**
   * A name within the topic, 1 to 255 bytes without `/`, for the program's task and not its
   * process: who opens the name again takes the place of whoever has it, and the other one's
   * records are refused with `E_PRODUCER_FENCED` from then on.
   */
  name?: string | undefined
}

/** Something that waits may be told to stop. */
export interface SignalOptions {
  /** Ends the waiting: the promise is then rejected with the signal's reason, an `AbortError`. */
  signal?: AbortSignal | undefined
}

/** What a producer did so far, and what waits. */
export interface ProducerStats {
  /** Records without an outcome. */
  queuedRecords: number
  /** Their bytes, as they count against `queueBytes`. */
  queuedBytes: number
  /** Batches on the wire that are not answered. */
  inFlightBatches: number
  /** Batches sent, each time counted. */
  sentBatches: number
  /** Their bytes. */
  sentBytes: number
  /** Of them, those that had been sent before. */
  retriedBatches: number
  /** Batches that an earlier sending had appended already. */
  duplicateBatches: number
  /** Records acknowledged. */
  acknowledgedRecords: number
  /** Records that were certainly not appended. */
  failedRecords: number
  /** Records whose outcome is unknown. */
  unknownRecords: number
  /** Records dropped because the queue was full, with `queueFull: 'drop'`. */
  droppedRecords: number
}

/** Bytes of records that are handed to the core at once. */
const CHUNK_BYTES = 64 << 10
/** Refusals that say nothing of the records that follow. */
const OF_ONE_RECORD: ReadonlySet<number> = new Set([
  Code.RECORD_TOO_LARGE,
  Code.PARTITION_NOT_FOUND,
  Code.INVALID_ARGUMENT,
])

const NOTHING = new Uint8Array(0)

const isFull = (failure: Failure) => failure.number === Code.QUEUE_FULL

/**
 * Sends records to a topic.
 *
 * What can be tried again is tried again for `deliveryTimeoutMs`, on as many connections as it
 * takes, without ever storing a record twice. A record's outcome is a {@link Receipt}; an error
 * with `outcomeUnknown` (it may be there, once, or not); or another error (it is certainly not
 * there).
 */
export class Producer {
  /** The topic, `stream/topic`. */
  readonly topic: string
  /** How many partitions it has. */
  readonly partitions: number
  readonly #native: NativeProducer
  readonly #id: number
  readonly #ledger = new Ledger()
  readonly #packer = new Packer(CHUNK_BYTES)
  readonly #waits: boolean
  readonly #closed: () => void
  /** The run of records that are packed. */
  #run: Run
  /** That of the record taken last. */
  #taken: Run
  #expedite = false
  #scheduled = false
  /** The core's queue has no room for what is packed. */
  #full: Failure | undefined
  #room: Promise<void> | undefined
  /** Why it takes no more records. */
  #ended: Failure | undefined
  #closing: Promise<void> | undefined

  /** @internal */
  constructor(
    native: NativeProducer,
    id: number,
    topic: string,
    waits: boolean,
    closed: () => void,
  ) {
    this.#native = native
    this.#id = id
    this.topic = topic
    this.partitions = native.partitions()
    this.#waits = waits
    this.#closed = closed
    this.#run = this.#taken = this.#ledger.begin()
    hub().settle(id, (words, at, failure) => this.#ledger.settle(words, at, failure))
  }

  /**
   * Puts a record into the queue, without waiting. It is sent when its batch is full, after
   * `lingerMs`, or with the next `send` or `flush`.
   *
   * A record with a partition goes there, else one with a key to the key's partition; the others
   * stay together on one partition until its batch is sent, then move on to the next.
   *
   * The ticket tells the outcome to whoever asks; what nobody asked about, `flush` and `close`
   * tell.
   * @throws BusyError `E_QUEUE_FULL`: wait for {@link ready}; TypeError, RangeError; AppendError
   * `E_RECORD_TOO_LARGE`; ClosedError, or why the producer has ended
   */
  enqueue(record: RecordInput): Ticket {
    const number = this.#take(record)
    if (number < 0) throw errorOf(this.#full ?? failureOf('QUEUE_FULL', 'the queue is full'))
    this.#schedule()
    return new Ticket(this.#ledger, this.#taken, number)
  }

  /**
   * Sends a record and waits for its acknowledgement, without lingering. What is sent in the same
   * turn of the event loop travels together. Waits first if the queue is full, unless `queueFull`
   * says otherwise.
   *
   * Aborting the signal while it waits for room sends nothing; later, the record is sent all the
   * same.
   * @throws the record's {@link TidewireError}; TypeError, RangeError
   */
  async send(record: RecordInput, options?: SignalOptions): Promise<Receipt> {
    const signal = options === undefined ? undefined : checkSignal(options?.signal)
    signal?.throwIfAborted()
    let number = this.#take(record)
    while (number < 0) {
      if (!this.#waits) throw errorOf(this.#full as Failure)
      await this.ready(options)
      number = this.#take(record)
    }
    this.#expedite = true
    this.#schedule()
    const waiting = this.#ledger.wait(number)
    try {
      // Awaited here, so that the exception is made here: its stack then leads to the caller.
      if (!signal) return await waiting
      return await abortable(waiting, signal, () => this.#ledger.leave(number))
    } catch (failure) {
      throw thrown(failure)
    }
  }

  /**
   * Sends records, as many as there are, and waits for all of them: receipts in order. Waits
   * where the queue is full.
   *
   * Aborting the signal ends the waiting; records that were taken by then are sent all the same.
   * @throws the first record's error, with the `outcomes` of all; TypeError and RangeError for a
   * record that cannot be sent, when those before it may be on their way
   */
  async sendBatch(
    records: Iterable<RecordInput> | AsyncIterable<RecordInput>,
    options?: SignalOptions,
  ): Promise<Receipt[]> {
    const signal = checkSignal(checkOptions('options', options)['signal'])
    signal?.throwIfAborted()
    if (typeof records !== 'object' || records === null) {
      throw badType('records', 'an array or another iterable of records', records)
    }
    const runs = new Set<Run>()
    const numbers: number[] = []
    const where: Run[] = []
    const take = async (record: RecordInput) => {
      let number = this.#take(record)
      while (number < 0) {
        if (!this.#waits) throw errorOf(this.#full as Failure)
        await this.ready(options)
        number = this.#take(record)
      }
      numbers.push(number)
      where.push(this.#taken)
      runs.add(this.#taken)
      this.#schedule()
    }
    if (Symbol.iterator in records) {
      for (const record of records) {
        const number = this.#take(record)
        if (number < 0) await take(record)
        else {
          numbers.push(number)
          where.push(this.#taken)
          runs.add(this.#taken)
          this.#schedule()
        }
      }
    } else if (Symbol.asyncIterator in records) {
      for await (const record of records) await take(record)
    } else {
      throw badType('records', 'an array or another iterable of records', records)
    }
    this.#expedite = true
    this.#push()
    for (const run of runs) {
      await abortable(this.#ledger.settled(run), signal, () => {})
    }
    let failed: Failure | undefined
    const outcomes = numbers.map((number, i) => {
      const outcome = where[i].find(number)
      const failure = outcome?.failure
      if (failure) {
        this.#ledger.told(failure)
        failed ??= failure
        return errorOf(failure)
      }
      return outcome?.receipt(number) as Receipt
    })
    if (failed) {
      const error = errorOf(failed)
      Object.defineProperty(error, 'outcomes', { value: outcomes })
      throw error
    }
    return outcomes as Receipt[]
  }

  /**
   * Waits until the queue has room for a record.
   * @throws ClosedError, or why the producer has ended
   */
  async ready(options?: SignalOptions): Promise<void> {
    const signal = checkSignal(checkOptions('options', options)['signal'])
    signal?.throwIfAborted()
    this.#check()
    this.#push()
    if (this.#room) await abortable(this.#room, signal, () => {})
    else {
      await hub().call((number) => this.#native.ready(number), signal, caller(this.ready))
    }
    this.#check()
  }

  /**
   * Sends all that is enqueued and waits until it has its outcome.
   * @throws the first failure since the last flush that nobody was told of
   */
  async flush(options?: SignalOptions): Promise<void> {
    const signal = checkSignal(checkOptions('options', options)['signal'])
    signal?.throwIfAborted()
    const at = caller(this.flush)
    if (this.#closing === undefined) {
      this.#push()
      while (this.#room) await abortable(this.#room, signal, () => {})
      try {
        await hub().call((number) => this.#native.flush(number), signal, at)
      } catch (error) {
        if (!(error instanceof TidewireError)) throw error
        // Of a record: told below unless somebody was told already. Otherwise of the producer.
        if (this.#ended || error.kind === 'closed') throw error
      }
    } else {
      await abortable(this.#closing, signal, () => {})
    }
    const failure = this.#ledger.takeFailure()
    if (failure) throw errorOf(failure, at)
  }

  /**
   * Takes no more records, sends what there is, waits for its outcomes, and closes the producer on
   * the server. Every record has its outcome within `deliveryTimeoutMs`; with `timeoutMs` what is
   * left by then fails.
   * @throws the first failure that nobody was told of, with `unsent` by partition
   */
  close(options?: SignalOptions & { timeoutMs?: number | undefined }): Promise<void> {
    const { signal, timeoutMs } = checkOptions('options', options)
    const aborted = checkSignal(signal)
    const limit = timeoutMs === undefined ? null : checkU32('options.timeoutMs', timeoutMs)
    this.#closing ??= this.#close(limit, caller(this.close))
    return abortable(this.#closing, aborted, () => {})
  }

  async #close(limit: number | null, at: { stack: string }): Promise<void> {
    const until = limit === null ? Infinity : performance.now() + limit
    this.#push()
    const closed = failureOf('CLOSED', `the producer for ${this.topic} is closed`)
    const was = this.#ended
    this.#ended ??= closed
    while (this.#room) {
      const left = until - performance.now()
      if (left <= 0) break
      await within(this.#room, left)
    }
    const left = limit === null ? null : Math.max(0, Math.ceil(until - performance.now()))
    try {
      await hub().call((number) => this.#native.close(number, left), undefined, at)
      // Records that the core never had room for.
      this.#abandon(failureOf('TIMEOUT', `the producer for ${this.topic} was closed before it could send the record`))
    } finally {
      this.#closed()
      this.#forget()
    }
    const failure = this.#ledger.takeFailure()
    if (failure && !was) throw errorOf(failure, at)
  }

  /** Outcomes come no more: the number is free again, once all that were due have come. */
  #forget(): void {
    const run = this.#run
    void this.#ledger.settled(run).then(() => setImmediate(() => hub().forget(this.#id)))
  }

  /** What it did so far, and what waits. */
  stats(): ProducerStats {
    return this.#native.stats() as ProducerStats
  }

  /**
   * A stream of records to send, with backpressure: it takes as much as the queue has room for.
   * It finishes once all of them are acknowledged, and is destroyed with the first error.
   */
  writable(options?: ProducerWritableOptions): Writable {
    return producerWritable(this, this.#ledger.watchers, options)
  }

  /** Closes it: see {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #check(): void {
    if (this.#ended) throw errorOf(this.#ended)
  }

  /** Packs a record; its number, or -1 if there is no room. */
  #take(record: RecordInput): number {
    if (this.#ended) throw errorOf(this.#ended)
    const packer = this.#packer
    if (!packer.add(record, this.partitions)) {
      this.#push()
      if (packer.count > 0 || !packer.add(record, this.partitions)) {
        this.#check()
        return -1
      }
    }
    if (packer.count === 1 && packer.chunk().length > CHUNK_BYTES) return this.#takeLarge()
    this.#taken = this.#run
    return this.#ledger.add(this.#run)
  }

  /** A record that is larger than a chunk is handed over at once, so that a refusal is told. */
  #takeLarge(): number {
    const taken = this.#native.push(this.#packer.chunk(), this.#expedite)
    this.#packer.clear()
    if (taken === 1) {
      const number = this.#ledger.add(this.#run)
      this.#taken = this.#run
      this.#next()
      return number
    }
    const failure = this.#native.failure() as Failure
    if (!isFull(failure)) throw errorOf(failure)
    this.#stuck(failure)
    return -1
  }

  /** The next records belong to another run. */
  #next(): void {
    const run = this.#run
    this.#run = this.#ledger.begin()
    this.#ledger.end(run)
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#push()
    })
  }

  /** Hands over what is packed, as far as there is room. */
  #push(): void {
    const packer = this.#packer
    const expedite = this.#expedite
    this.#expedite = false
    while (packer.count > 0) {
      if (this.#full) {
        this.#expedite ||= expedite
        return
      }
      const number = this.#ledger.next - packer.count
      const taken = this.#native.push(packer.chunk(), expedite)
      if (taken === packer.count) {
        packer.clear()
        break
      }
      const failure = this.#native.failure() as Failure
      packer.discard(taken)
      if (isFull(failure)) {
        this.#expedite ||= expedite
        return this.#stuck(failure)
      }
      if (OF_ONE_RECORD.has(failure.number)) {
        packer.discard(1)
        this.#ledger.refused(number + taken, failure)
        continue
      }
      this.#ended ??= failure
      this.#abandon(failure)
    }
    if (this.#run.count > 0) this.#next()
  }

  #abandon(failure: Failure): void {
    const { count } = this.#packer
    this.#packer.clear()
    if (count > 0) this.#ledger.abandon(this.#ledger.next - count, failure)
    if (this.#run.count > 0) this.#next()
  }

  /** Waits for room in the core's queue, and goes on. */
  #stuck(failure: Failure): void {
    this.#full = failure
    // There is nothing to linger for: room comes only by sending.
    this.#native.push(NOTHING, true)
    const room = hub()
      .call<void>((number) => this.#native.ready(number), undefined)
      .catch(() => {
        // The next push is told why.
      })
      .then(() => {
        this.#full = undefined
        this.#room = undefined
        this.#push()
      })
    this.#room = room
  }
}

function within(promise: Promise<void>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    void promise.then(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

export type { Unsent }
