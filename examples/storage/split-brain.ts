// A split brain, on purpose: five servers, two clients, and cables that are cut in between. Shows what happens to a
// client that counts the nodes it is connected to, and what to one that counts the members.

import { type Configuration, connect, createServer, QuorumError, type Replies, type Server } from 'gorums'
import { Cable } from './cable.ts'
import { newest } from './entry.ts'
import { describe } from './execute.ts'
import { type Paint, wrap } from './paint.ts'
import { storageHandlers } from './server.ts'
import { Storage, type WriteReply, type WriteRequest } from './storage_gorums.ts'
import { Store } from './store.ts'

const NODE_IDS = ['a', 'b', 'c', 'd', 'e']
const LEFT_OF_THE_CUT = ['a', 'b']
const RIGHT_OF_THE_CUT = ['c', 'd', 'e']

/** A write, and what a client takes for a quorum of it. */
type Write = (configuration: Configuration, request: WriteRequest) => Promise<Replies<WriteReply>>

/** The mistake: a majority of those that happen to be connected. Both sides of a cut have one. */
const byConnectedNodes: Write = (configuration, request) => {
  const connected = configuration.subset([...configuration.status.connected])
  return connected
    .client(Storage)
    .writeQC(request)
    .threshold(Math.floor(connected.size / 2) + 1)
}

/** A majority of the members, whoever is connected. Of two such majorities at least one node is in both. */
const byMembers: Write = (configuration, request) => configuration.client(Storage).writeQC(request).majority()

/** Shows it. Resolves with whether it went as announced: two acknowledged writes in the first part, one in the second. */
export async function splitBrain(print: (line: string) => void, paint: Paint): Promise<boolean> {
  const stage = await Stage.build()
  try {
    print('Five servers, a to e, and two clients, left and right. Then the cables between a, b and c, d, e are cut:')
    print('left reaches a and b only, right reaches c, d and e only. Both write the same key.\n')
    print(paint.bold('1. A client that counts connected nodes'))
    const naive = await act('x', byConnectedNodes, stage, print, paint)
    print(`\n${paint.bold('2. The same, counting the members: what majority() does')}`)
    const sound = await act('y', byMembers, stage, print, paint)
    print('')
    print(`Counting connected nodes acknowledged ${naive} of 2 writes, and they contradict each other.`)
    print(`Counting members acknowledged ${sound} of 2. The other client was told why not (some servers may have its`)
    print('value all the same: refused means not acknowledged, not undone).')
    return naive === 2 && sound === 1
  } finally {
    await stage.close()
  }
}

/** One write on each side of the cut, and a read when it has been mended. Resolves with how many were acknowledged. */
async function act(
  key: string,
  write: Write,
  stage: Stage,
  print: (line: string) => void,
  paint: Paint,
): Promise<number> {
  await stage.cut()
  const acknowledged: string[] = []
  for (const [writerID, client] of [
    ['left', stage.left],
    ['right', stage.right],
  ] as const) {
    const { connected } = client.status
    const what = `${writerID.padEnd(5)} (${connected.size} connected) writes ${key} = "${writerID}":`
    try {
      const replies = await write(client, { key, value: writerID, timestamp: 1, writer: writerID })
      acknowledged.push(writerID)
      print(`   ${what} ${paint.green('acknowledged')} by ${[...replies.keys()].join(', ')}`)
    } catch (error) {
      if (!(error instanceof QuorumError)) throw error
      print(`   ${what} ${paint.red('refused')}`)
      for (const line of wrap(`${error.name}: ${error.message}`, 90)) print(`     ${line}`)
    }
  }
  await stage.mend()
  const found = newest((await stage.left.client(Storage).readQC({ key }).all()).values())
  print(`   The cables are mended; all five together say: ${describe(key, found)}`)
  for (const writer of acknowledged.filter((writerID) => writerID !== found.value))
    print(paint.red(`   ${writer} was told that its write is done: it is gone`))
  return acknowledged.length
}

/** Servers, clients, and a cable from each client to each server. */
class Stage {
  readonly left: Configuration
  readonly right: Configuration
  readonly #servers: readonly Server[]
  readonly #cables: Readonly<Record<'left' | 'right', ReadonlyMap<string, Cable>>>

  private constructor(
    servers: readonly Server[],
    cables: Readonly<Record<'left' | 'right', ReadonlyMap<string, Cable>>>,
    left: Configuration,
    right: Configuration,
  ) {
    this.#servers = servers
    this.#cables = cables
    this.left = left
    this.right = right
  }

  static async build(): Promise<Stage> {
    const servers = NODE_IDS.map((nodeID) => createServer({ nodeID }).handle(Storage, storageHandlers(new Store())))
    const addresses = await Promise.all(servers.map((server) => server.listen()))
    const layAll = async (): Promise<Map<string, Cable>> => {
      const cables = await Promise.all(addresses.map((address) => Cable.lay(address)))
      return new Map(NODE_IDS.map((id, index) => [id, cables[index]!]))
    }
    const cables = { left: await layAll(), right: await layAll() }
    const dial = (side: ReadonlyMap<string, Cable>): Promise<Configuration> =>
      connect(Object.fromEntries([...side].map(([id, cable]) => [id, cable.address])), {
        waitFor: 'all',
        backoff: { minMs: 20, maxMs: 100 },
        downAfterMs: 100,
      })
    return new Stage(servers, cables, await dial(cables.left), await dial(cables.right))
  }

  /** Cuts the cables across; resolves when both clients have noticed. */
  async cut(): Promise<void> {
    await Promise.all([
      ...RIGHT_OF_THE_CUT.map((id) => this.#cables.left.get(id)!.cut()),
      ...LEFT_OF_THE_CUT.map((id) => this.#cables.right.get(id)!.cut()),
    ])
    await this.left.waitFor((status) => status.down.size === RIGHT_OF_THE_CUT.length)
    await this.right.waitFor((status) => status.down.size === LEFT_OF_THE_CUT.length)
  }

  async mend(): Promise<void> {
    await Promise.all(this.#allCables().map((cable) => cable.mend()))
    await this.left.waitFor((status) => status.connected.size === status.size)
    await this.right.waitFor((status) => status.connected.size === status.size)
  }

  async close(): Promise<void> {
    await this.left.close()
    await this.right.close()
    await Promise.all(this.#servers.map((server) => server.close()))
    await Promise.all(this.#allCables().map((cable) => cable.cut()))
  }

  #allCables(): Cable[] {
    return [...this.#cables.left.values(), ...this.#cables.right.values()]
  }
}
