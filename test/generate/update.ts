// Writes what the generator makes now over the files that are kept: `npm run golden`. Read the difference before you commit it.
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { keptFiles } from './generated.ts'

const root = path.resolve(import.meta.dirname, '../..')
for (const { name, text } of keptFiles()) {
  const file = path.join(root, name)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, text)
  console.log(name)
}
