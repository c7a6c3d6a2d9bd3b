// The frame: the picture, the numbers of its kinds, and how a head is written and read. Bytes only: what a frame means
// is decided by the connection (handshake, heartbeat) and the channel (calls).
//
//  0        4      5       6             8          12           16
//  +--------+------+-------+-------------+----------+------------+----------------+-----------
//  | length | kind | flags | headerBytes |  msgID   |  methodID  | header         | payload …
//  |  u32   |  u8  |  u8   |     u16     |   u32    |    u32     | (headerBytes)  |
//  +--------+------+-------+-------------+----------+------------+----------------+-----------
//
// All integers are big-endian and unsigned. `length` counts the bytes behind itself.

/** Opens a connection in both directions. Not ASCII, not TLS, mangled by text-mode proxies; ends in the handshake's format. */
export const PREFACE: Buffer = Buffer.from('8947524d0d0a1a01', 'hex')

export const LENGTH_BYTES = 4
export const HEAD_BYTES = 16
/** The smallest value of `length`: the rest of the head. */
export const LENGTH_MIN = HEAD_BYTES - LENGTH_BYTES
/** The largest CallHeader, bytes. */
export const HEADER_BYTES_MAX = 8 * 1024
/** The largest `length` of HELLO and every other control frame. */
export const CONTROL_BYTES_MAX = 16 * 1024
/** The most metadata entries in one header. */
export const METADATA_ENTRIES_MAX = 64

/** The largest whole frame when `length` may be at most `frameMaxBytes`. */
export function frameBytesMax(frameMaxBytes: number): number {
  return frameMaxBytes + LENGTH_BYTES
}

/** The frame kinds. Those below 0x80 are counted: they have an implicit number per direction and session. */
export const Kind = {
  request: 0x01,
  oneway: 0x02,
  reply: 0x03,
  item: 0x04,
  end: 0x05,
  error: 0x06,
  cancel: 0x07,
  skip: 0x08,
  hello: 0x80,
  helloOk: 0x81,
  reject: 0x82,
  ping: 0x83,
  pong: 0x84,
  ack: 0x85,
  goaway: 0x86,
} as const

const NAMES = new Map<number, string>(
  Object.entries(Kind).map(([name, number]) => [
    number,
    name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase(),
  ]),
)

/** The name of a kind for messages: `REQUEST`, or `0x99` for one that nobody defined. */
export function kindName(kind: number): string {
  return NAMES.get(kind) ?? `0x${kind.toString(16).padStart(2, '0')}`
}

/** Whether the protocol says to skip frames of this kind unread: room for later control frames. */
export function isSkippable(kind: number): boolean {
  return kind >= 0xc0
}

export function isKnownKind(kind: number): boolean {
  return NAMES.has(kind)
}

/** Writes the 16 bytes of a head at `offset`; `end` is where the frame ends in the same buffer. */
export function writeHead(
  buffer: Buffer,
  offset: number,
  end: number,
  kind: number,
  headerBytes: number,
  msgID: number,
  methodID: number,
): void {
  writeU32(buffer, offset, end - offset - LENGTH_BYTES)
  buffer[offset + 4] = kind
  buffer[offset + 5] = 0
  buffer[offset + 6] = headerBytes >>> 8
  buffer[offset + 7] = headerBytes
  writeU32(buffer, offset + 8, msgID)
  writeU32(buffer, offset + 12, methodID)
}

/** Writes an unsigned 32-bit integer without the range checks of Buffer's own method (they cost more than the write). */
export function writeU32(buffer: Buffer, offset: number, value: number): void {
  buffer[offset] = value >>> 24
  buffer[offset + 1] = value >>> 16
  buffer[offset + 2] = value >>> 8
  buffer[offset + 3] = value
}

/** Reads an unsigned 32-bit integer; the caller has checked that four bytes are there. */
export function readU32(buffer: Buffer, offset: number): number {
  return buffer[offset]! * 0x1000000 + ((buffer[offset + 1]! << 16) | (buffer[offset + 2]! << 8) | buffer[offset + 3]!)
}

/** What first bytes that are no preface look like, for the event that names the stranger. */
export function describeStranger(bytes: Buffer): string {
  const text = bytes.toString('latin1', 0, 8)
  if (bytes[0] === 0x16 && (bytes.length < 2 || bytes[1] === 3)) return 'a TLS ClientHello (this port speaks plain TCP)'
  if (bytes[0] === 0x15 && bytes[1] === 3) return 'a TLS alert (this port speaks plain TCP)'
  if (/^(GET|PUT|HEAD|POST|PATCH|TRACE|DELETE|OPTIONS|CONNECT) /.test(text) || /^(PRI \*|HTTP\/)/.test(text))
    return 'HTTP'
  if (text.startsWith('SSH-')) return 'SSH'
  return `no gorums preface, but ${bytes.subarray(0, 8).toString('hex')}`
}
