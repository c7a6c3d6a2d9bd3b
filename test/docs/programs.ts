// Turns the code blocks of a document into programs: which blocks belong together, what each program should print, and
// whether what it printed is that. Nothing is run here.
//
//   ```ts             a program
//   ```ts continue    goes on with the program above it, in the same section
//   ```ts storage.ts  a module that the programs of the document import from './storage.ts'
//   ```proto a.proto  a .proto file, which the commands of the document generate from
//   ```sh run         commands `npx gorums gen …`, run before the programs
//   ```yaml a/b.yaml  a file of the project, as it is there

import { type Block, readMarkdown } from './markdown.ts'

/** A program, or a module of programs. */
export interface Program {
  /** Its file: `line-12.ts`, or the name that its block gives it. */
  readonly file: string
  readonly isModule: boolean
  readonly section: string
  /** Its lines stand where they stand in the document, so that compilers name the document's lines. */
  readonly text: string
  /** The lines that it should print, in order; `…` stands for any text. */
  readonly prints: readonly string[]
}

/** Languages whose blocks are not run. TypeScript is not among them: it runs or is no TypeScript. */
const NOT_RUN = new Set(['text', 'go', 'mermaid', 'sh', 'json', 'proto'])
/** Languages whose blocks may be files. */
const FILES = new Set(['proto', 'yaml'])
const GENERATE = /^npx gorums gen /
const PRINTS = /\/\/ prints (.*)$/

interface Draft {
  readonly file: string
  readonly isModule: boolean
  readonly section: string
  readonly lines: string[]
  readonly prints: string[]
}

/** The programs of a document, in order. Throws for a block that is neither a program nor of a language that is not run. */
export function programsOf(markdown: string): Program[] {
  const drafts: Draft[] = []
  for (const block of readMarkdown(markdown).blocks) {
    if (NOT_RUN.has(block.language) && block.words.length === 0) continue
    if (isFile(block) || isRun(block)) continue
    const [word, ...more] = block.words
    const isModule = word?.endsWith('.ts') === true
    if (block.language !== 'ts' || more.length > 0 || (word !== undefined && !isModule && word !== 'continue'))
      throw new Error(`line ${block.line - 1}: a block "${[block.language, ...block.words].join(' ')}" is not known`)
    const last = drafts.at(-1)
    if (word === 'continue') {
      if (last === undefined || last.isModule || last.section !== block.section)
        throw new Error(`line ${block.line - 1}: there is no program above it in its section`)
      extend(last, block.line, block.text)
    } else {
      const draft: Draft = {
        file: word ?? `line-${block.line}.ts`,
        isModule,
        section: block.section,
        lines: [],
        prints: [],
      }
      if (drafts.some((each) => each.file === draft.file))
        throw new Error(`line ${block.line - 1}: there is a ${draft.file} already`)
      extend(draft, block.line, block.text)
      drafts.push(draft)
    }
  }
  return drafts.map(({ lines, ...rest }) => ({ ...rest, text: `${lines.join('\n')}\nexport {}\n` }))
}

/** The files that a document shows by name, as `.proto` files for its commands and files of the project. */
export function filesOf(markdown: string): { readonly file: string; readonly text: string }[] {
  return readMarkdown(markdown)
    .blocks.filter(isFile)
    .map(({ words, text }) => ({ file: words[0]!, text: `${text}\n` }))
}

/** The words behind `npx gorums` of each command of a document. Throws for any other command in a block that is run. */
export function commandsOf(markdown: string): string[][] {
  return readMarkdown(markdown)
    .blocks.filter(isRun)
    .flatMap(({ text, line }) =>
      text.split('\n').map((command, index) => {
        if (!GENERATE.test(command))
          throw new Error(`line ${line + index}: only npx gorums gen is run, not "${command}"`)
        return command
          .replace(/ +#.*$/, '')
          .split(/ +/)
          .slice(2)
      }),
    )
}

function isFile({ language, words }: Block): boolean {
  return FILES.has(language) && words.length === 1 && words[0]!.endsWith(`.${language}`)
}

function isRun({ language, words }: Block): boolean {
  return language === 'sh' && words.join() === 'run'
}

function extend(draft: Draft, line: number, text: string): void {
  while (draft.lines.length < line - 1) draft.lines.push('')
  for (const each of text.split('\n')) {
    draft.lines.push(each)
    const prints = PRINTS.exec(each)
    if (prints !== null) draft.prints.push(prints[1]!.trim())
  }
}

/** What is wrong with what a program printed; undefined when nothing is. */
export function differenceOf(expected: readonly string[], printed: readonly string[]): string | undefined {
  for (let index = 0; index < Math.max(expected.length, printed.length); index++) {
    const wanted = expected[index]
    const got = printed[index]
    if (wanted === undefined) return `printed ${JSON.stringify(got)}, which no comment announces`
    if (got === undefined) return `did not print ${JSON.stringify(wanted)}`
    if (!matches(wanted, got)) return `printed ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`
  }
  return undefined
}

function matches(wanted: string, got: string): boolean {
  const parts = wanted.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(got)
}
