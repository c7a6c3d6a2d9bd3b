// Makes the reference of the public names, as pages in `reference/`. A public type without a description, or a link that
// leads nowhere, is a failure.

import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { toolPath } from './tool-path.ts'

const options = path.join(import.meta.dirname, 'tools/typedoc.json')
const { status } = spawnSync(toolPath('typedoc'), ['--options', options], { stdio: 'inherit' })
process.exitCode = status ?? 1
