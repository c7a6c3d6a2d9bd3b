// Registers on top of the storage service: what has to be sent to whom, in how many phases, so that reads see completed
// writes. Every phase needs a majority of the members, and any two majorities have a replica in common.

import {
  type Configuration,
  type CorrectableFunction,
  type QuorumCall,
  type QuorumCallOptions,
  quorum,
  type Replies,
} from 'gorums'
import { isSame, newest } from './entry.ts'
import { type Entry, type ReadRequestInput, Storage, type WriteReply, type WriteRequest } from './storage_gorums.ts'

/** A phase of a register's operation, for those who want to watch: `settled` tells what each node did. */
export type Phase = 'read' | 'write' | 'write-back'
export type PhaseObserver = (phase: Phase, call: Pick<QuorumCall<unknown, unknown>, 'settled'>) => void

/** Options of the quorum calls that the phases are; `timeoutMs` is per phase. */
export interface RegisterOptions extends Pick<QuorumCallOptions<never>, 'timeoutMs' | 'signal' | 'onReply'> {
  /** Called with each phase when it has been sent. */
  readonly onPhase?: PhaseObserver
}

/** The two phases that all registers are made of. */
class Phases {
  readonly #storage
  readonly #options: Omit<RegisterOptions, 'onPhase'>
  readonly #onPhase: PhaseObserver

  constructor(configuration: Configuration, options: RegisterOptions) {
    this.#storage = configuration.client(Storage, {
      quorum: quorum.majority(),
      functions: { readQC: toReading },
    })
    const { onPhase = () => {}, ...callOptions } = options
    this.#options = callOptions
    this.#onPhase = onPhase
  }

  /** The newest entry that a majority knows of, and whether all of that majority have it. */
  read(key: string): Promise<Reading> {
    const call = this.#storage.readQC({ key }, this.#options)
    this.#onPhase('read', call)
    return call.result()
  }

  /** Resolves when a majority has the entry, or a newer one. */
  write(phase: Phase, key: string, entry: Entry): Promise<Replies<WriteReply>> {
    const request: WriteRequest = { key, value: entry.value, timestamp: entry.timestamp, writer: entry.writer }
    const call = this.#storage.writeQC(request, this.#options)
    this.#onPhase(phase, call)
    return call.result()
  }

  /** A read in two phases: what it returns, a majority has, so that no later read can return something older. */
  async readAndWriteBack(key: string): Promise<Entry> {
    const { entry, isUnanimous } = await this.read(key)
    if (!isUnanimous) await this.write('write-back', key, entry)
    return entry
  }
}

interface Reading {
  readonly entry: Entry
  readonly isUnanimous: boolean
}

/** The quorum function of a read phase. It first runs when a majority has replied. */
function toReading(replies: Replies<Entry>): Reading {
  const entry = newest(replies.values())
  return { entry, isUnanimous: [...replies.values()].every((each) => isSame(each, entry)) }
}

/**
 * A register with one writer, this object, and any number of readers. The writer knows its own timestamps, so a write is
 * one phase. A writer that starts again calls `resume` first.
 */
export class SingleWriterRegister {
  readonly #phases: Phases
  readonly #writerID: string
  readonly #key: string
  #timestamp = 0

  constructor(configuration: Configuration, key: string, writerID: string, options: RegisterOptions = {}) {
    this.#phases = new Phases(configuration, options)
    this.#key = key
    this.#writerID = writerID
  }

  /** Goes on behind what an earlier life of this writer has written. */
  async resume(): Promise<void> {
    const { entry } = await this.#phases.read(this.#key)
    this.#timestamp = Math.max(this.#timestamp, entry.timestamp)
  }

  /** One phase: the entry to a majority. */
  async write(value: string): Promise<Entry> {
    const entry: Entry = { value, timestamp: ++this.#timestamp, writer: this.#writerID }
    await this.#phases.write('write', this.#key, entry)
    return entry
  }

  /** Two phases: read from a majority, write back what was found. Any number of readers may do this. */
  read(): Promise<Entry> {
    return this.#phases.readAndWriteBack(this.#key)
  }
}

/**
 * Registers with many writers (Attiya, Bar-Noy and Dolev's algorithm, as Lynch and Shvartsman extended it): linearizable
 * per key while a majority is up. Each client needs a writer id of its own.
 */
export class MultiWriterStorage {
  readonly #phases: Phases
  readonly #writerID: string
  /** Our own writes of a key that overlap must not get one timestamp. */
  readonly #last = new Map<string, number>()

  constructor(configuration: Configuration, writerID: string, options: RegisterOptions = {}) {
    this.#phases = new Phases(configuration, options)
    this.#writerID = writerID
  }

  /** Two phases: find the newest timestamp, write with a higher one. */
  async write(key: string, value: string): Promise<Entry> {
    const { entry: found } = await this.#phases.read(key)
    const timestamp = Math.max(found.timestamp, this.#last.get(key) ?? 0) + 1
    this.#last.set(key, timestamp)
    const entry: Entry = { value, timestamp, writer: this.#writerID }
    await this.#phases.write('write', key, entry)
    return entry
  }

  /** One phase when a majority agrees; else two: the newest entry is written back before it is returned. */
  read(key: string): Promise<Entry> {
    return this.#phases.readAndWriteBack(key)
  }
}

/** What the levels of `confidence` mean. */
export const CONFIDENCE = { someone: 1, newest: 2, settled: 3 } as const

/**
 * The correctable function of a streaming read. Level 1: some replica has answered. Level 2: a majority has, so nothing
 * that was written completely is missed. Level 3, the last: a majority holds one and the same entry, so that no later
 * read returns an older one.
 */
export const confidence: CorrectableFunction<ReadRequestInput, Entry, Entry> = (replies) => {
  const members = replies.configuration?.members.length ?? replies.size
  const isMajority = (count: number): boolean => count * 2 > members
  const value = newest(replies.values())
  const holders = [...replies.values()].filter((each) => isSame(each, value)).length
  if (isMajority(holders)) return { value, level: CONFIDENCE.settled, done: true }
  return { value, level: isMajority(replies.size) ? CONFIDENCE.newest : CONFIDENCE.someone, done: false }
}
