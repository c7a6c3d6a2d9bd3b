// What loads that go on over restarts have in common.

/** Servers on this machine are there again soon. */
export const BACKOFF = { minMs: 10, maxMs: 200 }

/** Promises of 1, 2, … `count`, and what keeps them: everything up to a number. */
export function milestones(count: number): [Promise<void>[], (number: number) => void] {
  const resolvers: (() => void)[] = []
  const promises = Array.from({ length: count }, () => new Promise<void>((resolve) => resolvers.push(resolve)))
  const reach = (number: number): void => {
    for (const resolve of resolvers.slice(0, number)) resolve()
  }
  return [promises, reach]
}
