// The package as `npm publish` would send it: built and packed from a copy of this project, so that neither an old dist
// nor a test that runs beside this one is in the way. Installing it somewhere is here too.

import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { succeed } from './command.ts'

export const root = path.resolve(import.meta.dirname, '../..')
/** What a fresh clone does not have, and what is of no use here; node_modules is linked. */
const NOT_COPIED = new Set(['.git', 'node_modules', 'dist', 'coverage', 'reference', 'evidence'])

export interface Tarball {
  /** A folder of this run, for whatever is made of the tarball. */
  readonly folder: string
  /** The tarball itself. */
  readonly file: string
  /** What is in it: paths within the package. */
  readonly contents: readonly string[]
}

/** Builds and packs. The caller gives the result to `removeTarball`. */
export async function packTarball(): Promise<Tarball> {
  const folder = mkdtempSync(path.join(tmpdir(), 'gorums-package-'))
  const copy = path.join(folder, 'project')
  cpSync(root, copy, { recursive: true, filter: (from) => !NOT_COPIED.has(path.basename(from)) })
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'))
  const printed = await succeed('npm', ['pack', '--json', '--pack-destination', folder], copy)
  // `prepare` prints before it, and a later npm gives one object where an older one gives a list.
  const report = JSON.parse(printed.slice(printed.search(/^[[{]$/m)))
  const { filename, files } = (Array.isArray(report) ? report[0] : Object.values(report)[0]) as {
    filename: string
    files: { path: string }[]
  }
  return { folder, file: path.join(folder, filename), contents: files.map((file) => file.path).sort() }
}

/** Removes all that was made. */
export function removeTarball({ folder }: Tarball): void {
  rmSync(folder, { recursive: true, force: true })
}

/** Makes an empty project of this name and installs the tarball, and other packages, in it. Gives its folder. */
export async function installTarball({ folder, file }: Tarball, name: string, others: string[]): Promise<string> {
  const project = path.join(folder, name)
  mkdirSync(project)
  writeFileSync(path.join(project, 'package.json'), JSON.stringify({ name, private: true }))
  await install(project, file, ...others)
  return project
}

/** `npm install` of these in a folder; what npm has in its cache is not asked for again. */
export async function install(project: string, ...packages: string[]): Promise<void> {
  await succeed('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...packages], project)
}
