// A counter in a process of its own, for the tests that kill it: it appends the number of each call to a file before it answers,
// so that what has run can be told after any crash. Usage: counter-process.ts <file> <port>. It dies with its parent, which may
// have it block its event loop, and is told when it begins to drain.

import { openSync, writeSync } from 'node:fs'
import { createServer } from 'gorums'
import { Counter } from './counter-service.ts'

const [file = '', port = '0'] = process.argv.slice(2)
const journal = openSync(file, 'a')
const run = ({ n }: { n: number }): { n: number } => {
  writeSync(journal, `${n}\n`)
  return { n }
}

const server = createServer()
server.handle(Counter, { count: run, countAll: run })
process.on('disconnect', () => process.exit(0))
process.on('SIGTERM', () => {
  void server.close({ drainTimeoutMs: 20_000 }).then(() => process.exit(0))
  process.send?.('draining')
})
process.on('message', (blockMs: number) => {
  const until = performance.now() + blockMs
  while (performance.now() < until);
})
const address = await server.listen({ port: Number(port) })
process.send?.(address.port)
