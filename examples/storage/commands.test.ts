// The language of the prompt: what lines mean, what is said of lines that mean nothing, and what may follow half a
// line. What the commands then do is in repl.test.ts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommandError, completeCommand, helpText, nodesNamed, parseCommand, splitWords } from './commands.ts'

const LOCAL = { nodeIDs: ['a', 'b', 'c', 'd', 'e'], isLocal: true }
const REMOTE = { nodeIDs: ['host:1', 'host:2'], isLocal: false }

test('words are split at spaces, and quotes keep spaces, emptiness and other quotes', () => {
  const texts = (line: string): string[] => splitWords(line).map((word) => word.text)
  assert.deepEqual(texts('  qc  read\tx '), ['qc', 'read', 'x'])
  assert.deepEqual(texts('write x "hello world"'), ['write', 'x', 'hello world'])
  assert.deepEqual(texts(`'it is "so"' "it's" "a \\"b\\" \\\\"`), ['it is "so"', "it's", 'a "b" \\'])
  assert.deepEqual(texts(`"" ''`), ['', ''])
  assert.deepEqual(texts('ab"c d"ef'), ['abc def'])
  assert.deepEqual(texts(''), [])
  assert.throws(() => splitWords('qc read "x'), /a quote " is not closed/)
})

test('every command is read', () => {
  const parse = (line: string): unknown => parseCommand(line, LOCAL)
  assert.deepEqual(parse('   '), { kind: 'nothing' })
  assert.deepEqual(parse('help'), { kind: 'help' })
  assert.deepEqual(parse('quit'), { kind: 'exit' })
  assert.deepEqual(parse('nodes'), { kind: 'nodes' })
  assert.deepEqual(parse('rpc b read x'), { kind: 'rpc', nodeID: 'b', operation: 'read', key: 'x' })
  assert.deepEqual(parse('rpc 2 write x "a b"'), {
    kind: 'rpc',
    nodeID: 'c',
    operation: 'write',
    key: 'x',
    value: 'a b',
  })
  assert.deepEqual(parse('ucast 0 x 1'), { kind: 'ucast', nodeID: 'a', key: 'x', value: '1' })
  assert.deepEqual(parse('mcast x 1'), { kind: 'mcast', nodeIDs: LOCAL.nodeIDs, key: 'x', value: '1' })
  const all = { kind: 'qc', nodeIDs: LOCAL.nodeIDs, key: 'x' }
  assert.deepEqual(parse('qc read x'), { ...all, operation: 'read', isExplained: false })
  assert.deepEqual(parse('qc read x --explain'), { ...all, operation: 'read', isExplained: true })
  assert.deepEqual(parse('qc write x ""'), { ...all, operation: 'write', value: '', isExplained: false })
  assert.deepEqual(parse('qc stream x'), { ...all, operation: 'stream', isExplained: false })
  assert.deepEqual(parse('qc nread x'), { ...all, operation: 'nread', isExplained: false })
  assert.deepEqual(parse('qc nwrite x 1'), { ...all, operation: 'nwrite', value: '1', isExplained: false })
  assert.deepEqual(parse('kill 2'), { kind: 'process', action: 'kill', nodeID: 'c' })
  assert.deepEqual(parse('restart e'), { kind: 'process', action: 'restart', nodeID: 'e' })
})

test('cfg calls a part of the nodes', () => {
  const nodesOf = (line: string): unknown => (parseCommand(line, LOCAL) as { nodeIDs: unknown }).nodeIDs
  assert.deepEqual(nodesOf('cfg 1:3 qc read x'), ['b', 'c'])
  assert.deepEqual(nodesOf('cfg 0,2 mcast x 1'), ['a', 'c'])
  assert.deepEqual(nodesNamed(':2', LOCAL.nodeIDs), ['a', 'b'])
  assert.deepEqual(nodesNamed('3:', LOCAL.nodeIDs), ['d', 'e'])
  assert.deepEqual(nodesNamed('e,a', LOCAL.nodeIDs), ['e', 'a'])
  assert.deepEqual(nodesNamed('host:2,0', REMOTE.nodeIDs), ['host:2', 'host:1'])
})

test('an option in quotes is a value', () => {
  const command = parseCommand(`qc write x '--explain'`, LOCAL)
  assert.deepEqual(command, {
    kind: 'qc',
    nodeIDs: LOCAL.nodeIDs,
    operation: 'write',
    key: 'x',
    value: '--explain',
    isExplained: false,
  })
})

test('a line that means nothing is answered with one line that says why', () => {
  const cases: [string, RegExp][] = [
    ['fly', /unknown command "fly": try help/],
    ['help me', /help stands alone/],
    ['rpc', /^usage: rpc <node>/],
    ['rpc 5 read x', /there is no node "5": 0 to 4, or a, b, c, d, e/],
    ['rpc 0 delete x', /^usage: rpc/],
    ['rpc 0 write x', /^usage: rpc/],
    ['ucast 0 x', /^usage: ucast/],
    ['mcast x one two', /too many words \(quote values that contain spaces\)/],
    ['qc', /^usage: qc/],
    ['qc jump x', /^usage: qc/],
    ['qc read x --slowly', /unknown option --slowly/],
    ['cfg', /^usage: cfg/],
    ['cfg 1:3 rpc 1 read x', /^usage: cfg/],
    ['cfg 3:1 qc read x', /3:1 names no nodes/],
    ['cfg 0:6 qc read x', /0:6 names no nodes: a range lies within 0:5/],
    ['cfg 0,0 qc read x', /0,0 names a node twice/],
    ['cfg 0,7 qc read x', /there is no node "7"/],
    ['kill', /^usage: kill/],
    ['kill -1', /there is no node "-1"/],
    ['qc write x "open', /not closed/],
  ]
  for (const [line, pattern] of cases) {
    assert.throws(
      () => parseCommand(line, LOCAL),
      (error: Error) => error instanceof CommandError && pattern.test(error.message) && !error.message.includes('\n'),
      line,
    )
  }
  assert.throws(() => parseCommand('kill 0', REMOTE), /these servers run elsewhere/)
})

test('half a line is completed with what may follow', () => {
  const complete = (line: string, scene = LOCAL): string[] => completeCommand(line, scene)[0]
  assert.deepEqual(complete('r'), ['rpc ', 'restart '])
  assert.deepEqual(complete('r', REMOTE as typeof LOCAL), ['rpc '])
  assert.deepEqual(complete('rpc '), ['a ', 'b ', 'c ', 'd ', 'e '])
  assert.deepEqual(complete('rpc a w'), ['write '])
  assert.deepEqual(complete('qc n'), ['nread ', 'nwrite '])
  assert.deepEqual(complete('qc read x --'), ['--explain '])
  assert.deepEqual(complete('qc write x --'), [])
  assert.deepEqual(complete('qc write x y --e'), ['--explain '])
  assert.deepEqual(complete('cfg 1:3 m'), ['mcast '])
  assert.deepEqual(complete('cfg 1:3 qc s'), ['stream '])
  assert.deepEqual(complete('stop '), ['a ', 'b ', 'c ', 'd ', 'e '])
  assert.deepEqual(complete('nodes '), [])
  assert.deepEqual(completeCommand('qc re', LOCAL), [['read '], 're'])
})

test('help names what the prompt understands, and what is local only where it is', () => {
  for (const word of ['nodes', 'rpc', 'ucast', 'mcast', 'qc stream', 'qc nwrite', 'cfg', '--explain', 'exit'])
    assert.ok(helpText(false).includes(word), word)
  assert.ok(helpText(true).includes('kill <node>'))
  assert.ok(!helpText(false).includes('kill <node>'))
})
