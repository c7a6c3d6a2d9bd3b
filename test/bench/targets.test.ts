// Every target for a moment: that calls reach every node, are counted to the quorum, and carry what they should.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { describe, it } from 'node:test'
import { checkLeaks } from 'gorums/testing'
import type { Operation, RunningServer, Target } from '../../bench/targets/target.ts'
import { isAvailable, loadTargets } from '../../bench/targets/targets.ts'

const PAYLOAD = 300
const CALLS = 20

async function startServers(target: Target, operation: Operation): Promise<RunningServer[]> {
  const options = { host: '127.0.0.1', port: 0, operation, delayMs: 1, payloadMaxBytes: PAYLOAD }
  return Promise.all([1, 2, 3].map(() => target.serve(options)))
}

for (const target of await loadTargets()) {
  const skip = isAvailable(target) ? false : `${target.needs} is not installed: npm run bench installs it`
  describe(`the target ${target.name}`, { skip }, () => {
    for (const operation of target.operations) {
      it(`does ${operation}`, async (t) => {
        checkLeaks(t)
        const servers = await startServers(target, operation)
        t.after(() => Promise.all(servers.map((server) => server.close())).then(() => {}))
        const client = await target.connect(
          servers.map(({ address }) => address),
          { operation, payloadBytes: PAYLOAD, quorum: 2, waitForAll: true },
        )
        t.after(() => client.close())
        for (let call = 1; call < CALLS; call++) {
          if (operation === 'multicast') client.send!()
          else client.check(await client.call())
        }
        client.check(await client.call())
        if (operation === 'multicast') for (const server of servers) await receivedBy(server, CALLS)
      })
    }

    it('names the node that can not be connected to, and why', async (t) => {
      checkLeaks(t)
      const [gone, ...servers] = await startServers(target, 'echo')
      t.after(() => Promise.all(servers.map((server) => server.close())).then(() => {}))
      await gone!.close()
      const addresses = [gone!.address, ...servers.map(({ address }) => address)]
      await assert.rejects(
        target.connect(addresses, { operation: 'echo', payloadBytes: 1, quorum: 2, waitForAll: true }),
        (error: Error) => error.message.includes(gone!.address) && /ECONNREFUSED|deadline/i.test(error.message),
      )
    })
  })
}

/** Resolves when a server has received exactly so many messages. */
async function receivedBy(server: RunningServer, count: number): Promise<void> {
  let left = count
  while (left > 0) {
    left -= server.takeReceived().count
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(left, 0)
}

describe('a process that measures a target', () => {
  /** Whether protobufjs, which our package depends on, is in a process that has loaded a target. */
  function hasProtobufjs(name: string): boolean {
    const module = path.resolve(import.meta.dirname, '../../bench/targets/targets.ts')
    const code = `
      import { createRequire } from 'node:module'
      import { loadTarget } from ${JSON.stringify(module)}
      await loadTarget(${JSON.stringify(name)})
      const { cache } = createRequire(import.meta.url)
      console.log(Object.keys(cache).some((file) => file.includes('/protobufjs/')))`
    const flags = ['--import', 'tsx', '--input-type=module', '--eval', code]
    return execFileSync(process.execPath, flags, { encoding: 'utf8' }).trim() === 'true'
  }

  it('loads what that target needs, and nothing of the others', () => {
    assert.equal(hasProtobufjs('gorums'), true)
    assert.equal(hasProtobufjs('floor'), false)
  })
})
