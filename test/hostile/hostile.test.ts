// Every row of the list of bad inputs, over live sockets, against one server process with a heap of 128 MB and beside an
// honest client that must not notice.

import { after, before, test } from 'node:test'
import { connectionRows } from './rows-connections.ts'
import { evilServerRows } from './rows-evil-server.ts'
import { floodRows } from './rows-floods.ts'
import { framingRows } from './rows-framing.ts'
import { requestRows } from './rows-requests.ts'
import { tlsRows } from './rows-tls.ts'
import { Arena } from './run.ts'

let arena: Arena
before(async () => {
  arena = await Arena.open()
})
after(() => arena.close())

for (const row of [...framingRows, ...requestRows, ...connectionRows, ...floodRows, ...tlsRows, ...evilServerRows]) {
  const title = `${row.id}: ${row.what} → ${row.expected}`
  const skip = row.run === undefined ? `${row.why}` : false
  test(title, { timeout: 30_000, skip }, async (t) => {
    const note = await arena.run(row)
    if (note !== '') t.diagnostic(note)
  })
}
