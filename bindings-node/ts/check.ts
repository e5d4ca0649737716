/** Options as an application gives them, checked against the table and written for the core. */

import { badRange, badType, badValue, checkOptions } from './invalid.js'
import { options, type OptionInfo } from './options.js'
import { startText } from './start.js'

type Scope = keyof typeof options

const CODE = 'E_INVALID_OPTION'

/**
 * Pairs of name and value. `other` are names that the caller takes care of.
 * @throws TypeError for a name that there is not, or a value of the wrong type; RangeError.
 */
export function optionPairs(
  scope: Scope,
  given: unknown,
  other: readonly string[] = [],
): string[] {
  const pairs: string[] = []
  const table: Record<string, OptionInfo> = options[scope]
  for (const [name, value] of Object.entries(checkOptions('options', given))) {
    if (value === undefined || other.includes(name)) continue
    const info = Object.hasOwn(table, name) ? table[name] : undefined
    if (info === undefined) {
      throw badValue(`there is no ${scope} option ${name}${hint(name, table, other)}`, CODE)
    }
    try {
      pairs.push(info.name, optionText(`options.${name}`, info, value))
    } catch (error) {
      // By this name it is found in the reference, and in other languages.
      if (error instanceof Error && info.name !== name) error.message += ` (${info.name})`
      throw error
    }
  }
  return pairs
}

function hint(name: string, table: Record<string, OptionInfo>, other: readonly string[]): string {
  const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  if (camel !== name && Object.hasOwn(table, camel)) return `: it is written ${camel} here`
  return `; there are ${[...Object.keys(table), ...other].join(', ')}`
}

function optionText(name: string, info: OptionInfo, value: unknown): string {
  switch (info.type) {
    case 'u32':
    case 'u64':
      return numberText(name, info, value)
    case 'keys':
    case 'string':
      if (typeof value !== 'string') throw badType(name, 'a string', value, CODE)
      return value
    case 'bool':
      if (typeof value !== 'boolean') throw badType(name, 'true or false', value, CODE)
      return String(value)
    case 'start':
      try {
        return startText(name, value)
      } catch (error) {
        Object.assign(error as Error, { code: CODE })
        throw error
      }
    default: {
      const values = info.values ?? []
      const expected = values.map((one) => `'${one}'`).join(', ')
      if (typeof value !== 'string') throw badType(name, `one of ${expected}`, value, CODE)
      if (!values.includes(value)) throw badRange(name, `one of ${expected}`, value, CODE)
      return value
    }
  }
}

function numberText(name: string, info: OptionInfo, value: unknown): string {
  const wide = info.type === 'u64'
  if (typeof value !== 'number' && !(wide && typeof value === 'bigint')) {
    throw badType(name, wide ? 'a number or bigint' : 'a number', value, CODE)
  }
  const { min = 0, max = wide ? Number.MAX_SAFE_INTEGER : 0xffff_ffff } = info
  const whole = typeof value === 'bigint' || Number.isSafeInteger(value)
  if (!whole || value < min || value > max) {
    const unit = info.unit ? ` ${info.unit}` : ''
    throw badRange(name, `a whole number from ${min} to ${max}${unit}`, value, CODE)
  }
  return value.toString()
}
