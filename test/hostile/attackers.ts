// Attackers on real sockets: one that speaks the protocol as far as it likes (RawPeer), one that has shaken hands and reads
// no more, one that has nothing but bytes. Everything they open is closed with the row they belong to.

import { once } from 'node:events'
import net from 'node:net'
import { nodeRuntime } from '../../src/net/node-runtime.ts'
import { controlFrame, encodeAck, encodeHello, type Hello } from '../../src/wire/control.ts'
import { Kind, PREFACE } from '../../src/wire/frame.ts'
import { frameOf, helloWith, RawPeer } from '../net/raw-peer.ts'

/** An attacker lets so much wait in its own socket before it gives way, bytes. */
const OUTGOING_BYTES = 1024 * 1024

/** A peer that has connected and said nothing yet. */
export function connectRaw(port: number): RawPeer {
  return new RawPeer(nodeRuntime.dial('127.0.0.1', port, undefined))
}

/** A peer that has gone through the handshake. */
export async function shakeHands(port: number, changes: Partial<Hello> = {}): Promise<RawPeer> {
  const peer = connectRaw(port)
  await peer.handshake(changes)
  return peer
}

/** A bare socket: bytes only. What arrives is thrown away. */
export async function openSocket(port: number): Promise<net.Socket> {
  const socket = net.connect({ host: '127.0.0.1', port, noDelay: true })
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.resume()
  return socket
}

/** A peer that has gone through the handshake and reads nothing from then on. */
export async function openNonReader(port: number, changes: Partial<Hello> = {}): Promise<net.Socket> {
  const socket = await openSocket(port)
  socket.write(Buffer.concat([PREFACE, controlFrame(Kind.hello, encodeHello(helloWith(changes)))]))
  await once(socket, 'data')
  socket.pause()
  const ack = encodeAck({ receivedFrames: 0, sentFrames: 0, requestBytesAllowed: 16 * 1024 * 1024 })
  socket.write(frameOf({ kind: Kind.ack, payload: ack }))
  return socket
}

/** Writes `bytes` so many times, giving way to everything else. Ends early, with false, when the other end has closed. */
export async function flood(peer: RawPeer | net.Socket, bytes: Buffer, times: number): Promise<boolean> {
  for (let sent = 0; sent < times; sent++) {
    while (waiting(peer) > OUTGOING_BYTES && !isGone(peer)) await turn()
    if (isGone(peer)) return false
    if (peer instanceof RawPeer) peer.stream.write([bytes])
    else peer.write(bytes)
    await turn()
  }
  while (waiting(peer) > 0 && !isGone(peer)) await turn()
  return !isGone(peer)
}

export function isGone(peer: RawPeer | net.Socket): boolean {
  return peer instanceof RawPeer ? peer.isClosed : peer.closed || peer.destroyed || !peer.writable
}

/** Everything else has had a turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Resolves when the other end has closed the socket. */
export async function closedBy(socket: net.Socket): Promise<void> {
  if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()))
}

/** Many of one frame, each with the next msgID. */
export function framesOf(count: number, firstID: number, parts: Parameters<typeof frameOf>[0]): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, index) => frameOf({ ...parts, msgID: firstID + index })))
}

function waiting(peer: RawPeer | net.Socket): number {
  return peer instanceof RawPeer ? peer.stream.bufferedBytes : peer.writableLength
}
