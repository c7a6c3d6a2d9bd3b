// Checks of what the callers of `quorum` pass, and the way that messages name nodes. The wrong type is a TypeError, the
// wrong value of the right type a RangeError; `what` begins each message and says which argument of which function.

const LISTED_MAX = 8

/** Ids as text for a message; long lists are cut, with the number of ids left out. */
export function listIDs(nodeIDs: Iterable<string>): string {
  const all = [...nodeIDs]
  const shown = all.slice(0, LISTED_MAX).join(', ')
  return all.length > LISTED_MAX ? `${shown} and ${all.length - LISTED_MAX} more` : shown
}

/** A whole number of at least `min`. */
export function requireCount(what: string, value: unknown, min = 1): number {
  if (typeof value !== 'number') throw new TypeError(`${what} must be a number, got ${typeName(value)}`)
  if (!Number.isSafeInteger(value) || value < min) {
    throw new RangeError(`${what} must be a whole number of at least ${min}, got ${value}`)
  }
  return value
}

/** One node id: text, not empty. */
export function requireNodeID(what: string, value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`${what} must be a node id (a string), got ${typeName(value)}`)
  if (value === '') throw new RangeError(`${what} must be a node id, got an empty string`)
  return value
}

/** An array with at least one element. */
export function requireList(what: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`${what} must be an array, got ${typeName(value)}`)
  if (value.length === 0) throw new RangeError(`${what} is empty: name at least one`)
  return value
}

/** A list of at least one node id, none twice, as a frozen copy. */
export function requireNodeIDs(what: string, value: unknown): readonly string[] {
  const nodeIDs = requireList(what, value).map((id, index) => requireNodeID(`${what}[${index}]`, id))
  const repeated = nodeIDs.find((id, index) => nodeIDs.indexOf(id) !== index)
  if (repeated !== undefined) throw new RangeError(`${what} names node '${repeated}' twice: name each node once`)
  return Object.freeze(nodeIDs)
}

/** What a value is, in one word. */
export function typeName(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
}
