// Changes of a stream of frames that leave it one: frames are dropped, repeated, swapped, made anew, or changed in a field,
// and a changed payload gets the length that belongs to it. Now and then a field is given a lie.

import type { Random } from '../../../src/testing/simulation/random.ts'
import { rawFrame } from '../../wire/raw-frame.ts'
import { havoc } from '../engine/havoc.ts'

const KINDS = [1, 2, 3, 4, 5, 6, 7, 8, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0xc0, 0xff]
const LENGTHS = [0, 11, 12, 13, 64, 65, 16_384, 16_385, 0x400000, 0x400001, 0x7fffffff, 0x80000000, 0xffffffff]

/** Cuts a stream into frames as far as it is one; what is left is the last piece. */
export function splitFrames(stream: Buffer): Buffer[] {
  const frames: Buffer[] = []
  let at = 0
  while (stream.length - at >= 16) {
    const end = at + 4 + stream.readUInt32BE(at)
    if (end - at < 16 || end > stream.length) break
    frames.push(stream.subarray(at, end))
    at = end
  }
  if (at < stream.length) frames.push(stream.subarray(at))
  return frames
}

/** The stream with one to four such changes. `payloads` are pieces for payloads. */
export function mutateFrames(stream: Buffer, random: Random, payloads: readonly Buffer[]): Buffer {
  const frames = splitFrames(stream)
  for (let left = random.int(1, 4); left > 0; left--) {
    const at = random.int(0, frames.length)
    const frame = frames[at]
    if (frame === undefined || frame.length < 16) frames.splice(at, 0, newFrame(random, payloads))
    else mutateAt(frames, at, frame, random, payloads)
  }
  return Buffer.concat(frames)
}

function mutateAt(frames: Buffer[], at: number, frame: Buffer, random: Random, payloads: readonly Buffer[]): void {
  const change = random.int(0, 9)
  if (change === 0) frames.splice(at, 1)
  else if (change === 1) frames.splice(at, 0, ...Array.from({ length: random.int(1, 4) }, () => frame))
  else if (change === 2) frames.splice(random.int(0, frames.length - 1), 0, ...frames.splice(at, 1))
  else if (change === 3) frames.splice(at, 0, newFrame(random, payloads))
  else if (change === 4) frames[at] = frame.subarray(0, random.int(0, frame.length))
  else if (change <= 6) frames[at] = withBody(frame, random, payloads)
  else frames[at] = withField(frame, random)
}

function newFrame(random: Random, payloads: readonly Buffer[]): Buffer {
  const kind = random.chance(0.9) ? random.pick(KINDS) : random.int(0, 255)
  const isControl = kind >= 0x80
  return rawFrame({
    kind,
    msgID: isControl ? 0 : random.int(0, 5),
    methodID: isControl ? 0 : random.chance(0.5) ? random.int(0, 3) : random.uint32(),
    payload: random.chance(0.7) ? random.pick(payloads) : random.bytes(random.int(0, 40)),
  })
}

/** Other bytes behind the head, and the length that they make. */
function withBody(frame: Buffer, random: Random, payloads: readonly Buffer[]): Buffer {
  const body = havoc(frame.subarray(16), random, payloads, random.pick(payloads), 2048)
  const changed = Buffer.concat([frame.subarray(0, 16), body])
  changed.writeUInt32BE(changed.length - 4, 0)
  if (random.chance(0.3)) changed.writeUInt16BE(random.int(0, body.length), 6)
  return changed
}

function withField(frame: Buffer, random: Random): Buffer {
  const changed = Buffer.from(frame)
  const field = random.int(0, 5)
  if (field === 0) changed.writeUInt32BE(random.pick(LENGTHS), 0)
  else if (field === 1) changed[4] = random.chance(0.8) ? random.pick(KINDS) : random.int(0, 255)
  else if (field === 2) changed[5] = random.chance(0.5) ? 0 : 1 << random.int(0, 7)
  else if (field === 3)
    changed.writeUInt16BE(random.pick([0, 1, 5, frame.length - 16, frame.length - 15, 0xffff]) & 0xffff, 6)
  else changed.writeUInt32BE(random.chance(0.7) ? random.int(0, 5) : random.uint32(), field === 4 ? 8 : 12)
  return changed
}
