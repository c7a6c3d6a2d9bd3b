// The second half of the tour: a steady load, one replica killed and one stopped under it, and both coming back. The load
// keeps books; at the end they must balance.

import type { Configuration } from 'gorums'
import { Load, type LoadWindow } from './load.ts'
import { nodeMarks } from './marks.ts'
import type { ReplicaProcesses } from './processes.ts'
import { Storage } from './storage_gorums.ts'
import type { Narrator } from './tour.ts'

const WARM_UP_MS = 500
const BEFORE_MS = 1_500
const DURING_MS = 3_000
const AFTER_MS = 1_500
const STOPPED = 'c'
const KILLED = 'e'

/** Resolves with whether no call failed and everything that was acknowledged can still be read. */
export async function failuresUnderLoad(
  processes: ReplicaProcesses,
  configuration: Configuration,
  narrator: Narrator,
  callsPerSecond: number,
): Promise<boolean> {
  const { chapter, say, show } = narrator
  await chapter('Failures, under load')
  say(`${callsPerSecond} reads and writes per second, each by a majority.`)
  const load = new Load(configuration, { callsPerSecond, keys: Math.min(50, callsPerSecond), writerID: 'tour' })
  const watch = async (window: LoadWindow, label: string, durationMs: number): Promise<void> => {
    await pause(durationMs)
    const marks = nodeMarks(configuration, narrator.paint, processes)
    show(`${marks}  ${label}: ${window.calls} calls, ${window.failed} failed, p99 ${milliseconds(window, 0.99)} ms`)
  }
  load.start()
  // The first calls run code that nothing has optimized yet: they are counted, but not measured.
  await pause(WARM_UP_MS)
  const before = load.beginWindow()
  await watch(before, 'all is well', BEFORE_MS)
  say(`SIGKILL for ${KILLED}: its connections break. SIGSTOP for ${STOPPED}: it is silent, its connections stay open.`)
  const during = load.beginWindow()
  processes.stop(STOPPED)
  await processes.kill(KILLED)
  await watch(during, 'two of five are out', DURING_MS)
  const recovering = load.beginWindow()
  await comeBack(processes, configuration, narrator)
  const after = load.beginWindow()
  await watch(after, 'back to five', AFTER_MS)
  load.endWindow()
  await load.stop()

  await chapter('The books')
  const rows = [
    ['', 'calls', 'failed', 'p50 ms', 'p99 ms'],
    row('before', before),
    row('during', during),
    row('coming back', recovering),
    row('after', after),
  ]
  for (const line of table(rows)) show(line)
  return balance(load, configuration, narrator)
}

/** SIGCONT for the stopped one, a new process for the killed one; tells how long each took. */
async function comeBack(
  processes: ReplicaProcesses,
  configuration: Configuration,
  { say, show }: Narrator,
): Promise<void> {
  say(`SIGCONT for ${STOPPED}; a new process for ${KILLED}, on its old port, with its journal.`)
  const continuedAt = performance.now()
  processes.cont(STOPPED)
  // It stands in line behind everything that has waited there: its answer says that the rest has been handled.
  await configuration.node(STOPPED).client(Storage).readRPC({ key: 'capital' })
  show(
    `${STOPPED} has worked off what had waited for it after ${elapsed(continuedAt)} ms; it never lost its connection`,
  )
  const startedAt = performance.now()
  const { keys, listeningAt } = await processes.restart(KILLED)
  show(`${KILLED} listens again after ${(listeningAt - startedAt).toFixed(0)} ms, with ${keys} keys from its journal`)
  await configuration.waitFor((status) => status.connected.has(KILLED), { timeoutMs: 10_000 })
  show(`${KILLED} was reconnected to ${elapsed(listeningAt)} ms later; nobody asked for that`)
}

async function balance(load: Load, configuration: Configuration, { say, show, paint }: Narrator): Promise<boolean> {
  const sets = majoritiesOf(configuration.nodeIDs)
  say(`Every key that was acknowledged, read back through each of the ${sets.length} majorities:`)
  let missing = 0
  for (const ids of sets) missing += await load.missing(configuration.subset(ids))
  const isGood = load.failed === 0 && load.stale === 0 && missing === 0
  show(`${load.keys} keys, ${missing} missing or too old; ${load.stale} stale reads under way`)
  if (load.firstError !== undefined) show(`the first failure: ${load.firstError.message}`)
  const verdict = `${load.calls} calls, ${load.failed} failed, ${isGood ? 'nothing lost' : 'something was lost'}`
  show(isGood ? paint.green(paint.bold(verdict)) : paint.red(paint.bold(verdict)))
  return isGood
}

/** All smallest majorities of some nodes. */
export function majoritiesOf(ids: readonly string[]): string[][] {
  const size = Math.floor(ids.length / 2) + 1
  const choose = (from: number, count: number): string[][] => {
    if (count === 0) return [[]]
    return ids
      .slice(from, ids.length - count + 1)
      .flatMap((id, offset) => choose(from + offset + 1, count - 1).map((rest) => [id, ...rest]))
  }
  return choose(0, size)
}

function row(label: string, window: LoadWindow): string[] {
  return [label, String(window.calls), String(window.failed), milliseconds(window, 0.5), milliseconds(window, 0.99)]
}

function milliseconds(window: LoadWindow, share: number): string {
  const value = window.percentileMs(share)
  return Number.isNaN(value) ? '-' : value.toFixed(2)
}

function elapsed(since: number): string {
  return Math.max(0, performance.now() - since).toFixed(0)
}

/** Columns of equal width, the first to the left, numbers to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)))
  return rows.map((cells) =>
    cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]! + 3))).join(''),
  )
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs))
}
