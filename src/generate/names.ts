// The names that methods and fields have in TypeScript, and which names can not be used.

/** The key of a method in clients and handlers: `ReadQC` is `readQC`. The name on the wire stays as it is. */
export function methodKey(name: string): string {
  return `${name.slice(0, 1).toLowerCase()}${name.slice(1)}`
}

/** The property of a field: `send_time` is `sendTime`, as in protobuf's JSON. */
export function fieldKey(name: string): string {
  return name.replace(/_+([A-Za-z0-9]?)/g, (_, next: string) => next.toUpperCase())
}

/** Keys that would break the client object that carries them; `src/call/service.ts` rejects the same ones. */
const FORBIDDEN_METHOD_KEYS = new Set([
  'then',
  'catch',
  'finally',
  'constructor',
  '__proto__',
  'prototype',
  'toString',
  'valueOf',
  'toJSON',
  'hasOwnProperty',
])

export function isForbiddenMethodKey(key: string): boolean {
  return FORBIDDEN_METHOD_KEYS.has(key)
}

/** Properties that plain objects can not have as their own by assignment. */
export function isForbiddenFieldKey(key: string): boolean {
  return key === '' || key === '__proto__' || key === 'constructor' || key === 'prototype'
}
