// Nodes whose every answer a test gives by hand, so that it decides what arrives when. Their handlers hold nothing up: each
// request is released at once and waits for its answer. It owns no test.

import { type Context, multicast, quorumCall, quorumStream, rpc, service, unicast } from 'gorums'
import { Gate, type Handling, Tally } from './cluster.ts'

export interface Question {
  readonly text: string
}

export const Puppet = service('test.Puppet', {
  call: rpc<Question, unknown>(),
  tell: unicast<Question>(),
  tellAll: multicast<Question>(),
  ask: quorumCall<Question, unknown>(),
  follow: quorumStream<Question, unknown>(),
})

/** A step of a stream. */
type Step = { readonly item: unknown } | { readonly error: unknown } | 'end'

/** A request that a node has been given and that the test answers. */
export class Held {
  readonly request: Question
  readonly context: Context
  /** Opens when the handler has run its `finally`. */
  readonly finished = new Gate()
  readonly #answer = new Gate<{ readonly value: unknown } | { readonly error: unknown }>()
  readonly #steps: Step[] = []
  #waiting: ((step: Step) => void) | undefined

  constructor(request: Question, context: Context) {
    this.request = request
    this.context = context
    // Nobody wants the answer any more: a good handler ends.
    context.signal.addEventListener(
      'abort',
      () => {
        this.#answer.open({ error: context.signal.reason })
        this.#step('end')
      },
      { once: true },
    )
  }

  reply(value: unknown): void {
    this.#answer.open({ value })
  }

  fail(error: unknown): void {
    this.#answer.open({ error })
    this.#step({ error })
  }

  item(item: unknown): void {
    this.#step({ item })
  }

  end(): void {
    this.#step('end')
  }

  /** What the handler of a call returns. */
  async answer(): Promise<unknown> {
    const answer = await this.#answer.opened
    if ('error' in answer) throw answer.error
    return answer.value
  }

  /** What the handler of a streaming call yields. */
  async *items(): AsyncGenerator<unknown, undefined> {
    try {
      for (;;) {
        const step = this.#steps.shift() ?? (await new Promise<Step>((resolve) => (this.#waiting = resolve)))
        if (step === 'end') return undefined
        if ('error' in step) throw step.error
        yield step.item
      }
    } finally {
      this.finished.open()
    }
  }

  #step(step: Step): void {
    const resolve = this.#waiting
    this.#waiting = undefined
    if (resolve === undefined) this.#steps.push(step)
    else resolve(step)
  }
}

/** The puppets of one cluster, by node id. */
export class Puppets {
  readonly #held = new Map<string, Tally<Held>>()
  readonly #taken = new Map<string, number>()

  /** For startCluster. */
  readonly setup = (server: Handling, nodeID: string): void => {
    const hold = (request: Question, context: Context): Held => {
      context.release()
      const held = new Held(request, context)
      this.at(nodeID).add(held)
      return held
    }
    server.handle(Puppet, {
      call: (request, context) => hold(request, context).answer(),
      ask: (request, context) => hold(request, context).answer(),
      follow: (request, context) => hold(request, context).items(),
      tell: (request, context) => void hold(request, context),
      tellAll: (request, context) => void hold(request, context),
    })
  }

  /** All that a node has been given. */
  at(nodeID: string): Tally<Held> {
    let held = this.#held.get(nodeID)
    if (held === undefined) {
      held = new Tally<Held>()
      this.#held.set(nodeID, held)
    }
    return held
  }

  /** The next request that a node has been given and the test has not asked for. */
  async next(nodeID: string): Promise<Held> {
    const taken = this.#taken.get(nodeID) ?? 0
    this.#taken.set(nodeID, taken + 1)
    return (await this.at(nodeID).reached(taken + 1))[taken]!
  }

  /** The next request of each of these nodes. */
  async nextOf(...nodeIDs: readonly string[]): Promise<readonly Held[]> {
    return Promise.all(nodeIDs.map((nodeID) => this.next(nodeID)))
  }
}
