// Messages with all their fields, made from what a .proto file says: every field has another value, so that none can stand
// in for its neighbour. And the comparison of what has come with what was given.

import assert from 'node:assert/strict'
import type { FieldType, GeneratorOptions, Message, ProtoFile, ScalarType } from '../../src/generate/model.ts'
import { fieldKey } from '../../src/generate/names.ts'
import { enumsOf, messagesOf } from '../../src/generate/type-names.ts'

/** Messages within messages are filled to this depth. */
const DEPTH = 3

type Int64 = GeneratorOptions['int64']

/** A message as JavaScript sees it. */
export type Value = Record<string, unknown>

/** Fills messages of these files. */
export class SampleMessages {
  readonly #files: ReadonlyMap<string, ProtoFile>
  readonly #options: Pick<GeneratorOptions, 'int64' | 'timestampAsDate'>
  #made = 0

  constructor(files: ReadonlyMap<string, ProtoFile>, options: Pick<GeneratorOptions, 'int64' | 'timestampAsDate'>) {
    this.#files = files
    this.#options = options
  }

  /** A message with all its fields; of each oneof, and of each enum, the one with the number `choice`. */
  fill(message: Message, choice: number, depth = DEPTH): Value {
    const value: Value = {}
    // Those of the runtime are the same whatever the options say.
    const int64 = message.fullName.startsWith('google.protobuf.') ? 'bigint' : this.#options.int64
    for (const { name } of message.oneofs) {
      const fields = message.fields.filter((field) => field.oneof === name)
      const field = fields[choice % fields.length]!
      const content = this.#content(field.type, int64, choice, depth)
      if (content !== undefined) value[fieldKey(name)] = { case: fieldKey(field.name), value: content }
    }
    for (const { name, type, presence, mapKey } of message.fields.filter(({ oneof }) => oneof === undefined)) {
      const one = (): unknown =>
        this.#content(type, int64, choice, presence === 'required' ? Math.max(1, depth) : depth)
      const first = one()
      if (first === undefined) continue
      value[fieldKey(name)] =
        presence === 'map' ? { [this.#key(mapKey!)]: first } : presence === 'repeated' ? [first, one()] : first
    }
    return value
  }

  /** As `fill`, for a message of this full name, wherever it is declared. */
  fillNamed(fullName: string, choice: number): Value {
    for (const file of this.#files.values()) {
      const message = messagesOf(file).find((each) => each.fullName === fullName)
      if (message !== undefined) return this.fill(message, choice)
    }
    throw new Error(`no file has the message ${fullName}`)
  }

  /** Undefined for a message that is too deep. */
  #content(type: FieldType, int64: Int64, choice: number, depth: number): unknown {
    if (type.kind === 'scalar') return this.#scalar(type.scalar, int64)
    const { fullName, file: name } = type.reference
    const file = this.#files.get(name)!
    if (type.kind === 'enum') {
      const { values } = enumsOf(file).find((each) => each.fullName === fullName)!
      return values[(choice + 1) % values.length]!.number
    }
    if (depth === 0) return undefined
    if (this.#options.timestampAsDate && fullName === 'google.protobuf.Timestamp') return new Date(this.#next())
    return this.fill(messagesOf(file).find((each) => each.fullName === fullName)!, choice, depth - 1)
  }

  #scalar(scalar: ScalarType, int64: Int64): unknown {
    const number = this.#next()
    if (scalar === 'string') return `text ${number} ü€`
    if (scalar === 'bytes') return Uint8Array.from([number, 0, 255])
    if (scalar === 'bool') return true
    if (!scalar.includes('64')) return number
    return int64 === 'bigint' ? BigInt(number) : int64 === 'number' ? number : String(number)
  }

  /** Keys are 32-bit numbers or strings: as both they are the same property. */
  #key(scalar: ScalarType): string {
    return scalar === 'bool' ? 'true' : String(this.#scalar(scalar, 'string'))
  }

  #next(): number {
    return ++this.#made
  }
}

/** Whether everything that was given has come; what was not given may read as anything. */
export function assertHas(decoded: unknown, given: unknown, where: string): void {
  if (typeof given !== 'object' || given === null || given instanceof Uint8Array || given instanceof Date)
    return assert.deepEqual(decoded, given, where)
  assert.ok(typeof decoded === 'object' && decoded !== null, where)
  if (Array.isArray(given)) assert.equal((decoded as unknown[]).length, given.length, where)
  for (const [key, value] of Object.entries(given)) assertHas((decoded as Value)[key], value, `${where}.${key}`)
}
