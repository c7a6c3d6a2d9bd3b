// The service that the tests of connections call, and the bytes of its requests, written by hand.

import { quorumCall, rpc, service, unicast } from 'gorums'

export const Echo = service('test.Echo', {
  /** Answers with its request. */
  echo: rpc<string, string>(),
  /** Answers when the test says so. */
  hold: rpc<string, string>(),
  /** As `hold`, without holding its lane. */
  linger: rpc<string, string>({ concurrent: true }),
  /** Answers with the peer as the server sees it. */
  whoAmI: rpc<string, { id: string; names: readonly string[] }>(),
  note: unicast<string>(),
  echoAll: quorumCall<string, string>(),
})

export function methodID(key: keyof typeof Echo.methods): number {
  return Echo.bound.get(key)!.methodID
}

/** "hi" in MessagePack. */
export const HI = Buffer.from('a26869', 'hex')

/** A text of `length` characters in MessagePack. */
export function text(length: number): Buffer {
  const bytes = Buffer.alloc(5 + length, 'x')
  bytes[0] = 0xdb
  bytes.writeUInt32BE(length, 1)
  return bytes
}
