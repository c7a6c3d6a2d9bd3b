// The rules of sessions as a table: for each part what shows that it is needed, and how soon it is missed.

import { explore } from '../../exploration/explore.ts'
import { type Loosening, loosenings } from '../../exploration/loosenings.ts'
import { medianSeeds } from './hunt.ts'
import { sessionRules } from './session-rules.ts'

const HEAD = [
  '| rule | part | planted bugs, and the seeds until they are found | left out in the exploration, and the steps to a broken promise |',
  '|---|---|---|---|',
]

/** Plants every bug and leaves out every part. Lines of Markdown. */
export async function ruleTable(seedsPerHunt: number): Promise<string[]> {
  const medians = await medianSeeds(
    sessionRules.flatMap(({ bugs }) => bugs),
    seedsPerHunt,
  )
  const found = (bug: string): string => `${bug} ${medians[bug] ?? `(not by ${seedsPerHunt})`}`
  return [
    ...HEAD,
    ...sessionRules.map(({ rule, part, bugs, loosenings: loose, why }) => {
      const shown = [bugs.map(found).join(', '), loose.map(missed).join(', ')].map((text) => text || `none: ${why}`)
      return `| ${rule} | ${part} | ${shown.join(' | ')} |`
    }),
  ]
}

function missed(loosening: Loosening): string {
  const { broken } = explore(loosenings[loosening], loosening)
  return `${loosening} ${broken === undefined ? '(not missed)' : broken.steps.length}`
}
