// The messages of the control frames (proto/wire.proto): HELLO, HELLO_OK, REJECT, ACK, GOAWAY, and the Status that
// REJECT, GOAWAY and ERROR carry. Values in, bytes out, and back; a malformed message throws ProtocolViolation.

import type { ErrorCode, Metadata } from '../errors.ts'
import { codeFromNumber, codeToNumber, ProtocolViolation } from '../errors.ts'
import { type FieldReader, FieldWriter } from './fields.ts'
import { CONTROL_BYTES_MAX, HEAD_BYTES, type Kind, LENGTH_BYTES, writeHead } from './frame.ts'
import { MetadataReader, NO_METADATA, writeMetadata } from './metadata.ts'

/** The protocol versions that this implementation speaks. */
export const VERSION_MIN = 1
export const VERSION_MAX = 1
/** Incarnations and session ids are exactly this long. */
export const ID_BYTES = 16

export interface Status {
  code: ErrorCode
  message: string
  metadata: Metadata
  notExecuted: boolean
}

export interface Hello {
  versionMin: number
  versionMax: number
  clusterID: string
  nodeID: string
  expectedNodeID: string
  incarnation: Buffer
  frameMaxBytes: number
  servesCalls: boolean
  metadata: Metadata
  wantsSession: boolean
  sessionID: Buffer
  attachEpoch: number
  receivedFrames: number
  requestBytesAllowed: number
  features: number
}

export interface HelloOk {
  version: number
  nodeID: string
  incarnation: Buffer
  frameMaxBytes: number
  servesCalls: boolean
  metadata: Metadata
  sessionID: Buffer
  resumed: boolean
  receivedFrames: number
  sessionTtlMs: number
  requestBytesAllowed: number
  features: number
}

export interface Reject {
  why: Status
  versionMin: number
  versionMax: number
  retry: boolean
}

export interface Ack {
  receivedFrames: number
  sentFrames: number
  requestBytesAllowed: number
}

export interface GoAway {
  lastFrame: number
  why: Status
}

const NO_ID = Buffer.alloc(0)
/** A node id or cluster id has at most so many bytes. */
export const NAME_BYTES_MAX = 256
/** The text of a status is cut behind so many bytes: it must fit every frame that it may be part of. */
const MESSAGE_BYTES_MAX = 2048

/** A whole control frame of the given kind. */
export function controlFrame(kind: (typeof Kind)[keyof typeof Kind], payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEAD_BYTES + payload.length)
  if (frame.length - LENGTH_BYTES > CONTROL_BYTES_MAX)
    throw new RangeError(
      `control frame of ${frame.length} bytes exceeds ${CONTROL_BYTES_MAX}: shorten the connection's metadata`,
    )
  writeHead(frame, 0, frame.length, kind, 0, 0, 0)
  frame.set(payload, HEAD_BYTES)
  return frame
}

export function encodeStatus(status: Status): Buffer {
  const writer = new FieldWriter()
  writer.uint(1, codeToNumber(status.code))
  writer.text(2, shorten(status.message))
  writeMetadata(writer, 3, status.metadata)
  writer.bool(4, status.notExecuted)
  return writer.finish()
}

export function decodeStatus(reader: FieldReader): Status {
  const metadata = new MetadataReader()
  const status: Status = { code: 'unknown', message: '', metadata: NO_METADATA, notExecuted: false }
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) status.code = codeFromNumber(reader.uint32())
    else if (field === 2) status.message = reader.text()
    else if (field === 3) metadata.add(reader.message())
    else if (field === 4) status.notExecuted = reader.bool()
    else reader.skip()
  }
  status.metadata = metadata.finish()
  return status
}

export function encodeHello(hello: Hello): Buffer {
  const writer = new FieldWriter()
  writer.uint(1, hello.versionMin)
  writer.uint(2, hello.versionMax)
  writer.text(3, hello.clusterID)
  writer.text(4, hello.nodeID)
  writer.text(5, hello.expectedNodeID)
  writer.bytes(6, hello.incarnation)
  writer.uint(7, hello.frameMaxBytes)
  writer.bool(8, hello.servesCalls)
  writeMetadata(writer, 9, hello.metadata)
  writer.bool(10, hello.wantsSession)
  writer.bytes(11, hello.sessionID)
  writer.uint(12, hello.attachEpoch)
  writer.uint(13, hello.receivedFrames)
  writer.uint(14, hello.requestBytesAllowed)
  writer.uint(15, hello.features)
  return writer.finish()
}

export function decodeHello(reader: FieldReader): Hello {
  const metadata = new MetadataReader()
  const hello: Hello = {
    versionMin: 0,
    versionMax: 0,
    clusterID: '',
    nodeID: '',
    expectedNodeID: '',
    incarnation: NO_ID,
    frameMaxBytes: 0,
    servesCalls: false,
    metadata: NO_METADATA,
    wantsSession: false,
    sessionID: NO_ID,
    attachEpoch: 0,
    receivedFrames: 0,
    requestBytesAllowed: 0,
    features: 0,
  }
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) hello.versionMin = reader.uint32()
    else if (field === 2) hello.versionMax = reader.uint32()
    else if (field === 3) hello.clusterID = reader.text()
    else if (field === 4) hello.nodeID = reader.text()
    else if (field === 5) hello.expectedNodeID = reader.text()
    else if (field === 6) hello.incarnation = reader.bytes()
    else if (field === 7) hello.frameMaxBytes = reader.uint32()
    else if (field === 8) hello.servesCalls = reader.bool()
    else if (field === 9) metadata.add(reader.message())
    else if (field === 10) hello.wantsSession = reader.bool()
    else if (field === 11) hello.sessionID = reader.bytes()
    else if (field === 12) hello.attachEpoch = reader.uint32()
    else if (field === 13) hello.receivedFrames = reader.uint()
    else if (field === 14) hello.requestBytesAllowed = reader.uint()
    else if (field === 15) hello.features = reader.uint()
    else reader.skip()
  }
  hello.metadata = metadata.finish()
  checkName('cluster_id', hello.clusterID)
  checkName('node_id', hello.nodeID)
  checkName('expected_node_id', hello.expectedNodeID)
  checkID('incarnation', hello.incarnation, false)
  checkID('session id', hello.sessionID, true)
  checkFrameMax(hello.frameMaxBytes)
  return hello
}

export function encodeHelloOk(helloOk: HelloOk): Buffer {
  const writer = new FieldWriter()
  writer.uint(1, helloOk.version)
  writer.text(2, helloOk.nodeID)
  writer.bytes(3, helloOk.incarnation)
  writer.uint(4, helloOk.frameMaxBytes)
  writer.bool(5, helloOk.servesCalls)
  writeMetadata(writer, 6, helloOk.metadata)
  writer.bytes(7, helloOk.sessionID)
  writer.bool(8, helloOk.resumed)
  writer.uint(9, helloOk.receivedFrames)
  writer.uint(10, helloOk.sessionTtlMs)
  writer.uint(11, helloOk.requestBytesAllowed)
  writer.uint(12, helloOk.features)
  return writer.finish()
}

export function decodeHelloOk(reader: FieldReader): HelloOk {
  const metadata = new MetadataReader()
  const helloOk: HelloOk = {
    version: 0,
    nodeID: '',
    incarnation: NO_ID,
    frameMaxBytes: 0,
    servesCalls: false,
    metadata: NO_METADATA,
    sessionID: NO_ID,
    resumed: false,
    receivedFrames: 0,
    sessionTtlMs: 0,
    requestBytesAllowed: 0,
    features: 0,
  }
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) helloOk.version = reader.uint32()
    else if (field === 2) helloOk.nodeID = reader.text()
    else if (field === 3) helloOk.incarnation = reader.bytes()
    else if (field === 4) helloOk.frameMaxBytes = reader.uint32()
    else if (field === 5) helloOk.servesCalls = reader.bool()
    else if (field === 6) metadata.add(reader.message())
    else if (field === 7) helloOk.sessionID = reader.bytes()
    else if (field === 8) helloOk.resumed = reader.bool()
    else if (field === 9) helloOk.receivedFrames = reader.uint()
    else if (field === 10) helloOk.sessionTtlMs = reader.uint32()
    else if (field === 11) helloOk.requestBytesAllowed = reader.uint()
    else if (field === 12) helloOk.features = reader.uint()
    else reader.skip()
  }
  helloOk.metadata = metadata.finish()
  checkName('node_id', helloOk.nodeID)
  checkID('incarnation', helloOk.incarnation, false)
  checkID('session id', helloOk.sessionID, true)
  checkFrameMax(helloOk.frameMaxBytes)
  return helloOk
}

export function encodeReject(reject: Reject): Buffer {
  const writer = new FieldWriter()
  writer.present(1, encodeStatus(reject.why))
  writer.uint(2, reject.versionMin)
  writer.uint(3, reject.versionMax)
  writer.bool(4, reject.retry)
  return writer.finish()
}

export function decodeReject(reader: FieldReader): Reject {
  const reject: Reject = { why: unknownStatus(), versionMin: 0, versionMax: 0, retry: false }
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) reject.why = decodeStatus(reader.message())
    else if (field === 2) reject.versionMin = reader.uint32()
    else if (field === 3) reject.versionMax = reader.uint32()
    else if (field === 4) reject.retry = reader.bool()
    else reader.skip()
  }
  return reject
}

export function encodeAck(ack: Ack): Buffer {
  const writer = new FieldWriter()
  writer.uint(1, ack.receivedFrames)
  writer.uint(2, ack.sentFrames)
  writer.uint(3, ack.requestBytesAllowed)
  return writer.finish()
}

export function decodeAck(reader: FieldReader): Ack {
  const ack: Ack = { receivedFrames: 0, sentFrames: 0, requestBytesAllowed: 0 }
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) ack.receivedFrames = reader.uint()
    else if (field === 2) ack.sentFrames = reader.uint()
    else if (field === 3) ack.requestBytesAllowed = reader.uint()
    else reader.skip()
  }
  return ack
}

export function encodeGoAway(goAway: GoAway): Buffer {
  const writer = new FieldWriter()
  writer.uint(1, goAway.lastFrame)
  writer.present(2, encodeStatus(goAway.why))
  return writer.finish()
}

export function decodeGoAway(reader: FieldReader): GoAway {
  const goAway: GoAway = { lastFrame: 0, why: unknownStatus() }
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) goAway.lastFrame = reader.uint()
    else if (field === 2) goAway.why = decodeStatus(reader.message())
    else reader.skip()
  }
  return goAway
}

function unknownStatus(): Status {
  return { code: 'unknown', message: '', metadata: NO_METADATA, notExecuted: false }
}

function checkID(what: string, id: Buffer, mayBeEmpty: boolean): void {
  if (id.length === ID_BYTES || (mayBeEmpty && id.length === 0)) return
  throw new ProtocolViolation(`${what} has ${id.length} bytes, not ${ID_BYTES}`)
}

function checkName(what: string, name: string): void {
  const bytes = Buffer.byteLength(name, 'utf8')
  if (name === '__proto__') throw new ProtocolViolation(`${what} can not be "__proto__"`)
  if (bytes > NAME_BYTES_MAX)
    throw new ProtocolViolation(`${what} has ${bytes} bytes, at most ${NAME_BYTES_MAX} are allowed`)
}

/** Cuts a text at a character's boundary. */
function shorten(text: string): string {
  if (text.length * 3 <= MESSAGE_BYTES_MAX || Buffer.byteLength(text, 'utf8') <= MESSAGE_BYTES_MAX) return text
  const bytes = Buffer.from(text, 'utf8')
  let end = MESSAGE_BYTES_MAX
  while ((bytes[end]! & 0xc0) === 0x80) end--
  return `${bytes.toString('utf8', 0, end)}…`
}

function checkFrameMax(bytes: number): void {
  if (bytes < CONTROL_BYTES_MAX)
    throw new ProtocolViolation(`frame_max_bytes ${bytes} is below the ${CONTROL_BYTES_MAX} of a control frame`)
}
