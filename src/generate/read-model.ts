// From .proto files on disk to the model: what `gorums gen` does before it emits.

import { link } from './link/link.ts'
import type { Problem, ProtoFile } from './model.ts'
import { sortProblems } from './problems.ts'
import { loadProtos } from './read/sources.ts'
import { checkRules } from './rules/rules.ts'

/** What a front end hands to the emitter. */
export interface Input {
  /** All files, also those that are only imported; by name. */
  readonly files: ReadonlyMap<string, ProtoFile>
  /** Those for which code is wanted. */
  readonly named: readonly string[]
  /** Sorted. When there are any, the files are not to be used. */
  readonly problems: readonly Problem[]
}

/** Reads .proto files and what they import; `folders` are where imports are looked for. Never throws for what is in them. */
export function readModel(named: readonly string[], folders: readonly string[]): Input {
  const loaded = loadProtos(named, folders)
  const isComplete = loaded.problems.length === 0
  const { files, problems } = link(loaded.files, isComplete)
  const broken = checkRules(loaded.files, files, isComplete)
  return { files, named: loaded.named, problems: sortProblems([...loaded.problems, ...problems, ...broken]) }
}
