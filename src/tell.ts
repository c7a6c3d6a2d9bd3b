// Calls user code that nobody waits for: listeners, hooks, loggers. What it throws is its own matter and becomes an
// uncaught exception of its own; it must not end up in the reading of a socket or in a timer of the framework.

export function tell(callback: () => void): void {
  try {
    callback()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
