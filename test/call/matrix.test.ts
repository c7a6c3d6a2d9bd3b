// Every call type with every option that it has, in both codecs, over TCP, TLS, a replica's own node and a replica's
// configuration. What is checked is in matrix-rows.ts.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { CallType } from 'gorums'
import { LIMIT } from './cluster.ts'
import { ROWS } from './matrix-rows.ts'
import { CODECS, type CodecName, type Setting, startSetting, TRANSPORTS, type TransportName } from './matrix-setting.ts'

const TYPES: readonly CallType[] = ['rpc', 'unicast', 'multicast', 'quorumCall', 'quorumStream']
let calls = 0

for (const codec of CODECS) for (const transport of TRANSPORTS) describeSetting(codec, transport)

function describeSetting(codec: CodecName, transport: TransportName): void {
  describe(`${codec} over ${transport}`, () => {
    let setting: Setting
    const closers: (() => Promise<void>)[] = []
    before(async () => {
      setting = await startSetting({ after: (close) => void closers.push(close) }, codec, transport)
    })
    after(async () => {
      for (const close of closers) await close()
    })
    for (const type of TYPES) {
      for (const row of ROWS) {
        if (!row.types.includes(type)) continue
        if (row.needsSeveral === true && transport === "a replica's own node") continue
        test(`${type}: ${row.title} (${codec}, ${transport})`, LIMIT, async () => {
          setting.hooks = {}
          await row.check(setting, type, `call ${++calls}`)
          assert.equal(setting.configuration.status.connected.size, setting.configuration.size)
        })
      }
    }
  })
}
