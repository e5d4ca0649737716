/** Where a consumer begins, and how that is written for the core. */

import { badType, badRange } from './invalid.js'

/**
 * A place in a partition: `'earliest'`, `'latest'`, an offset as a `bigint`, `'last:100'` (that
 * many records before the end), or a time, as a `Date` or as `'time:MICROSECONDS'` since the Unix
 * epoch (the first record that the server appended then or later).
 */
export type Start =
  | 'earliest'
  | 'latest'
  | bigint
  | Date
  | `last:${number | bigint}`
  | `time:${number | bigint}`

const TEXT = /^(?:earliest|latest|\d{1,20}|last:\d{1,20}|time:-?\d{1,19})$/

/** As the core reads it. */
export function startText(name: string, start: unknown): string {
  if (typeof start === 'bigint') {
    if (start < 0n || start > 0xffff_ffff_ffff_ffffn) {
      throw badRange(name, 'an offset from 0n to 2n ** 64n - 1n', start)
    }
    return start.toString()
  }
  if (start instanceof Date) {
    const ms = start.getTime()
    if (Number.isNaN(ms)) throw badRange(name, 'a valid Date', start)
    return `time:${BigInt(ms) * 1000n}`
  }
  if (typeof start === 'string') {
    if (TEXT.test(start)) return start
    throw badRange(
      name,
      "'earliest', 'latest', an offset as a bigint, 'last:N', a Date or 'time:MICROSECONDS'",
      start,
    )
  }
  if (typeof start === 'number') {
    throw badType(name, 'an offset as a bigint (offsets go beyond what a number holds)', start)
  }
  throw badType(name, "'earliest', 'latest', an offset as a bigint, 'last:N' or a Date", start)
}
