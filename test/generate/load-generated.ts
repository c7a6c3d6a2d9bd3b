// Runs generated code that is not kept as a file.
import ts from 'typescript'
import type { MessageCodec } from '../../codec/message.ts'
import * as runtime from '../../src/runtime.ts'

/** What a generated file exports. It may import the runtime, the modules of `imported` by their specifiers, and nothing else. */
export function loadGenerated(
  text: string,
  imported: Readonly<Record<string, object>> = {},
): Record<string, MessageCodec<object, object>> {
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: false },
  })
  const exports = {}
  new Function('exports', 'require', outputText)(exports, (name: string) => {
    const module = name === 'gorums/runtime' ? runtime : imported[name]
    if (module === undefined) throw new Error(`generated code imports ${name}`)
    return module
  })
  return exports
}

/** The bytes of a message. */
export function bytesOf<In, Out>(codec: MessageCodec<In, Out>, value: In): Buffer {
  // Little room, so that buffers have to grow.
  const target = { buffer: Buffer.alloc(32), position: 7 }
  codec.encode(value, target)
  return Buffer.from(target.buffer.subarray(7, target.position))
}

export function messageOf<In, Out>(codec: MessageCodec<In, Out>, bytes: Uint8Array): Out {
  const around = Buffer.concat([Buffer.alloc(3, 0xff), bytes, Buffer.alloc(3, 0xff)])
  const message = codec.decode(around, 3, 3 + bytes.length)
  around.fill(0xaa)
  return message
}

/** What is read of a message that has been written. */
export function again<In, Out>(codec: MessageCodec<In, Out>, value: In): Out {
  return messageOf(codec, bytesOf(codec, value))
}
