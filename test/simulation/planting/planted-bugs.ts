// Bugs that the simulator must find: each loosens a rule of sessions, order or liveness in the source of the product, as
// somebody might who has read the rule in a hurry. They are planted as the source is loaded (source-hook.ts).

import type { SourceChange } from './source-hook.ts'

export interface PlantedBug {
  readonly name: string
  /** What is wrong, in a sentence. */
  readonly what: string
  readonly changes: readonly SourceChange[]
}

const bug = (name: string, what: string, file: string, find: string, replace: string): PlantedBug =>
  bugOf(name, what, [{ file, find, replace }])

const bugOf = (name: string, what: string, changes: readonly SourceChange[]): PlantedBug => ({ name, what, changes })

const SESSION = 'src/wire/session.ts'
const ATTACH = 'src/wire/attach.ts'
const INCARNATION = 'src/wire/incarnation.ts'
const CHANNEL_SESSION = 'src/net/channel-session.ts'
const CHANNEL = 'src/net/channel.ts'
const ADMISSION = 'src/net/admission.ts'
const CONNECTION = 'src/net/connection.ts'

export const plantedBugs: readonly PlantedBug[] = [
  bug(
    'any-session',
    'a dialler may go on with another session than it has',
    ATTACH,
    'return session.id.equals(hello.sessionID) && session.frames.covers(hello.receivedFrames)',
    'return session.frames.covers(hello.receivedFrames)',
  ),
  bugOf('no-acks', 'what has arrived is not acknowledged', [
    {
      file: 'src/net/intake.ts',
      find: 'this.#timer ??= this.#turn.runtime.startTimer(ACK_MS, this.#onTimer)',
      replace: 'void ACK_MS',
    },
    {
      file: 'src/net/intake.ts',
      find: 'if (this.#turn.now() - this.#newsAt >= ALONG_MS) this.#sendAck()',
      replace: 'void ALONG_MS',
    },
  ]),
  bug(
    'ack-counts-the-log',
    'an ACK counts what is still to be sent again',
    CHANNEL_SESSION,
    'const ack = { receivedFrames: received, sentFrames: sent, requestBytesAllowed }',
    'const ack = { receivedFrames: received, sentFrames: this.frames.written, requestBytesAllowed }',
  ),
  bugOf('read-on', 'what arrives on a connection that was closed is taken', [
    {
      file: CONNECTION,
      find: 'this.#decoder.stop()\n    this.#closeReason ??= reason\n    this.stream.destroy()',
      replace: 'this.#closeReason ??= reason',
    },
    {
      file: CONNECTION,
      find: 'onBytes(bytes: Buffer): void {\n    if (this.#isClosed) return',
      replace: 'onBytes(bytes: Buffer): void {',
    },
    { file: CONNECTION, find: 'return !this.#isClosed\n', replace: 'return true\n' },
  ]),
  bug(
    'older-session-lives-on',
    'a dialler that begins a new session keeps the last one',
    ADMISSION,
    "if (session === undefined) channel?.expire('its peer has begun anew')",
    'void 0',
  ),
  bug(
    'withdrawn-is-no',
    'calls that were written and then withdrawn say that they did not run',
    'src/call/call-errors.ts',
    "const executed = isWritten ? 'unknown' : 'no'",
    "const executed = 'no'",
  ),
  bug(
    'goaway-once',
    'a server that drains does not say so again to who comes back',
    CHANNEL_SESSION,
    'if (this.#drainFrame !== undefined) connection.sendControl(this.#drainFrame)',
    'void 0',
  ),
  bug(
    'drain-refuses-resumes',
    'a server that drains lets nobody come back',
    INCARNATION,
    'draining === undefined || resumedSession(known, hello) !== undefined',
    'draining === undefined',
  ),
  bug(
    'refused-runs',
    'requests behind the last frame that a draining server accepts run',
    CHANNEL,
    'if (session.isDraining) this.receiver?.onDrained(frame)\n    else this.receiver?.onRequest(frame)',
    'this.receiver?.onRequest(frame)',
  ),
  bug(
    'last-frame-by-place',
    'the last accepted frame is looked for by its place in the log',
    SESSION,
    '...this.entriesAbove(last)]',
    '...this.entriesAbove(this.acknowledged + last)]',
  ),
  bug(
    'lost-is-no',
    'without sessions, calls that were written when their connection was lost say that they did not run',
    'src/call/call-errors.ts',
    "executed: 'unknown', cause: error }",
    "executed: setup.manager.transport.sessions ? 'unknown' : 'no', cause: error }",
  ),
  bug(
    'two-of-one-node',
    'a process that is started again does not take the place of the last',
    ADMISSION,
    'if (other === key || channel.peer?.nodeID !== nodeID) continue',
    'if (channel !== undefined) continue',
  ),
  bug(
    'no-fence',
    'the acceptor goes on reading older connections of a dialler that has begun a new one',
    ADMISSION,
    'channel?.connection?.close(anew())',
    'void anew',
  ),
  bugOf('fence-at-the-ack', 'older connections of a dialler are read until the newer one counts', [
    { file: ADMISSION, find: 'channel?.connection?.close(anew())', replace: 'void 0' },
    {
      file: ADMISSION,
      find: 'this.#keep(key, join(known, channel))',
      replace: 'there?.connection?.close(anew())\n    this.#keep(key, join(known, channel))',
    },
  ]),
  bug(
    'immortal-sessions',
    'a session that nobody comes back for is kept for ever',
    CHANNEL_SESSION,
    'turn.runtime.startTimer(this.ttlMs, () => {',
    'turn.runtime.startTimer(Infinity, () => {',
  ),
  bug(
    'endless-log',
    'answers are kept without bound while there is no connection',
    CHANNEL,
    'if (session.isLogFull) this.expire(',
    'if (session.isLogFull && session.isNamed === false) this.expire(',
  ),
  bug(
    'any-epoch',
    'a HELLO that was late on its way takes the place of a newer connection',
    ATTACH,
    'hello.attachEpoch > highest',
    'hello.attachEpoch > 0',
  ),
  bug(
    'stuck-epoch',
    'the epoch does not grow with a HELLO that was sent',
    'src/net/node-manager.ts',
    'return ++this.#attachEpoch',
    'return this.#attachEpoch + 1',
  ),
  bug(
    'late-attach',
    'an ACK that was late on its way attaches a connection that a newer one has taken the place of',
    INCARNATION,
    'return known.epoch === epoch && sessionOf',
    'return sessionOf',
  ),
  bug(
    'resend-everything',
    'what the other side has is sent again as well',
    CHANNEL_SESSION,
    'this.frames.goOn(peerReceived)\n',
    'this.frames.goOn(Math.min(peerReceived, this.frames.acknowledged))\n',
  ),
  bug(
    'resend-nothing',
    'what a connection has lost is not sent again',
    SESSION,
    'this.sent = received\n    this.#sentEntries = 0\n',
    'void received\n',
  ),
  bug(
    'resend-in-disorder',
    'what a connection has lost is sent again in another order',
    SESSION,
    'this.sent = received\n',
    `this.sent = received
    if (this.#log.length > 1) {
      this.#log.push(this.#log.shift()!)
      this.#sizes.push(this.#sizes.shift()!)
    }
`,
  ),
  bug(
    'evict-log',
    'a log that grows forgets its oldest frames',
    SESSION,
    'this.#sizes.push(bytes)\n  }',
    `this.#sizes.push(bytes)
    if (this.#log.length <= 8) return
    const first = this.#log.shift()!
    this.#sizes.shift()
    this.#sentEntries--
    this.acknowledged += first instanceof FrameRun ? first.frames : 1
  }`,
  ),
  bug(
    'skip-vanishes',
    'a withdrawn request leaves no SKIP: the numbers of both sides part',
    CHANNEL_SESSION,
    'this.connection!.send(buffer, start, end)\n    call.onSkipped',
    'call.onSkipped',
  ),
  bug(
    'window-leak',
    'the bytes of withdrawn requests are never given back',
    CHANNEL_SESSION,
    'this.#requestBytesSent -= bytes',
    'void bytes',
  ),
  bug(
    'count-ahead',
    'the dialler says that it has one frame more than it has',
    'src/net/dialler.ts',
    'receivedFrames: session?.frames.received ?? 0',
    'receivedFrames: session === undefined ? 0 : session.frames.received + 1',
  ),
  bug(
    'answers-need-a-connection',
    'an answer that is made while there is no connection is dropped',
    CHANNEL,
    'if (session === undefined) return\n    session.writeFrame(frame)',
    'if (session?.connection === undefined) return\n    session.writeFrame(frame)',
  ),
  bug(
    'one-session-more',
    'a server keeps a session more than it may for clients that are away',
    ADMISSION,
    'this.#detached.size <= detachedSessionsMax &&',
    'this.#detached.size <= detachedSessionsMax + 1 &&',
  ),
  bug(
    'room-shrinks',
    'of what a request has taken of the window, a byte is not given back',
    'src/net/intake.ts',
    'this.#requestBytesStarted += frameBytes',
    'this.#requestBytesStarted += frameBytes - 1',
  ),
  bug(
    'resend-across-sessions',
    'requests that were written in a session that has ended are sent again in the next',
    CHANNEL,
    'for (const call of session.unacknowledgedOneWays()) call.onUnacknowledged(this)',
    'this.#queue.unshift(session.frames.entriesAbove(0))',
  ),
  bug(
    'refused-in-disorder',
    'requests that a draining node has not accepted go back to the queue in another order',
    'src/net/send-queue.ts',
    'for (let index = calls.length - 1; index >= 0; index--) {',
    'for (let index = 0; index < calls.length; index++) {',
  ),
  bug(
    'overtaking',
    'a new call does not wait behind those in the queue',
    CHANNEL,
    'if (this.#queue.isEmpty && this.#mayWrite(frame.bytes)) {',
    'if (this.#mayWrite(frame.bytes)) {',
  ),
  bug(
    'false-no',
    'calls that were written when their session ended say that they did not run',
    'src/call/call-errors.ts',
    "executed: 'unknown', cause: error }",
    "executed: 'no', cause: error }",
  ),
  bug(
    'open-lane',
    'the next handler starts although the last has neither returned nor released',
    'src/call/lane.ts',
    'if (this.#holder !== undefined || this.#channel.isCongested) return false',
    'if (this.#channel.isCongested) return false',
  ),
  bug(
    'lane-held-by-a-failure',
    'a handler that fails does not let the next one start',
    'src/call/lane.ts',
    'if (this.#holder === context) this.#unhold()\n    this.#noteIdle()',
    'if (this.#holder === context && error === undefined) this.#unhold()\n    this.#noteIdle()',
  ),
  bug(
    'no-backoff',
    'a failed attempt to connect is followed by the next at once',
    'src/net/dialler.ts',
    ': backoffDelayMs(transport.backoff, this.#failures, turn.runtime.random())',
    ': 0 * backoffDelayMs(transport.backoff, this.#failures, turn.runtime.random())',
  ),
]
