// What the types of .proto files are called in TypeScript. Names depend on the declaring file alone, so that every file
// that refers to a type calls it the same.
import type { Enum, EnumValue, Message, ProtoFile } from './model.ts'
import { isInherited } from './names.ts'

/** Words that can not be the name of a type or constant, and names that generated code uses itself. */
const RESERVED = new Set(
  `abstract any arguments as asserts async await bigint boolean break case catch class const continue debugger declare
  default delete do else enum eval export extends false finally for function get if implements import in infer instanceof
  interface is keyof let module namespace never new null number object of out override package private protected public
  readonly require return satisfies set static string super switch symbol this throw true try type typeof undefined unique
  unknown using var void while with yield
  Date Infinity NaN Number Object Record String Uint8Array globalThis
  at end item key message previous reader stop tag writer`.split(/\s+/),
)

/** A name that the generator gives twice: which declaration, and what to write instead. */
export interface Complaint {
  /** The file that declares it, as it is imported. */
  readonly file: string
  /** The full name of the declaration: `storage.Outer.Inner`. */
  readonly element: string
  readonly message: string
}

/** The TypeScript names of a file's types, by full name. */
export interface TypeNames {
  /** Of messages, enums and services. */
  readonly types: ReadonlyMap<string, string>
  /** Of the types that encoding messages takes. */
  readonly inputs: ReadonlyMap<string, string>
}

const cache = new WeakMap<ProtoFile, TypeNames>()

/** The names of a file's types: `Outer_Inner` for a nested one, with `$` behind those that TypeScript does not allow. */
export function typeNames(file: ProtoFile): TypeNames {
  let names = cache.get(file)
  if (names === undefined) {
    names = nameTypes(file)
    cache.set(file, names)
  }
  return names
}

function nameTypes(file: ProtoFile): TypeNames {
  const types = new Map<string, string>()
  const inputs = new Map<string, string>()
  for (const fullName of declarations(file)) types.set(fullName, typeName(file, fullName))
  const taken = new Set(types.values())
  for (const { fullName } of messagesOf(file)) {
    let input = `${types.get(fullName)}Input`
    while (taken.has(input)) input += '$'
    taken.add(input)
    inputs.set(fullName, input)
  }
  return { types, inputs }
}

function typeName(file: ProtoFile, fullName: string): string {
  const local = file.package === '' ? fullName : fullName.slice(file.package.length + 1)
  const name = local.replaceAll('.', '_')
  return RESERVED.has(name) ? `${name}$` : name
}

/** All messages of a file, outer ones before those within them. */
export function messagesOf(parent: { readonly messages: readonly Message[] }): Message[] {
  return parent.messages.flatMap((message) => [message, ...messagesOf(message)])
}

/** All enums of a file, also those within messages. */
export function enumsOf(file: ProtoFile): Enum[] {
  return [...file.enums, ...messagesOf(file).flatMap((message) => message.enums)]
}

function declarations(file: ProtoFile): string[] {
  return [...messagesOf(file), ...enumsOf(file), ...file.services].map((declaration) => declaration.fullName)
}

/** The keys of an enum's values: without the enum's own name before them, when all have it (`COLOR_RED`: `RED`). */
export function valueKeys({ name, values }: Enum): Map<EnumValue, string> {
  const prefix = `${name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()}_`
  const canBeCut = values.every(
    (value) => value.name.startsWith(prefix) && /^[A-Za-z]/.test(value.name.slice(prefix.length)),
  )
  return new Map(
    values.map((value) => {
      const key = canBeCut ? value.name.slice(prefix.length) : value.name
      return [value, isInherited(key) ? `${key}$` : key]
    }),
  )
}

/** Types of a file that would have one name: `Outer.Inner` and `Outer_Inner`. */
export function complaintsOf(file: ProtoFile): Complaint[] {
  const { types } = typeNames(file)
  const seen = new Map<string, string>()
  const complaints: Complaint[] = []
  for (const [fullName, name] of types) {
    const earlier = seen.get(name)
    if (earlier === undefined) seen.set(name, fullName)
    else {
      const message = `${earlier} and ${fullName} are both called ${name} in TypeScript: rename one of them`
      complaints.push({ file: file.name, element: fullName, message })
    }
  }
  return complaints
}
