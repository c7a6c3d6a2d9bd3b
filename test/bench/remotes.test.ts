// Benchmarks over several machines, with agents on this one: the whole command, as it is called.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { Agents } from '../../bench/processes/remote.ts'
import type { ServerHandle } from '../../bench/processes/server-handle.ts'
import { loadTarget } from '../../bench/targets/targets.ts'
import { emptyFolder, runCommand, startCommand } from './command-process.ts'

/** Starts an agent on a free port; it ends with the test. */
async function startAgent(t: { after(hook: () => Promise<void>): void }): Promise<string> {
  const agent = startCommand('--server', '127.0.0.1:0')
  t.after(async () => {
    const ended = once(agent, 'close')
    agent.kill('SIGTERM')
    assert.deepEqual(await ended, [0, null], 'the agent ends by itself when it is told to')
  })
  for await (const line of createInterface(agent.stdout!)) {
    const address = /on (\S+:\d+);/.exec(line)?.[1]
    if (address !== undefined) return address
  }
  throw new Error('the agent has not said where it listens')
}

describe('an agent', () => {
  it('passes on the flags of profiles and no others', async (t) => {
    const agents = await Agents.connect([await startAgent(t)])
    t.after(() => agents.close())
    const options = { operation: 'echo', host: '127.0.0.1', port: 0, delayMs: 0, payloadMaxBytes: 16 } as const
    const target = await loadTarget('gorums')
    const start = (flags: readonly string[]): Promise<ServerHandle> => agents.start(target, 0, options, flags)
    await assert.rejects(start(['--import', 'data:text/javascript,0']), /an agent does not pass on the flag --import/)
    const server = await start(['--trace-event-file-pattern=never-written.json'])
    await server.end()
  })
})

describe('npm run bench -- --remotes', () => {
  it('measures servers that agents have started, and reports them', async (t) => {
    const remotes = [await startAgent(t), await startAgent(t), await startAgent(t)]
    const folder = emptyFolder(t)
    const args = ['--rounds', '2', '--time', '50ms', '--warmup', '20ms', '--payload', '100', '--out', folder]
    const { code, output } = await runCommand(
      '--remotes',
      remotes.join(','),
      '--benchmarks',
      '^(QuorumCall|Multicast)$',
      ...args,
    )
    assert.equal(code, 0, output)
    const report = JSON.parse(readFileSync(path.join(folder, 'bench.json'), 'utf8'))
    assert.deepEqual(
      report.sections.map((section: { name: string }) => section.name),
      ['QuorumCall', 'Multicast'],
    )
    for (const { points } of report.sections) {
      const [result] = points[0].results
      assert.equal(result.rounds.length, 2)
      assert.ok(result.callsPerSecond.median > 0)
      assert.equal(result.servers.length, 3)
      // A hundred bytes to each of three nodes, and for quorum calls back.
      assert.ok(result.bytesPerCall >= 300 && result.bytesPerCall < 1000, `${result.bytesPerCall} bytes per call`)
    }
    assert.match(readFileSync(path.join(folder, 'bench.html'), 'utf8'), /<h2>quorum calls/)
  })

  it('names node, address and cause when a port is wrong', async () => {
    const probe = net.createServer().listen(0, '127.0.0.1')
    await once(probe, 'listening')
    const { port } = probe.address() as net.AddressInfo
    probe.close()
    await once(probe, 'close')
    const { code, output } = await runCommand('--remotes', `127.0.0.1:${port}`, '--benchmarks', 'QuorumCall')
    assert.equal(code, 1)
    assert.match(output, new RegExp(`node 127\\.0\\.0\\.1:${port} .*ECONNREFUSED 127\\.0\\.0\\.1:${port}`))
  })

  it('ends with exit code 2 and the reason when a flag is wrong', async () => {
    const { code, output } = await runCommand('--rounds', 'many')
    assert.equal(code, 2)
    assert.match(output, /--rounds many: must be a whole number/)
  })
})
