// What is known of one call: what it was made of, its frames, what has become of it at each node, its replies. It answers
// questions; `Call` is what changes it.

import type { Metadata, RpcError } from '../errors.ts'
import type { Channel } from '../net/channel.ts'
import { Expiring } from '../net/deadlines.ts'
import { Kind } from '../wire/frame.ts'
import type { Frame } from '../wire/frame-writer.ts'
import { NO_METADATA } from '../wire/metadata.ts'
import { type CallConsumer, type CallSetup, Fate, type StopReason } from './call-setup.ts'
import type { Configuration } from './configuration.ts'
import type { Contacts } from './contacts.ts'
import type { Node } from './node.ts'
import type { Response } from './response.ts'

/** A call, as those see it who look at it. */
export abstract class CallState extends Expiring {
  readonly setup: CallSetup
  readonly contacts: Contacts
  readonly msgID: number
  readonly methodID: number
  readonly isOneWay: boolean
  /** When it was made, in the runtime's ms. */
  readonly madeAt: number
  /** The fate of each node. */
  readonly states: number[]
  /** The configuration that ends this call when it is closed; undefined on a call of one node. */
  root: Configuration | undefined
  /** What is sent, before per-node mapping. */
  request: unknown
  /** The newest reply of each node. */
  readonly values: unknown[]
  /** The positions of the nodes that have replied, in order of arrival: the first `arrived`. */
  readonly arrivals: number[]
  arrived = 0
  /** Two for each node, in the runtime's ms: when it was written to, and when its last answer came; 0 for never. */
  readonly times: number[]
  errors: (RpcError | undefined)[] | undefined
  replyMetadata: (Metadata | undefined)[] | undefined
  /** The frame that all nodes share, or one per node. */
  frame: Frame | undefined
  frames: (Frame | undefined)[] | undefined
  /** Called with every response, whatever the consumer. */
  onResponse: ((response: Response<unknown>) => void) | undefined
  consumer: CallConsumer | undefined
  /** The consumer has what it wants: further replies are not decoded. */
  isDone = false
  /** Nodes that are not decided for the caller. */
  undecided: number
  /** Items that have arrived and nobody has consumed. */
  unconsumed = 0
  /** Why it was stopped before its nodes were done. */
  stopReason: StopReason | undefined
  stopCause: unknown

  constructor(setup: CallSetup) {
    super()
    const { contacts } = setup
    const count = contacts.nodes.length
    this.setup = setup
    this.contacts = contacts
    this.methodID = setup.method.methodID
    this.isOneWay = setup.method.isOneWay
    this.msgID = setup.manager.calls.nextID()
    this.madeAt = setup.manager.turn.now()
    this.states = contacts.zeros.slice()
    this.arrivals = contacts.zeros.slice()
    this.values = new Array(count)
    this.times = contacts.zeroTimes.slice()
    this.undecided = count
  }

  get waitsWhenDown(): boolean {
    return this.setup.defaults.waitsWhenDown
  }

  get waitsWhenFull(): boolean {
    return this.setup.defaults.waitsWhenFull
  }

  /** Whether every node is decided. */
  get isSettled(): boolean {
    return this.undecided === 0
  }

  /** Whether a node has given a reply. */
  hasReplied(position: number): boolean {
    const index = this.arrivals.indexOf(position)
    return index >= 0 && index < this.arrived
  }

  writtenAt(position: number): number {
    return this.times[2 * position]!
  }

  answeredAt(position: number): number {
    return this.times[2 * position + 1]!
  }

  nodeAt(position: number): Node {
    return this.contacts.nodes[position]!
  }

  frameFor(channel: Channel): Frame {
    return this.frames === undefined ? this.frame! : this.frames[this.contacts.positionOf(channel)]!
  }

  isQueuedAt(channel: Channel): boolean {
    return this.states[this.contacts.positionOf(channel)] === Fate.queued
  }

  isWantedAt(channel: Channel): boolean {
    const state = this.states[this.contacts.positionOf(channel)]
    return state === Fate.written || (this.isOneWay && state === Fate.replied)
  }

  /** The newest reply of a node as iteration, interceptors and `onReply` see it. */
  replyOf(position: number): Response<unknown> {
    const metadata = this.replyMetadata?.[position] ?? NO_METADATA
    return { nodeID: this.nodeAt(position).id, value: this.values[position], error: undefined, metadata }
  }

  /** The failure of a node as they see it. */
  failureOf(position: number): Response<unknown> {
    const error = this.errors![position]!
    return { nodeID: this.nodeAt(position).id, value: undefined, error, metadata: error.metadata }
  }

  /** Whether an answer of this kind may answer a call of this type. */
  fits(kind: number): boolean {
    if (kind === Kind.error) return true
    return this.setup.method.isStream ? kind !== Kind.reply : kind === Kind.reply
  }
}
