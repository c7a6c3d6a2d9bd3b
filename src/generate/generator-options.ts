// What the user may choose, as it is written on a command line and in a plugin's parameter.

import type { GeneratorOptions } from './model.ts'

/** The names of options, their values, the first of which is the default, and what they do. */
export const OPTIONS = {
  int64: { values: ['bigint', 'number', 'string'], what: 'the type of 64-bit integers' },
  timestamp: { values: ['message', 'date'], what: 'google.protobuf.Timestamp as a message or as a Date' },
  'import-extension': { values: ['js', 'ts', 'none'], what: 'how generated files import each other' },
} as const

export type OptionName = keyof typeof OPTIONS

/** Throws RangeError for an unknown option or value. */
export function generatorOptions(given: Readonly<Record<string, string | undefined>>): GeneratorOptions {
  for (const name of Object.keys(given))
    if (!Object.hasOwn(OPTIONS, name))
      throw new RangeError(`there is no option "${name}": there are ${Object.keys(OPTIONS).join(', ')}`)
  return {
    int64: choose(given, 'int64'),
    timestampAsDate: choose(given, 'timestamp') === 'date',
    importExtension: choose(given, 'import-extension'),
  }
}

function choose<Name extends OptionName>(
  given: Readonly<Record<string, string | undefined>>,
  name: Name,
): (typeof OPTIONS)[Name]['values'][number] {
  const { values } = OPTIONS[name]
  const text = given[name] ?? values[0]
  const value = values.find((each) => each === text)
  if (value === undefined) throw new RangeError(`"${name}" is ${values.join(', ')}, not "${text}"`)
  return value
}

/** A plugin's parameter: `int64=string,import_extension=ts`. Throws RangeError as `generatorOptions` does. */
export function parseParameter(parameter: string): GeneratorOptions {
  const given: Record<string, string> = {}
  for (const part of parameter.split(',')) {
    if (part.trim() === '') continue
    const [name = '', value = ''] = part.split('=', 2)
    given[name.trim().replaceAll('_', '-')] = value.trim()
  }
  return generatorOptions(given)
}
