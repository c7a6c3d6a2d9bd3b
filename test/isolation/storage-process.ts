// A server in a process of its own, for tests that stop and kill servers. It prints its port, and ends with its parent.

import { createServer } from 'gorums'
import { Blob } from './blob-service.ts'

const server = createServer({ nodeID: process.argv[2] ?? '', logger: { warn: console.error, error: console.error } })
let started = 0
server.handle(Blob, {
  put: () => ({ started: ++started }),
  putAll: () => ({ started: ++started }),
})
const { port } = await server.listen({ port: Number(process.argv[3] ?? 0) })
process.send?.({ port })
process.on('disconnect', () => process.exit(0))
