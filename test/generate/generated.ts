// All files that the generator has made and that are kept: the golden outputs, the well-known types of the runtime, what
// the plugin reads and writes, the service of the storage example, and the messages of benchmarks and of tests.
import path from 'node:path'
import { emitFile } from '../../src/generate/emit/emit.ts'
import type { GeneratorOptions } from '../../src/generate/model.ts'
import { problemText } from '../../src/generate/problems.ts'
import { readModel } from '../../src/generate/read-model.ts'

const root = path.resolve(import.meta.dirname, '../..')
const protos = path.join(import.meta.dirname, 'protos')
const DEFAULTS: GeneratorOptions = { int64: 'bigint', timestampAsDate: false, importExtension: 'ts' }

/** A kept file: where, and what the generator makes of it now. */
export interface KeptFile {
  /** From the project's folder. */
  readonly name: string
  readonly text: string
}

/** What the generator makes now of everything that is kept. */
export function keptFiles(): KeptFile[] {
  return [
    ...golden('golden', ['scalars', 'messages', 'proto2', 'names', 'services'], DEFAULTS),
    ...golden('golden-number', ['scalars', 'messages'], { ...DEFAULTS, int64: 'number', timestampAsDate: true }),
    ...golden('golden-string', ['scalars', 'messages'], { ...DEFAULTS, int64: 'string' }),
    ...wellKnown(),
    inPlace('src/generate/plugin.proto', { ...DEFAULTS, int64: 'number' }, '../../codec/message.ts'),
    inPlace('examples/storage/storage.proto', { ...DEFAULTS, int64: 'number' }),
    inPlace('bench/micro/messages.proto', DEFAULTS),
    inPlace('bench/targets/message.proto', DEFAULTS),
    inPlace('test/codec/sample.proto', DEFAULTS),
  ]
}

/** A file beside its .proto file. `runtime`: what it imports instead of `gorums/runtime`. */
function inPlace(proto: string, options: GeneratorOptions, runtime?: string): KeptFile {
  const file = path.join(root, proto)
  const { files, named, problems } = readModel([file], [path.dirname(file)])
  if (problems.length > 0) throw new Error(problems.map(problemText).join('\n'))
  const { name, text } = emitFile(files.get(named[0]!)!, files, options, runtime)
  return { name: path.join(path.dirname(proto), name), text }
}

function golden(folder: string, names: readonly string[], options: GeneratorOptions): KeptFile[] {
  const { files, problems } = readModel(
    names.map((name) => path.join(protos, `golden/${name}.proto`)),
    [protos, path.join(root, 'proto')],
  )
  if (problems.length > 0) throw new Error(problems.map(problemText).join('\n'))
  return names.map((name) => {
    const { text } = emitFile(files.get(`golden/${name}.proto`)!, files, options)
    return { name: `test/generate/${folder}/${name}_gorums.ts`, text }
  })
}

const WELL_KNOWN = ['any', 'duration', 'empty', 'field_mask', 'struct', 'timestamp', 'wrappers']

function wellKnown(): KeptFile[] {
  const { files } = readModel(
    WELL_KNOWN.map((name) => `google/protobuf/${name}.proto`),
    [],
  )
  return WELL_KNOWN.map((name) => ({
    name: `codec/well-known/${name.replace('_', '-')}.ts`,
    text: emitFile(files.get(`google/protobuf/${name}.proto`)!, files, DEFAULTS, '../message.ts').text,
  }))
}
