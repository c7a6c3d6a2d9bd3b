// How blocks become programs, and how what they print is compared: a test of the tests, so that a page whose code is
// wrong can not pass.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { anchorOf, readMarkdown } from './markdown.ts'
import { tableRows } from './pages.ts'
import { commandsOf, differenceOf, filesOf, programsOf } from './programs.ts'

const page = (...lines: readonly string[]): string => lines.join('\n')

describe('a page', () => {
  it('is read as blocks, links and the anchors of its headings', () => {
    const text = page(
      '# A page',
      'See [one](a.md#b), `[no](x)` and [two](c.md).',
      '```ts continue',
      'one()',
      '```',
      '## A page',
    )
    const { blocks, links, anchors } = readMarkdown(text)
    assert.deepEqual(blocks, [{ language: 'ts', words: ['continue'], line: 4, text: 'one()', section: 'A page' }])
    assert.deepEqual(
      links.map(({ target }) => target),
      ['a.md#b', 'x', 'c.md'],
    )
    assert.deepEqual([...anchors], ['a-page', 'a-page-1'])
  })

  it('has links whose text goes on in the next line, each once', () => {
    const { links } = readMarkdown(page('See [one', 'two](a.md) and [three](b.md).'))
    assert.deepEqual(links, [
      { target: 'a.md', line: 1 },
      { target: 'b.md', line: 2 },
    ])
  })

  it('has the anchors that GitHub gives to headings', () => {
    assert.equal(anchorOf('Deadlines, cancelling, metadata'), 'deadlines-cancelling-metadata')
    assert.equal(anchorOf('2026-11: A `QuorumCall` is not a promise'), '2026-11-a-quorumcall-is-not-a-promise')
  })

  it('takes the indentation of a fence off its lines', () => {
    const [block] = readMarkdown(page('1. Do', '   ```sh', '   npm pack', '     more', '   ```')).blocks
    assert.equal(block?.text, 'npm pack\n  more')
  })

  it('may not leave a fence open', () => {
    assert.throws(() => readMarkdown(page('text', '```ts', 'one()')), /line 2: the fence is never closed/)
  })

  it('has tables whose rows are cells without marks', () => {
    assert.deepEqual(tableRows(page('| a | b |', '|---|---|', '| `x` | one \\| two |')), [
      ['a', 'b'],
      ['x', 'one \\| two'],
    ])
  })
})

describe('the programs of a page', () => {
  it('are its blocks, each line where it stands in the page', () => {
    const [program, ...others] = programsOf(
      page('# One', '', '```ts', 'one() // prints 1', '```', 'text', '```go', 'two()', '```'),
    )
    assert.deepEqual(others, [])
    assert.equal(program?.file, 'line-4.ts')
    assert.deepEqual(program?.prints, ['1'])
    assert.equal(program?.text.split('\n')[3], 'one() // prints 1')
  })

  it('go on in later blocks of the section', () => {
    const [program, ...others] = programsOf(
      page('# One', '```ts', 'one() // prints 1', '```', 'text', '```ts continue', 'two()', '// prints 2', '```'),
    )
    assert.deepEqual(others, [])
    assert.deepEqual(program?.prints, ['1', '2'])
    assert.equal(program?.text.split('\n')[6], 'two()')
  })

  it('may import modules of the page', () => {
    const [module, program] = programsOf(page('# One', '```ts storage.ts', 'export {}', '```', '```ts', 'one()', '```'))
    assert.deepEqual([module?.file, module?.isModule], ['storage.ts', true])
    assert.deepEqual([program?.file, program?.isModule], ['line-6.ts', false])
  })

  it('are refused when it is not clear what to do with a block', () => {
    for (const fence of ['```', '```typescript', '```js', '```ts skip', '```ts continue more', '```go continue']) {
      assert.throws(
        () => programsOf(page('# One', '```ts', 'one()', '```', fence, 'two()', '```')),
        /is not known/,
        fence,
      )
    }
    assert.throws(() => programsOf(page('```ts continue', 'one()', '```')), /no program above it/)
    assert.throws(
      () => programsOf(page('# One', '```ts', 'one()', '```', '# Two', '```ts continue', 'two()', '```')),
      /no program above it/,
    )
  })
})

describe('files and commands of a document', () => {
  it('are those of blocks that have a name, or say that they are run', () => {
    const text = page(
      '```proto a.proto',
      'message A {}',
      '```',
      '```sh run',
      'npx gorums gen a.proto   # writes it',
      '```',
    )
    assert.deepEqual(filesOf(text), [{ file: 'a.proto', text: 'message A {}\n' }])
    assert.deepEqual(commandsOf(text), [['gen', 'a.proto']])
    assert.deepEqual(programsOf(text), [])
    const shown = page('```proto', 'message A {}', '```', '```sh', 'npx gorums gen a.proto', '```')
    assert.deepEqual([filesOf(shown), commandsOf(shown)], [[], []])
  })

  it('are refused when they would run something else', () => {
    assert.throws(() => commandsOf(page('```sh run', 'npx other', '```')), /line 2: only npx gorums gen is run/)
  })
})

describe('what a program prints', () => {
  it('is right when it is what the comments say, line by line', () => {
    assert.equal(differenceOf(['1', '[ 2 ]'], ['1', '[ 2 ]']), undefined)
    assert.equal(differenceOf([], []), undefined)
  })

  it('is wrong when it is more, less, or something else', () => {
    assert.match(differenceOf(['1'], ['1', '2'])!, /which no comment announces/)
    assert.match(differenceOf(['1', '2'], ['1'])!, /did not print "2"/)
    assert.match(differenceOf(['1'], ['1.0'])!, /printed "1.0", not "1"/)
    assert.match(differenceOf(['a.c'], ['abc'])!, /not "a.c"/)
  })

  it('may be left open with an ellipsis', () => {
    assert.equal(differenceOf(['p50 … ms', '…'], ['p50 0.3 ms', '']), undefined)
    assert.match(differenceOf(['p50 … ms'], ['p50 0.3 s'])!, /not/)
  })
})
