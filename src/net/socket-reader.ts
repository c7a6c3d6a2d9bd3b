// How the bytes of plain sockets reach us: all of them through one buffer that is used again for every read, instead of a
// new one of 64 KiB each time. Who is given the bytes must be done with them when it returns.

import net from 'node:net'

/** The room for one read, bytes: as much as a socket's receive buffer usually holds. */
const READ_BYTES = 256 * 1024

/** A read is handed over before the next can begin on any socket; not so on Windows, where reads wait with their buffers. */
const isShared = process.platform !== 'win32'
let shared: Buffer | undefined

type OnBytes = (bytes: Buffer) => void

/** The option of `net.connect` that has a socket read into the shared buffer; undefined where it can not be shared. */
export function readOption(onBytes: OnBytes): net.OnReadOpts | undefined {
  return isShared ? { buffer: room(), callback: receiver(onBytes) } : undefined
}

/**
 * Has an accepted socket read into the shared buffer: node:net offers it for sockets that connect only, so this sets what
 * that option sets. False, and nothing is changed, where Node has it differently: listen to `data` then.
 */
export function readAccepted(socket: net.Socket, onBytes: OnBytes): boolean {
  const inner = socket as unknown as Record<symbol, unknown> & { readonly _handle?: Partial<UserBufferHandle> | null }
  const handle = inner._handle
  if (!isShared || buffer === undefined || callback === undefined) return false
  if (typeof handle?.useUserBuffer !== 'function') return false
  inner[buffer] = room()
  inner[callback] = receiver(onBytes)
  handle.useUserBuffer(room())
  return true
}

interface UserBufferHandle {
  useUserBuffer(buffer: Buffer): void
}

/** Where a socket keeps the buffer and the callback of the option: found on one that was given them. */
const { buffer, callback } = findKeys()

function findKeys(): { buffer: symbol | undefined; callback: symbol | undefined } {
  const option = { buffer: Buffer.alloc(0), callback: () => true }
  const probe = new net.Socket({ onread: option } as net.SocketConstructorOpts) as unknown as Record<symbol, unknown>
  const keyOf = (value: unknown): symbol | undefined =>
    Object.getOwnPropertySymbols(probe).find((symbol) => probe[symbol] === value)
  return { buffer: keyOf(option.buffer), callback: keyOf(option.callback) }
}

function room(): Buffer {
  shared ??= Buffer.allocUnsafeSlow(READ_BYTES)
  return shared
}

function receiver(onBytes: OnBytes): (count: number) => boolean {
  const bytes = room()
  return (count) => {
    onBytes(bytes.subarray(0, count))
    return true
  }
}
