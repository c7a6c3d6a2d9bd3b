// A client and servers of a service that `gorums gen` has made of storage.proto.

import { connect } from 'gorums'
import { startLocalCluster } from 'gorums/testing'
import { Register, type Value } from './gen/storage_gorums.js'

const NOTHING: Value = { key: '', value: new Uint8Array(), version: 0n }

const cluster = await startLocalCluster(3, (server) => {
  const values = new Map<string, Value>()
  server.handle(Register, {
    read: ({ key }) => values.get(key) ?? NOTHING,
    write(value) {
      const isNew = value.version > (values.get(value.key)?.version ?? 0n)
      if (isNew) values.set(value.key, value)
      return { isNew }
    },
    forget: ({ key }) => void values.delete(key),
  })
})
const config = await connect(cluster.addresses)
const register = config.client(Register)
const value = new TextEncoder().encode('works')
const written = await register.write({ key: 'k', value, version: 2n ** 63n, at: { seconds: 5n } }).all()
const stored = await register.read({ key: 'k' }).first()
await register.forget({ key: 'k' })
const forgotten = await register.read({ key: 'k' }).all()
console.log(
  'generated',
  new TextDecoder().decode(stored.value),
  stored.version,
  stored.at?.seconds,
  [...written.values()].every(({ isNew }) => isNew),
  [...forgotten.values()].every(({ version }) => version === 0n),
)
await config.close()
await cluster.close()
