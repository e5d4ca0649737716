/** Errors of the client and of the server. */

import {
  Disposition,
  errors,
  type CodeName,
  type ErrorCode,
  type ErrorKind,
} from './constants.js'
import type { Failure } from './native.js'

/** What became of records that a closed producer's partition did not have acknowledged. */
export interface Unsent {
  partition: number
  /** Records that were certainly not appended. */
  failedRecords: number
  /** Records that may have been appended. */
  unknownRecords: number
}

/**
 * Something went wrong between this client and a server. Its subclasses are groups by what a
 * caller does about them; `code` says exactly what it is.
 */
export class TidewireError extends Error {
  /** What happened, such as `E_TOPIC_NOT_FOUND`. A number that is not known here is `E_` and the number. */
  readonly code: ErrorCode | `E_${number}`
  /** The stable number of `code`, the same in every language. */
  readonly number: number
  /** Nothing happened, and the same call may succeed later. */
  readonly retriable: boolean
  /** What was asked for may have been done, or not. */
  readonly outcomeUnknown: boolean
  /** A newer instance has taken the place of this one: it should stop. */
  readonly fenced: boolean
  /** All that may be concluded, as bits: see `Disposition`. */
  readonly disposition: number
  /** Of `sendBatch`: the outcome of each record, in order. */
  declare readonly outcomes?: readonly (import('./receipt.js').Receipt | TidewireError)[]
  /** Of a producer's `close`: records without an acknowledgement, by partition. */
  declare readonly unsent?: readonly Unsent[]

  /** @internal */
  constructor(failure: Failure) {
    super(failure.message)
    const info = errors[failure.number]
    const name: CodeName | number = info?.name ?? failure.number
    this.code = `E_${name}` as ErrorCode
    this.number = failure.number
    this.disposition = failure.disposition
    this.retriable = (failure.disposition & Disposition.RETRIABLE) !== 0
    this.outcomeUnknown = (failure.disposition & Disposition.OUTCOME_UNKNOWN) !== 0
    this.fenced = (failure.disposition & Disposition.FENCED) !== 0
    if (failure.unsent) Object.defineProperty(this, 'unsent', { value: failure.unsent, enumerable: true })
  }

  /** The group that it belongs to, such as `not_found`. */
  get kind(): ErrorKind | undefined {
    return errors[this.number]?.kind
  }
}
Object.defineProperty(TidewireError.prototype, 'name', { value: 'TidewireError', writable: true, configurable: true })

/** The peers misunderstand each other. */
export class ProtocolError extends TidewireError {}
/** Credentials or permission. */
export class AuthError extends TidewireError {}
/** The request can never succeed as it is. */
export class InvalidError extends TidewireError {}
/** Something named does not exist. */
export class NotFoundError extends TidewireError {}
/** Something exists already, or is in use. */
export class ConflictError extends TidewireError {}
/** A batch was refused. */
export class AppendError extends TidewireError {}
/** A partition cannot store or read. */
export class StorageError extends TidewireError {}
/** A read was refused. */
export class ConsumeError extends TidewireError {
  /** With `E_OFFSET_OUT_OF_RANGE`: the first offset that the partition holds, where it could be learnt. */
  readonly firstOffset: bigint | undefined
  /** With `E_OFFSET_OUT_OF_RANGE`: the offset after the last, where it could be learnt. */
  readonly nextOffset: bigint | undefined

  /** @internal */
  constructor(failure: Failure) {
    super(failure)
    this.firstOffset = failure.firstOffset ?? undefined
    this.nextOffset = failure.nextOffset ?? undefined
  }
}
/** Too much at once; try again later. */
export class BusyError extends TidewireError {}
/** The server failed or is stopping. */
export class ServerError extends TidewireError {}
/** No connection. */
export class ConnectionError extends TidewireError {}
/** No answer in time. */
export class TimeoutError extends TidewireError {}
/** This side was closed. */
export class ClosedError extends TidewireError {}

const classes = {
  protocol: ProtocolError,
  auth: AuthError,
  invalid: InvalidError,
  not_found: NotFoundError,
  conflict: ConflictError,
  append: AppendError,
  storage: StorageError,
  consume: ConsumeError,
  busy: BusyError,
  server: ServerError,
  connection: ConnectionError,
  timeout: TimeoutError,
  closed: ClosedError,
} satisfies Record<ErrorKind, typeof TidewireError>

for (const Class of Object.values(classes)) {
  Object.defineProperty(Class.prototype, 'name', { value: Class.name, writable: true, configurable: true })
}

/** The frames of a call, captured when it was made: those above `from` are left out. */
export interface Caller {
  stack: string
}

export function caller(from: (...args: never[]) => unknown): Caller {
  const holder = {} as Caller
  Error.captureStackTrace(holder, from)
  return holder
}

/** The exception for a failure; its stack is that of `at`, or of where this is called. */
export function errorOf(failure: Failure, at?: Caller): TidewireError {
  const info = errors[failure.number]
  const Class = info ? classes[info.kind] : TidewireError
  const error = new Class(failure)
  if (at) {
    const frames = at.stack.indexOf('\n')
    const shown = `${error.name}: ${error.message}${frames < 0 ? '' : at.stack.slice(frames)}`
    Object.defineProperty(error, 'stack', { value: shown, writable: true, configurable: true })
  }
  return error
}

/** A failure that begins here. */
export function failureOf(name: CodeName, message: string): Failure {
  const number = Number(Object.keys(errors).find((key) => errors[Number(key)]?.name === name))
  return { failed: true, number, disposition: errors[number]?.disposition ?? 0, message }
}
