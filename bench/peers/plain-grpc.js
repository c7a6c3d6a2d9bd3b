// grpc-js without the benchmark's harness: what its two grpc-js targets measure, in a plain program to compare with.
// Three server processes, one client process; quorum calls of two of three, 16 bytes, 64 in flight, five seconds each.
//   node bench/peers/plain-grpc.js

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import grpc from '@grpc/grpc-js'

const IN_FLIGHT = 64
const SECONDS = 5
const PAYLOAD = Buffer.alloc(16, 7)
const same = (bytes) => bytes

/** Bytes as they are: an id in front of the payload on streams, the payload alone in unary calls. */
const method = (path, isStream) => ({
  path,
  requestStream: isStream,
  responseStream: isStream,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
})

if (process.argv[2] === 'server') {
  const server = new grpc.Server()
  server.addService(
    { unary: method('/Plain/Unary', false), stream: method('/Plain/Stream', true) },
    {
      unary: (call, answer) => answer(null, call.request),
      stream: (call) => call.on('data', (bytes) => call.write(bytes)).on('error', () => {}),
    },
  )
  server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (_, port) => process.send(port))
  process.on('disconnect', () => process.exit())
} else {
  const servers = [1, 2, 3].map(() => fork(fileURLToPath(import.meta.url), ['server']))
  const ports = await Promise.all(servers.map(async (server) => (await once(server, 'message'))[0]))
  const nodes = ports.map((port) => new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure()))
  console.log('one ordered stream per node:', await measure(streamCalls(nodes)), 'calls/s')
  console.log('unary calls:                ', await measure(unaryCalls(nodes)), 'calls/s')
  for (const server of servers) server.disconnect()
  process.exit()
}

function unaryCalls(nodes) {
  return () =>
    new Promise((resolve) => {
      let replies = 0
      for (const node of nodes)
        node.makeUnaryRequest('/Plain/Unary', same, same, PAYLOAD, () => {
          if (++replies === 2) resolve()
        })
    })
}

function streamCalls(nodes) {
  const pending = new Map()
  let nextID = 1
  const streams = nodes.map((node) =>
    node.makeBidiStreamRequest('/Plain/Stream', same, same).on('data', (bytes) => {
      const call = pending.get(bytes.readUInt32LE(0))
      if (call === undefined || ++call.replies < 2) return
      pending.delete(bytes.readUInt32LE(0))
      call.resolve()
    }),
  )
  return () =>
    new Promise((resolve) => {
      const id = nextID++
      const bytes = Buffer.alloc(4 + PAYLOAD.length)
      bytes.writeUInt32LE(id, 0)
      PAYLOAD.copy(bytes, 4)
      pending.set(id, { replies: 0, resolve })
      for (const stream of streams) stream.write(bytes)
    })
}

/** Calls per second, after a second of warm-up. */
async function measure(call) {
  let calls = 0
  let isOver = false
  const work = async () => {
    while (!isOver) {
      await call()
      calls++
    }
  }
  const workers = Array.from({ length: IN_FLIGHT }, work)
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  await wait(1000)
  const before = calls
  const startedAt = performance.now()
  await wait(SECONDS * 1000)
  const perSecond = ((calls - before) / (performance.now() - startedAt)) * 1000
  isOver = true
  await Promise.all(workers)
  return Math.round(perSecond)
}
