// Bugs that fuzzing must find, as changes of the source at load time.

import type { PlantedBug } from '../../simulation/planting/planted-bugs.ts'

export interface FuzzedBug extends PlantedBug {
  /** The target that must find it. */
  readonly target: string
}

const bug = (target: string, name: string, what: string, file: string, find: string, replace: string): FuzzedBug => ({
  target,
  name,
  what,
  changes: [{ file, find, replace }],
})

export const plantedBugs: readonly FuzzedBug[] = [
  bug(
    'decoder',
    'header-beyond',
    'a header may be longer than its frame',
    'src/wire/decoder.ts',
    'if (headerStart + headerBytes > end)',
    'if (headerBytes > 0xffff)',
  ),
  bug(
    'decoder',
    'trusted-length',
    'a declared length is allocated at once',
    'src/wire/decoder.ts',
    'const step = Math.max(this.#trustedBytes, needed * STEP_FACTOR)',
    'const step = frameBytes',
  ),
  bug(
    'control',
    'late-end',
    'a field may reach beyond its message',
    'src/wire/fields.ts',
    'if (length > this.#end - start)',
    'if (length > 0xffff)',
  ),
  bug(
    'msgpack',
    'bytes-behind',
    'bytes may follow the value',
    'codec/msgpack-scan.ts',
    'if (position !== end) throw',
    'if (position > end) throw',
  ),
]
