// One character per node: how it is doing, as far as we know. We know more of replicas that we have started ourselves;
// of others only what the connection tells.

import type { Configuration } from 'gorums'
import type { Paint } from './paint.ts'
import type { ReplicaProcesses } from './processes.ts'

export type NodeMark = 'up' | 'waiting' | 'down'

const SYMBOLS: Record<NodeMark, string> = { up: '●', waiting: '◌', down: '✕' }

/** `waiting`: stopped, or being connected to; a stopped process looks connected from here until it misses a ping. */
export function nodeMark(configuration: Configuration, nodeID: string, processes?: ReplicaProcesses): NodeMark {
  const process = processes?.state(nodeID)
  if (process === 'killed') return 'down'
  const { state } = configuration.node(nodeID)
  if (state === 'up') return process === 'stopped' ? 'waiting' : 'up'
  return state === 'connecting' || process !== undefined ? 'waiting' : 'down'
}

/** The marks of all nodes, in their order: `●●◌●✕`. */
export function nodeMarks(configuration: Configuration, paint: Paint, processes?: ReplicaProcesses): string {
  const colours: Record<NodeMark, (text: string) => string> = {
    up: paint.green,
    waiting: paint.yellow,
    down: paint.red,
  }
  return configuration.nodeIDs
    .map((nodeID) => {
      const mark = nodeMark(configuration, nodeID, processes)
      return colours[mark](SYMBOLS[mark])
    })
    .join('')
}
