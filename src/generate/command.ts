// `gorums gen`: .proto files in, TypeScript files out, or everything that is wrong on the error stream. What is printed
// and with which code the process ends is decided here; the entry in scripts/ only hands over.

import { parseArgs } from 'node:util'
import { generate } from './generate.ts'
import { generatorOptions, OPTIONS, type OptionName } from './generator-options.ts'
import { staleFiles, writeFiles } from './output.ts'
import { problemText } from './problems.ts'
import { protoFolder } from './read/sources.ts'
import { readModel } from './read-model.ts'

/** What a command has printed and how it ends: 0 well, 1 for what is wrong with the files, 2 with the command line. */
export interface Outcome {
  readonly code: 0 | 1 | 2
  readonly out: string
  readonly errors: string
}

const HELP = `Usage: gorums gen FILE.proto … [options]

Generates TypeScript from .proto files: messages, enums, and services that are called with Gorums.

  -I, --proto-path DIR        where imports are looked for; may be given several times (default: .)
  -o, --out DIR               where the TypeScript goes (default: gen)
      --check                 write nothing; fail when a file would change
${Object.entries(OPTIONS)
  .map(
    ([name, { values, what }]) =>
      `      --${`${name}=${values.join('|')}`.padEnd(22)}  ${what} (default: ${values[0]})`,
  )
  .join('\n')}
      --show-proto-path       print the folder that holds gorums.proto, for protoc's -I
  -h, --help                  print this
  -v, --version               print the version of gorums

gorums.proto and google/protobuf/*.proto can be imported without -I.

  gorums gen storage.proto
  gorums gen -I proto proto/storage/*.proto -o src/gen
  gorums gen -I proto proto/storage/*.proto -o src/gen --check
`

/** Runs the command with the words behind `gorums`. */
export function runCommand(words: readonly string[], version: string): Outcome {
  try {
    return run(words, version)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return { code: 2, out: '', errors: `gorums: ${error.message}; see gorums --help\n` }
  }
}

class UsageError extends Error {}

function run(words: readonly string[], version: string): Outcome {
  const { values, positionals } = parse(words)
  if (values.help) return printed(HELP)
  if (values.version) return printed(`${version}\n`)
  if (values['show-proto-path']) return printed(`${protoFolder()}\n`)
  const [command, ...named] = positionals
  if (command !== 'gen')
    throw new UsageError(command === undefined ? 'a command is missing: gen' : `there is no command "${command}": gen`)
  if (named.length === 0) throw new UsageError('name the .proto files to generate from')
  const options = readOptions(values)
  const input = readModel(named, values['proto-path'] ?? ['.'])
  if (input.problems.length > 0) {
    const { length } = input.problems
    const lines = [...input.problems.map(problemText), `gorums: ${length} ${length === 1 ? 'problem' : 'problems'}`]
    return { code: 1, out: '', errors: `${lines.join('\n')}\n` }
  }
  const files = generate(input, options)
  if (!values.check)
    return printed(
      writeFiles(files, values.out)
        .map((file) => `${file}\n`)
        .join(''),
    )
  const stale = staleFiles(files, values.out)
  if (stale.length === 0) return printed('')
  const again = words.filter((word) => word !== '--check').join(' ')
  const list = stale.map(({ name }) => `${name} is not as it would be generated now`).join('\n')
  return { code: 1, out: '', errors: `${list}\nrun: npx gorums ${again}\n` }
}

function printed(out: string): Outcome {
  return { code: 0, out, errors: '' }
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        'proto-path': { type: 'string', short: 'I', multiple: true },
        out: { type: 'string', short: 'o', default: 'gen' },
        check: { type: 'boolean', default: false },
        int64: { type: 'string' },
        timestamp: { type: 'string' },
        'import-extension': { type: 'string' },
        'show-proto-path': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        version: { type: 'boolean', short: 'v', default: false },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function readOptions(values: Readonly<Partial<Record<OptionName, string>>>) {
  const { int64, timestamp, 'import-extension': importExtension } = values
  try {
    return generatorOptions({ int64, timestamp, 'import-extension': importExtension })
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message)
    throw error
  }
}
