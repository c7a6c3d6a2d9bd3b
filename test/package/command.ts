// Runs a command as a person would in a terminal of their own: to its end, in a folder, without what npm and the test
// runner have put into the environment of this process.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/** What is inherited: not npm's settings of the run that we are in, nor what makes a process a test's. */
const OURS = /^(npm_|NODE_TEST_CONTEXT$|NODE_V8_COVERAGE$|NODE_OPTIONS$|INIT_CWD$)/i

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to its end; its exit code is for the caller to judge. Rejects when there is no such command. */
export async function run(command: string, args: readonly string[], cwd: string): Promise<Ended> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OURS.test(name)))
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: code as number | null, stdout, stderr }
}

/** The same for a command that has to succeed: what it has printed. Rejects with all that it has said when it fails. */
export async function succeed(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, cwd)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}\n${stdout}${stderr}`)
  return stdout
}
