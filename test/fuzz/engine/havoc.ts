// Changes of bytes that know nothing of what they are: flips, arithmetic, interesting numbers, blocks copied, moved and
// dropped, pieces of a dictionary, splices of two inputs. All of it depends on the random numbers alone.

import type { Random } from '../../../src/testing/simulation/random.ts'

/** Numbers at the edges of what lengths and counts can be. */
const INTERESTING = [
  ...[0, 1, 2, 7, 8, 11, 12, 13, 15, 16, 17, 31, 32, 63, 64, 100, 127, 128, 129, 255, 256, 1000, 4095, 4096],
  ...[16_383, 16_384, 16_385, 32_767, 32_768, 65_535, 65_536, 0x3fffff, 0x400000, 0x400001],
  ...[0x7ffffffe, 0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffffe, 0xffffffff],
]

type Change = (input: Buffer, random: Random, dictionary: readonly Buffer[], other: Buffer) => Buffer

const flipBit: Change = (input, random) => {
  const at = random.int(0, input.length - 1)
  input[at] = input[at]! ^ (1 << random.int(0, 7))
  return input
}

const setByte: Change = (input, random) => {
  input[random.int(0, input.length - 1)] = random.chance(0.5) ? random.uint32() & 255 : random.pick(INTERESTING) & 255
  return input
}

const addToByte: Change = (input, random) => {
  const at = random.int(0, input.length - 1)
  input[at] = input[at]! + random.int(-16, 16)
  return input
}

/** A number of two or four bytes, either end first. */
const setNumber: Change = (input, random) => {
  const size = random.chance(0.5) ? 2 : 4
  if (input.length < size) return input
  const at = random.int(0, input.length - size)
  const isBig = random.chance(0.75)
  const old = isBig ? input.readUIntBE(at, size) : input.readUIntLE(at, size)
  const value = random.chance(0.5) ? random.pick(INTERESTING) : old + random.int(-20, 20)
  const fitting = (value + 2 ** (8 * size)) % 2 ** (8 * size)
  if (isBig) input.writeUIntBE(fitting, at, size)
  else input.writeUIntLE(fitting, at, size)
  return input
}

const dropBlock: Change = (input, random) => {
  const [start, end] = block(input, random)
  return Buffer.concat([input.subarray(0, start), input.subarray(end)])
}

const repeatBlock: Change = (input, random) => {
  const [start, end] = block(input, random)
  const times = random.chance(0.1) ? random.int(2, 40) : 1
  const copies = Array.from({ length: times }, () => input.subarray(start, end))
  return Buffer.concat([input.subarray(0, end), ...copies, input.subarray(end)])
}

const moveBlock: Change = (input, random) => {
  const [start, end] = block(input, random)
  return insert(input, input.subarray(start, end), random)
}

const overwriteBlock: Change = (input, random) => {
  const [start, end] = block(input, random)
  input.copyWithin(random.int(0, input.length - 1), start, end)
  return input
}

const insertNoise: Change = (input, random) => {
  const count = random.int(1, 16)
  return insert(input, random.chance(0.5) ? random.bytes(count) : Buffer.alloc(count, random.uint32()), random)
}

const insertWord: Change = (input, random, dictionary) => insert(input, random.pick(dictionary), random)

const overwriteWord: Change = (input, random, dictionary) => {
  random.pick(dictionary).copy(input, random.int(0, input.length - 1))
  return input
}

/** The beginning of one, the end of another. */
const splice: Change = (input, random, _dictionary, other) =>
  Buffer.concat([input.subarray(0, random.int(0, input.length)), other.subarray(random.int(0, other.length))])

const insertOther: Change = (input, random, _dictionary, other) => {
  if (other.length === 0) return input
  const [start, end] = block(other, random)
  return insert(input, other.subarray(start, end), random)
}

const truncate: Change = (input, random) => input.subarray(0, random.int(0, input.length))

const CHANGES: readonly Change[] = [
  ...[flipBit, flipBit, setByte, setByte, addToByte, setNumber, setNumber, dropBlock, dropBlock, repeatBlock],
  ...[moveBlock, overwriteBlock, insertNoise, insertWord, insertWord, overwriteWord, splice, insertOther, truncate],
]

/** The input with a few changes, at most `maxBytes` long. The input itself is not changed. */
export function havoc(
  input: Buffer,
  random: Random,
  dictionary: readonly Buffer[],
  other: Buffer,
  maxBytes: number,
): Buffer {
  let changed: Buffer = Buffer.from(input)
  for (let left = 1 << random.int(0, 4); left > 0; left--) {
    if (changed.length === 0) changed = random.bytes(random.int(1, 8))
    const change = random.pick(CHANGES)
    changed = change(changed, random, dictionary, other)
    if (changed.length > maxBytes) changed = changed.subarray(0, maxBytes)
  }
  return changed
}

/** A block of at least one byte, more often a short one. */
function block(bytes: Buffer, random: Random): [number, number] {
  const start = random.int(0, bytes.length - 1)
  const most = random.chance(0.75) ? Math.min(32, bytes.length - start) : bytes.length - start
  return [start, start + random.int(1, most)]
}

function insert(bytes: Buffer, piece: Buffer, random: Random): Buffer {
  const at = random.int(0, bytes.length)
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)])
}
