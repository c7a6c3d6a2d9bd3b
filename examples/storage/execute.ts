// What the commands of the prompt do: each is a few calls and the lines that tell what came of them. The language is in
// commands.ts, the prompt itself in repl.ts.

import {
  type CallRecord,
  type Configuration,
  type Metadata,
  QuorumError,
  type Replies,
  type Response,
  type RpcError,
} from 'gorums'
import { CONFIDENCE, confidence, MultiWriterStorage, type PhaseObserver } from './clients.ts'
import { type Command, helpText, type ProcessAction } from './commands.ts'
import { newest } from './entry.ts'
import { explain } from './explain.ts'
import type { Load } from './load.ts'
import { nodeMark } from './marks.ts'
import type { Paint } from './paint.ts'
import type { ReplicaProcesses } from './processes.ts'
import { type Entry, Storage, type WriteRequest } from './storage_gorums.ts'

/** What a command works on. */
export interface Session {
  readonly configuration: Configuration
  /** The replicas, when they are processes of ours. */
  readonly processes: ReplicaProcesses | undefined
  readonly load: Load | undefined
  /** Told apart from all other writers. */
  readonly writerID: string
  readonly paint: Paint
  readonly print: (line: string) => void
}

/** A person waits: calls give up earlier than by default. */
const TIMEOUT_MS = 5_000
/** With `--explain` one waits for the slowest node. */
const EXPLAIN_TIMEOUT_MS = 2_000

/** Runs a command. Rejects with what went wrong, in one line. The signal cancels what is under way. */
export async function execute(command: Command, session: Session, signal: AbortSignal): Promise<void> {
  const { print } = session
  switch (command.kind) {
    case 'nothing':
    case 'exit':
      return
    case 'help':
      return print(helpText(session.processes !== undefined))
    case 'nodes':
      return printNodes(session)
    case 'load':
      return printLoad(session)
    case 'rpc':
      return callNode(command, session, signal)
    case 'ucast': {
      const { nodeID } = command
      const request = await stamped(command, session, signal)
      await session.configuration.node(nodeID).client(Storage).writeUnicast(request, { timeoutMs: TIMEOUT_MS, signal })
      return print(`sent to ${nodeID}: ${describe(command.key, request)}`)
    }
    case 'mcast': {
      const view = session.configuration.subset(command.nodeIDs)
      const request = await stamped(command, session, signal)
      const failed = await failuresOf(view.client(Storage).writeMulticast(request, { timeoutMs: TIMEOUT_MS, signal }))
      const sentTo = view.nodeIDs.filter((id) => !failed.has(id))
      const notTo = [...failed].map(([id, error]) => `, not to ${id} (${error.code})`)
      return print(`sent to ${sentTo.join(', ') || 'nobody'}${notTo.join('')}: ${describe(command.key, request)}`)
    }
    case 'qc':
      return callQuorum(command, session, signal)
    case 'process':
      return tellProcess(command.action, command.nodeID, session, signal)
  }
}

/** The nodes that a multicast could not be sent to. */
async function failuresOf(multicast: Promise<void>): Promise<ReadonlyMap<string, RpcError>> {
  try {
    await multicast
    return new Map()
  } catch (error) {
    if (error instanceof QuorumError && error.reason === 'impossible') return error.errors
    throw error
  }
}

type CommandOf<Kind extends Command['kind']> = Extract<Command, { kind: Kind }>

async function callNode(command: CommandOf<'rpc'>, session: Session, signal: AbortSignal): Promise<void> {
  const { nodeID, key } = command
  const node = session.configuration.node(nodeID).client(Storage)
  const options = { timeoutMs: TIMEOUT_MS, signal }
  if (command.operation === 'read') {
    const entry = await node.readRPC({ key }, options)
    session.print(`${nodeID}: ${describe(key, entry)}`)
    return
  }
  const request = await stamped(command, session, signal)
  const { isNew } = await node.writeRPC(request, options)
  session.print(`${nodeID}: ${isNew ? describe(key, request) : 'keeps what it has, which is newer'}`)
}

async function callQuorum(command: CommandOf<'qc'>, session: Session, signal: AbortSignal): Promise<void> {
  const { isExplained } = command
  const records: Promise<CallRecord>[] = []
  const metadata = new Map<string, Metadata>()
  const call: QuorumCommand = {
    view: session.configuration.subset(command.nodeIDs),
    options: {
      timeoutMs: isExplained ? EXPLAIN_TIMEOUT_MS : TIMEOUT_MS,
      signal,
      onReply: (response) => metadata.set(response.nodeID, response.metadata),
    },
    onPhase: (_phase, { settled }) => records.push(settled),
    session,
  }
  try {
    if (command.operation === 'write') await write(command.key, command.value, call)
    else if (command.operation === 'nwrite') await nestedWrite(command.key, command.value, call)
    else if (command.operation === 'read') await read(command.key, call)
    else if (command.operation === 'stream') await stream(command.key, call)
    else await nestedRead(command.key, call)
  } finally {
    if (isExplained) {
      for (const record of await Promise.all(records))
        for (const line of explain(record, { paint: session.paint })) session.print(line)
      printMetadata(metadata, session)
    }
  }
}

/** What servers have said beside their last replies, if they said anything: try the interceptor `metadata`. */
function printMetadata(metadata: ReadonlyMap<string, Metadata>, { print }: Session): void {
  for (const [nodeID, entries] of metadata) {
    const pairs = Object.entries(entries).map(([name, value]) => `${name}=${String(value)}`)
    if (pairs.length > 0) print(`  ${nodeID}: ${pairs.join(', ')}`)
  }
}

/** What the operations of `qc` need. */
interface QuorumCommand {
  readonly view: Configuration
  readonly options: {
    readonly timeoutMs: number
    readonly signal: AbortSignal
    readonly onReply: (response: Pick<Response<unknown>, 'nodeID' | 'metadata'>) => void
  }
  readonly onPhase: PhaseObserver
  readonly session: Session
}

async function read(key: string, { view, options, onPhase, session }: QuorumCommand): Promise<void> {
  let isWrittenBack = false
  const register = new MultiWriterStorage(view, session.writerID, {
    ...options,
    onPhase: (phase, call) => {
      onPhase(phase, call)
      isWrittenBack ||= phase === 'write-back'
    },
  })
  const entry = await register.read(key)
  session.print(describe(key, entry) + (isWrittenBack ? ', written back: not everyone had it' : ''))
}

async function write(key: string, value: string, { view, options, onPhase, session }: QuorumCommand): Promise<void> {
  const entry = await new MultiWriterStorage(view, session.writerID, { ...options, onPhase }).write(key, value)
  session.print(`${describe(key, entry)}, acknowledged by a majority`)
}

async function stream(key: string, { view, options, onPhase, session }: QuorumCommand): Promise<void> {
  const storage = view.client(Storage)
  const call = storage.readStream({ key }, options)
  onPhase('read', call)
  for await (const { value, level } of call.correctable(confidence)) {
    session.print(`level ${level}: ${describe(key, value)}, ${LEVELS[level]}`)
    if (level !== CONFIDENCE.newest) continue
    const writeBack = storage.writeQC({ key, ...value }, options)
    onPhase('write-back', writeBack)
    await writeBack.majority()
  }
}

async function nestedRead(key: string, { view, options, onPhase, session }: QuorumCommand): Promise<void> {
  const call = view.client(Storage).readNested({ key }, options)
  onPhase('read', call)
  const [nodeID, entry] = firstOf(await call.threshold(1))
  session.print(`${describe(key, entry)}, as ${nodeID} has read it from ${entry.readFrom.join(', ')}`)
}

async function nestedWrite(key: string, value: string, command: QuorumCommand): Promise<void> {
  const { view, options, onPhase, session } = command
  const request = await stamped({ key, value }, session, options.signal)
  const call = view.client(Storage).writeNested(request, options)
  onPhase('write', call)
  const [nodeID, { writtenTo }] = firstOf(await call.threshold(1))
  session.print(`${describe(key, request)}, as ${nodeID} has written it to ${writtenTo.join(', ')}`)
}

const LEVELS: Readonly<Record<number, string>> = {
  [CONFIDENCE.someone]: 'says one replica',
  [CONFIDENCE.newest]: 'the newest that a majority knows of; it is written back',
  [CONFIDENCE.settled]: 'held by a majority',
}

function firstOf<T>(replies: Replies<T>): [string, T] {
  const [first] = replies
  return first!
}

/**
 * A write with the next timestamp. It asks everyone, whomever the write goes to; when no majority answers, those who did
 * must do: these writes promise nothing anyway.
 */
async function stamped(
  { key, value }: { readonly key: string; readonly value: string },
  session: Session,
  signal: AbortSignal,
): Promise<WriteRequest> {
  const storage = session.configuration.client(Storage)
  let entries: Iterable<Entry>
  try {
    entries = (await storage.readQC({ key }, { timeoutMs: TIMEOUT_MS, signal }).majority()).values()
  } catch (error) {
    if (!(error instanceof QuorumError) || error.reason === 'cancelled') throw error
    entries = (error.replies as Replies<Entry>).values()
  }
  return { key, value, timestamp: newest(entries).timestamp + 1, writer: session.writerID }
}

function printNodes({ configuration, processes, paint, print }: Session): void {
  const rows = configuration.nodes.map((node, index) => {
    const mark = nodeMark(configuration, node.id, processes)
    const colour = mark === 'up' ? paint.green : mark === 'down' ? paint.red : paint.yellow
    const { meanMs, p99Ms, samples } = node.latency
    const latency = samples === 0 ? 'no answer yet' : `mean ${meanMs.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`
    const process = processes === undefined ? '' : `pid ${processes.pid(node.id)} ${processes.state(node.id)}, `
    const name = node.id === node.address ? node.id : `${node.id}  ${node.address}`
    return `${String(index).padStart(2)}  ${name}  ${colour(node.state.padEnd(10))}  ${process}${latency}`
  })
  for (const row of rows) print(row)
}

function printLoad({ load, print }: Session): void {
  if (load === undefined) return print('there is no background load here')
  const { calls, failed, stale, keys, rate } = load
  print(`${calls} calls at ${rate} per second, ${failed} failed, ${stale} stale reads, ${keys} keys`)
  if (load.firstError !== undefined) print(`the first failure: ${load.firstError.message}`)
}

async function tellProcess(
  action: ProcessAction,
  nodeID: string,
  session: Session,
  signal: AbortSignal,
): Promise<void> {
  const { processes, configuration, print } = session
  if (processes === undefined) return
  switch (action) {
    case 'kill':
      await processes.kill(nodeID)
      return print(`${nodeID} is dead (SIGKILL)`)
    case 'stop':
      processes.stop(nodeID)
      return print(`${nodeID} is stopped (SIGSTOP): its connections stay open, and nobody answers`)
    case 'cont':
      processes.cont(nodeID)
      return print(`${nodeID} goes on (SIGCONT)`)
    case 'restart': {
      const { keys, listeningAt } = await processes.restart(nodeID)
      await configuration.waitFor((status) => status.connected.has(nodeID), { timeoutMs: TIMEOUT_MS, signal })
      const reconnectMs = Math.max(0, performance.now() - listeningAt)
      return print(`${nodeID} is back with ${keys} keys, connected ${reconnectMs.toFixed(0)} ms after it listened`)
    }
  }
}

/** An entry in words. */
export function describe(key: string, entry: Entry): string {
  const name = /^[^\s"']+$/.test(key) ? key : JSON.stringify(key)
  if (entry.timestamp === 0) return `${name} has not been written`
  return `${name} = ${JSON.stringify(entry.value)} (timestamp ${entry.timestamp} by ${entry.writer})`
}
