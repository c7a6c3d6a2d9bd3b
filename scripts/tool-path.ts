// Where the tools are that have an install of their own.

import { existsSync } from 'node:fs'
import path from 'node:path'

/** The path of a tool's command. Ends the process, with what to do, when the tools are not installed. */
export function toolPath(command: string): string {
  const file = path.join(import.meta.dirname, 'tools/node_modules/.bin', command)
  if (existsSync(file)) return file
  console.error(`${command} is not installed: npm run tools`)
  process.exit(1)
}
