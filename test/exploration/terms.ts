// What both ends of the model share: the bounds of its world, the rule that is left out, and how ends take in counts.

import { ProtocolViolation } from '../../src/errors.ts'
import type { Session } from '../../src/wire/session.ts'
import type { Loosening } from './loosenings.ts'
import { type Bounds, type End, type Entry, type Frame, type State, sessionOf, store, writtenBy } from './state.ts'

/** Adds a step that can be taken, on a copy of the state. */
export type Add = (name: string, take: (state: State) => void) => void

export class Terms {
  readonly bounds: Bounds
  readonly #loose: Loosening | undefined

  constructor(bounds: Bounds, loose: Loosening | undefined) {
    this.bounds = bounds
    this.#loose = loose
  }

  is(loosening: Loosening): boolean {
    return this.#loose === loosening
  }

  /** An end goes on with another connection. What has arrived is remembered where a GOAWAY may still refuse it. */
  goOn(s: State, end: End, received: number): void {
    const session = sessionOf(end)
    const { acknowledged, log, arrived } = end
    session.goOn(this.is('any received count') ? Math.min(received, session.sent) : received)
    store(end, session)
    if (s.drains > 0 || s.isDraining)
      end.arrived = {
        above: arrived.entries.length > 0 ? arrived.above : acknowledged,
        entries: [...arrived.entries, ...log.slice(0, end.acknowledged - acknowledged)],
      }
  }

  /** Writes a counted frame. It goes over `wire`, if there is one, unless that lacks others before it. */
  write(end: End, entry: Entry, wire: Frame[] | undefined): void {
    const session = sessionOf(end)
    const isNext = wire !== undefined && (!session.isBehind || this.is('new before old'))
    session.write(entry, 1, isNext)
    if (isNext) wire.push(entry)
    store(end, session)
  }

  /** Whether `wire` lacks frames of the log. */
  isBehind(end: End): boolean {
    return end.sent < writtenBy(end)
  }

  /** Sends the next frame of the log, or a SKIP in its place. */
  sendNext(end: End, wire: Frame[], isWanted: boolean): void {
    const session = sessionOf(end)
    if (!isWanted) session.replaceNext('skip', 1)
    const entry = session.next as Entry
    session.noteSent()
    store(end, session)
    if (isWanted || !this.is('no SKIP')) wire.push(entry)
  }

  /** Takes an ACK. A violation of the protocol ends the session where ends miscount; elsewhere it is one of ours. */
  takeAck(session: Session<Entry>, ack: number, sent: number, onViolation: () => void): void {
    const isLoose = this.is('miscount is ignored') || this.is('any received count')
    try {
      if (this.is('miscount is ignored')) session.acknowledge(ack)
      else session.onAck(isLoose ? Math.min(ack, session.sent) : ack, sent)
    } catch (error) {
      if (!(error instanceof ProtocolViolation) || this.bounds.slips === 0) throw error
      onViolation()
    }
  }
}
