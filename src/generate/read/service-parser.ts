// Reads services and their methods.

import type { MethodDeclaration, Option, ServiceDeclaration, TypeName } from './declarations.ts'
import { parseOptionStatement, parseTypeName } from './option-parser.ts'
import { place, type TokenStream } from './token-stream.ts'

/** After the word `service`. */
export function parseService(tokens: TokenStream, comment: string): ServiceDeclaration {
  const name = tokens.name('a service')
  const options: Option[] = []
  const methods: MethodDeclaration[] = []
  tokens.braces(`service "${name.text}"`, () => {
    if (tokens.skip('option')) return void options.push(...parseOptionStatement(tokens))
    if (!tokens.is('rpc')) tokens.fail(`expected "rpc", "option" or "}" in service "${name.text}"`)
    methods.push(parseMethod(tokens))
  })
  return { name: name.text, comment, position: place(name), options, methods }
}

function parseMethod(tokens: TokenStream): MethodDeclaration {
  const { comment } = tokens.take()
  const name = tokens.name('a method')
  const request = messageInParentheses(tokens, `the name of method "${name.text}"`)
  if (!tokens.skip('returns')) tokens.fail(`"returns" is missing after the request of method "${name.text}"`)
  const reply = messageInParentheses(tokens, '"returns"')
  const options: Option[] = []
  if (tokens.is('{')) {
    tokens.braces(`method "${name.text}"`, () => {
      if (!tokens.skip('option')) tokens.fail(`expected "option" or "}" in method "${name.text}"`)
      options.push(...parseOptionStatement(tokens))
    })
    tokens.skip(';')
  } else {
    tokens.expect(';', `after method "${name.text}"`)
  }
  const streams = { isClientStream: request.isStream, isServerStream: reply.isStream }
  return {
    name: name.text,
    comment,
    position: place(name),
    options,
    request: request.type,
    reply: reply.type,
    ...streams,
  }
}

function messageInParentheses(
  tokens: TokenStream,
  what: string,
): { readonly type: TypeName; readonly isStream: boolean } {
  tokens.expect('(', `after ${what}`)
  // `stream.Request` is a message in a package "stream".
  const isStream = tokens.is('stream') && tokens.following.text !== ')' && tokens.following.text !== '.'
  if (isStream) tokens.take()
  const { position } = tokens
  const type = { text: parseTypeName(tokens, 'a message'), position }
  tokens.expect(')', 'after the name of the message')
  return { type, isStream }
}
