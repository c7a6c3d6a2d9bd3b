// Commands that print much are read by programs that take a part of it, as `head` does.

/** Exit code of a program that SIGPIPE ends, as shells tell it. */
const ENDED_BY_READER = 141

/** Ends the process without a word when nobody reads what it prints any more. It has not finished: the exit code says so. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(ENDED_BY_READER)
  })
}
