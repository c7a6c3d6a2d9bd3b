// Each example is a project of its own: copied to an empty folder, with the packed tarball in place of a published
// version, it installs, type-checks and runs. What the examples do is tested beside them.

import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { buf, bufMissing } from '../generate/buf-program.ts'
import { succeed } from './command.ts'
import { install, packTarball, removeTarball, root, type Tarball } from './tarball.ts'

/** What `npm start` of each prints towards its end. */
const PRINTS: Record<string, RegExp> = {
  hello: /^without c: 2 replies$/m,
  simulation: /^without sync: seed \d+ is wrong$/m,
  storage: /calls, 0 failed, nothing lost$/m,
}
const names = readdirSync(path.join(root, 'examples')).filter((name) =>
  existsSync(path.join(root, 'examples', name, 'package.json')),
)
const ours = readManifest('package.json')
const storage = path.join(root, 'examples/storage')

interface Manifest {
  readonly version: string
  readonly scripts: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

describe('the examples', () => {
  let tarball: Tarball

  before(async () => {
    tarball = await packTarball()
  })
  after(() => removeTarball(tarball))

  it('are all known here', () => {
    const folders = readdirSync(path.join(root, 'examples'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    )
    assert.deepEqual([names, folders.map(({ name }) => name)], [Object.keys(PRINTS), names])
  })

  for (const name of names) {
    it(`${name} needs this version of gorums, and tools of the versions that are used here`, () => {
      const { version, dependencies, devDependencies } = readManifest(`examples/${name}/package.json`)
      assert.deepEqual([version, dependencies], [ours.version, { gorums: ours.version }])
      for (const [tool, wanted] of Object.entries(devDependencies))
        assert.equal(wanted, ours.devDependencies[tool], tool)
    })

    it(`${name}, copied elsewhere, installs, type-checks and runs`, { timeout: 120_000 }, async () => {
      const project = await copyExample(name, name, tarball)
      await succeed('npm', ['run', 'types'], project)
      const others = Object.keys(readManifest(`examples/${name}/package.json`).scripts)
      for (const script of others.filter((script) => script !== 'types' && script !== 'start'))
        await succeed('npm', ['run', script], project)
      assert.match(await succeed('npm', ['start'], project), PRINTS[name]!)
    })
  }

  it('storage, copied elsewhere, generates its service, to the byte: with npm run generate', async () => {
    const project = await copyExample('storage', 'storage-generate', tarball)
    rmSync(path.join(project, 'storage_gorums.ts'))
    assert.match(await succeed('npm', ['run', 'generate'], project), /^storage_gorums\.ts$/m)
    assert.equal(textOf(project, 'storage_gorums.ts'), textOf(storage, 'storage_gorums.ts'))
  })

  it('and with buf generate', { skip: bufMissing }, async () => {
    const project = await copyExample('storage', 'storage-buf', tarball)
    rmSync(path.join(project, 'storage_gorums.ts'))
    await succeed(buf, ['generate'], project)
    assert.equal(textOf(project, 'storage_gorums.ts'), textOf(storage, 'storage_gorums.ts'))
    const generated = readdirSync(project).filter((name) => name.endsWith('_gorums.ts'))
    assert.deepEqual(generated, ['storage_gorums.ts'], 'it generates nothing else')
  })
})

/** Copies an example to a new folder of this name, as a person would, and installs the tarball there. Gives the folder. */
async function copyExample(name: string, as: string, { folder, file }: Tarball): Promise<string> {
  const project = path.join(folder, as)
  cpSync(path.join(root, 'examples', name), project, {
    recursive: true,
    filter: (from) => path.basename(from) !== 'node_modules',
  })
  await install(project, file)
  return project
}

function textOf(folder: string, file: string): string {
  return readFileSync(path.join(folder, file), 'utf8')
}

function readManifest(file: string): Manifest {
  return JSON.parse(readFileSync(path.join(root, file), 'utf8'))
}
