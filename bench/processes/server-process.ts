// The inside of a server process: one server of one target.

import type { RunningServer, ServeOptions } from '../targets/target.ts'
import { loadTarget } from '../targets/targets.ts'
import { answerParent } from './questions.ts'
import { readUsage } from './usage.ts'

let server: RunningServer | undefined

answerParent({
  async serve({ target, options }: { target: string; options: ServeOptions }): Promise<string> {
    server = await (await loadTarget(target)).serve(options)
    return server.address
  },
  usage: () => readUsage(),
  received: () => server?.takeReceived(),
})
