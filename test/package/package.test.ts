// The packed tarball, as the projects meet that install it: what is in it, what can be imported, and that programs of
// four kinds of projects compile and run. The examples are the matter of examples.test.ts.

import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { build } from 'esbuild'
import ts from 'typescript'
import { run, succeed } from './command.ts'
import { installTarball, packTarball, removeTarball, root, type Tarball } from './tarball.ts'

const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
/** Tools with an install of their own. In continuous integration a missing one is a failure. */
const TOOLS = path.join(root, 'scripts/tools/node_modules/.bin')
const missing = existsSync(TOOLS) || process.env.CI ? false : 'not installed: npm run tools'
/** Bytes of a bundle of `gorums/runtime` with all it needs, the well-known types too, minified: 72 kB in November 2026. */
const RUNTIME_MAX_BYTES = 80_000

describe('the package', () => {
  let tarball: Tarball
  let workspace: string
  let installed: string

  before(async () => {
    tarball = await packTarball()
    workspace = await installTarball(tarball, 'workspace', [`@types/node@${manifest.devDependencies['@types/node']}`])
    installed = path.join(workspace, 'node_modules', 'gorums')
  })
  after(() => removeTarball(tarball))

  it('holds the built sources, proto, docs, and nothing else', () => {
    const built = sources().flatMap((name) => [`dist/${name}.js`, `dist/${name}.d.ts`])
    const copied = ['proto', 'docs'].flatMap((folder) => filesIn(folder).map((name) => `${folder}/${name}`))
    const expected = [...built, ...copied, 'README.md', 'LICENSE', 'package.json'].sort()
    assert.deepEqual(tarball.contents, expected)
    const strange = copied.filter((name) => !/^(proto\/.*\.proto|docs\/[\w/-]*\.(md|svg|txt))$/.test(name))
    assert.deepEqual(strange, [])
  })

  it('has no source map that points to what is not in it', () => {
    const lost = textsOf('.js', '.d.ts').flatMap(({ name, text }) => {
      const map = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(text)?.[1]
      if (map === undefined) return []
      const place = path.join(installed, path.dirname(name))
      const { sources } = JSON.parse(readFileSync(path.join(place, map), 'utf8')) as { sources: string[] }
      return sources.filter((source) => !existsSync(path.join(place, source))).map((source) => `${name}: ${source}`)
    })
    assert.deepEqual(lost, [])
  })

  it('has no "any" in its types', () => {
    const found = textsOf('.d.ts').flatMap(({ name, text }) => {
      const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest)
      return nodesOf(file)
        .filter((node) => node.kind === ts.SyntaxKind.AnyKeyword)
        .map((node) => `${name}:${file.getLineAndCharacterOfPosition(node.pos).line + 1}`)
    })
    assert.deepEqual(found, [])
  })

  it('gives everything that it exports to import and to require', async () => {
    const entries = Object.keys(manifest.exports).map((key) => key.replace('.', 'gorums').replace('*', 'wire.proto'))
    const modules = entries.filter((entry) => !/\.(json|proto)$/.test(entry))
    const program = `
      const { existsSync } = require('node:fs')
      const { pathToFileURL } = require('node:url')
      async function main() {
        for (const entry of ${JSON.stringify(entries)})
          if (!existsSync(require.resolve(entry))) throw new Error(entry + ' is not there')
        for (const entry of ${JSON.stringify(modules)})
          console.log(entry, Object.keys(require(entry)).join() === Object.keys(await import(entry)).join())
        console.log(require('gorums/package.json').version)
      }
      main()`
    const printed = await succeed(process.execPath, ['--eval', program], workspace)
    assert.equal(printed, `${[...modules.map((entry) => `${entry} true`), manifest.version].join('\n')}\n`)
  })

  it('keeps its insides to itself', async () => {
    const inside = [
      'dist/src/index.js',
      'dist/src/call/call.js',
      'dist/codec/codec.js',
      'src/call/call.ts',
      'docs/guide.md',
    ]
    for (const name of inside) {
      const { code, stderr } = await run(process.execPath, ['--eval', `require('gorums/${name}')`], workspace)
      assert.equal(code, 1, name)
      assert.match(stderr, /ERR_PACKAGE_PATH_NOT_EXPORTED/, name)
    }
  })

  it('brings neither msgpackr nor the parser of protobufjs along with gorums/runtime', async () => {
    const { metafile, outputFiles } = await build({
      stdin: { contents: "export * from 'gorums/runtime'", resolveDir: workspace },
      bundle: true,
      minify: true,
      platform: 'node',
      metafile: true,
      write: false,
    })
    const modules = Object.keys(metafile.inputs)
    assert.ok(modules.some((name) => name.endsWith('protobufjs/minimal.js')))
    assert.deepEqual(
      modules.filter((name) => /msgpackr|protobufjs\/src\/(parse|tokenize|root|type|index)\.js$/.test(name)),
      [],
    )
    const size = outputFiles[0]!.contents.length
    assert.ok(size < RUNTIME_MAX_BYTES, `${size} bytes`)
  })

  it('has no TLS loaded before somebody uses it', async () => {
    const program = `
      import { createServer } from 'gorums'
      const isLoaded = () => process.moduleLoadList.includes('NativeModule tls')
      const server = createServer()
      await server.listen()
      console.log(isLoaded())
      await server.close()
      await createServer({ tls: {} }).listen().catch(() => {})
      console.log(isLoaded())
      process.exit()`
    const printed = await succeed(process.execPath, ['--input-type=module', '--eval', program], workspace)
    assert.equal(printed, 'false\ntrue\n')
  })

  for (const [tool, ...args] of [
    ['publint', 'run', '--strict'],
    ['attw', '--profile', 'esm-only', '--format', 'ascii'],
  ] as const) {
    it(`is found good by ${tool}`, { skip: missing }, async () => {
      await succeed(path.join(TOOLS, tool), [...args, tarball.file], workspace)
    })
  }

  it('compiles and runs in a TypeScript project of modules as Node.js resolves them', async () => {
    const project = copyProject('nodenext')
    await compile(project)
    assert.equal(await succeed(process.execPath, ['out/main.js'], project), 'nodenext works works works\n')
  })

  it('compiles and runs in a TypeScript project of modules as bundlers resolve them', async () => {
    const project = copyProject('bundler')
    await compile(project)
    const outfile = path.join(project, 'out.cjs')
    await build({ entryPoints: [path.join(project, 'main.ts')], bundle: true, platform: 'node', outfile })
    assert.equal(
      await succeed(process.execPath, [outfile], project),
      'bundler works function function function function\n',
    )
  })

  it('runs in a project of plain modules', async () => {
    assert.equal(await succeed(process.execPath, ['main.js'], copyProject('esm')), 'esm works\n')
  })

  it('type-checks and runs in a CommonJS project', async () => {
    const project = copyProject('commonjs')
    await compile(project)
    assert.equal(await succeed(process.execPath, ['main.js'], project), 'commonjs works true\n')
  })

  /** A copy of a project, inside the one where the package is installed. */
  function copyProject(name: string): string {
    const project = path.join(workspace, name)
    cpSync(path.join(import.meta.dirname, 'projects', name), project, { recursive: true })
    return project
  }

  /** The files of the installed package whose names end so. */
  function textsOf(...endings: string[]): { name: string; text: string }[] {
    return tarball.contents
      .filter((name) => endings.some((ending) => name.endsWith(ending)))
      .map((name) => ({ name, text: readFileSync(path.join(installed, name), 'utf8') }))
  }
})

/** The sources that are built, without their ending. */
function sources(): string[] {
  const files = ['src', 'codec'].flatMap((folder) => filesIn(folder).map((name) => `${folder}/${name}`))
  const commands = Object.keys(manifest.bin).map((name) => `scripts/${name}.ts`)
  return [...files, ...commands].filter((name) => name.endsWith('.ts')).map((name) => name.replace(/\.ts$/, ''))
}

function filesIn(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(path.join(root, folder), path.join(entry.parentPath, entry.name)))
}

function nodesOf(node: ts.Node): ts.Node[] {
  const nodes = [node]
  ts.forEachChild(node, (child) => {
    nodes.push(...nodesOf(child))
  })
  return nodes
}

/** Type-checks a project as its own tsconfig.json says, with the TypeScript of this one; writes if it says so. */
function compile(project: string): Promise<string> {
  return succeed(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc')], project)
}
