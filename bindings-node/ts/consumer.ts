/** Consuming: batches or records, as they arrive. */

import type { Readable } from 'node:stream'

import { Batch } from './batch.js'
import { caller, errorOf } from './errors.js'
import { hub } from './hub.js'
import { badType, checkOffset, checkOptions, checkSignal, checkString, checkU32 } from './invalid.js'
import { abortable } from './ledger.js'
import { isFailure, type Failure, type NativeConsumer } from './native.js'
import type { ConsumerOptionTable } from './options.js'
import type { SignalOptions } from './producer.js'
import { Record } from './record.js'
import { startText, type Start } from './start.js'
import { consumerReadable, type ConsumerReadableOptions } from './streams.js'

/** Options of a consumer. */
export interface ConsumerOptions extends ConsumerOptionTable {
  /**
   * Reads as a member of this group: its members divide the partitions, and offsets are stored on
   * the server.
   */
  group?: string | undefined
  /**
   * Stores offsets on the server under this name, alone: no group divides the partitions, and the
   * consumer of that name goes on where the last one was. Not with a group.
   */
  name?: string | undefined
  /**
   * When a consumer with a group or a name stores offsets by itself: `'off'` never, the application calls
   * `commit`; `'interval'` every `autoCommitIntervalMs`, and when a partition is given up or the
   * consumer closes, up to the batch before the one that was returned last (at least once);
   * `'before'` before a batch is returned (at most once). Default `'off'`. The unit is a batch: if
   * a loop over records is left in the middle of one and the consumer closed, all of that batch
   * counts as done. Commit by hand where that matters.
   */
  autoCommit?: 'off' | 'interval' | 'after' | 'before' | undefined
  /** Which partitions; all of them if not set. Not with a group, which decides itself. */
  partitions?: readonly number[] | undefined
  /** Where to begin in some of the partitions, in place of `start`. Not with a group. */
  startAt?: ReadonlyMap<number, bigint> | Readonly<globalThis.Record<number, bigint>> | undefined
}

/** Where a consumer stands in one partition. */
export interface Position {
  partition: number
  /** Offset of the record that the consumer returns next. */
  nextOffset: bigint
  /** Offset after the partition's last record, as far as it is known. */
  endOffset: bigint
}

/** A partition of a topic. */
export interface TopicPartition {
  /** The topic, `stream/topic`. */
  topic: string
  partition: number
}

/** What a consumer did so far, and what it holds. */
export interface ConsumerStats {
  /** Partitions that it reads. */
  partitions: number
  /** Those that are subscribed on the current connection. */
  livePartitions: number
  /** Bytes of batches that were delivered and not yet taken. */
  bufferedBytes: number
  /** Batches taken. */
  batches: number
  /** Their bytes, as they travelled. */
  bytes: number
  /** How often a partition was subscribed again. */
  resubscriptions: number
  /** Offsets that were left out because their records were deleted before they were read. */
  skippedOffsets: number
  /** Offsets that were stored, by hand or by itself. */
  storedOffsets: number
}

/** How long to wait. */
export interface WaitOptions extends SignalOptions {
  /** Milliseconds after which the answer is null; if not set it waits for ever. */
  timeoutMs?: number | undefined
}

/**
 * Receives a topic's records: whole batches, partition by partition in turn.
 *
 * What is delivered ahead is bounded by `prefetchBytes`; the server sends on as batches are taken.
 * When the connection is lost the consumer waits for the next one and goes on at the very record
 * that is due.
 */
export class Consumer implements AsyncIterable<Record> {
  /** The topics, `stream/topic`. */
  readonly topics: readonly string[]
  /** The group, if it is a member of one. */
  readonly group: string | undefined
  readonly #native: NativeConsumer
  readonly #id: number
  readonly #closed: () => void
  readonly #names: string[] = []
  /** Records of it were returned one by one, up to `#index`. */
  #current: Batch | undefined
  #index = 0
  /** Nothing more will come. */
  #over = false
  #waiting: (() => void)[] = []
  #leaving: Promise<void> | undefined

  /** @internal */
  constructor(
    native: NativeConsumer,
    id: number,
    topics: readonly string[],
    group: string | undefined,
    closed: () => void,
  ) {
    this.#native = native
    this.#id = id
    this.topics = topics
    this.group = group
    this.#closed = closed
    hub().listen(id, () => this.#wake())
  }

  /** Whether nothing will come any more. */
  get closed(): boolean {
    return this.#over
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const call of waiting) call()
  }

  /** Waits until there is something to look at; false once the time is up. */
  #arrival(signal: AbortSignal | undefined, until: number): Promise<boolean> {
    const shared = hub()
    shared.hold()
    let timer: NodeJS.Timeout | undefined
    let wake!: () => void
    const arrived = new Promise<boolean>((resolve) => {
      wake = () => resolve(true)
      this.#waiting.push(wake)
      if (until !== Infinity) {
        timer = setTimeout(() => resolve(false), Math.max(0, until - performance.now()))
      }
    })
    const leave = () => {
      this.#waiting = this.#waiting.filter((one) => one !== wake)
    }
    return abortable(arrived, signal, leave).finally(() => {
      clearTimeout(timer)
      leave()
      shared.release()
    })
  }

  /**
   * Waits for the next batch; null once the consumer or its client was closed, or when
   * `timeoutMs` is over. Of a batch of which records were returned one by one, it is the rest.
   * @throws {@link TidewireError} when a partition has ended, such as `E_TOPIC_NOT_FOUND`, or
   * `E_OFFSET_OUT_OF_RANGE` when retention has overtaken the consumer; that partition gives
   * nothing more unless {@link seek} moves it, the others go on
   */
  async nextBatch(options?: WaitOptions): Promise<Batch | null> {
    const { signal, until } = waiting(options)
    return this.#nextBatch(signal, until)
  }

  async #nextBatch(signal: AbortSignal | undefined, until: number): Promise<Batch | null> {
    signal?.throwIfAborted()
    const current = this.#current
    if (current) {
      this.#current = undefined
      if (this.#index < current._end) return current._from(this.#index)
    }
    // Batches that are there already would else be taken without the event loop ever turning.
    await hub().breathe()
    signal?.throwIfAborted()
    for (;;) {
      if (this.#over) return null
      const next = this.#native.next()
      if (next instanceof ArrayBuffer) return this.#batch(next)
      if (next === null) {
        if (until <= performance.now()) return null
        if (!(await this.#arrival(signal, until))) return null
      } else if (isFailure(next)) {
        throw errorOf(next)
      } else {
        this.#over = true
        this.#wake()
      }
    }
  }

  #batch(memory: ArrayBuffer): Batch {
    const number = new Uint32Array(memory, 0, 1)[0]
    const topic = (this.#names[number] ??= this.#native.topic(number) ?? '')
    return new Batch(memory, topic)
  }

  /**
   * Waits for the next record; null as {@link nextBatch}. Batches are faster; this is for
   * programs that treat records one by one.
   */
  async nextRecord(options?: WaitOptions): Promise<Record | null> {
    const { signal, until } = waiting(options)
    return this.#nextRecord(signal, until)
  }

  async #nextRecord(signal: AbortSignal | undefined, until: number): Promise<Record | null> {
    signal?.throwIfAborted()
    for (;;) {
      const current = this.#current
      if (current) {
        if (this.#index < current._end) return new Record(current, this.#index++)
        this.#current = undefined
      }
      const batch = await this.#nextBatch(signal, until)
      if (!batch) return null
      this.#current = batch
      this.#index = batch._first
    }
  }

  /**
   * The batches, for `for await`. The loop ends when the consumer is closed; an aborted signal
   * ends it with the signal's reason. Leaving it does not close the consumer: another loop goes
   * on where it stopped.
   */
  batches(options?: SignalOptions): AsyncIterableIterator<Batch> {
    const { signal } = waiting(options)
    return iterator(() => this.#nextBatch(signal, Infinity))
  }

  /** The records, for `for await`; see {@link batches}. */
  records(options?: SignalOptions): AsyncIterableIterator<Record> {
    const { signal } = waiting(options)
    return iterator(() => {
      const current = this.#current
      // Most records are there: no call of an async function for them.
      if (current && this.#index < current._end && !signal?.aborted) {
        return new Record(current, this.#index++)
      }
      return this.#nextRecord(signal, Infinity)
    })
  }

  /** The records, for `for await`. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Record> {
    return this.records()
  }

  /** A stream of records, with backpressure: it takes a batch when the last one was read. */
  readable(options?: ConsumerReadableOptions): Readable {
    return consumerReadable(this, options)
  }

  /**
   * Stores how far the records reach that were returned, and waits until it is on the server's
   * disk; or that a batch or record was done, and all before it in its partition.
   * @throws ConsumeError `E_NOT_ASSIGNED` if a partition was given to another member meanwhile:
   * what was done since the last commit will be done again there
   */
  async commit(done?: Batch | Record | SignalOptions, options?: SignalOptions): Promise<void> {
    if (done instanceof Batch) {
      return this.commitOffset(done.topic, done.partition, done.nextOffset, options)
    }
    if (done instanceof Record) {
      return this.commitOffset(done.topic, done.partition, done.offset + 1n, options)
    }
    const signal = checkSignal(checkOptions('options', done ?? options)['signal'])
    const at = caller(this.commit)
    const current = this.#current
    if (current && this.#index < current._end) {
      // Not the rest of the batch that is being read.
      const { topic, partition } = current
      const offset = current._offset(this.#index)
      return hub().call(
        (number) => this.#native.commitUntil(number, topic, partition, offset),
        signal,
        at,
      )
    }
    return hub().call((number) => this.#native.commit(number), signal, at)
  }

  /** Stores the offset of the next record to read in a partition of a topic. */
  async commitOffset(
    topic: string,
    partition: number,
    offset: bigint,
    options?: SignalOptions,
  ): Promise<void> {
    checkString('topic', topic)
    checkU32('partition', partition)
    checkOffset('offset', offset)
    const signal = checkSignal(checkOptions('options', options)['signal'])
    return hub().call(
      (number) => this.#native.commitOffset(number, topic, partition, offset),
      signal,
      caller(this.commitOffset),
    )
  }

  /**
   * Goes on reading a partition at another place. What was delivered of it and not yet returned is
   * dropped. A partition that has ended with an error begins anew. Whether the offset exists is
   * found out by the next read.
   * @throws NotFoundError `E_PARTITION_NOT_FOUND` if the consumer does not read it
   */
  seek(partition: number, to: Start): void {
    checkU32('partition', partition)
    const text = startText('to', to)
    if (this.#current?.partition === partition) this.#current = undefined
    this.#alone(this.#native.seek(partition, text), 'seek')
  }

  /**
   * Returns nothing of a partition until it is resumed; others go on. A batch of which records were
   * returned already is finished first.
   */
  pause(partition: number): void {
    this.#alone(this.#native.pause(checkU32('partition', partition)), 'pause')
  }

  /** Ends a {@link pause}. */
  resume(partition: number): void {
    this.#alone(this.#native.resume(checkU32('partition', partition)), 'resume')
  }

  /** Reads a further partition; one that is read already goes on as it does. */
  addPartition(partition: number, start: Start): void {
    checkU32('partition', partition)
    this.#alone(this.#native.addPartition(partition, startText('start', start)), 'addPartition')
  }

  /** Stops reading a partition; whether it was read. */
  removePartition(partition: number): boolean {
    checkU32('partition', partition)
    if (this.#current?.partition === partition) this.#current = undefined
    return this.#alone(this.#native.removePartition(partition), 'removePartition') === true
  }

  #alone(answer: Failure | boolean | null, name: string): boolean {
    if (isFailure(answer)) throw errorOf(answer)
    // Where every partition had ended with an error there may be records again.
    if (!this.#leaving) this.#over = this.#native.isClosed()
    if (answer === null) {
      const text = `${name}: the group decides which partitions its members read, and from where`
      throw Object.assign(new TypeError(text), { code: 'E_INVALID_ARGUMENT' })
    }
    return answer
  }

  /** Where the consumer stands, by partition. Of a member of a group: what it is assigned. */
  positions(): Position[] {
    const positions = this.#native.positions() ?? []
    const current = this.#current
    if (current && this.#index < current._end) {
      for (const position of positions) {
        if (position.partition === current.partition) {
          position.nextOffset = current._offset(this.#index)
        }
      }
    }
    return positions
  }

  /** Records known to follow what was returned, over all partitions. */
  lag(): bigint {
    const current = this.#current
    const rest = current ? BigInt(current._end - this.#index) : 0n
    return this.#native.lag() + rest
  }

  /** Of a member of a group: the partitions that it reads at the moment. */
  assignment(): TopicPartition[] {
    return this.#native.assignment() ?? []
  }

  /** What it did so far, and what it holds. */
  stats(): ConsumerStats {
    return this.#native.stats() as ConsumerStats
  }

  /**
   * Ends it: loops over it end, and reads that wait give null. It unsubscribes; a member of a group
   * stores what it is to store, and leaves. The promise waits until the server has answered, for no
   * longer than `requestTimeoutMs`.
   */
  close(): Promise<void> {
    return (this.#leaving ??= this.#leave())
  }

  async #leave(): Promise<void> {
    this.#over = true
    this.#current = undefined
    const shared = hub()
    const answered = shared.call((number) => this.#native.close(number), undefined, caller(this.close))
    this.#wake()
    shared.forget(this.#id)
    this.#closed()
    await answered
  }

  /** Closes it: see {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

function waiting(options: WaitOptions | undefined): {
  signal: AbortSignal | undefined
  until: number
} {
  if (options === undefined) return { signal: undefined, until: Infinity }
  const { signal, timeoutMs } = checkOptions('options', options)
  let until = Infinity
  if (timeoutMs !== undefined && timeoutMs !== Infinity) {
    if (typeof timeoutMs !== 'number' || Number.isNaN(timeoutMs)) {
      throw badType('options.timeoutMs', 'a number of milliseconds', timeoutMs)
    }
    until = performance.now() + timeoutMs
  }
  return { signal: checkSignal(signal), until }
}

/** An iterator that is over once `next` gives null. */
function iterator<T extends object>(
  next: () => T | Promise<T | null>,
): AsyncIterableIterator<T> {
  let over = false
  const finished: IteratorResult<T> = { done: true, value: undefined }
  return {
    async next() {
      if (over) return finished
      try {
        const value = await next()
        if (value !== null) return { done: false, value }
        over = true
        return finished
      } catch (error) {
        // A partition that has ended is told; another loop may go on with the others.
        over = true
        throw error
      }
    },
    async return() {
      over = true
      return finished
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
