// Abort signals of callers. One signal may be shared by very many calls: it gets one listener, whatever their number.

/** Something that a signal ends. */
export interface Abortable {
  onAbort(reason: unknown): void
}

const listening = new WeakMap<AbortSignal, Set<Abortable>>()

/** Tells `abortable` when the signal aborts, in the order in which they were added. */
export function addAbortable(signal: AbortSignal, abortable: Abortable): void {
  let set = listening.get(signal)
  if (set === undefined) {
    set = new Set()
    listening.set(signal, set)
  }
  if (set.size === 0) signal.addEventListener('abort', onAbort)
  set.add(abortable)
}

/** Forgets `abortable`; the last one takes the listener with it. */
export function removeAbortable(signal: AbortSignal, abortable: Abortable): void {
  const set = listening.get(signal)
  if (set === undefined || !set.delete(abortable) || set.size > 0) return
  signal.removeEventListener('abort', onAbort)
}

function onAbort(this: AbortSignal): void {
  const set = listening.get(this)
  if (set === undefined) return
  listening.delete(this)
  this.removeEventListener('abort', onAbort)
  for (const abortable of set) abortable.onAbort(this.reason)
}
