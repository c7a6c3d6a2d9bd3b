// The project's pages, as the tests of the documents look at them: README.md and docs/*.md, read once, and the project's
// folder that they speak of.

import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { type Document, readMarkdown } from './markdown.ts'

/** The project's folder. */
export const root = path.resolve(import.meta.dirname, '../..')

export interface Page extends Document {
  /** Its path in the project. */
  readonly file: string
  readonly text: string
}

/** Reads all pages. */
export function readPages(): Page[] {
  const docs = readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md'))
  return ['README.md', ...docs.map((name) => `docs/${name}`)].map(readPage)
}

/** Reads one page. */
export function readPage(file: string): Page {
  const text = readFileSync(path.join(root, file), 'utf8')
  return { file, text, ...readMarkdown(text) }
}

/** The rows of the tables of a page, cells trimmed, without the marks of code; heads and lines between are left out. */
export function tableRows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[\s|:-]+\|$/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll('`', '')),
    )
}
