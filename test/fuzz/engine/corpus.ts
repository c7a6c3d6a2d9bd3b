// The inputs that are kept in the repository, one file per target, and how they are made few and small.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Fuzzer } from './engine.ts'
import type { Target } from './target.ts'

const folder = path.resolve(import.meta.dirname, '../corpus')

/** The kept inputs of a target. */
export function readCorpus(name: string): Buffer[] {
  const file = fileOf(name)
  if (!existsSync(file)) return []
  const texts = JSON.parse(readFileSync(file, 'utf8')) as string[]
  return texts.map((text) => Buffer.from(text, 'base64'))
}

export function writeCorpus(name: string, inputs: readonly Buffer[]): void {
  const texts = inputs.map((input) => input.toString('base64'))
  writeFileSync(fileOf(name), `${JSON.stringify(texts, undefined, 2)}\n`)
}

/** As few of the inputs as go to the same places, the smallest first, each without what it does not need. */
export async function minimise(target: Target, fuzzer: Fuzzer, inputs: readonly Buffer[]): Promise<Buffer[]> {
  const covered = new Set<number>()
  const kept: Buffer[] = []
  const sorted = [...inputs].sort((one, other) => one.length - other.length)
  for (const input of sorted) {
    const news = (await footprintOf(target, fuzzer, input)).filter((place) => !covered.has(place))
    if (news.length === 0) continue
    const trimmed = await trim(target, fuzzer, input, news)
    for (const place of await footprintOf(target, fuzzer, trimmed)) covered.add(place)
    kept.push(trimmed)
  }
  return kept
}

/** Leaves out blocks as long as the input still goes to all of `places`. */
async function trim(target: Target, fuzzer: Fuzzer, input: Buffer, places: readonly number[]): Promise<Buffer> {
  let trimmed = input
  for (let size = 1 << Math.floor(Math.log2(Math.max(1, input.length / 2))); size >= 1; size = size >> 1) {
    for (let at = 0; at + size <= trimmed.length; ) {
      const shorter = Buffer.concat([trimmed.subarray(0, at), trimmed.subarray(at + size)])
      const reached = new Set(await footprintOf(target, fuzzer, shorter))
      if (places.every((place) => reached.has(place))) trimmed = shorter
      else at += size
    }
  }
  return trimmed
}

async function footprintOf(target: Target, fuzzer: Fuzzer, input: Buffer): Promise<number[]> {
  fuzzer.coverage.reset()
  try {
    await target.run(input)
  } catch {
    // Failures are the loop's business.
  }
  return fuzzer.coverage.footprint()
}

function fileOf(name: string): string {
  return path.join(folder, `${name}.json`)
}
