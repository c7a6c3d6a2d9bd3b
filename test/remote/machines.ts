// What the tests of the remote scripts share: running a script, the flags of a run that is over soon, free ports, and which
// processes of a benchmark are left in a folder.

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'

export const root = path.resolve(import.meta.dirname, '../..')
/** One benchmark of one target, as short as can be. */
export const SHORT = ['--benchmarks', '^QuorumCall$', '--time', '50ms', '--warmup', '50ms', '--rounds', '1']
/** A run that goes on until it is ended. */
export const ENDLESS = ['--benchmarks', '^QuorumCall$', '--time', '600s', '--rounds', '1']

export interface Ended {
  readonly status: number | null
  readonly output: string
}

/** Runs a script in `cwd` to its end. `until`: text in its output at which it is sent SIGINT. */
export function runScript(cwd: string, script: string, args: readonly string[], until?: RegExp): Promise<Ended> {
  const child = spawn(path.join(root, 'scripts', script), args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let isInterrupted = false
  const onOutput = (chunk: Buffer): void => {
    output += chunk
    if (until === undefined || isInterrupted || !until.test(output)) return
    isInterrupted = true
    child.kill('SIGINT')
  }
  child.stdout.on('data', onOutput)
  child.stderr.on('data', onOutput)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, output }))
  })
}

/** Whether a tool is here. */
export function hasTool(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0
}

/** A folder that is gone when the test is over. */
export function temporaryFolder(t: TestContext): string {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'gorums-remote-')))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Ports of 127.0.0.1 that nobody has. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** The command lines of processes that run something below `folder`. */
export function processesIn(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(commandLine)
    .filter((line) => line.includes(`${folder}/`) && line.includes('build/bench'))
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}
