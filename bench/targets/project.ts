// Where the project is, which versions are measured, and the packages that only the benchmark uses. It works from the
// sources and from the compiled benchmark, which lie at different depths.

import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

/** The project's folder. */
export const projectFolder = findProject(import.meta.dirname)

const peersManifest = path.join(projectFolder, 'bench/peers/package.json')
const peersRequire = createRequire(peersManifest)

function findProject(from: string): string {
  for (let folder = from; folder !== path.dirname(folder); folder = path.dirname(folder)) {
    const manifest = path.join(folder, 'package.json')
    if (existsSync(manifest) && readManifest(manifest).name === 'gorums') return folder
  }
  throw new Error(`no package "gorums" at or above ${from}`)
}

function readManifest(file: string): { readonly name?: string; readonly version?: string } {
  return JSON.parse(readFileSync(file, 'utf8'))
}

/** The project's own version. */
export function ownVersion(): string {
  return readManifest(path.join(projectFolder, 'package.json')).version ?? 'unknown'
}

/** The version of a package that the project depends on, or of one that only the benchmark uses. */
export function packageVersion(name: string): string {
  for (const folder of ['node_modules', 'bench/peers/node_modules']) {
    const manifest = path.join(projectFolder, folder, name, 'package.json')
    if (existsSync(manifest)) return readManifest(manifest).version ?? 'unknown'
  }
  return 'not installed'
}

/** Whether a package that only the benchmark uses is installed: `npm ci` in `bench/peers` does. */
export function isPeerInstalled(name: string): boolean {
  return existsSync(path.join(projectFolder, 'bench/peers/node_modules', name))
}

/** Loads a package that only the benchmark uses. Throws when it is not installed. */
export function requirePeer(name: string): unknown {
  return peersRequire(name)
}
