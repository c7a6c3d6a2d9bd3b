// Checks of values that take more than a comparison: floats, closed enums, lists, maps. All throw TypeError or RangeError
// that name the field.
import { refusal } from './message-refusal.ts'

const FLOAT_MAX = 3.4028234663852886e38

/** A number that does not become infinite as a float. */
export function checkFloat(value: unknown, path: string): void {
  if (typeof value !== 'number') throw refusal(path, 'float', value)
  if (Number.isFinite(value) && Math.abs(value) > FLOAT_MAX) throw refusal(path, 'float', value)
}

export function checkList(value: unknown, path: string): void {
  if (!Array.isArray(value)) throw refusal(path, 'list', value)
}

/** An object whose keys are entries: not a Map, a Date or an array, which would look like an empty one. */
export function checkMap(value: unknown, path: string): void {
  if (typeof value !== 'object' || value === null) throw refusal(path, 'map', value)
  const prototype = Object.getPrototypeOf(value)
  // Objects of another realm have an Object.prototype of their own.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) throw refusal(path, 'map', value)
}

/** The numbers of a closed enum, worked out once. */
const declared = new WeakMap<object, ReadonlySet<number>>()

/** Whether a closed enum has this number. */
export function isDeclared(value: number, values: Readonly<Record<string, number>>): boolean {
  let numbers = declared.get(values)
  if (numbers === undefined) {
    numbers = new Set(Object.values(values))
    declared.set(values, numbers)
  }
  return numbers.has(value)
}

/** A number that a closed enum has. */
export function checkDeclared(value: unknown, values: Readonly<Record<string, number>>, path: string): void {
  if (typeof value !== 'number') throw refusal(path, 'int32', value)
  if (!isDeclared(value, values)) {
    throw new RangeError(`${path}: ${value} is not one of the enum's values, ${Object.values(values).join(', ')}`)
  }
}
