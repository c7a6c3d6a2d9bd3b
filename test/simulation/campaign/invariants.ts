// What is true of the insides at every moment: counts of the two ends of a session fit, logs are bounded, nothing is left
// when all is quiet.

import type { Call } from '../../../src/call/call.ts'
import type { Channel } from '../../../src/net/channel.ts'
import type { ChannelSession } from '../../../src/net/channel-session.ts'
import type { NodeManager } from '../../../src/net/node-manager.ts'
import { Violation } from './ledger.ts'

export class Inside {
  readonly #managers = new Map<string, NodeManager>()
  readonly #acknowledged = new WeakMap<ChannelSession, number>()
  /** Sessions that were seen with another connection than before. */
  resumes = 0
  sessions = 0
  logBytesMax = 0
  readonly #connections = new WeakMap<ChannelSession, unknown>()

  /** The part of a process that owns connections. A later one of the same name takes its place. */
  watch(name: string, manager: NodeManager): void {
    this.#managers.set(name, manager)
  }

  forget(name: string): void {
    this.#managers.delete(name)
  }

  /** Checks everything that must always be true. */
  check(): void {
    const ends = new Map<string, ChannelSession[]>()
    for (const [name, manager] of this.#managers) {
      for (const channel of manager.channels) {
        const { session } = channel
        if (session === undefined) continue
        this.#checkSession(name, manager, channel, session)
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
    if (connection === undefined) return
    const last = this.#connections.get(session)
    if (last !== undefined && last !== connection) this.resumes++
    this.#connections.set(session, connection)
  }
}

function describeCalls(manager: NodeManager): string {
  const calls = manager.calls.values() as unknown as Call[]
  return calls.map(({ msgID, setup, states }) => `${setup.method.fullName} ${msgID} [${states}]`).join(', ')
}

/** What one end has acknowledged the other has sent, and what it has sent is no less than what the other has. */
function checkPair(sender: ChannelSession, receiver: ChannelSession): void {
  const { acknowledged, sent } = sender.frames
  const { received } = receiver.frames
  if (acknowledged <= received && received <= sent) return
  throw new Violation('counts', `${acknowledged} acknowledged, ${received} received, ${sent} sent`)
}
