// The tour: what the calls do, on real replicas, told while it happens. The second half, what failures do, is in
// `tour-failures.ts`. Nothing here is rehearsed: every line that is printed is what a call has returned.

import { type Configuration, connect, QuorumError } from 'gorums'
import { CONFIDENCE, confidence, MultiWriterStorage } from './clients.ts'
import { newest } from './entry.ts'
import { describe } from './execute.ts'
import { explain } from './explain.ts'
import { type Paint, wrap } from './paint.ts'
import type { ReplicaProcesses } from './processes.ts'
import { LOCAL_BACKOFF } from './serve.ts'
import { Storage, type WriteRequest } from './storage_gorums.ts'
import { failuresUnderLoad } from './tour-failures.ts'

/** Where the tour tells its story. */
export interface Narrator {
  readonly paint: Paint
  /** A chapter begins. */
  chapter(title: string): Promise<void>
  /** What is about to be seen. */
  say(text: string): void
  /** The call, as one would write it. */
  code(text: string): void
  /** What came of it. */
  show(text: string): void
}

/** Connects to replicas that run on this machine. */
export function connectLocally(addresses: Readonly<Record<string, string>>): Promise<Configuration> {
  return connect(addresses, { waitFor: 'all', backoff: LOCAL_BACKOFF, callTimeoutMs: 5_000 })
}

/** Gives the tour on running replicas, its load at this rate. Resolves with whether nothing was lost. */
export async function giveTour(
  processes: ReplicaProcesses,
  configuration: Configuration,
  narrator: Narrator,
  callsPerSecond: number,
): Promise<boolean> {
  for (const id of processes.nodeIDs) narrator.show(`${id}  ${processes.addresses[id]}  pid ${processes.pid(id)}`)
  await majorities(configuration, narrator)
  await levels(configuration, narrator)
  await everyone(configuration, narrator)
  await nested(configuration, narrator)
  await views(configuration, narrator)
  return failuresUnderLoad(processes, configuration, narrator, callsPerSecond)
}

async function majorities(configuration: Configuration, { chapter, say, code, show, paint }: Narrator): Promise<void> {
  await chapter('A majority is enough')
  say('One request to all five; the call goes on when three have answered. The other two get it as well.')
  const storage = configuration.client(Storage)
  const request: WriteRequest = { key: 'capital', value: 'Oslo', timestamp: 1, writer: 'tour' }
  code(`await storage.writeQC({ key: 'capital', value: 'Oslo', … }).majority()`)
  const written = await storage.writeQC(request).majority()
  show(`acknowledged by ${[...written.keys()].join(', ')}; still out: ${written.pending.join(', ') || 'nobody'}`)
  code(`const read = storage.readQC({ key: 'capital' }); await read.majority()`)
  const read = storage.readQC({ key: 'capital' })
  const replies = await read.majority()
  show(`${describe('capital', newest(replies.values()))}, the newest of ${[...replies.keys()].join(', ')}`)
  say('What each node did is on record (read.settled):')
  for (const line of explain(await read.settled, { paint, width: 30 })) show(line)

  say('Two writers, who know nothing of each other: read the newest timestamp, write with a higher one.')
  const anna = new MultiWriterStorage(configuration, 'anna')
  const bert = new MultiWriterStorage(configuration, 'bert')
  code(`await anna.write('capital', 'Bergen'); await bert.write('capital', 'Stavanger')`)
  await anna.write('capital', 'Bergen')
  await bert.write('capital', 'Stavanger')
  show(`anna reads ${describe('capital', await anna.read('capital'))}`)
}

async function levels(configuration: Configuration, { chapter, say, code, show }: Narrator): Promise<void> {
  await chapter('A correctable: an answer that gets better')
  say('"red" is everywhere. A write of "blue" has reached c only, and its writer is gone.')
  const writer = configuration.client(Storage)
  await writer.writeQC({ key: 'colour', value: 'red', timestamp: 1, writer: 'tour' }).all()
  const blue: WriteRequest = { key: 'colour', value: 'blue', timestamp: 2, writer: 'tour' }
  await configuration.node('c').client(Storage).writeRPC(blue)
  const view = configuration.subset(['a', 'b', 'c'])
  code(`for await (const { value, level } of storage.readStream({ key: 'colour' }).correctable(confidence))`)
  for await (const { value, level } of view.client(Storage).readStream({ key: 'colour' }).correctable(confidence)) {
    if (level === CONFIDENCE.someone) show(`level 1: "${value.value}", says the first replica. Fit for a preview`)
    if (level === CONFIDENCE.newest) {
      show(`level 2: "${value.value}", the newest that three of five know of. But can it be forgotten again?`)
      code(`        storage.writeQC(newest)   // the reader writes it back`)
      await writer.writeQC(blue).majority()
    }
    if (level === CONFIDENCE.settled) show(`level 3: "${value.value}", a majority has it: no later read will say "red"`)
  }
}

async function everyone(configuration: Configuration, { chapter, say, code, show }: Narrator): Promise<void> {
  await chapter('A multicast, and order')
  say('One way: nobody answers. But calls to one node keep their order, so an RPC that follows must see it.')
  code(`await storage.writeMulticast({ key: 'motto', value: 'in order', … })`)
  const motto: WriteRequest = { key: 'motto', value: 'in order', timestamp: 1, writer: 'tour' }
  const sent = configuration.client(Storage).writeMulticast(motto)
  code(`await configuration.node(id).client(Storage).readRPC({ key: 'motto' })   // each node, at once`)
  const answers = await Promise.all(
    configuration.nodes.map(async (node) => {
      const { value } = await node.client(Storage).readRPC({ key: 'motto' })
      return `${node.id} "${value}"`
    }),
  )
  await sent
  show(answers.join(', '))
}

async function nested(configuration: Configuration, { chapter, say, code, show }: Narrator): Promise<void> {
  await chapter('A nested call: replicas are clients too')
  say('We ask e alone. Its handler makes a quorum call of its own to all five, itself included.')
  code(`await configuration.subset(['e']).client(Storage).readNested({ key: 'capital' }).first()`)
  const reply = await configuration.subset(['e']).client(Storage).readNested({ key: 'capital' }).first()
  show(`${describe('capital', reply)}, as e has read it from ${reply.readFrom.join(', ')}`)
}

async function views(configuration: Configuration, { chapter, say, code, show }: Narrator): Promise<void> {
  await chapter('A sub-configuration: fewer nodes, the same majority')
  const read = { key: 'capital' }
  say('Views choose whom to call. What a majority is stays what the five members say.')
  code(`await configuration.subset(['a', 'b', 'd']).client(Storage).readQC(…).majority()`)
  const three = await configuration.subset(['a', 'b', 'd']).client(Storage).readQC(read).majority()
  show(`${describe('capital', newest(three.values()))}, from ${[...three.keys()].join(', ')}`)
  code(`await configuration.subset(['a', 'b']).client(Storage).readQC(…).majority()`)
  try {
    await configuration.subset(['a', 'b']).client(Storage).readQC(read).majority()
    show('two of five were taken for a majority')
  } catch (error) {
    if (!(error instanceof QuorumError)) throw error
    for (const line of wrap(`QuorumError: ${error.message}`, 90)) show(line)
  }
}
