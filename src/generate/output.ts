// Generated files on disk: written when they would change, or compared.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { GeneratedFile } from './emit/emit.ts'

/** The files in `folder` that are not as they would be generated now: missing ones too. */
export function staleFiles(files: readonly GeneratedFile[], folder: string): GeneratedFile[] {
  return files.filter(({ name, text }) => textOf(path.join(folder, name)) !== text)
}

/** Writes files; those that would not change keep their times. Gives the names of those that were written. */
export function writeFiles(files: readonly GeneratedFile[], folder: string): string[] {
  return staleFiles(files, folder).map(({ name, text }) => {
    const file = path.join(folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
    return file
  })
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
