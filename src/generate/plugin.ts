// The plugin of protoc and buf: a request in bytes, a response in bytes. What is wrong with the .proto files is the
// response's error; only a request that can not be read throws.

import type { GeneratedFile } from './emit/emit.ts'
import { generate } from './generate.ts'
import { parseParameter } from './generator-options.ts'
import { link } from './link/link.ts'
import { Request, Response } from './plugin_gorums.ts'
import { problemText, sortProblems } from './problems.ts'
import { declarationsOf } from './read/descriptors.ts'

/** Bits of `supported_features`: proto3 `optional`, editions. */
const FEATURES = 1 + 2
/** proto2 to 2024. */
const EDITION_MIN = 998
const EDITION_MAX = 1001

/** Answers a CodeGeneratorRequest. Throws RangeError for bytes that are none. */
export function answerPlugin(bytes: Buffer): Buffer {
  const request = Request.decode(bytes, 0, bytes.length)
  const supported = { supportedFeatures: FEATURES, minimumEdition: EDITION_MIN, maximumEdition: EDITION_MAX }
  const { error, files } = run(request)
  const file = files.map(({ name, text }) => ({ name, content: text }))
  const target = { buffer: Buffer.alloc(0), position: 0 }
  Response.encode({ ...supported, error, file }, target)
  return target.buffer.subarray(0, target.position)
}

interface Outcome {
  readonly error?: string
  readonly files: readonly GeneratedFile[]
}

function run({ protoFile, fileToGenerate, parameter }: Request): Outcome {
  try {
    const options = parseParameter(parameter ?? '')
    const { files, problems } = link(new Map(protoFile.map((each) => [each.name ?? '', declarationsOf(each)])))
    if (problems.length > 0) return { error: sortProblems(problems).map(problemText).join('\n'), files: [] }
    return { files: generate({ files, named: fileToGenerate, problems }, options) }
  } catch (error) {
    if (error instanceof RangeError) return { error: error.message, files: [] }
    throw error
  }
}
