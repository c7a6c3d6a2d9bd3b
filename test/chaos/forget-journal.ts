// Loaded into replicas: each begins without the journal that it kept the last time, as if it had never synced it.

import { rmSync } from 'node:fs'
import path from 'node:path'
import './block-on-signal.ts'

const optionOf = (option: string): string => process.argv[process.argv.indexOf(option) + 1]!

rmSync(path.join(optionOf('--child'), `${optionOf('--id')}.journal`), { force: true })
