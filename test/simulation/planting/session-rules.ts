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

export const sessionRules: readonly RulePart[] = [
  rule(
    '1',
    'incarnation',
    [],
    ['incarnation survives'],
    'HELLOs of the process that is started again are counted from one: it is refused until they are above the last, and only comes later',
  ),
  rule('1', 'session id', ['any-session'], ['any session id']),
  rule('2', 'counting what has been accepted', ['count-ahead'], ['counts ahead', 'counted when it runs']),
  rule('2', 'old frames before new ones', ['overtaking'], ['new before old']),
  rule('2', 'a full log is back-pressure', ['evict-log', 'window-leak'], ['log evicts', 'log without bound']),
  rule('3', 'ACK in time', ['no-acks'], ['no ACKs']),
  rule('3', 'sent_frames', ['ack-counts-the-log'], ['ACK counts the whole log', 'miscount is ignored']),
  rule('4', 'the dialler drops its old connection', ['read-on'], ['old connection is read on']),
  rule('4', 'the epoch grows with every HELLO', ['stuck-epoch'], ['epoch of success']),
  rule('4', 'only a higher epoch', ['any-epoch'], ['any epoch', 'refused HELLO ends the session']),
  rule('4', 'fence', ['no-fence', 'fence-at-the-ack'], ['no fence', 'fence at the ACK']),
  rule('4', 'the older session ends', ['older-session-lives-on'], ['older session lives on']),
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
  rule('6', 'what withdrawn calls are told', ['withdrawn-is-no'], ['withdrawn is no', 'withdrawn stays in the queue']),
  rule(
    '7',
    'a session that has ended',
    ['resend-across-sessions', 'false-no'],
    ['end is not heard', 'written moves to the next session', 'lost is no', 'queue turns round'],
  ),
  rule('8', 'answers are kept', ['answers-need-a-connection'], ['replies need a connection']),
  rule('8', 'the log is bounded', ['endless-log'], ['log without bound while detached']),
  rule('9', 'GOAWAY is repeated', ['goaway-once'], ['GOAWAY is said once']),
  rule('9', 'resumes while draining', ['drain-refuses-resumes'], ['drain refuses resumes']),
  rule(
    '9',
    'who was let in is waited for',
    [],
    ['drain forgets who was let in', 'refused are waited for'],
    'planted, the first takes the simulator more than a thousand worlds',
  ),
  rule('9', 'refused requests do not run', ['refused-runs'], ['refused runs']),
  rule('9', 'refused requests go first', ['refused-in-disorder'], ['refused go behind']),
  rule('9', 'last_frame by number', ['last-frame-by-place'], ['last frame by position', 'arrived is accepted']),
  rule('10', 'without sessions', ['lost-is-no'], ['no fence without sessions', 'lost is no without sessions']),
  rule('11', 'displacement', ['two-of-one-node'], ['nobody is displaced', 'displaced at HELLO']),
]

/** Bugs that break what is promised around sessions: lanes, liveness, bounds. */
export const otherBugs: readonly string[] = [
  'open-lane',
  'lane-held-by-a-failure',
  'no-backoff',
  'one-session-more',
  'immortal-sessions',
  'room-shrinks',
]
