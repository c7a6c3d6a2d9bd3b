// What is told about a .proto text, for tests of messages.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { problemText } from '../../src/generate/problems.ts'
import { readModel } from '../../src/generate/read-model.ts'

/** The problems of a file `a.proto` with this text, beside other files. */
export function problems(t: TestContext, text: string, others: Readonly<Record<string, string>> = {}): string[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'gorums-errors-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries({ ...others, 'a.proto': text })) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    writeFileSync(path.join(folder, name), content)
  }
  return readModel([path.join(folder, 'a.proto')], [folder]).problems.map((each) =>
    problemText(each).replaceAll(folder, 'DIR'),
  )
}
