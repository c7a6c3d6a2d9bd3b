// First steps: one service, three servers, one quorum call. What a majority is good for, examples/storage shows.
// Run it with: npx tsx examples/hello/main.ts

import { connect, createServer, quorumCall, service } from 'gorums'

// A service is a value: its methods, and how each is called. Both sides take their types from it.
const Greeter = service('hello.Greeter', {
  greet: quorumCall<{ name: string }, { text: string }>(),
})

async function main(): Promise<void> {
  // Three servers. They would be three machines; here they are three ports of this one.
  const servers = ['a', 'b', 'c'].map((nodeID) =>
    createServer({ nodeID }).handle(Greeter, {
      greet: ({ name }) => ({ text: `hello ${name}, says ${nodeID}` }),
    }),
  )
  const [a, b, c] = await Promise.all(servers.map(async (server) => addressOf(await server.listen())))

  // A configuration: the nodes that a call goes to, by id.
  const configuration = await connect({ a: a!, b: b!, c: c! })
  const greeter = configuration.client(Greeter)

  // One call to all three. It goes on as soon as a majority, two of them, has replied.
  const replies = await greeter.greet({ name: 'world' }).majority()
  for (const [nodeID, { text }] of replies) console.log(`${nodeID}: ${text}`)

  // One server less: two of three are still a majority.
  await servers[2]!.close()
  console.log(`without c: ${(await greeter.greet({ name: 'again' }).majority()).size} replies`)

  await configuration.close()
  await Promise.all(servers.map((server) => server.close()))
}

function addressOf({ host, port }: { host: string; port: number }): string {
  return `${host}:${port}`
}

await main()
