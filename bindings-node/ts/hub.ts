/**
 * Calls of the core and their results, for this thread: the main one, or a Worker.
 *
 * The one invariant: the process stays alive exactly while something is pending (a call, records
 * without an outcome, somebody who waits for a batch), and an idle connection is nothing pending.
 */

import { caller, errorOf, type Caller } from './errors.js'
import { isFailure, native, type Failure } from './native.js'

/** Words of a settled run, and how many runs are read at once. */
const RUN_WORDS = 12
const RUNS = 128

/** The runtime's own: tests replace the global one, and never call what waits by it. */
const later = setImmediate

/** What a glance finds. */
const NOTHING = 0
const SOMETHING = 1

/** Milliseconds of uninterrupted work after which the event loop gets a turn. */
const TURN_MS = 4

type Told = (value: unknown) => void

/** Where a producer's outcomes go: the words of a run, from `at`, and its failure. */
export type Settle = (words: Uint32Array, at: number, failure: Failure | undefined) => void

class Hub {
  readonly native = new native.Hub(() => this.#look())
  readonly #told = new Map<number, Told>()
  readonly #settle = new Map<number, Settle>()
  readonly #words = new Uint32Array(RUN_WORDS * RUNS)
  #number = 0
  #pending = 0
  #turn = performance.now()
  #turning: Promise<void> | undefined

  /** A number that nothing has at the moment. */
  number(): number {
    do {
      this.#number = (this.#number + 1) >>> 0
    } while (this.#told.has(this.#number) || this.#settle.has(this.#number))
    return this.#number
  }

  /** Calls `told` whenever the number is told of. */
  listen(number: number, told: Told): void {
    this.#told.set(number, told)
  }

  forget(number: number): void {
    this.#told.delete(number)
    this.#settle.delete(number)
  }

  /** Gives outcomes to the producer with this number. */
  settle(number: number, settle: Settle): void {
    this.#settle.set(number, settle)
  }

  hold(): void {
    const pending = this.#pending++
    if (pending === 0) {
      if (this.native.hold()) later(this.#glance)
    } else if (pending === 1) {
      this.native.crowd()
    }
  }

  release(): void {
    if (--this.#pending === 0) this.native.release()
  }

  /** Waits for a turn of the event loop if the last one was long ago. */
  breathe(): Promise<void> | undefined {
    if (this.#turning) return this.#turning
    if (performance.now() - this.#turn < TURN_MS) return undefined
    this.#turning = new Promise((resolve) => {
      later(() => {
        this.#turn = performance.now()
        this.#turning = undefined
        resolve()
      })
    })
    return this.#turning
  }

  /**
   * Makes a call of the core, and gives its result. An aborted signal ends the waiting, and the
   * call where it can be ended.
   */
  call<T>(
    start: (number: number) => void,
    signal: AbortSignal | undefined,
    at: Caller = caller(this.call),
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      const number = this.number()
      const abort = () => {
        this.native.cancel(number)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', abort, { once: true })
      this.#told.set(number, (value) => {
        this.#told.delete(number)
        this.release()
        signal?.removeEventListener('abort', abort)
        if (isFailure(value)) reject(errorOf(value, at))
        else resolve(value as T)
      })
      this.hold()
      start(number)
    })
  }

  /** Looks for a moment, instead of sleeping, until there is something or it is not worth it. */
  readonly #glance = (): void => {
    const found = this.native.look()
    if (found === NOTHING) later(this.#glance)
    else if (found === SOMETHING) this.#look()
  }

  /** Outcomes before results: a flush must find what it waited for. */
  #look(): void {
    this.#turn = performance.now()
    const news = this.native.drain()
    const words = this.#words
    let count: number
    do {
      count = this.native.settle(words)
      let failures: Failure[] | undefined
      for (let at = 0; at < count * RUN_WORDS; at += RUN_WORDS) {
        let failure: Failure | undefined
        if (words[at + 9] === 255) {
          failures ??= this.native.failures()
          failure = failures[words[at + 11]]
        }
        this.#settle.get(words[at])?.(words, at, failure)
      }
    } while (count === RUNS)
    if (news === null) return
    for (let i = 0; i < news.length; i += 2) {
      this.#told.get(news[i] as number)?.(news[i + 1])
    }
  }
}

let made: Hub | undefined

/** The hub of this thread. */
export function hub(): Hub {
  return (made ??= new Hub())
}

export type { Hub }
