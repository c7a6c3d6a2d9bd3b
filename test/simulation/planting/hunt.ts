// Looks for a planted bug in a process of its own, into which the bug is loaded.

import { spawn } from 'node:child_process'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '../../..')

export interface Hunt {
  readonly code: number
  /** The seed that has found the bug, and how long that took; undefined when none has. */
  readonly seed: number | undefined
  readonly seconds: number | undefined
  readonly invariant: string | undefined
}

/** Runs the simulator with a bug, for at most `seeds` seeds. */
export function hunt(name: string, seeds: number, args: readonly string[], output: 'inherit' | 'pipe'): Promise<Hunt> {
  const script = path.join(root, 'test/simulation/simulate.ts')
  const all = args.length > 0 ? args : ['--bug', name, '--seeds', String(seeds), '--svg', '/dev/null']
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--import', './test/simulation/planting/plant.ts', script, ...all],
    {
      cwd: root,
      env: { ...process.env, GORUMS_PLANT: name },
      stdio: ['ignore', output, 'inherit'],
    },
  )
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      const caught = /was caught by seed (\d+), after ([\d.]+) s/.exec(text)
      const invariant = /^seed \d+, at [\d.]+ ms: ([^:]+):/m.exec(text)?.[1]
      resolve({
        code: code ?? 1,
        seed: caught === null ? undefined : Number(caught[1]),
        seconds: caught === null ? undefined : Number(caught[2]),
        invariant,
      })
    })
  })
}
