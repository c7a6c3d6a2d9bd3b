// The dumb twin of the checker: tries every order of every choice of operations whose outcome is unknown.

import type { Model } from '../../src/testing/linearizability/checker.ts'
import type { Operation } from '../../src/testing/linearizability/history.ts'

export function isLinearizable<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
): boolean {
  const search = (state: State, left: readonly Operation<Input, Output>[]): boolean => {
    if (left.every(({ isKnown }) => !isKnown)) return true
    return left.some((next) => {
      // Whatever was answered before this one began must come before it.
      if (left.some((other) => other !== next && other.returnedAt < next.invokedAt)) return false
      const after = model.step(state, next.input, next.output, next.isKnown)
      return (
        after !== undefined &&
        search(
          after,
          left.filter((other) => other !== next),
        )
      )
    })
  }
  return search(model.initial(''), operations)
}
