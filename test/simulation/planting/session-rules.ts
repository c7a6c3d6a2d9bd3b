// The rules of sessions, part by part, and what shows that each is needed: the bug that the simulator finds when it is read
// wrongly (planted-bugs.ts), and the loosening that has a counterexample in the exploration (loosenings.ts).

import type { Loosening } from '../../exploration/loosenings.ts'

export interface RulePart {
  readonly rule: string
  readonly part: string
  readonly bugs: readonly string[]
  readonly loosenings: readonly Loosening[]
  /** Why there are no bugs, or no loosenings. */
  readonly why?: string
}

const rule = (
  number: string,
  part: string,
  bugs: readonly string[],
  loosenings: readonly Loosening[],
  why?: string,
): RulePart => ({ rule: number, part, bugs, loosenings, ...(why === undefined ? {} : { why }) })

const NOT_YET = 'not planted yet'

export const sessionRules: readonly RulePart[] = [
  rule('1', 'incarnation', [], ['incarnation survives'], NOT_YET),
  rule('1', 'session id', [], ['any session id'], NOT_YET),
  rule('2', 'counting what has been accepted', ['count-ahead'], ['counts ahead', 'counted when it runs']),
  rule('2', 'old frames before new ones', ['overtaking'], ['new before old']),
  rule('2', 'a full log is back-pressure', ['evict-log', 'window-leak'], ['log evicts', 'log without bound']),
  rule('3', 'ACK in time', [], ['no ACKs'], NOT_YET),
  rule('3', 'sent_frames', [], ['ACK counts the whole log', 'miscount is ignored'], NOT_YET),
  rule('4', 'the dialler drops its old connection', [], ['old connection is read on'], NOT_YET),
  rule('4', 'the epoch grows with every HELLO', ['stuck-epoch'], ['epoch of success']),
  rule('4', 'only a higher epoch', ['any-epoch'], ['any epoch', 'refused HELLO ends the session']),
  rule('4', 'fence', ['no-fence'], ['no fence', 'fence at the ACK']),
  rule('4', 'the older session ends', [], ['older session lives on'], NOT_YET),
  rule('4', 'range of received_frames', [], ['any received count'], 'two ends that count correctly never leave it'),
  rule(
    '4',
    'the rest again, in order',
    ['resend-everything', 'resend-nothing', 'resend-in-disorder'],
    ['resend everything', 'resend nothing', 'resend in disorder'],
  ),
  rule(
    '5',
    'ACK after HELLO_OK',
    ['late-attach'],
    ['no ACK after HELLO_OK', 'attaches at HELLO', 'late ACK attaches', 'nothing is promised'],
  ),
  rule('6', 'SKIP keeps the count', ['skip-vanishes'], ['no SKIP']),
  rule('6', 'what withdrawn calls are told', [], ['withdrawn is no', 'withdrawn stays in the queue'], NOT_YET),
  rule(
    '7',
    'a session that has ended',
    ['resend-across-sessions', 'false-no'],
    ['end is not heard', 'written moves to the next session', 'lost is no', 'queue turns round'],
  ),
  rule('8', 'answers are kept', ['answers-need-a-connection'], ['replies need a connection']),
  rule('8', 'the log is bounded', [], ['log without bound while detached'], NOT_YET),
  rule('9', 'GOAWAY is repeated', [], ['GOAWAY is said once'], NOT_YET),
  rule('9', 'resumes while draining', [], ['drain refuses resumes'], NOT_YET),
  rule('9', 'refused requests do not run', [], ['refused runs'], NOT_YET),
  rule('9', 'refused requests go first', ['refused-in-disorder'], ['refused go behind']),
  rule('9', 'last_frame by number', [], ['last frame by position', 'arrived is accepted'], NOT_YET),
  rule('10', 'without sessions', [], ['no fence without sessions', 'lost is no without sessions'], NOT_YET),
  rule('11', 'displacement', [], ['nobody is displaced', 'displaced at HELLO'], NOT_YET),
]

/** Bugs that break what is promised around sessions: lanes, liveness. */
export const otherBugs: readonly string[] = ['open-lane', 'lane-held-by-a-failure', 'no-backoff']
