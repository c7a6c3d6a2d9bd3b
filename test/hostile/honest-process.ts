// The honest client in a process of its own, so that its times are those of its calls: it connects to the address that it
// is given, and calls while its parent says so.

import { HonestClient, type HonestFigures } from './honest-client.ts'

export type { HonestFigures } from './honest-client.ts'

/** What the parent says: begin to call, or end and tell what came of it. */
export type HonestOrder = 'start' | 'stop'

const honest = await HonestClient.connect(process.argv[2]!)

process.on('message', async (order: HonestOrder) => {
  if (order === 'start') honest.start()
  else process.send?.((await figures()) satisfies HonestFigures)
})
process.on('disconnect', () => process.exit(0))
process.send?.('connected')

/** What calls came to; one more that fails is a failure like others. */
async function figures(): Promise<HonestFigures> {
  const stopped = await honest.stop()
  try {
    await honest.checkOnce()
    return stopped
  } catch (error) {
    return { ...stopped, failures: [...stopped.failures, String(error)] }
  }
}
