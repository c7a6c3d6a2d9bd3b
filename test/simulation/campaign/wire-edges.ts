// The edge cases of going on with a session that are seen on the wire, and in what the product says to its logger: where in
// its handshake a connection was cut, and what had become of the session by then. Those that are seen within the product are
// the witness's (witness.ts).

import type { ChannelSession } from '../../../src/net/channel-session.ts'
import { Kind } from '../../../src/wire/frame.ts'
import type { IncomingFrame } from '../../../src/wire/incoming-frame.ts'
import type { End, Link } from './link.ts'
import type { WireListener } from './wire.ts'

export const WIRE_EDGES = [
  'cut before HELLO arrived',
  'cut within HELLO',
  'cut between HELLO and HELLO_OK',
  'cut between HELLO_OK and ACK',
  'cut before the first ACK of a session',
  'cut twice before going on',
  'a process ended before what was sent again had arrived',
  'an older connection was fenced',
  'given up by the other side while paused',
  'several HELLOs of one dialler on their way',
  'a session expired while away',
  'a session made room for others while away',
  'the log was full while connected',
  'the log was full while away, and the session ended',
  'the request window was full while connected',
  'a request came behind GOAWAY',
  'GOAWAY was lost, and said again',
  'a new session was refused by a server that drains',
] as const

export type WireEdge = (typeof WIRE_EDGES)[number]

/** A request of fewer bytes, head included, hardly occurs. */
const REQUEST_BYTES = 100

export class WireEdges implements WireListener {
  readonly counts: Partial<Record<WireEdge, number>> = {}
  /** The last connection of each dialler to each address that has said HELLO, and the one before each. */
  readonly #lastDialled = new Map<string, End>()
  readonly #past = new WeakMap<Link, Link>()
  /** By acceptor and dialling process, the last connection whose HELLO was let in, and the last that has counted. */
  readonly #lastLetIn = new Map<string, End>()
  readonly #lastAttached = new Map<string, End>()
  /** Connections that were lost before what they had to send again had arrived. */
  readonly #cutInResume = new WeakSet<Link>()
  readonly #fullWindows = new WeakSet<ChannelSession>()
  readonly #fullLogs = new WeakSet<ChannelSession>()

  onWritten(end: End, { kind }: IncomingFrame): void {
    const { link } = end
    if (kind === Kind.hello) {
      const past = this.#lastDialled.get(end.channelKey)
      if (past !== undefined) this.#past.set(link, past.link)
      this.#lastDialled.set(end.channelKey, end)
    } else if (kind === Kind.helloOk) this.#lastLetIn.set(dialledBy(end), end)
    else if (kind === Kind.reject && link.reject!.why.code === 'unavailable')
      this.#count('a new session was refused by a server that drains')
  }

  onRead(end: End, { kind }: IncomingFrame): void {
    if (kind === Kind.hello) this.#onHello(end)
    else if (kind === Kind.ack && end.side === 'accepted') this.#onAck(end)
    else if ((kind === Kind.request || kind === Kind.oneway) && end.hasSaidGoAway)
      this.#count('a request came behind GOAWAY')
  }

  onEndClosed(end: End): void {
    const { other, link } = end
    if (link.hasAckArrived && other?.isOpen && other.host.isPaused)
      this.#count('given up by the other side while paused')
  }

  onLinkClosed(link: Link): void {
    const { dialler, acceptor, hello } = link
    if (dialler === undefined || hello === undefined || link.reject !== undefined) return
    const isSentAgain = isUnfinished(dialler) || isUnfinished(acceptor)
    if (dialler.hasDied || acceptor?.hasDied) {
      if (isSentAgain) this.#count('a process ended before what was sent again had arrived')
      return
    }
    const edge = cutOf(link)
    if (edge !== undefined) this.#count(edge)
    if (!link.asksToResume || (edge === undefined && !isSentAgain)) return
    this.#cutInResume.add(link)
    const past = this.#past.get(link)
    if (past !== undefined && this.#cutInResume.has(past) && past.hello!.sessionID.equals(hello.sessionID))
      this.#count('cut twice before going on')
  }

  /** A process has said something of one of its sessions. */
  onWarning(message: string): void {
    if (message.endsWith(' ms without a connection')) this.#count('a session expired while away')
    else if (message.endsWith(' wait for connections')) this.#count('a session made room for others while away')
    else if (message.endsWith(' bytes wait for it')) this.#count('the log was full while away, and the session ended')
  }

  /** Looks at a session, now and then. */
  look(session: ChannelSession): void {
    const { connection, isLogFull } = session
    if (connection === undefined || session.refusal !== undefined || session.farewell !== undefined) return
    this.#note(this.#fullLogs, session, isLogFull, 'the log was full while connected')
    const isWindowFull = !isLogFull && connection.hasRoom && !session.mayWrite(REQUEST_BYTES)
    this.#note(this.#fullWindows, session, isWindowFull, 'the request window was full while connected')
  }

  #note(seen: WeakSet<ChannelSession>, session: ChannelSession, isFull: boolean, edge: WireEdge): void {
    if (!isFull) seen.delete(session)
    else if (!seen.has(session)) {
      seen.add(session)
      this.#count(edge)
    }
  }

  /** Before the acceptor has seen it. */
  #onHello(end: End): void {
    const past = this.#lastLetIn.get(dialledBy(end))
    if (past?.isOpen && past.link.hasAckArrived) this.#count('an older connection was fenced')
    const dialler = end.other
    const newest = dialler === undefined ? undefined : this.#lastDialled.get(dialler.channelKey)
    if (newest !== undefined && newest !== dialler && !newest.link.hasHelloArrived)
      this.#count('several HELLOs of one dialler on their way')
  }

  #onAck(end: End): void {
    const key = dialledBy(end)
    const last = this.#lastAttached.get(key)
    if (last === end) return
    this.#lastAttached.set(key, end)
    if (end.rest !== undefined && last?.hasSaidGoAway && last.other?.hasHeardGoAway === false)
      this.#count('GOAWAY was lost, and said again')
  }

  #count(edge: WireEdge): void {
    this.counts[edge] = (this.counts[edge] ?? 0) + 1
  }
}

/** Where in its handshake a connection was lost; undefined when it was through. */
function cutOf(link: Link): WireEdge | undefined {
  if (!link.hasHelloArrived)
    return (link.acceptor?.bytesRead ?? 0) > 0 ? 'cut within HELLO' : 'cut before HELLO arrived'
  if (!link.hasHelloOkArrived) return 'cut between HELLO and HELLO_OK'
  if (link.hasAckArrived) return undefined
  return link.helloOk!.resumed ? 'cut between HELLO_OK and ACK' : 'cut before the first ACK of a session'
}

function isUnfinished(end: End | undefined): boolean {
  return end?.rest !== undefined && end.rest.arrived < end.rest.frames
}

function dialledBy(end: End): string {
  return `${end.host.name}/${end.life} < ${end.link.hello!.incarnation.toString('hex')}`
}
