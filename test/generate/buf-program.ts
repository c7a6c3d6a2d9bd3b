// buf, as the package in the folder buf installs it, for the tests that generate through it.

import { existsSync } from 'node:fs'
import path from 'node:path'

/** The program. */
export const buf = path.join(import.meta.dirname, 'buf/node_modules/.bin/buf')

/** Why a test that needs it is skipped, or false. In continuous integration it must be there. */
export const bufMissing =
  existsSync(buf) || process.env.CI ? false : 'buf is not installed: npm ci --prefix test/generate/buf'
