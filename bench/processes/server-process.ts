// The inside of a server process: one server of one target.

import type { RunningServer, ServeOptions } from '../targets/target.ts'
import { targetNamed } from '../targets/targets.ts'
import { answerParent } from './questions.ts'
import { readUsage } from './usage.ts'

let server: RunningServer | undefined

answerParent({
  async serve({ target, options }: { target: string; options: ServeOptions }): Promise<string> {
    server = await targetNamed(target).serve(options)
    return server.address
  },
  usage: () => readUsage(),
  received: () => server?.takeReceived(),
})
