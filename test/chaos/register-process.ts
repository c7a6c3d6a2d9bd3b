// A client of the storage example in a process of its own, for the tests that kill clients: it reads and writes registers as its
// parent asks. Usage: register-process.ts <writer id> <addresses, JSON>. It dies with its parent.

import { connect } from 'gorums'
import { MultiWriterStorage } from '../../examples/storage/clients.ts'
import { type Addresses, type Answer, CLIENT_OPTIONS, type Question } from './register-client.ts'

const [writerID = '', addresses = '{}'] = process.argv.slice(2)
process.on('disconnect', () => process.exit(0))
const config = await connect(JSON.parse(addresses) as Addresses, CLIENT_OPTIONS)
const storage = new MultiWriterStorage(config, writerID)

async function answer({ id, key, value }: Question): Promise<Answer> {
  try {
    const entry = value === undefined ? await storage.read(key) : await storage.write(key, value)
    return { id, value: entry.value }
  } catch (error) {
    return { id, error: String(error) }
  }
}

process.on('message', (question: Question) => {
  void answer(question).then((reply) => process.send?.(reply))
})
process.send?.('connected')
