// Systems that only count: any k of the n members, with k fixed, or chosen when the members are known.

import { requireCount, typeName } from './arguments.ts'
import { gateOf } from './gate.ts'
import type { QuorumSystem } from './quorum-system.ts'
import { type Members, System } from './system.ts'

const counting = (name: string, needOf: (size: number) => number): System =>
  new System(name, undefined, (members: Members) => {
    const need = needOf(members.size)
    return gateOf(need, [...members.values()], `${need} of ${members.size}`)
  })

const MAJORITY = counting('majority', (size) => Math.floor(size / 2) + 1)
const ALL = counting('all', (size) => size)

/** More than half of the members: 2 of 3, 3 of 4, 3 of 5. Any two majorities meet. */
export function majority(): QuorumSystem {
  return MAJORITY
}

/** Every member. */
export function all(): QuorumSystem {
  return ALL
}

/** Any `k` of the members. A `k` that is no whole number of at least 1, or more than the members, is a RangeError. */
export function threshold(k: number): QuorumSystem {
  const need = requireCount('quorum.threshold: k', k)
  return counting(`threshold(${need})`, (size) => {
    if (need <= size) return need
    throw new RangeError(`quorum threshold(${need}): there are only ${size} members; use a k of 1 to ${size}`)
  })
}

/**
 * More than (n + f) / 2 of n members, of which up to `f` may lie: two quorums share a member that does not, and the
 * liars can not prevent a quorum (the dissemination quorums of Malkhi and Reiter, "Byzantine Quorum Systems", 1998).
 * Without `f`, the largest f with n > 3f, which is floor((n - 1) / 3), and at least 4 members; n <= 3f is a RangeError.
 */
export function byzantine(options: { readonly f?: number | undefined } = {}): QuorumSystem {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`quorum.byzantine: options must be an object such as { f: 1 }, got ${typeName(options)}`)
  }
  const given = options.f === undefined ? undefined : requireCount('quorum.byzantine: f', options.f, 0)
  const name = given === undefined ? 'byzantine' : `byzantine(f=${given})`
  return counting(name, (size) => {
    const f = given ?? Math.max(1, Math.floor((size - 1) / 3))
    if (size > 3 * f) return Math.floor((size + f) / 2) + 1
    throw new RangeError(
      `quorum ${name}: ${size} members can not tolerate f = ${f} Byzantine (n > 3f): ` +
        `use at least ${3 * f + 1} members${f > 1 ? ' or a smaller f' : ', or majority() if none of them lies'}`,
    )
  })
}
