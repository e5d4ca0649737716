/**
 * Which records of a producer wait for their outcome, and what became of those that somebody
 * still asks about.
 *
 * Records have numbers here, from 0 in the order in which they were taken; the core numbers only
 * those that it took, too. The one invariant: a record is settled once.
 */

import { Code } from './constants.js'
import { errorOf } from './errors.js'
import { hub } from './hub.js'
import type { Failure } from './native.js'
import { Outcome, type Receipt } from './receipt.js'

/** Records that were handed over together, and their outcomes. */
export class Run {
  readonly first: number
  count = 0
  /** Those without an outcome. */
  left = 0
  /** More may be added. */
  open = true
  readonly outcomes: Outcome[] = []
  /** Called once all of them have an outcome. */
  done: (() => void)[] | undefined

  constructor(first: number) {
    this.first = first
  }

  get settled(): boolean {
    return !this.open && this.left === 0
  }

  find(number: number): Outcome | undefined {
    return this.outcomes.find((o) => number >= o.first && number < o.first + o.count)
  }
}

interface Waiter {
  resolve(receipt: Receipt): void
  reject(failure: Failure): void
}

export class Ledger {
  /** Runs with records that have no outcome, in order. */
  readonly #runs: Run[] = []
  readonly #waiters = new Map<number, Waiter>()
  /** From which number of the core's on numbers here are how much higher. */
  readonly #shifts: { from: number; by: number }[] = [{ from: 0, by: 0 }]
  #next = 0
  #failure: Failure | undefined
  /** Called with failures that nobody waits for. */
  readonly watchers = new Set<(failure: Failure) => void>()

  /** The number that the next record gets. */
  get next(): number {
    return this.#next
  }

  /** A run for records to come. */
  begin(): Run {
    return new Run(this.#next)
  }

  /** Counts a record into the run; its number. */
  add(run: Run): number {
    if (run.count++ === 0) {
      this.#runs.push(run)
      hub().hold()
    }
    run.left++
    return this.#next++
  }

  /** No more records come to a run. */
  end(run: Run): void {
    run.open = false
    this.#tidy(run)
  }

  /** The record with this number was refused by the core: it has no number there. */
  refused(number: number, failure: Failure): void {
    const last = this.#shifts[this.#shifts.length - 1]
    const from = number - last.by
    if (last.from === from) last.by++
    else this.#shifts.push({ from, by: last.by + 1 })
    this.#settle(number, 1, failure, undefined, 0, 0)
  }

  /** Every record from `number` on fails, and none of them is known to the core. */
  abandon(number: number, failure: Failure): void {
    const count = this.#next - number
    if (count > 0) this.#settle(number, count, failure, undefined, 0, 0)
  }

  /** An outcome from the core. */
  settle(words: Uint32Array, at: number, failure: Failure | undefined): void {
    const first = words[at + 1] + words[at + 2] * 0x1_0000_0000
    const count = words[at + 3]
    let done = 0
    for (let i = this.#shifts.length - 1; done < count; i--) {
      // The last that holds for the end of what is left.
      const { from, by } = this.#shifts[i]
      const end = first + count - done
      if (from >= end) continue
      const begin = Math.max(from, first)
      this.#settle(begin + by, end - begin, failure, words, at, begin - first)
      done += end - begin
    }
  }

  #settle(
    first: number,
    count: number,
    failure: Failure | undefined,
    words: Uint32Array | undefined,
    at: number,
    skip: number,
  ): void {
    let told = 0
    let from = first
    const end = first + count
    for (let i = this.#find(first); from < end && i < this.#runs.length; ) {
      const run = this.#runs[i]
      const to = Math.min(end, run.first + run.count)
      const outcome = new Outcome(from, to - from, failure, words, at, skip + (from - first))
      run.outcomes.push(outcome)
      run.left -= to - from
      if (this.#waiters.size > 0) told += this.#tell(outcome)
      from = to
      if (run.settled) this.#tidy(run)
      else i++
    }
    // What `queueFull: 'drop'` dropped is as the application wanted it, and counted elsewhere.
    if (failure && told < count && failure.number !== Code.QUEUE_FULL) {
      this.#failure ??= failure
      for (const watcher of this.watchers) watcher(failure)
    }
  }

  #tell(outcome: Outcome): number {
    let told = 0
    const end = outcome.first + outcome.count
    for (let number = outcome.first; number < end; number++) {
      const waiter = this.#waiters.get(number)
      if (!waiter) continue
      this.#waiters.delete(number)
      told++
      if (outcome.failure) waiter.reject(outcome.failure)
      else waiter.resolve(outcome.receipt(number))
    }
    return told
  }

  /** Index of the run with this number, or of the first after it. */
  #find(number: number): number {
    let low = 0
    let high = this.#runs.length
    while (low < high) {
      const middle = (low + high) >> 1
      const run = this.#runs[middle]
      if (run.first + run.count <= number) low = middle + 1
      else high = middle
    }
    return low
  }

  #tidy(run: Run): void {
    if (!run.settled || run.count === 0) return
    const index = this.#find(run.first)
    if (this.#runs[index] !== run) return
    this.#runs.splice(index, 1)
    hub().release()
    const done = run.done
    run.done = undefined
    done?.forEach((call) => call())
  }

  /** Waits for the outcome of a record that has none yet. Rejects with a Failure. */
  wait(number: number): Promise<Receipt> {
    return new Promise((resolve, reject) => this.#waiters.set(number, { resolve, reject }))
  }

  /** Nobody waits any more. */
  leave(number: number): void {
    this.#waiters.delete(number)
  }

  /** Waits until all records of a run have an outcome. */
  settled(run: Run): Promise<void> {
    if (run.count === 0 || run.settled) return Promise.resolve()
    return new Promise((resolve) => (run.done ??= []).push(resolve))
  }

  /** The first failure that nobody was told of, if any; it is told by this. */
  takeFailure(): Failure | undefined {
    const failure = this.#failure
    this.#failure = undefined
    return failure
  }

  /** Somebody was told of a failure. */
  told(failure: Failure): void {
    if (this.#failure === failure) this.#failure = undefined
  }
}

/** The outcome of an enqueued record, to come. Dropping it changes nothing for the record. */
export class Ticket {
  readonly #ledger: Ledger
  readonly #run: Run
  /** Counts the producer's records, from 0. */
  readonly number: number

  /** @internal */
  constructor(ledger: Ledger, run: Run, number: number) {
    this.#ledger = ledger
    this.#run = run
    this.number = number
  }

  /** Whether there is an outcome yet. */
  get settled(): boolean {
    return this.#run.find(this.number) !== undefined
  }

  /**
   * Waits for the outcome; aborting the signal ends the waiting, not the record.
   * @throws the record's {@link TidewireError}
   */
  async receipt(options?: { signal?: AbortSignal }): Promise<Receipt> {
    options?.signal?.throwIfAborted()
    const outcome = this.#run.find(this.number)
    if (outcome) {
      if (!outcome.failure) return outcome.receipt(this.number)
      this.#ledger.told(outcome.failure)
      throw errorOf(outcome.failure)
    }
    try {
      return await abortable(this.#ledger.wait(this.number), options?.signal, () =>
        this.#ledger.leave(this.number),
      )
    } catch (failure) {
      throw thrown(failure)
    }
  }
}

/** A failure as an exception; anything else as it is. */
export function thrown(failure: unknown): unknown {
  return (failure as Failure | undefined)?.failed === true ? errorOf(failure as Failure) : failure
}

/** Ends the waiting for a promise when the signal is aborted. */
export function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  leave: () => void,
): Promise<T> {
  if (!signal) return promise
  return new Promise<T>((resolve, reject) => {
    const abort = () => {
      leave()
      reject(signal.reason)
    }
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
