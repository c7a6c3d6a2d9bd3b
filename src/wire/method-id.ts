// The number of a method on the wire: the first four bytes of SHA-256 of its full name.

import { createHash } from 'node:crypto'

/** The methodID of `package.Service/Name`, with `+codec` appended when the codec is not protobuf. */
export function methodIDOf(fullName: string): number {
  return createHash('sha256').update(fullName, 'utf8').digest().readUInt32BE(0)
}
