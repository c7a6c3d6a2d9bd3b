// Lists of numbers in one length-delimited field ("packed"): every element is checked, then all are written in one go.
// What a list takes at most is reserved at once, and its length is put before it when it is known.
import { highHalf, loadSigned, loadUnsigned, lowHalf } from './integer64.ts'
import { checkList, isDeclared, isFloat } from './message-checks.ts'
import { refusal, undeclared } from './message-refusal.ts'
import { InPlaceWriter } from './protobuf-io.ts'
import { putFixed32, putInt32, putVarint, putVarint64, putZigzag64, SCALAR_BYTES, varintBytes } from './varint.ts'

type Integer64 = bigint | number | string

/** Writes packed fields. Does nothing for empty lists. */
export class ListWriter extends InPlaceWriter {
  writeUint32s(tag: number, values: readonly number[], path: string): void {
    const at = this.#begin(tag, values, 5, path)
    if (at < 0) return
    const { buf } = this
    let end = at
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (typeof value !== 'number' || value >>> 0 !== value) throw refusal(`${path}[${i}]`, 'uint32', value)
      end = putVarint(buf, end, value)
    }
    this.#finish(at, end)
  }

  writeInt32s(tag: number, values: readonly number[], path: string): void {
    const at = this.#begin(tag, values, 10, path)
    if (at < 0) return
    const { buf } = this
    let end = at
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (typeof value !== 'number' || (value | 0) !== value) throw refusal(`${path}[${i}]`, 'int32', value)
      end = putInt32(buf, end, value)
    }
    this.#finish(at, end)
  }

  writeSint32s(tag: number, values: readonly number[], path: string): void {
    const at = this.#begin(tag, values, 5, path)
    if (at < 0) return
    const { buf } = this
    let end = at
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (typeof value !== 'number' || (value | 0) !== value) throw refusal(`${path}[${i}]`, 'int32', value)
      end = putVarint(buf, end, ((value << 1) ^ (value >> 31)) >>> 0)
    }
    this.#finish(at, end)
  }

  writeFixed32s(tag: number, values: readonly number[], path: string): void {
    checkList(values, path)
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (typeof value !== 'number' || value >>> 0 !== value) throw refusal(`${path}[${i}]`, 'uint32', value)
    }
    if (values.length > 0) this.uint32(tag).fixed32s(values as number[])
  }

  writeSfixed32s(tag: number, values: readonly number[], path: string): void {
    checkList(values, path)
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (typeof value !== 'number' || (value | 0) !== value) throw refusal(`${path}[${i}]`, 'int32', value)
    }
    if (values.length > 0) this.uint32(tag).sfixed32s(values as number[])
  }

  writeFloats(tag: number, values: readonly number[], path: string): void {
    checkList(values, path)
    for (let i = 0; i < values.length; i++) {
      if (!isFloat(values[i])) throw refusal(`${path}[${i}]`, 'float', values[i])
    }
    if (values.length > 0) this.uint32(tag).floats(values as number[])
  }

  writeDoubles(tag: number, values: readonly number[], path: string): void {
    checkList(values, path)
    for (let i = 0; i < values.length; i++) {
      if (typeof values[i] !== 'number') throw refusal(`${path}[${i}]`, 'number', values[i])
    }
    if (values.length > 0) this.uint32(tag).doubles(values as number[])
  }

  writeBools(tag: number, values: readonly boolean[], path: string): void {
    checkList(values, path)
    for (let i = 0; i < values.length; i++) {
      if (typeof values[i] !== 'boolean') throw refusal(`${path}[${i}]`, 'bool', values[i])
    }
    if (values.length > 0) this.uint32(tag).bools(values as boolean[])
  }

  writeEnums(tag: number, values: readonly number[], path: string): void {
    this.writeInt32s(tag, values, path)
  }

  writeClosedEnums(
    tag: number,
    values: readonly number[],
    declared: Readonly<Record<string, number>>,
    path: string,
  ): void {
    checkList(values, path)
    for (let i = 0; i < values.length; i++) {
      if (!isDeclared(values[i], declared)) throw undeclared(`${path}[${i}]`, declared, values[i])
    }
    this.writeInt32s(tag, values, path)
  }

  writeInt64s(tag: number, values: readonly Integer64[], path: string): void {
    const at = this.#begin(tag, values, 10, path)
    if (at < 0) return
    let end = at
    for (let i = 0; i < values.length; i++) {
      if (!loadSigned(values[i])) throw refusal(`${path}[${i}]`, 'int64', values[i])
      end = putVarint64(this.buf, end, lowHalf(), highHalf())
    }
    this.#finish(at, end)
  }

  writeUint64s(tag: number, values: readonly Integer64[], path: string): void {
    const at = this.#begin(tag, values, 10, path)
    if (at < 0) return
    let end = at
    for (let i = 0; i < values.length; i++) {
      if (!loadUnsigned(values[i])) throw refusal(`${path}[${i}]`, 'uint64', values[i])
      end = putVarint64(this.buf, end, lowHalf(), highHalf())
    }
    this.#finish(at, end)
  }

  writeSint64s(tag: number, values: readonly Integer64[], path: string): void {
    const at = this.#begin(tag, values, 10, path)
    if (at < 0) return
    let end = at
    for (let i = 0; i < values.length; i++) {
      if (!loadSigned(values[i])) throw refusal(`${path}[${i}]`, 'int64', values[i])
      end = putZigzag64(this.buf, end, lowHalf(), highHalf())
    }
    this.#finish(at, end)
  }

  writeFixed64s(tag: number, values: readonly Integer64[], path: string): void {
    const at = this.#begin(tag, values, 8, path)
    if (at < 0) return
    let end = at
    for (let i = 0; i < values.length; i++) {
      if (!loadUnsigned(values[i])) throw refusal(`${path}[${i}]`, 'uint64', values[i])
      end = putFixed32(this.buf, putFixed32(this.buf, end, lowHalf()), highHalf())
    }
    this.#finish(at, end)
  }

  writeSfixed64s(tag: number, values: readonly Integer64[], path: string): void {
    const at = this.#begin(tag, values, 8, path)
    if (at < 0) return
    let end = at
    for (let i = 0; i < values.length; i++) {
      if (!loadSigned(values[i])) throw refusal(`${path}[${i}]`, 'int64', values[i])
      end = putFixed32(this.buf, putFixed32(this.buf, end, lowHalf()), highHalf())
    }
    this.#finish(at, end)
  }

  /** Makes room for a list, writes its tag, and returns where the elements go; -1 when there are none. */
  #begin(tag: number, values: readonly unknown[], bytesEach: number, path: string): number {
    checkList(values, path)
    if (values.length === 0) return -1
    this._reserve(values.length * bytesEach + SCALAR_BYTES)
    // Where the length will go when every element takes one byte.
    const at = putVarint(this.buf, this.pos, tag)
    this.pos = at
    return at + varintBytes(values.length)
  }

  /** Puts the length before elements that are at `[at, end)`. */
  #finish(at: number, end: number): void {
    const bytes = varintBytes(end - at)
    const start = this.pos + bytes
    if (start !== at) this.buf.copyWithin(start, at, end)
    putVarint(this.buf, this.pos, end - at)
    this.pos = start + end - at
  }
}
