// A client and a server in plain JavaScript: no compiler, no types.

import { connect, createServer, quorumCall, service } from 'gorums'

const Echo = service('package.Echo', { echo: quorumCall() })
const server = createServer({ nodeID: 'a' }).handle(Echo, { echo: (text) => text })
const { host, port } = await server.listen()
const config = await connect({ a: `${host}:${port}` })
const replies = await config.client(Echo).echo('works').majority()
console.log(`esm ${replies.get('a')}`)
await config.close()
await server.close()
