// The libraries that generated codecs are compared with: protobufjs's static code, made by its own tool, and protobuf-es.
// The tool is installed beside this file when it is not there yet.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { create, createFileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import protobufjs from 'protobufjs'
import descriptor from 'protobufjs/ext/descriptor.js'

const folder = import.meta.dirname
const proto = path.join(folder, 'messages.proto')

/** Encodes and decodes messages of one type. */
export interface Peer {
  /** To the form that the library takes; not measured. */
  prepare(value: object): object
  encode(message: object): Uint8Array
  decode(bytes: Uint8Array): object
}

interface StaticType {
  encode(message: object): { finish(): Uint8Array }
  decode(bytes: Uint8Array): object
  fromObject(value: object): object
}

/** The static code of protobufjs, by message name. */
export async function protobufjsStatic(): Promise<Record<string, Peer>> {
  const require = createRequire(path.join(folder, 'package.json'))
  if (!existsSync(path.join(folder, 'node_modules'))) {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' })
  }
  const output = path.join(folder, 'generated/messages.js')
  mkdirSync(path.dirname(output), { recursive: true })
  const pbjs = path.join(path.dirname(require.resolve('protobufjs-cli/package.json')), 'bin/pbjs')
  const options = ['-t', 'static-module', '-w', 'es6', '--sparse', '--no-comments', '-o', output, proto]
  execFileSync(process.execPath, [pbjs, ...options])
  const { bench } = await import(output)
  return Object.fromEntries(
    Object.entries(bench.micro as Record<string, StaticType>).map(([name, type]) => [
      name,
      {
        prepare: (value) => type.fromObject(value),
        encode: (message) => type.encode(message).finish(),
        decode: (bytes) => type.decode(bytes),
      },
    ]),
  )
}

/** protobuf-es, by message name. */
export function protobufES(): Record<string, Peer> {
  const root = protobufjs.loadSync(proto) as protobufjs.Root & { toDescriptor(syntax: string): protobufjs.Message }
  const bytes = descriptor.FileDescriptorSet.encode(root.toDescriptor('proto3') as never).finish()
  const set = fromBinary(FileDescriptorSetSchema, bytes)
  // protobufjs shortens names, protobuf-es wants them whole.
  const fields = set.file.flatMap((file) => file.messageType).flatMap((message) => message.field)
  for (const field of fields)
    if (field.typeName === 'Tiny' || field.typeName === 'Nested') field.typeName = `.bench.micro.${field.typeName}`
  const registry = createFileRegistry(set)
  return Object.fromEntries(
    ['Tiny', 'Wide', 'Nested', 'Blob', 'List', 'Texts'].map((name) => {
      const schema = registry.getMessage(`bench.micro.${name}`)!
      return [
        name,
        {
          prepare: (value) => create(schema, value as Record<string, unknown>),
          encode: (message) => toBinary(schema, message as never),
          decode: (bytes) => fromBinary(schema, bytes),
        },
      ]
    }),
  )
}
