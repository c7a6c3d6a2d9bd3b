// Servers as the benchmark holds them: processes of this machine, or of others (remote.ts).

import path from 'node:path'
import type { Received, ServeOptions, Target } from '../targets/target.ts'
import { Child } from './questions.ts'
import type { Usage } from './usage.ts'

const LOOPBACK = '127.0.0.1'
/** The modules of the processes have the extension that this one has: source or compiled. */
const EXTENSION = path.extname(import.meta.filename)

export interface ServerHandle {
  readonly address: string
  usage(): Promise<Usage>
  takeReceived(): Promise<Received>
  /** Sends a signal to its process. Only on servers of this machine. */
  kill?(signal: NodeJS.Signals): Promise<void>
  end(): Promise<void>
}

/** What starts servers: `position` counts the nodes of a setting from 0; host and port are for it to choose. */
export interface ServerSource {
  start(target: Target, position: number, options: ServeOptions, flags: readonly string[]): Promise<ServerHandle>
}

/** Servers as processes of this machine. */
export const localServers: ServerSource = {
  start: (target, _position, options, flags) => startServerProcess(target.name, options, flags),
}

/** The path of a process's module. */
export function modulePath(name: string): string {
  return path.join(import.meta.dirname, `${name}${EXTENSION}`)
}

/** Starts one server as a process of its own. */
export async function startServerProcess(
  target: string,
  options: ServeOptions,
  flags: readonly string[],
): Promise<ServerHandle> {
  const child = new Child(`${target} server`, modulePath('server-process'), flags)
  try {
    const address = await child.ask<string>('serve', {
      target,
      options: { ...options, host: options.host || LOOPBACK },
    })
    return {
      address,
      usage: () => child.ask('usage'),
      takeReceived: () => child.ask('received'),
      kill: (signal) => child.kill(signal),
      end: () => child.end(),
    }
  } catch (error) {
    await child.end()
    throw error
  }
}
