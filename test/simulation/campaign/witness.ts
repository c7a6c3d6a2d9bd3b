// Stands beside the connections of a simulated world: sees every session begin and go on, and every frame that is taken. It
// counts the edge cases of going on, and knows what must never happen there. The product knows nothing of it.

import type { Call } from '../../../src/call/call.ts'
import { Admission } from '../../../src/net/admission.ts'
import { Channel } from '../../../src/net/channel.ts'
import type { PeerInfo, SessionTerms } from '../../../src/net/channel-ports.ts'
import type { ChannelSession } from '../../../src/net/channel-session.ts'
import type { Connection } from '../../../src/net/connection.ts'
import type { NodeManager } from '../../../src/net/node-manager.ts'
import type { Turn } from '../../../src/net/turn.ts'
import type { Hello } from '../../../src/wire/control.ts'
import { Kind, LENGTH_BYTES } from '../../../src/wire/frame.ts'
import { FrameRun } from '../../../src/wire/frame-run.ts'
import { Violation } from './ledger.ts'

/** The edge cases of going on with a session. A campaign is to meet each of them. */
export const EDGES = [
  'nothing to send again',
  'requests sent again',
  'one-way requests sent again',
  'a request sent again whose call has its quorum',
  'answers sent again',
  'items sent again, of a stream that was cut in the middle',
  'a CANCEL sent again',
  'a SKIP for a request that was cancelled meanwhile',
  'a SKIP for a request whose deadline passed meanwhile',
  'an ACK was lost',
  'HELLO_OK was lost, or the ACK behind it',
  'a HELLO came later than a newer one',
  'the log was full',
  'the request window was full',
  'cut again before what was sent again had arrived',
  'back in the last tenth of its time',
  'too late: its time was over',
  'the other side had been started anew',
  'another process of a node took the place of the last',
  'while the server drains',
  'after GOAWAY was heard',
] as const

export type Edge = (typeof EDGES)[number]

/** A request of this size is refused when a window is as good as full, bytes. */
const SMALL_REQUEST = 2_048

/** What is known of one channel. */
interface Seen {
  connection: Connection
  /** What had been sent when its session last went on, with something to send again; 0 if there was nothing. */
  resentUpTo: number
  wasWindowFull: boolean
  lostAt: number | undefined
}

/** A dialler that has been let in. */
interface LetIn {
  /** The number of its HELLO. */
  readonly epoch: number
  /** Whether the connection has counted since. */
  hasCounted: boolean
  /** What its connection, or the last that has counted, belongs to. */
  channel: Channel | undefined
}

export class Witness {
  readonly edges: Partial<Record<Edge, number>> = {}
  readonly #fail: (error: Error) => void
  readonly #channels = new WeakMap<Channel, Seen>()
  readonly #accepted = new WeakSet<Channel>()
  /** Connections in whose place another has been let in. */
  readonly #fenced = new WeakSet<Connection>()
  /** By acceptor and incarnation, whom it has let in. */
  readonly #letIn = new WeakMap<Admission, Map<string, LetIn>>()

  /** `fail` ends the simulation: what is thrown within the product might be taken for a fault of it. */
  constructor(fail: (error: Error) => void) {
    this.#fail = fail
  }

  watch(manager: NodeManager): void {
    witnesses.set(manager.turn, this)
    byIncarnation.set(manager.incarnation.toString('hex'), new WeakRef(this))
  }

  /** When a channel lost its connection, in its runtime's ms; undefined while it has one, or has had none. */
  lostAt(channel: Channel): number | undefined {
    return this.#channels.get(channel)?.lostAt
  }

  isAccepted(channel: Channel): boolean {
    return this.#accepted.has(channel)
  }

  onAttach(channel: Channel, connection: Connection, terms: SessionTerms, isDialler: boolean): void {
    const seen = this.#channels.get(channel)
    if (seen !== undefined && seen.connection !== connection && !seen.connection.isClosed)
      this.#fail(new Violation('one connection', `${channel.nodeID} has another that is open`))
    if (!isDialler) this.#accepted.add(channel)
    const { session } = channel
    const isResumed = terms.isResumed && session !== undefined
    if (isResumed) this.#countResume(channel, session, terms, seen)
    const resentUpTo = isResumed && session.frames.written > terms.peerReceived ? session.frames.written : 0
    this.#channels.set(channel, { connection, resentUpTo, wasWindowFull: false, lostAt: undefined })
  }

  onClosed(channel: Channel, connection: Connection): void {
    const { session } = channel
    const seen = this.#channels.get(channel)
    if (session?.connection !== connection || seen?.connection !== connection) return
    if (seen.resentUpTo > session.frames.acknowledged) this.#count('cut again before what was sent again had arrived')
    seen.wasWindowFull =
      !session.isLogFull && session.refusal === undefined && connection.hasRoom && !session.mayWrite(SMALL_REQUEST)
    seen.lostAt = channel.turn.runtime.now()
  }

  onFrame(channel: Channel, connection: Connection, kind: number): void {
    if (kind < Kind.hello && this.#fenced.has(connection))
      this.#fail(
        new Violation('fence', `a frame of ${channel.nodeID} is taken from a connection that another replaces`),
      )
  }

  onLetIn(admission: Admission, hello: Hello, before: Connection | undefined, isResumed: boolean): void {
    if (before !== undefined) this.#fenced.add(before)
    const incarnation = hello.incarnation.toString('hex')
    const letIn = this.#letIn.get(admission) ?? new Map()
    this.#letIn.set(admission, letIn)
    const last = letIn.get(incarnation)
    if (last !== undefined && hello.attachEpoch <= last.epoch)
      this.#fail(new Violation('fence', `HELLO ${hello.attachEpoch} is let in after HELLO ${last.epoch}`))
    if (last?.hasCounted === false) this.#count('HELLO_OK was lost, or the ACK behind it')
    if (hello.sessionID.length > 0 && !isResumed)
      this.#count(last === undefined ? 'the other side had been started anew' : 'too late: its time was over')
    letIn.set(incarnation, { epoch: hello.attachEpoch, hasCounted: false, channel: last?.channel })
  }

  onRefused(code: string): void {
    if (code === 'aborted') this.#count('a HELLO came later than a newer one')
  }

  onCounts(admission: Admission, channel: Channel, { nodeID, incarnation }: PeerInfo, hasDisplaced: boolean): void {
    if (hasDisplaced) this.#count('another process of a node took the place of the last')
    for (const other of admission.channels) {
      if (nodeID === '' || other === channel || other.peer?.nodeID !== nodeID || other.session === undefined) continue
      this.#fail(new Violation('one process', `two of node ${nodeID} have sessions`))
    }
    const letIn = this.#letIn.get(admission)?.get(incarnation.toString('hex'))
    if (letIn === undefined) return
    if (letIn.channel !== channel && letIn.channel?.session !== undefined)
      this.#fail(new Violation('one session', `${channel.nodeID} has a session, and the last one lives on`))
    letIn.hasCounted = true
    letIn.channel = channel
  }

  #countResume(channel: Channel, session: ChannelSession, terms: SessionTerms, seen: Seen | undefined): void {
    const { frames } = session
    if (terms.peerReceived > frames.acknowledged) this.#count('an ACK was lost')
    if (session.isLogFull) this.#count('the log was full')
    if (seen?.wasWindowFull) this.#count('the request window was full')
    if (session.isDraining) this.#count('while the server drains')
    if (session.refusal !== undefined) this.#count('after GOAWAY was heard')
    const awayMs = channel.turn.runtime.now() - (seen?.lostAt ?? Infinity)
    if (this.isAccepted(channel) && awayMs > 0.9 * session.ttlMs) this.#count('back in the last tenth of its time')
    if (frames.written === terms.peerReceived) this.#count('nothing to send again')
    const edges = new Set<Edge | undefined>()
    frames.forEach((entry, number) => {
      const arrived = Math.max(0, terms.peerReceived + 1 - number)
      if (entry instanceof FrameRun) for (const kind of kindsOf(entry).slice(arrived)) edges.add(edgeOfKind(kind))
      else if (arrived === 0) edges.add(edgeOfCall(entry as Call, channel))
    })
    for (const edge of edges) if (edge !== undefined) this.#count(edge)
  }

  #count(edge: Edge): void {
    this.edges[edge] = (this.edges[edge] ?? 0) + 1
  }
}

function kindsOf({ buffer, start, end }: FrameRun): number[] {
  const kinds: number[] = []
  for (let at = start; at < end; at += LENGTH_BYTES + buffer.readUInt32BE(at)) kinds.push(buffer[at + LENGTH_BYTES]!)
  return kinds
}

/** What is special about a frame that is sent again as it is. */
function edgeOfKind(kind: number): Edge | undefined {
  if (kind === Kind.item) return 'items sent again, of a stream that was cut in the middle'
  if (kind === Kind.cancel) return 'a CANCEL sent again'
  return kind >= Kind.reply && kind <= Kind.error ? 'answers sent again' : undefined
}

/** What is special about a call that is sent again. */
function edgeOfCall(call: Call, channel: Channel): Edge | undefined {
  if (!call.isWantedAt(channel)) {
    return call.stopReason === 'deadline'
      ? 'a SKIP for a request whose deadline passed meanwhile'
      : 'a SKIP for a request that was cancelled meanwhile'
  }
  if (call.isOneWay) return 'one-way requests sent again'
  return call.isDone ? 'a request sent again whose call has its quorum' : 'requests sent again'
}

const witnesses = new WeakMap<Turn, Witness>()
const byIncarnation = new Map<string, WeakRef<Witness>>()

const { attach, onClosed, onFrame } = Channel.prototype
Channel.prototype.attach = function (connection, peer, terms, greets) {
  witnesses.get(this.turn)?.onAttach(this, connection, terms, greets)
  attach.call(this, connection, peer, terms, greets)
}
Channel.prototype.onClosed = function (connection, reason) {
  witnesses.get(this.turn)?.onClosed(this, connection)
  onClosed.call(this, connection, reason)
}
Channel.prototype.onFrame = function (connection, frame) {
  witnesses.get(this.turn)?.onFrame(this, connection, frame.kind)
  onFrame.call(this, connection, frame)
}
const { admit, attach: attachAdmitted } = Admission.prototype
Admission.prototype.admit = function (hello, identity) {
  const witness = byIncarnation.get(hello.incarnation.toString('hex'))?.deref()
  const before = this.channels.find(({ peer }) => peer?.incarnation.equals(hello.incarnation))?.connection
  const answer = admit.call(this, hello, identity)
  if ('code' in answer) witness?.onRefused(answer.code)
  else witness?.onLetIn(this, hello, before, answer.isResumed)
  return answer
}
Admission.prototype.attach = function (connection, peer, terms, attachEpoch) {
  const displaced = this.channels.some(
    (each) =>
      peer.nodeID !== '' &&
      each.peer?.nodeID === peer.nodeID &&
      each.session !== undefined &&
      !each.peer.incarnation.equals(peer.incarnation),
  )
  const channel = attachAdmitted.call(this, connection, peer, terms, attachEpoch)
  const witness = byIncarnation.get(peer.incarnation.toString('hex'))?.deref()
  if (channel !== undefined) witness?.onCounts(this, channel, peer, displaced)
  return channel
}
