// Which nodes of a configuration could not be connected to, and why, in one line.

import type { Configuration } from 'gorums'

/** Undefined when at least `needed` nodes are up (default: all). */
export function downNodes(config: Configuration, needed = config.size): string | undefined {
  const down = config.nodes.filter((node) => node.state !== 'up')
  if (config.size - down.length >= needed) return undefined
  const reasons = down.map((node) => `node ${node.id} (${node.address}): ${reasonOf(node.lastError)}`)
  return `can not be connected to: ${reasons.join('; ')}`
}

/** An error and what has caused it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer yet'
  const { cause } = error
  return cause instanceof Error && !error.message.includes(cause.message)
    ? `${error.message}: ${reasonOf(cause)}`
    : error.message
}
