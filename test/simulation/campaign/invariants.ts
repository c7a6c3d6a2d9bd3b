// What is true of the insides at every moment: counts of the two ends of a session fit, logs are bounded, nothing is left
// when all is quiet.

import type { Call } from '../../../src/call/call.ts'
import type { Channel } from '../../../src/net/channel.ts'
import type { ChannelSession } from '../../../src/net/channel-session.ts'
import type { NodeManager } from '../../../src/net/node-manager.ts'
import { LENGTH_BYTES } from '../../../src/wire/frame.ts'
import type { Ages } from './ages.ts'
import { Violation } from './ledger.ts'
import { Witness } from './witness.ts'

export class Inside {
  readonly #managers = new Map<string, NodeManager>()
  readonly #acknowledged = new WeakMap<ChannelSession, number>()
  /** Sessions that were seen with another connection than before. */
  resumes = 0
  sessions = 0
  logBytesMax = 0
  /** Told of every session that was checked. */
  onSession: (session: ChannelSession) => void = () => {}
  readonly #connections = new WeakMap<ChannelSession, unknown>()
  /** What was logged when a session was first seen without its connection, bytes. */
  readonly #loggedWhenLost = new WeakMap<ChannelSession, number>()
  readonly #witness: Witness

  readonly #ages: Ages

  /** `fail` ends the simulation with what is wrong. */
  constructor(fail: (error: Error) => void, ages: Ages) {
    this.#witness = new Witness(fail)
    this.#ages = ages
  }

  /** How often each edge case of going on with a session has been met. */
  get edges(): Readonly<Record<string, number>> {
    return this.#witness.edges
  }

  /** The part of a process that owns connections. A later one of the same name takes its place. */
  watch(name: string, manager: NodeManager): void {
    this.#managers.set(name, manager)
    this.#witness.watch(manager)
  }

  managerOf(name: string): NodeManager | undefined {
    return this.#managers.get(name)
  }

  forget(name: string): void {
    this.#managers.delete(name)
  }

  /** Checks everything that must always be true. */
  check(): void {
    const ends = new Map<string, ChannelSession[]>()
    for (const [name, manager] of this.#managers) {
      this.#checkDetached(name, manager)
      this.#ages.check(name, manager, this.#witness)
      for (const channel of manager.channels) {
        const { session } = channel
        if (session === undefined) continue
        this.#checkSession(name, manager, channel, session)
        this.onSession(session)
        if (!session.isNamed) continue
        const id = session.id.toString('hex')
        const pair = ends.get(id) ?? []
        pair.push(session)
        ends.set(id, pair)
      }
    }
    for (const [id, sessions] of ends) {
      if (sessions.length > 2) throw new Violation('one session', `${id} has ${sessions.length} ends`)
      const [one, other] = sessions
      if (one === undefined || other === undefined) continue
      checkPair(one, other)
      checkPair(other, one)
    }
  }

  /** What is left of calls that have ended, of which nothing should be; undefined when nothing is. */
  leftovers(mayDie: boolean): string | undefined {
    for (const [name, manager] of this.#managers) {
      let waiting = 0
      for (const channel of manager.channels) {
        const { session, pending, nodeID } = channel
        const bytes = session?.frames.logBytes ?? 0
        // A peer that died leaves a session behind, whose calls wait until its time is over.
        if (mayDie && session !== undefined && session.connection === undefined) waiting += pending
        else if (pending > 0) return `${name} > ${nodeID}: ${pending} calls are pending`
        else if (bytes > 0) return `${name} > ${nodeID}: ${bytes} bytes are logged`
      }
      if (manager.calls.size > waiting) return `${name} has ${manager.calls.size} calls: ${describeCalls(manager)}`
    }
    return undefined
  }

  /**
   * Which channel has no room for as much as there was at first, although nothing waits; undefined when none. Room that is
   * not given back is missed only when there is none left.
   */
  stillFull(): string | undefined {
    for (const [name, manager] of this.#managers) {
      for (const { nodeID, session } of manager.channels) {
        if (session?.connection === undefined || session.refusal !== undefined) continue
        const bytes = session.requestWindowBytes
        if (!session.mayWrite(bytes))
          return `${name} > ${nodeID}: a request of ${bytes} bytes, the window, may not be written`
        if (session.isCongested) return `${name} > ${nodeID} is congested`
      }
    }
    return undefined
  }

  /** Sessions whose clients are away are few, and keep little. */
  #checkDetached(name: string, manager: NodeManager): void {
    const { detachedSessionsMax, detachedBytesMax } = manager.transport.limits
    let sessions = 0
    let bytes = 0
    for (const channel of manager.channels) {
      const { session } = channel
      if (session === undefined || session.connection !== undefined || !this.#witness.isAccepted(channel)) continue
      sessions++
      bytes += session.frames.logBytes
    }
    if (sessions > detachedSessionsMax || bytes > detachedBytesMax)
      throw new Violation('bounded', `${name} keeps ${sessions} sessions, ${bytes} bytes, for clients that are away`)
  }

  #checkSession(name: string, manager: NodeManager, channel: Channel, session: ChannelSession): void {
    const { sent, acknowledged, logBytes } = session.frames
    const { sessionLogMaxBytes, frameMaxBytes } = manager.transport.limits
    const where = `${name} > ${channel.nodeID}`
    if (acknowledged > sent) throw new Violation('counts', `${where}: ${acknowledged} of ${sent} acknowledged`)
    const before = this.#acknowledged.get(session)
    if (before === undefined) this.sessions++
    else if (acknowledged < before)
      throw new Violation('counts', `${where}: ${acknowledged} acknowledged after ${before}`)
    this.#acknowledged.set(session, acknowledged)
    this.logBytesMax = Math.max(this.logBytesMax, logBytes)
    if (logBytes > 2 * (sessionLogMaxBytes + frameMaxBytes) + 64 * 1024)
      throw new Violation('bounded', `${where} logs ${logBytes} bytes, ${sessionLogMaxBytes} are allowed`)
    const { connection } = session
    const least = this.#loggedWhenLost.get(session)
    if (connection === undefined) {
      // Answers go on to be made until the log is full; a request may have been on its way into it.
      if (least === undefined) this.#loggedWhenLost.set(session, logBytes)
      else if (logBytes > Math.max(least, sessionLogMaxBytes) + frameMaxBytes + LENGTH_BYTES)
        throw new Violation('bounded', `${where} logs ${logBytes} bytes without a connection, ${least} at first`)
      return
    }
    if (least !== undefined) this.#loggedWhenLost.delete(session)
    const last = this.#connections.get(session)
    if (last !== undefined && last !== connection) this.resumes++
    this.#connections.set(session, connection)
  }
}

function describeCalls(manager: NodeManager): string {
  const calls = manager.calls.values() as unknown as Call[]
  return calls.map((call) => `${call.setup.method.fullName} ${call.msgID} [${call.fates()}]`).join(', ')
}

/** What one end has acknowledged the other has sent, and what it has sent is no less than what the other has. */
function checkPair(sender: ChannelSession, receiver: ChannelSession): void {
  const { acknowledged, sent } = sender.frames
  const { received } = receiver.frames
  if (acknowledged <= received && received <= sent) return
  throw new Violation('counts', `${acknowledged} acknowledged, ${received} received, ${sent} sent`)
}
