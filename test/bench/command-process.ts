// The benchmark's command as a process, from the sources.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const command = path.resolve(import.meta.dirname, '../../bench/command.ts')

/** Starts the command. */
export function startCommand(...args: string[]): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Runs the command to its end: its exit code, and all that it has printed. */
export async function runCommand(...args: string[]): Promise<{ code: number; output: string }> {
  const child = startCommand(...args)
  let output = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  const [code] = await once(child, 'close')
  return { code, output }
}

/** An empty folder, which goes with the test. */
export function emptyFolder(t: { after(hook: () => Promise<void>): void }): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'gorums-bench-'))
  t.after(async () => rmSync(folder, { recursive: true }))
  return folder
}
