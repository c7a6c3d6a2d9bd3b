// Whether a history could have come from one copy of the service that does one operation at a time, each at some moment
// between its call and its answer (Herlihy and Wing, 1990). The search is that of Wing and Gong (1993) with Lowe's cache of
// configurations that were tried (2017); keys that do not touch each other are checked apart, as in Horn and Kroening's
// P-compositionality (2015).

import type { Operation } from './history.ts'

/** What a service does, one operation at a time. States are values: never changed, comparable by their keys. */
export interface Model<State, Input, Output> {
  /** Operations with different keys do not touch each other. Default: all have one key. */
  partition?(input: Input): string
  initial(key: string): State
  /** The state behind an operation; undefined when it can not have had this output. Without an output any would do. */
  step(state: State, input: Input, output: Output | undefined, isKnown: boolean): State | undefined
  /** A text that equal states, and no others, have in common. */
  keyOf(state: State): string
  /** For people. */
  describe(input: Input, output: Output | undefined, isKnown: boolean): string
}

/** Options of a check. */
export interface CheckOptions {
  /** Steps of the search, for each key, after which the answer is `undecided`. Default 2 000 000. */
  readonly stepsMax?: number
}

/** What became of one key. */
export interface PartitionCheck<Input, Output> {
  readonly key: string
  readonly verdict: 'linearizable' | 'violation' | 'undecided'
  readonly operations: readonly Operation<Input, Output>[]
  /** The longest order that was found, as indexes into `operations`; complete when linearizable. */
  readonly longest: readonly number[]
  readonly steps: number
}

/** What a check has found out. */
export interface CheckResult<Input, Output> {
  /** `violation` if any key has one; else `undecided` if any key is. */
  readonly verdict: 'linearizable' | 'violation' | 'undecided'
  readonly partitions: readonly PartitionCheck<Input, Output>[]
  readonly operations: number
  /** How many operations were open at once, at most. */
  readonly concurrency: number
}

const STEPS_MAX = 2_000_000

/** Checks a history. Operations whose outcome is unknown may take effect at any time after their call, or never. */
export function checkLinearizable<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
  { stepsMax = STEPS_MAX }: CheckOptions = {},
): CheckResult<Input, Output> {
  const byKey = new Map<string, Operation<Input, Output>[]>()
  for (const operation of history) {
    const key = model.partition?.(operation.input) ?? ''
    const operations = byKey.get(key)
    if (operations === undefined) byKey.set(key, [operation])
    else operations.push(operation)
  }
  const partitions = [...byKey].map(([key, operations]) => checkPartition(model, key, operations, stepsMax))
  const has = (verdict: string): boolean => partitions.some((partition) => partition.verdict === verdict)
  return {
    verdict: has('violation') ? 'violation' : has('undecided') ? 'undecided' : 'linearizable',
    partitions,
    operations: history.length,
    concurrency: concurrencyOf(history),
  }
}

/** A call, or the answer to one, in the order of time; linked, so that it can be taken out and put back. */
class Event {
  readonly operation: number
  readonly at: number
  /** The answer to this call; undefined for answers, and for calls whose outcome is unknown. */
  answer: Event | undefined
  readonly isCall: boolean
  previous: Event | undefined
  next: Event | undefined

  constructor(operation: number, at: number, isCall: boolean) {
    this.operation = operation
    this.at = at
    this.isCall = isCall
  }
}

/** Calls and answers in order, behind a head of its own. */
function linkEvents(operations: readonly Operation<unknown, unknown>[]): Event {
  const events: Event[] = []
  operations.forEach(({ invokedAt, returnedAt, isKnown }, index) => {
    const call = new Event(index, invokedAt, true)
    events.push(call)
    if (!isKnown) return
    call.answer = new Event(index, returnedAt, false)
    events.push(call.answer)
  })
  events.sort((one, other) => one.at - other.at)
  const head = new Event(-1, -Infinity, false)
  let last = head
  for (const event of events) {
    last.next = event
    event.previous = last
    last = event
  }
  return head
}

function takeOut(event: Event): void {
  event.previous!.next = event.next
  if (event.next !== undefined) event.next.previous = event.previous
}

function putBack(event: Event): void {
  event.previous!.next = event
  if (event.next !== undefined) event.next.previous = event
}

function checkPartition<State, Input, Output>(
  model: Model<State, Input, Output>,
  key: string,
  operations: readonly Operation<Input, Output>[],
  stepsMax: number,
): PartitionCheck<Input, Output> {
  const head = linkEvents(operations)
  const done = new Uint32Array(Math.ceil(operations.length / 32))
  const tried = new Set<string>()
  const taken: { call: Event; before: State }[] = []
  let longest: number[] = []
  let openAnswers = operations.filter(({ isKnown }) => isKnown).length
  let state = model.initial(key)
  let event = head.next
  let steps = 0
  const result = (verdict: PartitionCheck<Input, Output>['verdict']): PartitionCheck<Input, Output> => {
    if (verdict === 'linearizable') longest = taken.map(({ call }) => call.operation)
    return { key, verdict, operations, longest, steps }
  }
  // Operations whose outcome is unknown may be left over: they have not taken effect.
  while (openAnswers > 0) {
    if (++steps > stepsMax) return result('undecided')
    if (event?.isCall) {
      const { input, output, isKnown } = operations[event.operation]!
      const next = model.step(state, input, output, isKnown)
      if (next !== undefined) {
        flip(done, event.operation)
        const configuration = `${done.join()} ${model.keyOf(next)}`
        if (!tried.has(configuration)) {
          tried.add(configuration)
          taken.push({ call: event, before: state })
          if (taken.length > longest.length) longest = taken.map(({ call }) => call.operation)
          state = next
          takeOut(event)
          if (event.answer !== undefined) {
            takeOut(event.answer)
            openAnswers--
          }
          event = head.next
          continue
        }
        flip(done, event.operation)
      }
      event = event.next
      continue
    }
    // An answer whose call could not be placed before it, or the end: the last choice was wrong.
    const last = taken.pop()
    if (last === undefined) return result('violation')
    state = last.before
    flip(done, last.call.operation)
    if (last.call.answer !== undefined) {
      putBack(last.call.answer)
      openAnswers++
    }
    putBack(last.call)
    event = last.call.next
  }
  return result('linearizable')
}

function flip(bits: Uint32Array, index: number): void {
  bits[index >>> 5]! ^= 1 << (index & 31)
}

function concurrencyOf(history: readonly Operation<unknown, unknown>[]): number {
  const changes = history.flatMap(({ invokedAt, returnedAt }) => [
    { at: invokedAt, by: 1 },
    { at: returnedAt, by: -1 },
  ])
  changes.sort((one, other) => one.at - other.at)
  let open = 0
  let most = 0
  for (const { by } of changes) {
    open += by
    most = Math.max(most, open)
  }
  return most
}
