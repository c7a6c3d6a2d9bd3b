// A client and servers in a TypeScript project that Node.js runs after tsc.

import { type Configuration, connect, quorumCall, service } from 'gorums'
import { msgpack } from 'gorums/codec/msgpack'
import { type ProtobufType, protobuf } from 'gorums/codec/protobuf'
import * as runtime from 'gorums/runtime'
import { startLocalCluster } from 'gorums/testing'

interface Value {
  readonly value: string
  readonly time: number
}

const Register = service('package.Register', {
  write: quorumCall<Value, object>(),
  read: quorumCall({ request: msgpack<object>(), reply: msgpack<Value>() }),
})

const nothing: ProtobufType<object> = {
  encode: (_message, writer) => writer!,
  decode: () => ({}),
}
// As generated code declares it.
const Ping = runtime.service('package.Ping', {
  ping: runtime.rpc({ request: protobuf(nothing), reply: runtime.protobuf(nothing) }),
})

let stored: Value = { value: '', time: 0 }
const cluster = await startLocalCluster(3, (server) => {
  server.handle(Ping, { ping: () => ({}) }).handle(Register, {
    read: () => stored,
    write(request) {
      stored = request
      return {}
    },
  })
})
const config: Configuration = await connect(cluster.addresses)
const register = config.client(Register)
await register.write({ value: 'works', time: 1 }).majority()
const replies: ReadonlyMap<string, Value> = await register.read({}).all()
await config.nodes[0]!.client(Ping).ping({})
console.log(`nodenext ${[...replies.values()].map(({ value }) => value).join(' ')}`)
await config.close()
await cluster.close()
