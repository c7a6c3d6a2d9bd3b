// Preloaded (`--import`) by a process that is to run with a planted bug: GORUMS_PLANT names it.

import { register } from 'node:module'
import { plantedBugs } from './planted-bugs.ts'

const name = process.env.GORUMS_PLANT
if (name !== undefined) {
  const bug = plantedBugs.find((each) => each.name === name)
  if (bug === undefined) throw new RangeError(`no planted bug is called "${name}"`)
  register('./source-hook.ts', import.meta.url, { data: bug.changes })
}
