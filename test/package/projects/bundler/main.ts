// A client and a server in a TypeScript project whose modules a bundler puts into one file.

import { connect, createServer, rpc, service } from 'gorums'
import { msgpack } from 'gorums/codec/msgpack'
import { protobuf } from 'gorums/codec/protobuf'
import { multicast } from 'gorums/runtime'
import { checkLeaks } from 'gorums/testing'

const Echo = service('package.Echo', { echo: rpc<string, string>() })

async function main(): Promise<void> {
  const server = createServer({ nodeID: 'a' }).handle(Echo, { echo: (text) => text })
  const { host, port } = await server.listen()
  const config = await connect({ a: `${host}:${port}` })
  const text: string = await config.nodes[0]!.client(Echo).echo('works')
  console.log('bundler', text, [msgpack, protobuf, multicast, checkLeaks].map((value) => typeof value).join(' '))
  await config.close()
  await server.close()
}

main()
