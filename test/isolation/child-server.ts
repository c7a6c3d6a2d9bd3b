// Starts and ends server processes for tests.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '../..')
const script = path.join(import.meta.dirname, 'storage-process.ts')

export interface ChildServer {
  readonly id: string
  readonly address: string
  readonly process: ChildProcess
  /** Kills the process and resolves when it is gone. Does nothing when it is. */
  kill(): Promise<void>
}

/** Starts a server process; `port` 0 means any. Resolves when it listens. */
export async function startChildServer(id: string, port = 0): Promise<ChildServer> {
  const child = spawn(process.execPath, ['--import', 'tsx', script, id, String(port)], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const [message] = (await once(child, 'message')) as [{ port: number }]
  return {
    id,
    address: `127.0.0.1:${message.port}`,
    process: child,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}
