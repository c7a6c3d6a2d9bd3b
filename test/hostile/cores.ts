// Who runs where: the honest client, the server and its attackers have machines of their own elsewhere, and share one here.

import { spawnSync } from 'node:child_process'
import { availableParallelism, constants, setPriority } from 'node:os'

const CORES = availableParallelism()

/**
 * Gives a process's main thread a core, counted from 0 as far as there are so many, on which it waits for no other; returns
 * whether the system has let it. V8's helpers stay where they are: they would be such others.
 */
export function giveCore(pid: number, core: number): boolean {
  return (
    run('chrt', '--rr', '--reset-on-fork', '--pid', '1', String(pid)) &&
    run('taskset', '--cpu-list', '--pid', String(core % CORES), String(pid))
  )
}

/** This process runs when no other wants to: of a low priority alone a scheduler may still make others wait for some milliseconds. */
export function giveWay(): void {
  if (!run('chrt', '--idle', '--all-tasks', '--pid', '0', String(process.pid)))
    setPriority(constants.priority.PRIORITY_LOW)
}

function run(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args).status === 0
}
