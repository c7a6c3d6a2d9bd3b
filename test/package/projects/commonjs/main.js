// A client and a server in CommonJS, in plain JavaScript whose types are checked.

const { connect, createServer, rpc, service } = require('gorums')
const runtime = require('gorums/runtime')

const Echo = service('package.Echo', { echo: rpc() })

async function main() {
  const server = createServer({ nodeID: 'a' }).handle(Echo, { echo: (text) => text })
  const { host, port } = await server.listen()
  const config = await connect({ a: `${host}:${port}` })
  const text = await config.nodes[0]?.client(Echo).echo('works')
  console.log(`commonjs ${text} ${runtime.rpc === rpc}`)
  await config.close()
  await server.close()
}

main()
