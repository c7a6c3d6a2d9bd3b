// The language of the prompt: from a line to a command, and from half a line to what may follow. Pure: it knows the ids
// of the nodes and nothing else.

/** A line that is no command; the message says why in one line. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

export type QuorumOperation =
  | { readonly operation: 'read' | 'stream' | 'nread'; readonly key: string; readonly isExplained: boolean }
  | {
      readonly operation: 'write' | 'nwrite'
      readonly key: string
      readonly value: string
      readonly isExplained: boolean
    }

export type ProcessAction = 'kill' | 'stop' | 'cont' | 'restart'

export type Command =
  | { readonly kind: 'nothing' | 'help' | 'exit' | 'nodes' | 'load' }
  | { readonly kind: 'rpc'; readonly nodeID: string; readonly operation: 'read'; readonly key: string }
  | {
      readonly kind: 'rpc'
      readonly nodeID: string
      readonly operation: 'write'
      readonly key: string
      readonly value: string
    }
  | { readonly kind: 'ucast'; readonly nodeID: string; readonly key: string; readonly value: string }
  | { readonly kind: 'mcast'; readonly nodeIDs: readonly string[]; readonly key: string; readonly value: string }
  | ({ readonly kind: 'qc'; readonly nodeIDs: readonly string[] } & QuorumOperation)
  | { readonly kind: 'process'; readonly action: ProcessAction; readonly nodeID: string }

/** What the prompt is about. */
export interface Scene {
  readonly nodeIDs: readonly string[]
  /** Whether the replicas are ours to kill. */
  readonly isLocal: boolean
}

const PROCESS_ACTIONS: readonly ProcessAction[] = ['kill', 'stop', 'cont', 'restart']
const QUORUM_OPERATIONS = ['read', 'write', 'stream', 'nread', 'nwrite'] as const
const EXPLAIN = '--explain'

const USAGE = {
  rpc: 'rpc <node> read <key> | rpc <node> write <key> <value>',
  ucast: 'ucast <node> <key> <value>',
  mcast: 'mcast <key> <value>',
  qc: 'qc read|stream|nread <key> [--explain] | qc write|nwrite <key> <value> [--explain]',
  cfg: 'cfg <nodes> qc … | cfg <nodes> mcast …, nodes as in 1:3 or 0,2',
  process: 'kill|stop|cont|restart <node>',
} as const

/** One word of a line. */
interface Word {
  readonly text: string
  readonly isQuoted: boolean
}

/** Reads a line. Throws CommandError. */
export function parseCommand(line: string, scene: Scene): Command {
  const [first, ...rest] = splitWords(line)
  if (first === undefined) return { kind: 'nothing' }
  switch (first.text) {
    case 'help':
    case '?':
      return plain('help', rest)
    case 'exit':
    case 'quit':
      return plain('exit', rest)
    case 'nodes':
    case 'load':
      return plain(first.text, rest)
    case 'rpc':
      return parseRPC(rest, scene)
    case 'ucast': {
      const [node, key, value] = exactly(rest, 3, USAGE.ucast)
      return { kind: 'ucast', nodeID: nodeNamed(node, scene.nodeIDs), key, value }
    }
    case 'mcast':
    case 'qc':
      return parseCall(first.text, rest, scene.nodeIDs)
    case 'cfg':
      return parseConfiguration(rest, scene.nodeIDs)
  }
  const action = PROCESS_ACTIONS.find((each) => each === first.text)
  if (action === undefined) throw new CommandError(`unknown command "${first.text}": try help`)
  if (!scene.isLocal)
    throw new CommandError(`${action}: these servers run elsewhere; only local replicas can be told that`)
  const [node] = exactly(rest, 1, USAGE.process)
  return { kind: 'process', action, nodeID: nodeNamed(node, scene.nodeIDs) }
}

/**
 * Splits a line at spaces. Words may stand in 'single' or "double" quotes, with backslash escapes in double ones. Throws
 * CommandError for a quote that is not closed.
 */
export function splitWords(line: string): Word[] {
  const words: Word[] = []
  let text = ''
  let isQuoted = false
  let quote = ''
  for (let index = 0; index < line.length; index++) {
    const character = line[index]!
    if (quote === '"' && character === '\\' && index + 1 < line.length) text += line[++index]
    else if (quote !== '') {
      if (character === quote) quote = ''
      else text += character
    } else if (character === '"' || character === "'") {
      quote = character
      isQuoted = true
    } else if (/\s/.test(character)) {
      if (text !== '' || isQuoted) words.push({ text, isQuoted })
      text = ''
      isQuoted = false
    } else text += character
  }
  if (quote !== '') throw new CommandError(`a quote ${quote} is not closed`)
  if (text !== '' || isQuoted) words.push({ text, isQuoted })
  return words
}

/** A node by its id or its number, counted from 0. Throws CommandError. */
export function nodeNamed(word: string, nodeIDs: readonly string[]): string {
  const nodeID = nodeIDs.includes(word) ? word : /^\d+$/.test(word) ? nodeIDs[Number(word)] : undefined
  if (nodeID === undefined)
    throw new CommandError(`there is no node "${word}": 0 to ${nodeIDs.length - 1}, or ${nodeIDs.join(', ')}`)
  return nodeID
}

/** Several nodes: `1:3` is those from 1 up to, not including, 3; `0,2` and `a,c` are lists. Throws CommandError. */
export function nodesNamed(word: string, nodeIDs: readonly string[]): readonly string[] {
  const range = /^(\d*):(\d*)$/.exec(word)
  if (range !== null) {
    const from = range[1] === '' ? 0 : Number(range[1])
    const to = range[2] === '' ? nodeIDs.length : Number(range[2])
    if (from >= to || to > nodeIDs.length)
      throw new CommandError(`${word} names no nodes: a range lies within 0:${nodeIDs.length}`)
    return nodeIDs.slice(from, to)
  }
  const named = word.split(',').map((each) => nodeNamed(each.trim(), nodeIDs))
  if (new Set(named).size !== named.length) throw new CommandError(`${word} names a node twice`)
  return named
}

/** What may follow: candidates for the last word of the line, and that word. As readline wants it. */
export function completeCommand(line: string, scene: Scene): [string[], string] {
  const before = line.split(/\s+/)
  const last = before.pop() ?? ''
  const words = before.filter((word) => word !== '')
  const found = candidates(words, scene).filter((candidate) => candidate.startsWith(last))
  return [found.map((candidate) => `${candidate} `), last]
}

function candidates(words: readonly string[], scene: Scene): readonly string[] {
  const [first, second, third] = words
  const isAfter = (count: number): boolean => words.length === count
  switch (first) {
    case undefined:
      return [
        ...['nodes', 'rpc', 'ucast', 'mcast', 'qc', 'cfg', 'load', 'help', 'exit'],
        ...(scene.isLocal ? PROCESS_ACTIONS : []),
      ]
    case 'rpc':
      return isAfter(1) ? scene.nodeIDs : isAfter(2) ? ['read', 'write'] : []
    case 'ucast':
      return isAfter(1) ? scene.nodeIDs : []
    case 'qc':
      if (isAfter(1)) return QUORUM_OPERATIONS
      return isAfter(second === 'write' || second === 'nwrite' ? 4 : 3) ? [EXPLAIN] : []
    case 'cfg':
      if (isAfter(1)) return [`0:${scene.nodeIDs.length}`, ...scene.nodeIDs]
      if (isAfter(2)) return ['qc', 'mcast']
      return third === 'qc' ? candidates(words.slice(2), scene) : []
  }
  return scene.isLocal && PROCESS_ACTIONS.some((action) => action === first) && isAfter(1) ? scene.nodeIDs : []
}

function plain(kind: 'help' | 'exit' | 'nodes' | 'load', rest: readonly Word[]): Command {
  if (rest.length > 0) throw new CommandError(`${kind} stands alone`)
  return { kind }
}

function parseRPC(words: readonly Word[], scene: Scene): Command {
  const [node, operation] = words
  if (node === undefined) throw new CommandError(`usage: ${USAGE.rpc}`)
  const nodeID = nodeNamed(node.text, scene.nodeIDs)
  const rest = words.slice(2)
  if (operation?.text === 'read') {
    const [key] = exactly(rest, 1, USAGE.rpc)
    return { kind: 'rpc', nodeID, operation: 'read', key }
  }
  if (operation?.text !== 'write') throw new CommandError(`usage: ${USAGE.rpc}`)
  const [key, value] = exactly(rest, 2, USAGE.rpc)
  return { kind: 'rpc', nodeID, operation: 'write', key, value }
}

function parseConfiguration(words: readonly Word[], nodeIDs: readonly string[]): Command {
  const [nodes, call, ...rest] = words
  if (nodes === undefined || (call?.text !== 'qc' && call?.text !== 'mcast'))
    throw new CommandError(`usage: ${USAGE.cfg}`)
  return parseCall(call.text, rest, nodesNamed(nodes.text, nodeIDs))
}

function parseCall(call: 'qc' | 'mcast', words: readonly Word[], nodeIDs: readonly string[]): Command {
  if (call === 'mcast') {
    const [key, value] = exactly(words, 2, USAGE.mcast)
    return { kind: 'mcast', nodeIDs, key, value }
  }
  const isExplained = words.some((word) => isOption(word))
  const [first, ...rest] = words.filter((word) => !isOption(word))
  const operation = QUORUM_OPERATIONS.find((each) => each === first?.text)
  if (operation === undefined) throw new CommandError(`usage: ${USAGE.qc}`)
  if (operation === 'write' || operation === 'nwrite') {
    const [key, value] = exactly(rest, 2, USAGE.qc)
    return { kind: 'qc', nodeIDs, operation, key, value, isExplained }
  }
  const [key] = exactly(rest, 1, USAGE.qc)
  return { kind: 'qc', nodeIDs, operation, key, isExplained }
}

function isOption(word: Word): boolean {
  return word.text === EXPLAIN && !word.isQuoted
}

function exactly(words: readonly Word[], count: 1, usage: string): [string]
function exactly(words: readonly Word[], count: 2, usage: string): [string, string]
function exactly(words: readonly Word[], count: 3, usage: string): [string, string, string]
function exactly(words: readonly Word[], count: number, usage: string): string[] {
  const option = words.find((word) => word.text.startsWith('--') && !word.isQuoted)
  if (option !== undefined) throw new CommandError(`unknown option ${option.text}: usage: ${usage}`)
  if (words.length > count) throw new CommandError(`too many words (quote values that contain spaces): ${usage}`)
  if (words.length < count) throw new CommandError(`usage: ${usage}`)
  return words.map((word) => word.text)
}

/** What `help` prints. */
export function helpText(isLocal: boolean): string {
  const lines: [string, string][] = [
    ['nodes', 'who they are and how they are doing'],
    ['rpc <node> read <key>', 'ask one node'],
    ['rpc <node> write <key> <value>', 'write on one node'],
    ['ucast <node> <key> <value>', 'write on one node, one way'],
    ['mcast <key> <value>', 'write on all nodes, one way'],
    ['qc read <key>', 'the newest of a majority, written back where it differs'],
    ['qc write <key> <value>', 'read the newest timestamp, write with a higher one'],
    ['qc stream <key>', 'the same read, level by level'],
    ['qc nread <key>', 'replicas read from a majority for us'],
    ['qc nwrite <key> <value>', 'replicas write to a majority for us'],
    ['qc … --explain', 'and draw what each node did'],
    ['cfg <nodes> qc …|mcast …', 'call only these: 1:3 is nodes 1 and 2; 0,2 is a list'],
    ['load', 'what the background load has counted'],
    ...(isLocal
      ? ([
          ['kill <node>', 'SIGKILL: gone, connections reset'],
          ['stop <node>', 'SIGSTOP: silent, connections open'],
          ['cont <node>', 'SIGCONT: goes on'],
          ['restart <node>', 'started again on its port, with its journal'],
        ] satisfies [string, string][])
      : []),
    ['help, exit', ''],
  ]
  const width = Math.max(...lines.map(([usage]) => usage.length))
  const text = lines.map(([usage, meaning]) => `  ${usage.padEnd(width)}  ${meaning}`.trimEnd())
  return [...text, 'A node is its number, from 0, or its id. Values with spaces stand in quotes.'].join('\n')
}
