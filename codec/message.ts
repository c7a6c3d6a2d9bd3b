// The codec of a generated message: the functions that the generator has written for it, and the writer and reader that
// they are given. Schemas are not its business.
import type { Codec, EncodeTarget } from './codec.ts'
import { requireLimit } from './decoded-size.ts'
import { MessageReader } from './message-reader.ts'
import { refusal } from './message-refusal.ts'
import { MessageWriter } from './message-writer.ts'

export type { MessageReader } from './message-reader.ts'
export type { MessageWriter } from './message-writer.ts'

/** What generated code knows about a message. */
export interface MessageDefinition<In, Out> {
  /** `storage.ReadRequest`. */
  readonly typeName: string
  /** Writes the message's fields. Throws TypeError or RangeError, with the field's name, for what they can not be. */
  readonly write: (message: In, writer: MessageWriter) => void
  /** Reads fields up to `end`, over those of `previous` when a message goes on. */
  readonly read: (reader: MessageReader, end: number, previous?: Out) => Out
}

/** The codec of a message: takes `In`, whose fields are optional where they may be, and gives `Out`. */
export interface MessageCodec<In, Out> extends Codec<In, Out>, MessageDefinition<In, Out> {
  /**
   * What one message may take in bytes of memory when it is decoded, of which each byte that it came in counts for 16: more
   * is a RangeError, before it is taken. Default (undefined): 32 MiB, or 48 times the bytes that it came in, whichever is
   * more. Set it when the program starts; what is no positive integer is a RangeError. It holds for this message with all
   * that it contains, not where it is contained in others.
   */
  maxDecodedBytes: number | undefined
}

/** Makes the codec of a message, for generated code. */
export function defineMessage<In, Out>(definition: MessageDefinition<In, Out>): MessageCodec<In, Out> {
  return new Message(definition)
}

// Those that are not in use: a getter of a message that is being encoded may run a codec itself.
let idleWriter: MessageWriter | undefined
let idleReader: MessageReader | undefined

class Message<In, Out> implements MessageCodec<In, Out> {
  readonly name = 'protobuf'
  readonly typeName: string
  readonly write: MessageDefinition<In, Out>['write']
  readonly read: MessageDefinition<In, Out>['read']
  #maxDecodedBytes: number | undefined

  constructor({ typeName, write, read }: MessageDefinition<In, Out>) {
    this.typeName = typeName
    this.write = write
    this.read = read
  }

  get maxDecodedBytes(): number | undefined {
    return this.#maxDecodedBytes
  }

  set maxDecodedBytes(bytes: number | undefined) {
    requireLimit(bytes)
    this.#maxDecodedBytes = bytes
  }

  encode(value: In, target: EncodeTarget): void {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw refusal(this.typeName, 'message', value)
    }
    const writer = idleWriter ?? new MessageWriter()
    idleWriter = undefined
    try {
      writer.begin(target, value)
      this.write(value, writer)
      writer.commit(target)
    } finally {
      writer.end()
      idleWriter = writer
    }
  }

  decode(bytes: Buffer, start: number, end: number, isOwned = false): Out {
    const reader = idleReader ?? new MessageReader()
    idleReader = undefined
    try {
      reader.begin(bytes, start, end, isOwned, this.#maxDecodedBytes)
      return this.read(reader, end)
    } catch (error) {
      throw new RangeError(`${this.typeName}: ${error instanceof Error ? error.message : error}`, { cause: error })
    } finally {
      reader.end()
      idleReader = reader
    }
  }
}

/** What generated code of this version needs: changes when generated code has to be made again. */
const RUNTIME_VERSION = 2

/**
 * Called by every generated file when it is loaded. Throws when it was generated for another version of the runtime than
 * this one, with the command that makes it again.
 */
export function generatedFor(version: number, protoFile: string): void {
  if (version === RUNTIME_VERSION) return
  throw new Error(
    `the code of ${protoFile} was generated for version ${version} of the gorums runtime, this is version ${RUNTIME_VERSION}: run "npx gorums gen ${protoFile}" again`,
  )
}
