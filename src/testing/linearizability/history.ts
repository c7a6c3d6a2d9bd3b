// What clients did to a service and what they were told, as a history: who asked for what, when, and when the answer came.
// It is recorded at the clients; what the servers think of it does not matter.

import { QuorumError, RpcError } from '../../errors.ts'

/** One operation. Times are places in the order of all events of the history. */
export interface Operation<Input, Output> {
  readonly client: string
  readonly input: Input
  readonly invokedAt: number
  /** When its answer came; Infinity when nobody knows whether it took effect. */
  readonly returnedAt: number
  /** Undefined when nobody knows whether it took effect. */
  readonly output: Output | undefined
  readonly isKnown: boolean
}

interface Recording<Input, Output> {
  readonly client: string
  readonly input: Input
  readonly invokedAt: number
  returnedAt: number
  output: Output | undefined
  fate: 'open' | 'ok' | 'failed'
}

/** An operation that has begun. Exactly one of these is called, or none if its outcome stays unknown. */
export interface Invocation<Output> {
  /** It has taken effect, and this is its answer. */
  ok(output: Output): void
  /** It has certainly not taken effect. */
  failed(): void
}

/** Records the operations of any number of clients. */
export class HistoryRecorder<Input, Output> {
  readonly #recordings: Recording<Input, Output>[] = []
  #time = 0

  /** A client begins an operation. A client has one operation at a time, unless its operations are independent. */
  invoke(client: string, input: Input): Invocation<Output> {
    const recording: Recording<Input, Output> = {
      client,
      input,
      invokedAt: ++this.#time,
      returnedAt: Infinity,
      output: undefined,
      fate: 'open',
    }
    this.#recordings.push(recording)
    return {
      ok: (output) => {
        recording.fate = 'ok'
        recording.output = output
        recording.returnedAt = ++this.#time
      },
      failed: () => {
        recording.fate = 'failed'
      },
    }
  }

  /**
   * Records an operation from call to answer. What it throws passes through: an error that says that nothing ran anywhere
   * counts as failed, any other leaves the outcome unknown.
   */
  async record<T extends Output>(client: string, input: Input, operate: () => Promise<T>): Promise<T> {
    const invocation = this.invoke(client, input)
    try {
      const output = await operate()
      invocation.ok(output)
      return output
    } catch (error) {
      if (hasNotRun(error)) invocation.failed()
      throw error
    }
  }

  /** The operations so far, without those that failed, by the times at which they began. */
  get operations(): Operation<Input, Output>[] {
    return this.#recordings
      .filter(({ fate }) => fate !== 'failed')
      .map(({ client, input, invokedAt, returnedAt, output, fate }) => {
        return { client, input, invokedAt, returnedAt, output, isKnown: fate === 'ok' }
      })
  }
}

/** Whether an error is certain that the request ran nowhere. */
export function hasNotRun(error: unknown): boolean {
  if (error instanceof RpcError) return error.executed === 'no'
  if (!(error instanceof QuorumError)) return false
  return (
    error.replies.size === 0 &&
    error.pending.length === 0 &&
    [...error.errors.values()].every(({ executed }) => executed === 'no')
  )
}
