// Two services over one socket: whatever a client calls on a node, and however many services that node has, there is one
// connection between them. Run it with: npx tsx examples/hello/two-services.ts

import { connect, createServer, quorumCall, rpc, service } from 'gorums'

const Search = service('shop.Search', {
  find: quorumCall<{ text: string }, { titles: string[] }>(),
})

const Orders = service('shop.Orders', {
  place: rpc<{ title: string }, { number: number }>(),
})

const SHELVES: Record<string, string[]> = {
  north: ['Distributed Algorithms', 'Snow'],
  south: ['Distributed Systems', 'Sand'],
}

async function main(): Promise<void> {
  let orders = 0
  const servers = Object.entries(SHELVES).map(([nodeID, titles]) =>
    createServer({ nodeID })
      .handle(Search, { find: ({ text }) => ({ titles: titles.filter((title) => title.includes(text)) }) })
      .handle(Orders, { place: () => ({ number: ++orders }) }),
  )
  const [north, south] = await Promise.all(servers.map((server) => server.listen()))

  const configuration = await connect({
    north: `${north!.host}:${north!.port}`,
    south: `${south!.host}:${south!.port}`,
  })

  // Search goes to every node, and takes what each of them has.
  const replies = await configuration.client(Search).find({ text: 'Distributed' }).all()
  for (const [nodeID, { titles }] of replies) console.log(`${nodeID} has ${titles.join(', ')}`)

  // An order goes to one node, over the connection that is there already.
  const { number } = await configuration.node('south').client(Orders).place({ title: 'Distributed Systems' })
  console.log(`order ${number} was placed in the south`)

  for (const [index, server] of servers.entries())
    console.log(`${Object.keys(SHELVES)[index]} serves 2 services on ${server.clients.size} connection`)

  await configuration.close()
  await Promise.all(servers.map((server) => server.close()))
}

await main()
