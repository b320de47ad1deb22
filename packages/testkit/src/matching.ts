import { inspect, isDeepStrictEqual } from 'node:util'

/**
 * True when a probe takes `actual` for `expected`: equal in depth, refs equal when they name the same
 * incarnation. Values that know how to compare themselves (`equals`) do it. Instances that show
 * nothing of their state match only themselves: calling two of them equal would be a guess.
 */
export function matches(actual: unknown, expected: unknown): boolean {
  if (Object.is(actual, expected)) return true
  if (!isObject(actual) || !isObject(expected)) return false
  if (typeof expected['equals'] === 'function') {
    return typeof actual['equals'] === 'function' && expected['equals'](actual) === true
  }
  const prototype: unknown = Object.getPrototypeOf(expected)
  if (Object.getPrototypeOf(actual) !== prototype) return false
  if (expected instanceof Map)
    return mapsMatch(actual as unknown as Map<unknown, unknown>, expected)
  if (isBuiltIn(expected)) return isDeepStrictEqual(actual, expected)
  const keys = Object.keys(expected)
  if (keys.length === 0 && prototype !== Object.prototype && prototype !== null) {
    return Array.isArray(expected) && (actual as unknown as unknown[]).length === 0
  }
  return (
    Object.keys(actual).length === keys.length &&
    keys.every((key) => Object.hasOwn(actual, key) && matches(actual[key], expected[key]))
  )
}

function mapsMatch(actual: Map<unknown, unknown>, expected: Map<unknown, unknown>): boolean {
  if (actual.size !== expected.size) return false
  for (const [key, value] of expected) {
    if (!actual.has(key) || !matches(actual.get(key), value)) return false
  }
  return true
}

function isBuiltIn(value: object): boolean {
  return (
    value instanceof Set ||
    value instanceof Date ||
    value instanceof RegExp ||
    value instanceof Error ||
    value instanceof ArrayBuffer ||
    ArrayBuffer.isView(value)
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** A value as failures show it. */
export function show(value: unknown): string {
  return inspect(value, { depth: 6, breakLength: 100, maxArrayLength: 20, maxStringLength: 400 })
}
