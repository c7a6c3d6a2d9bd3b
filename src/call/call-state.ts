// What is known of one call: what it was made of, its frames, what has become of it at each node, its replies. It answers
// questions; `Call` is what changes it.

import type { Metadata, RpcError } from '../errors.ts'
import type { Channel } from '../net/channel.ts'
import { Expiring } from '../net/deadlines.ts'
import { Kind } from '../wire/frame.ts'
import type { Frame } from '../wire/frame-writer.ts'
import { NO_METADATA } from '../wire/metadata.ts'
import { stopError } from './call-errors.ts'
import { type CallConsumer, type CallSetup, Fate, type StopReason } from './call-setup.ts'
import type { Configuration } from './configuration.ts'
import type { Contacts } from './contacts.ts'
import type { Node } from './node.ts'
import type { Response } from './response.ts'

/** Where the numbers of a node stand among a call's marks, and how many there are; its fate is the first. */
const ARRIVAL = 1
const WRITTEN = 2
const ANSWERED = 3
const MARKS = 4

/** A call, as those see it who look at it. */
export abstract class CallState extends Expiring {
  readonly setup: CallSetup
  readonly msgID: number
  /**
   * Four numbers for each node, and one: its fate; the position of the node that was, in the order of arrival, the n-th to
   * reply; when the node was written to and when its last answer came, 0 for never; at the end, when the call was made. Times
   * are the runtime's ms. One array, as there may be very many calls that wait.
   */
  readonly #marks: number[]
  /** The configuration that ends this call when it is closed; undefined on a call of one node. */
  root: Configuration | undefined
  /** What is sent, before per-node mapping. */
  request: unknown
  /** The newest reply of each node; undefined before the first, and when nobody wants them any more. */
  #values: unknown[] | undefined
  /** How many nodes have replied. */
  arrived = 0
  #errors: (RpcError | undefined)[] | undefined
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
    this.setup = setup
    this.msgID = setup.manager.calls.nextID()
    this.#marks = contacts.zeroMarks.slice()
    this.#marks[this.#marks.length - 1] = setup.manager.turn.now()
    this.undecided = contacts.nodes.length
  }

  get contacts(): Contacts {
    return this.setup.contacts
  }

  get methodID(): number {
    return this.setup.method.methodID
  }

  get isOneWay(): boolean {
    return this.setup.method.isOneWay
  }

  /** When it was made, in the runtime's ms. */
  get madeAt(): number {
    return this.#marks[this.#marks.length - 1]!
  }

  get dueAt(): number {
    return this.madeAt + this.setup.timeoutMs
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

  /** What has become of it at a node. */
  fateAt(position: number): number {
    return this.#marks[MARKS * position]!
  }

  protected setFate(position: number, fate: number): void {
    this.#marks[MARKS * position] = fate
  }

  /** The fates of all nodes, as they are now. */
  fates(): number[] {
    const fates = new Array<number>(this.contacts.nodes.length)
    for (let position = 0; position < fates.length; position++) fates[position] = this.fateAt(position)
    return fates
  }

  /** How many nodes were left out. */
  get skipped(): number {
    let skipped = 0
    for (const position of this.contacts.positions) if (this.fateAt(position) === Fate.skipped) skipped++
    return skipped
  }

  /** The position of the node whose first reply was the one behind `index` others. */
  arrivalAt(index: number): number {
    return this.#marks[MARKS * index + ARRIVAL]!
  }

  protected addArrival(position: number): void {
    this.#marks[MARKS * this.arrived++ + ARRIVAL] = position
  }

  /** Whether a node is among the first `count` that have replied. */
  hasReplied(position: number, count = this.arrived): boolean {
    for (let index = 0; index < count; index++) if (this.arrivalAt(index) === position) return true
    return false
  }

  writtenAt(position: number): number {
    return this.#marks[MARKS * position + WRITTEN]!
  }

  protected setWrittenAt(position: number, now: number): void {
    this.#marks[MARKS * position + WRITTEN] = now
  }

  answeredAt(position: number): number {
    return this.#marks[MARKS * position + ANSWERED]!
  }

  protected setAnsweredAt(position: number, now: number): void {
    this.#marks[MARKS * position + ANSWERED] = now
  }

  valueAt(position: number): unknown {
    return this.#values?.[position]
  }

  setValue(position: number, value: unknown): void {
    this.#values ??= new Array(this.contacts.nodes.length)
    this.#values[position] = value
  }

  /** The replies by position, for who wants them beyond `forgetReplies`. */
  get values(): readonly unknown[] | undefined {
    return this.#values
  }

  /** Nobody will ask the call for what it was sent, or for what has come back: it may have to wait for a node for long. */
  forgetReplies(): void {
    this.#values = undefined
    this.request = undefined
  }

  /** Whether a node has failed. */
  get hasFailed(): boolean {
    return this.#errors !== undefined || this.stopReason !== undefined
  }

  protected setError(position: number, error: RpcError): void {
    this.#errors ??= new Array(this.contacts.nodes.length)
    this.#errors[position] = error
  }

  /**
   * Why a node has failed; undefined when it has not. When a call that its caller has done with is stopped, nobody may ever
   * ask: the error is made for who does.
   */
  errorAt(position: number): RpcError | undefined {
    const fate = this.fateAt(position)
    if (fate !== Fate.failed && fate !== Fate.abandoned) return undefined
    if (this.#errors?.[position] === undefined && this.stopReason !== undefined) {
      const channel = this.contacts.channels[position]!
      const isWritten = this.writtenAt(position) > 0
      this.setError(position, stopError(this.setup, channel, this.stopReason, this.stopCause, isWritten))
    }
    return this.#errors?.[position]
  }

  nodeAt(position: number): Node {
    return this.contacts.nodes[position]!
  }

  frameFor(channel: Channel): Frame {
    return this.frames === undefined ? this.frame! : this.frames[this.contacts.positionOf(channel)]!
  }

  isQueuedAt(channel: Channel): boolean {
    return this.fateAt(this.contacts.positionOf(channel)) === Fate.queued
  }

  isWantedAt(channel: Channel): boolean {
    const state = this.fateAt(this.contacts.positionOf(channel))
    return state === Fate.written || (this.isOneWay && state === Fate.replied)
  }

  /** The newest reply of a node as iteration, interceptors and `onReply` see it. */
  replyOf(position: number): Response<unknown> {
    const metadata = this.replyMetadata?.[position] ?? NO_METADATA
    return { nodeID: this.nodeAt(position).id, value: this.valueAt(position), error: undefined, metadata }
  }

  /** The failure of a node as they see it. */
  failureOf(position: number): Response<unknown> {
    const error = this.errorAt(position)!
    return { nodeID: this.nodeAt(position).id, value: undefined, error, metadata: error.metadata }
  }

  /** Whether an answer of this kind may answer a call of this type. */
  fits(kind: number): boolean {
    if (kind === Kind.error) return true
    return this.setup.method.isStream ? kind !== Kind.reply : kind === Kind.reply
  }
}
