// Enforces the architecture: who may import whom, and that clock, timers, randomness and sockets are reached in src/net
// only. docs/architecture.md says why.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')

/** What files are read into, and what generated code is made of. */
const GENERATED_MODEL = ['src/generate/model.ts', 'src/generate/names.ts', 'src/generate/type-names.ts']

/** For each place, the places that it may import. Places are the longest prefix that matches. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  'src/errors.ts': [],
  'src/tell.ts': [],
  'src/options.ts': ['src/errors.ts', 'src/tell.ts', 'src/wire', 'src/net'],
  'src/wire': ['src/wire', 'src/errors.ts'],
  'src/quorum': ['src/quorum', 'src/errors.ts'],
  'src/net': ['src/net', 'src/tell.ts', 'src/wire', 'src/errors.ts', 'src/options.ts'],
  'src/call': [
    'src/call',
    'src/tell.ts',
    'src/net',
    'src/wire',
    'src/quorum',
    'src/errors.ts',
    'src/options.ts',
    'codec/codec.ts',
  ],
  'src/generate': ['src/generate', 'codec/message.ts'],
  'src/generate/model.ts': [],
  'src/generate/names.ts': [],
  'src/generate/type-names.ts': GENERATED_MODEL,
  'src/generate/read': ['src/generate/read', 'src/generate/plugin_gorums.ts', ...GENERATED_MODEL],
  'src/generate/link': ['src/generate/link', 'src/generate/read', 'src/wire/method-id.ts', ...GENERATED_MODEL],
  'src/generate/rules': ['src/generate/rules', 'src/generate/link', 'src/generate/read', ...GENERATED_MODEL],
  'src/generate/emit': ['src/generate/emit', ...GENERATED_MODEL],
  'src/testing': ['src'],
  'src/default-service.ts': ['src/call', 'codec'],
  'src/runtime.ts': [
    'src/call',
    'src/errors.ts',
    'codec/codec.ts',
    'codec/protobuf.ts',
    'codec/message.ts',
    'codec/timestamp-date.ts',
    'codec/well-known',
  ],
  'src/index.ts': ['src', 'codec'],
  codec: ['codec'],
  examples: ['examples'],
  bench: ['bench'],
  // Parts can be measured only from within.
  'bench/micro': ['bench/micro', 'src', 'codec'],
  scripts: ['scripts', 'src/generate'],
}

/** Node's modules and globals that only src/net may use. */
const OUTSIDE =
  /\b(setTimeout|setInterval|setImmediate|Date\.now|new Date\(\)|Math\.random|performance\.now|process\.(hrtime|nextTick))\b|from 'node:(net|tls|dns|timers|perf_hooks)[^']*'/
const MAY_USE_OUTSIDE = ['src/net', 'examples', 'bench', 'scripts', 'src/testing']

const problems: string[] = []
for (const file of sourceFiles()) {
  const text = readFileSync(path.join(root, file), 'utf8')
  const place = placeOf(file)
  if (place === undefined) {
    problems.push(`${file}: belongs to no place that scripts/check-layers.ts knows`)
    continue
  }
  for (const [number, line] of text.split('\n').entries()) {
    const where = `${file}:${number + 1}`
    const specifier =
      /^\s*(?:import|export)\b.*\bfrom '([^']+)'/.exec(line)?.[1] ??
      /\bimport\('([^']+)'\)/.exec(line)?.[1] ??
      /^\} from '([^']+)'/.exec(line)?.[1]
    if (specifier !== undefined) checkImport(where, file, place, specifier)
    const code = line.replace(/\/\/.*$/, '').replace(/^\s*\/?\*.*$/, '')
    if (!MAY_USE_OUTSIDE.some((allowed) => file.startsWith(allowed)) && OUTSIDE.test(code)) {
      problems.push(`${where}: clock, timers, randomness and sockets are reached through src/net only: ${code.trim()}`)
    }
  }
}

if (problems.length > 0) {
  console.error(problems.join('\n'))
  console.error(`\nlayers: ${problems.length} problems`)
  process.exit(1)
}
console.log('layers: every import goes the right way')

function checkImport(where: string, file: string, place: string, specifier: string): void {
  const isUser = place === 'examples' || place.startsWith('bench')
  if (!specifier.startsWith('.')) {
    if (specifier.startsWith('gorums') && !isUser)
      problems.push(`${where}: only examples, bench and tests import the package by name`)
    return
  }
  const target = path.normalize(path.join(path.dirname(file), specifier))
  if (!MAY_IMPORT[place]!.some((allowed) => target === allowed || target.startsWith(`${allowed}/`))) {
    problems.push(`${where}: ${place} must not import ${target}`)
  }
}

function placeOf(file: string): string | undefined {
  return Object.keys(MAY_IMPORT)
    .filter((place) => file === place || file.startsWith(`${place}/`))
    .sort((one, other) => other.length - one.length)[0]
}

function sourceFiles(): string[] {
  return ['src', 'codec', 'examples', 'bench', 'scripts']
    .filter((folder) => existsSync(path.join(root, folder)))
    .flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
        .map((name) => path.join(folder, name)),
    )
}
