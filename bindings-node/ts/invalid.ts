/** Errors about arguments: what was given, and what would do. */

import { inspect } from 'node:util'

/** What stands in `code` of a TypeError or RangeError of this package. */
export type InvalidCode = 'E_INVALID_ARGUMENT' | 'E_INVALID_OPTION' | 'E_INVALID_NAME'

function shown(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'undefined'
  const type = typeof value
  if (type === 'object' || type === 'function') {
    const name = (value as object).constructor?.name
    return name ? `an instance of ${name}` : 'an object'
  }
  return `${inspect(value, { maxStringLength: 60 })} (${type})`
}

function coded<E extends Error>(error: E, code: InvalidCode): E & { code: InvalidCode } {
  Object.defineProperty(error, 'code', { value: code, enumerable: true, configurable: true, writable: true })
  return error as E & { code: InvalidCode }
}

/** Something has the wrong type. */
export function badType(
  name: string,
  expected: string,
  given: unknown,
  code: InvalidCode = 'E_INVALID_ARGUMENT',
): TypeError {
  return coded(new TypeError(`${name} must be ${expected}, not ${shown(given)}`), code)
}

/** Something has the right type and is out of its range. */
export function badRange(
  name: string,
  expected: string,
  given: unknown,
  code: InvalidCode = 'E_INVALID_ARGUMENT',
): RangeError {
  return coded(
    new RangeError(`${name} must be ${expected}, not ${inspect(given, { maxStringLength: 60 })}`),
    code,
  )
}

/** Something is wrong in another way. */
export function badValue(text: string, code: InvalidCode = 'E_INVALID_ARGUMENT'): TypeError {
  return coded(new TypeError(text), code)
}

export function checkString(name: string, value: unknown): string {
  if (typeof value !== 'string') throw badType(name, 'a string', value)
  return value
}

/** A partition's number, or another whole number that fits 32 bits. */
export function checkU32(name: string, value: unknown, min = 0): number {
  if (typeof value !== 'number') throw badType(name, 'a number', value)
  if (!Number.isInteger(value) || value < min || value > 0xffff_ffff) {
    throw badRange(name, `a whole number from ${min} to 4294967295`, value)
  }
  return value
}

export function checkOffset(name: string, value: unknown): bigint {
  if (typeof value !== 'bigint') {
    throw badType(name, 'a bigint, such as 42n (offsets go beyond what a number holds)', value)
  }
  if (value < 0n || value > 0xffff_ffff_ffff_ffffn) {
    throw badRange(name, 'from 0n to 2n ** 64n - 1n', value)
  }
  return value
}

export function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal === null) return undefined
  if (
    typeof signal !== 'object' ||
    typeof (signal as AbortSignal).aborted !== 'boolean' ||
    typeof (signal as AbortSignal).addEventListener !== 'function'
  ) {
    throw badType('options.signal', 'an AbortSignal', signal)
  }
  return signal as AbortSignal
}

/** An options argument: an object, or nothing. */
export function checkOptions(name: string, value: unknown): Record<string, unknown> {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw badType(name, 'an object', value)
  return value as Record<string, unknown>
}
