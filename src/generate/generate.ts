// All files of one run: what a front end has read becomes TypeScript, or a list of what is wrong with it.

import { emitFile, type GeneratedFile } from './emit/emit.ts'
import type { GeneratorOptions, ProtoFile } from './model.ts'
import type { Input } from './read-model.ts'

/** The files for what was named, in its order. Those that declare nothing (options only) give none. */
export function generate({ files, named }: Input, options: GeneratorOptions): GeneratedFile[] {
  return named
    .map((name) => files.get(name)!)
    .filter(declaresSomething)
    .map((file) => emitFile(file, files, options))
}

function declaresSomething({ messages, enums, services }: ProtoFile): boolean {
  return messages.length + enums.length + services.length > 0
}
