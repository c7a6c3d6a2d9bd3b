// All targets, by name. A process that measures one loads the code of that one alone, as its users would: what the others
// need would lie in its heap.

import type { GorumsVariant } from './gorums.ts'
import { isPeerInstalled } from './project.ts'
import type { Target } from './target.ts'

const loaders = {
  gorums: () => ours({ name: 'gorums', title: 'gorums' }),
  floor: async () => (await import('./floor.ts')).floorTarget,
  'grpc-stream': async () => (await import('./grpc-stream.ts')).grpcStreamTarget,
  'grpc-unary': async () => (await import('./grpc-unary.ts')).grpcUnaryTarget,
  connect: async () => (await import('./connect.ts')).connectTarget,
  'floor-shared': async () => (await import('./floor.ts')).sharedFloorTarget,
  'floor-kept': async () => (await import('./floor.ts')).keepingFloorTarget,
  'gorums-msgpack': () => ours({ name: 'gorums-msgpack', title: 'gorums, MessagePack', codec: 'msgpack' }),
  'gorums-no-sessions': () => ours({ name: 'gorums-no-sessions', title: 'gorums, sessions off', sessions: false }),
  'gorums-no-deadlines': () => ours({ name: 'gorums-no-deadlines', title: 'gorums, deadlines off', deadlines: false }),
  'gorums-bare': () =>
    ours({ name: 'gorums-bare', title: 'gorums, sessions and deadlines off', sessions: false, deadlines: false }),
} satisfies Record<string, () => Promise<Target>>

async function ours(variant: Pick<GorumsVariant, 'name' | 'title'> & Partial<GorumsVariant>): Promise<Target> {
  const { gorumsTarget } = await import('./gorums.ts')
  return gorumsTarget({ codec: 'protobuf', sessions: true, deadlines: true, ...variant })
}

export type TargetName = keyof typeof loaders

export const targetNames = Object.keys(loaders) as readonly TargetName[]

/** Loads the target of this name. Rejects with a RangeError when there is none. */
export async function loadTarget(name: string): Promise<Target> {
  if (!Object.hasOwn(loaders, name))
    throw new RangeError(`there is no target "${name}"; there are: ${targetNames.join(', ')}`)
  return loaders[name as TargetName]()
}

/** Loads all targets, in the order of reports. */
export function loadTargets(): Promise<readonly Target[]> {
  return Promise.all(targetNames.map(loadTarget))
}

/** Whether what a target needs is installed. */
export function isAvailable(target: Target): boolean {
  return target.needs === undefined || isPeerInstalled(target.needs)
}
