// The one gate: format and lint, types, layers, the API report, tests. Stops at the first step that fails.

import { spawnSync } from 'node:child_process'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const steps = ['lint', 'types', 'layers', 'api', 'test']

for (const step of steps) {
  console.log(`\n▶ npm run ${step}`)
  const startedAt = Date.now()
  const { status, signal } = spawnSync('npm', ['run', '--silent', step], { cwd: root, stdio: 'inherit' })
  if (status !== 0) {
    console.error(`\n✖ ${step} failed (${signal ?? `exit code ${status}`})`)
    process.exit(1)
  }
  console.log(`✔ ${step} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`)
}
