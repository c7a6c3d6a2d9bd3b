// What one connection may send that costs this side work and brings nobody anything: PINGs, words of farewell, frames that
// are skipped or repeat what is known. It counts; the connection acts. Requests are no business of its own: see below.
//
// Not limited by rate, on purpose: REQUEST, CANCEL, and the errors that answer bad requests. A quorum call cancels its
// stragglers, and ten thousand at once are honest. What the pair of REQUEST and CANCEL can cost is a handler that runs on
// with nobody waiting, so that is what counts: a cancelled handler keeps its place among `handlersMax` until it has
// finished, and a request that is refused or withdrawn was never started. The answer to a bad request is cheaper than the
// answer to a good one, and is bounded by the bytes of answers that may wait.

import { ProtocolViolation } from '../errors.ts'
import { isSkippable, Kind, kindName } from '../wire/frame.ts'

/** A peer may ask for a sign of life once a second, after a burst of this many. */
const PING_BURST = 10
const PINGS_PER_S = 1
/** One GOAWAY announces, one is said again after each new connection, one ends: no honest peer says more on one. */
const GOAWAYS_MAX = 10
/** Frames without effect: as many at once as a pause of either process can pile up, and more than any timer makes. */
const IDLE_BURST = 1_000
const IDLE_PER_S = 100
/** A frame of ours may be acknowledged, and then give back its request bytes: each by an ACK of its own. */
const ACKS_PER_FRAME = 2

/** Tokens that come with time, up to a burst. */
export class TokenBucket {
  readonly #burst: number
  readonly #perSecond: number
  #tokens: number
  #filledAt = -Infinity

  constructor(burst: number, perSecond: number) {
    this.#burst = burst
    this.#perSecond = perSecond
    this.#tokens = burst
  }

  /** Takes one; false when there is none. `now` in ms. */
  take(now: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAt) / 1000) * this.#perSecond)
    this.#filledAt = now
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}

export class FloodGuard {
  // Made when the first comes: most connections of strangers never send one.
  #pings: TokenBucket | undefined
  #idle: TokenBucket | undefined
  #goAways = 0
  /** ACKs that the other side may still send for what we have sent. */
  #acksOwed = 0

  /** A frame was sent. */
  onSent(): void {
    this.#acksOwed += ACKS_PER_FRAME
  }

  /** A control frame or one to be skipped has come. Throws ProtocolViolation when it is one too many. */
  onControl(kind: number, now: number): void {
    if (kind === Kind.ping) {
      this.#pings ??= new TokenBucket(PING_BURST, PINGS_PER_S)
      if (!this.#pings.take(now)) throw new ProtocolViolation('more PINGs than one a second')
    } else if (kind === Kind.goaway) {
      if (++this.#goAways > GOAWAYS_MAX) throw new ProtocolViolation(`more than ${GOAWAYS_MAX} GOAWAYs`)
    } else if (kind === Kind.ack && this.#acksOwed > 0) {
      this.#acksOwed--
    } else if (kind === Kind.ack || isSkippable(kind)) {
      this.#idle ??= new TokenBucket(IDLE_BURST, IDLE_PER_S)
      if (this.#idle.take(now)) return
      throw new ProtocolViolation(`more frames without effect than ${IDLE_PER_S} a second, the last ${kindName(kind)}`)
    }
  }
}
