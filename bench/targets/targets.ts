// All targets, by name.

import { connectTarget } from './connect.ts'
import { floorTarget, keepingFloorTarget, sharedFloorTarget } from './floor.ts'
import { gorumsTarget } from './gorums.ts'
import { grpcStreamTarget } from './grpc-stream.ts'
import { grpcUnaryTarget } from './grpc-unary.ts'
import { isPeerInstalled } from './project.ts'
import type { Target } from './target.ts'

const OURS = { codec: 'protobuf', sessions: true, deadlines: true } as const

export const targets: readonly Target[] = [
  gorumsTarget({ name: 'gorums', title: 'gorums', ...OURS }),
  floorTarget,
  grpcStreamTarget,
  grpcUnaryTarget,
  connectTarget,
  sharedFloorTarget,
  keepingFloorTarget,
  gorumsTarget({ name: 'gorums-msgpack', title: 'gorums, MessagePack', ...OURS, codec: 'msgpack' }),
  gorumsTarget({ name: 'gorums-no-sessions', title: 'gorums, sessions off', ...OURS, sessions: false }),
  gorumsTarget({ name: 'gorums-no-deadlines', title: 'gorums, deadlines off', ...OURS, deadlines: false }),
  gorumsTarget({
    name: 'gorums-bare',
    title: 'gorums, sessions and deadlines off',
    ...OURS,
    sessions: false,
    deadlines: false,
  }),
]

/** The target of this name. RangeError when there is none. */
export function targetNamed(name: string): Target {
  const target = targets.find((each) => each.name === name)
  if (target === undefined)
    throw new RangeError(`there is no target "${name}"; there are: ${targets.map((each) => each.name).join(', ')}`)
  return target
}

/** Whether what a target needs is installed. */
export function isAvailable(target: Target): boolean {
  return target.needs === undefined || isPeerInstalled(target.needs)
}
