// Protocol-buffer fields by hand, as few as the control messages need: a writer that grows and a reader that checks.
// The messages themselves are in control.ts and call-header.ts; payloads never pass through here.

import { ProtocolViolation } from '../errors.ts'

const TEXT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Writes one message, field by field. Defaults (0, empty, false) are left out, as proto3 wants. */
export class FieldWriter {
  #buffer = Buffer.allocUnsafe(256)
  #position = 0

  /** The bytes written so far. */
  finish(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#position))
  }

  uint(field: number, value: number): void {
    if (value === 0) return
    this.#varint(field << 3)
    this.#varint(value)
  }

  bool(field: number, value: boolean): void {
    this.uint(field, value ? 1 : 0)
  }

  fixed32(field: number, value: number): void {
    if (value === 0) return
    this.#varint((field << 3) | 5)
    this.#position = this.#room(4).writeUInt32LE(value, this.#position)
  }

  text(field: number, value: string): void {
    if (value !== '') this.#bytes(field, Buffer.from(value, 'utf8'))
  }

  bytes(field: number, value: Uint8Array): void {
    if (value.length > 0) this.#bytes(field, value)
  }

  /** A member of a oneof or of a repeated field: written even when it is empty. */
  present(field: number, value: Uint8Array): void {
    this.#bytes(field, value)
  }

  #bytes(field: number, value: Uint8Array): void {
    this.#varint((field << 3) | 2)
    this.#varint(value.length)
    this.#room(value.length).set(value, this.#position)
    this.#position += value.length
  }

  #varint(value: number): void {
    const buffer = this.#room(10)
    let rest = value
    while (rest > 127) {
      buffer[this.#position++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    buffer[this.#position++] = rest
  }

  #room(bytes: number): Buffer {
    if (this.#position + bytes > this.#buffer.length) {
      const larger = Buffer.allocUnsafe((this.#position + bytes) * 2)
      this.#buffer.copy(larger, 0, 0, this.#position)
      this.#buffer = larger
    }
    return this.#buffer
  }
}

/** Reads one message that lies in `bytes[position, end)`. Whatever is malformed throws ProtocolViolation. */
export class FieldReader {
  readonly #bytes: Buffer
  #position: number
  readonly #end: number
  #wireType = 0

  constructor(bytes: Buffer, position: number, end: number) {
    this.#bytes = bytes
    this.#position = position
    this.#end = end
  }

  /** The number of the next field, or 0 at the end. */
  next(): number {
    if (this.#position >= this.#end) return 0
    const tag = this.#varint()
    if (tag > 0xffffffff) throw new ProtocolViolation('message has a field number beyond 2^29 - 1')
    this.#wireType = tag & 7
    const field = Math.floor(tag / 8)
    if (field === 0) throw new ProtocolViolation('message has a field numbered 0')
    return field
  }

  /** An integer up to 2^53 - 1. */
  uint(): number {
    this.#expect(0)
    return this.#varint()
  }

  uint32(): number {
    const value = this.uint()
    if (value > 0xffffffff) throw new ProtocolViolation(`${value} does not fit 32 bits`)
    return value
  }

  bool(): boolean {
    return this.uint() !== 0
  }

  fixed32(): number {
    this.#expect(5)
    return this.#bytes.readUInt32LE(this.#take(4))
  }

  text(): string {
    try {
      return TEXT.decode(this.slice())
    } catch {
      throw new ProtocolViolation('text is not valid UTF-8')
    }
  }

  /** A copy of a bytes field. */
  bytes(): Buffer {
    return Buffer.from(this.slice())
  }

  /** A reader of an embedded message. */
  message(): FieldReader {
    const bytes = this.slice()
    return new FieldReader(bytes, 0, bytes.length)
  }

  /** Leaves a field unread. */
  skip(): void {
    if (this.#wireType === 0) this.#varint()
    else if (this.#wireType === 1) this.#take(8)
    else if (this.#wireType === 2) this.slice()
    else if (this.#wireType === 5) this.#take(4)
    else throw new ProtocolViolation(`message has a field of wire type ${this.#wireType}`)
  }

  /** A view of a length-delimited field. */
  slice(): Buffer {
    this.#expect(2)
    const length = this.#varint()
    const start = this.#take(length)
    return this.#bytes.subarray(start, start + length)
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType)
      throw new ProtocolViolation(`message has a field of wire type ${this.#wireType}, not ${wireType}`)
  }

  #take(length: number): number {
    const start = this.#position
    if (length > this.#end - start) throw new ProtocolViolation('message ends within a field')
    this.#position = start + length
    return start
  }

  #varint(): number {
    let value = 0
    let scale = 1
    for (let count = 0; count < 10; count++) {
      if (this.#position >= this.#end) throw new ProtocolViolation('message ends within a number')
      const byte = this.#bytes[this.#position++]!
      value += (byte & 127) * scale
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER) throw new ProtocolViolation('number exceeds 2^53 - 1')
        return value
      }
      scale *= 128
    }
    throw new ProtocolViolation('number is longer than 10 bytes')
  }
}
