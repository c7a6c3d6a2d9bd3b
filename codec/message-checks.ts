// Checks of values that take more than a comparison: floats, closed enums, lists, maps. Those that throw name the field in
// a TypeError.
import { refusal } from './message-refusal.ts'

const FLOAT_MAX = 3.4028234663852886e38

/** Whether it is a number that does not become infinite as a float. */
export function isFloat(value: unknown): boolean {
  return typeof value === 'number' && !(Number.isFinite(value) && Math.abs(value) > FLOAT_MAX)
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
const declared = new WeakMap<object, ReadonlySet<unknown>>()

/** Whether a closed enum has this number. */
export function isDeclared(value: unknown, values: Readonly<Record<string, number>>): value is number {
  let numbers = declared.get(values)
  if (numbers === undefined) {
    numbers = new Set(Object.values(values))
    declared.set(values, numbers)
  }
  return numbers.has(value)
}
