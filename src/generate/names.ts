// The names that methods and fields have in TypeScript.

const INHERITED = new Set(Object.getOwnPropertyNames(Object.prototype))

/** Whether every object has a property of this name: a field's would be read from the prototype. */
export function isInherited(key: string): boolean {
  return INHERITED.has(key)
}

const FORBIDDEN_KEYS = new Set([...INHERITED, 'then', 'catch', 'finally', 'prototype', 'toJSON'])

/** Whether clients can not carry a method of this key (one that has `then` would be taken for a promise). */
export function isForbiddenMethodKey(key: string): boolean {
  return FORBIDDEN_KEYS.has(key)
}

/** `created_at` is `createdAt`, as in protobuf's JSON; `$` behind the names of what every object has. */
export function fieldKey(name: string): string {
  const camel = name.replace(/_+(.?)/g, (_, next: string) => next.toUpperCase())
  const safe = /^[0-9]/.test(camel) || camel === '' ? `_${camel}` : camel
  return isInherited(safe) ? `${safe}$` : safe
}

/** `ReadQC` is `readQC`, `RPCRead` is `rpcRead`. */
export function methodKey(name: string): string {
  const joined = name.replace(/_+([A-Za-z0-9])/g, (_, next: string, at: number) =>
    at === 0 ? next : next.toUpperCase(),
  )
  const key = joined.replace(/^[A-Z]+(?=[A-Z][a-z])|^[A-Z]+(?![A-Za-z])|^[A-Z]/, (start) => start.toLowerCase())
  return /^[A-Za-z]/.test(key) ? key : `_${key}`
}
