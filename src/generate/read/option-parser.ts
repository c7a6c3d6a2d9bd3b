// Reads options: `option name = value;` and `[name = value, …]`. Aggregates come out as one option per leaf, so that
// `features = { enum_type: CLOSED }` and `features.enum_type = CLOSED` are the same.

import type { Option, OptionValue, Position } from './declarations.ts'
import type { TokenStream } from './token-stream.ts'

/** Aggregates deeper than this are a mistake. */
const DEPTH_LIMIT = 100

/** After the word `option`. */
export function parseOptionStatement(tokens: TokenStream): Option[] {
  const options = parseOption(tokens)
  tokens.expect(';', 'after the option')
  return options
}

/** `[…]`, if there is one. */
export function parseInlineOptions(tokens: TokenStream): Option[] {
  if (!tokens.skip('[')) return []
  const options: Option[] = []
  do options.push(...parseOption(tokens))
  while (tokens.skip(','))
  tokens.expect(']', 'after the options')
  return options
}

function parseOption(tokens: TokenStream): Option[] {
  const { position } = tokens
  const name = parseOptionName(tokens)
  tokens.expect('=', `after the name of the option "${name}"`)
  const options: Option[] = []
  parseValue(tokens, { name, position }, options, 0)
  return options
}

function parseOptionName(tokens: TokenStream): string {
  let name = ''
  do {
    if (name !== '') name += '.'
    if (tokens.skip('(')) {
      name += `(${parseTypeName(tokens, 'the option')})`
      tokens.expect(')', 'after the name of the option')
    } else {
      name += tokens.name('an option').text
    }
  } while (tokens.skip('.'))
  return name
}

/** `storage.v1.Request`, `.storage.Request`; `what` is whose name it is, for messages. */
export function parseTypeName(tokens: TokenStream, what: string): string {
  let name = tokens.skip('.') ? '.' : ''
  name += tokens.name(what).text
  while (tokens.skip('.')) name += `.${tokens.name(what).text}`
  return name
}

interface Place {
  readonly name: string
  readonly position: Position
}

function parseValue(tokens: TokenStream, place: Place, options: Option[], depth: number): void {
  if (depth > DEPTH_LIMIT) tokens.fail(`the value of "${place.name.slice(0, 40)}" is nested too deeply`)
  if (tokens.skip('{')) return parseAggregate(tokens, place, '}', options, depth)
  if (depth > 0 && tokens.skip('<')) return parseAggregate(tokens, place, '>', options, depth)
  if (depth > 0 && tokens.skip('[')) {
    if (tokens.skip(']')) return
    do parseValue(tokens, place, options, depth + 1)
    while (tokens.skip(','))
    return tokens.expect(']', 'after the list')
  }
  options.push({ ...place, value: parseScalar(tokens), isNested: depth > 0 })
}

function parseAggregate(tokens: TokenStream, place: Place, end: string, options: Option[], depth: number): void {
  if (tokens.is(end)) options.push({ ...place, value: { kind: 'message', text: '' }, isNested: depth > 0 })
  while (!tokens.skip(end)) {
    const { position } = tokens
    const key = tokens.skip('[') ? parseExtensionKey(tokens) : tokens.name('a field in the value of the option').text
    const inner = { name: `${place.name}.${key}`, position }
    if (!tokens.skip(':') && !tokens.is('{') && !tokens.is('<')) tokens.fail(`":" is missing after "${key}"`)
    parseValue(tokens, inner, options, depth + 1)
    if (!tokens.skip(',')) tokens.skip(';')
  }
}

/** `[pkg.extension]`, `[type.googleapis.com/pkg.Type]`, after the bracket. */
function parseExtensionKey(tokens: TokenStream): string {
  let key = ''
  while (!tokens.is(']') && (tokens.token.kind === 'word' || tokens.is('.') || tokens.is('/') || tokens.is('-')))
    key += tokens.take().text
  tokens.expect(']', 'after the name of the extension')
  return `(${key})`
}

function parseScalar(tokens: TokenStream): OptionValue {
  const sign = tokens.skip('-') ? '-' : ''
  const { kind } = tokens.token
  if (kind === 'string' && sign === '') return { kind, text: tokens.string('the value of the option') }
  if (kind !== 'word' && kind !== 'number') tokens.fail('the value of the option is missing')
  return { kind, text: sign + tokens.take().text }
}
