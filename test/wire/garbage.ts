// Collects garbage on request, for tests that look at what is kept alive.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')

/** Collects all garbage there is. Finalizers run on a later turn. */
export const collectGarbage = runInNewContext('gc') as () => void
