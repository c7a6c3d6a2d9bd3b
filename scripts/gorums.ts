#!/usr/bin/env node
// The command `gorums`: see src/generate/command.ts, or `gorums --help`.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { runCommand } from '../src/generate/command.ts'

const { code, out, errors } = runCommand(process.argv.slice(2), version())
process.stdout.write(out)
process.stderr.write(errors)
process.exitCode = code

/** From the package, which is one folder further up when this has been built. */
function version(): string {
  const folders = ['..', '../..'].map((folder) => path.resolve(import.meta.dirname, folder, 'package.json'))
  for (const file of folders) {
    try {
      return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
    } catch {
      // Not here.
    }
  }
  return 'unknown'
}
