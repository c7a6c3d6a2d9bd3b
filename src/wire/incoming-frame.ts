// A frame that has arrived: its head, and where its header and payload lie. A decoder has one of these for all its frames;
// what it says, and the bytes that it points at, are valid during the call only.

import { FieldReader } from './fields.ts'
import { HEAD_BYTES, readU32 } from './frame.ts'

export class IncomingFrame {
  kind = 0
  flags = 0
  msgID = 0
  methodID = 0
  /** The header is `bytes[headerStart, payloadStart)`, the payload `bytes[payloadStart, end)`. */
  bytes: Buffer
  headerStart = 0
  payloadStart = 0
  end = 0
  /** Nobody else writes to `bytes`, now or later: what is made of the payload may go on referring to them. */
  isOwned = false

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  /** Takes kind, flags and ids from a head that begins at `start`; returns the bytes of the header that follows it. */
  readHead(bytes: Buffer, start: number): number {
    this.kind = bytes[start + 4]!
    this.flags = bytes[start + 5]!
    this.msgID = readU32(bytes, start + 8)
    this.methodID = readU32(bytes, start + 12)
    return (bytes[start + 6]! << 8) | bytes[start + 7]!
  }

  /** The whole frame, head included, bytes. */
  get frameBytes(): number {
    return this.end - this.headerStart + HEAD_BYTES
  }

  get hasHeader(): boolean {
    return this.headerStart !== this.payloadStart
  }

  get hasPayload(): boolean {
    return this.payloadStart !== this.end
  }

  /** Reads the payload as a control message. */
  payloadReader(): FieldReader {
    return new FieldReader(this.bytes, this.payloadStart, this.end)
  }
}
