// Starts the search for the dearest inputs in a process of its own, where garbage can be collected at will and nothing else
// runs.

import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import type { CostTarget } from './inputs.ts'
import type { CostFigures } from './search.ts'

const run = promisify(execFile)
const script = path.join(import.meta.dirname, 'search.ts')

/** Searches for so many seconds, half of them for time and half for heap. The figures depend on the machine. */
export async function worstCost(options: {
  readonly target: CostTarget
  readonly seed: number
  readonly seconds: number
}): Promise<CostFigures> {
  const { target, seed, seconds } = options
  const args = ['--expose-gc', '--import', 'tsx', script, target, String(seed), String(seconds)]
  const { stdout } = await run(process.execPath, args, { cwd: path.resolve(import.meta.dirname, '../../..') })
  return JSON.parse(stdout) as CostFigures
}
