// What the `(gorums.…)` options of a method say: how it is called. Knows the names of all Gorums versions, and says what
// to write for those that are gone.

import type { CallType, NotedOption } from '../model.ts'
import type { MethodDeclaration, Option, Position } from '../read/declarations.ts'

/** A `(gorums.…)` option. */
export interface GorumsOption {
  /** `quorumcall`. */
  readonly name: string
  readonly option: Option
}

const CALL_TYPES = new Set(['rpc', 'unicast', 'multicast', 'quorumcall', 'correctable'])
const NOTED: readonly string[] = ['async', 'per_node_arg', 'custom_return_type'] satisfies NotedOption[]

/** What to write instead of the options of versions before 0.3 and of unreleased ones. */
const REPLACEMENTS = new Map([
  ['qc', 'write "(gorums.quorumcall)"'],
  ['qrpc', 'write "(gorums.quorumcall)"'],
  ['qc_future', 'write "(gorums.quorumcall)": every call is asynchronous'],
  ['future', 'write "(gorums.quorumcall)": every call is asynchronous'],
  ['qf_with_req', 'remove it: quorum functions always get the request'],
  ['correctable_pr', 'write "(gorums.quorumcall)" and "returns (stream …)"'],
  ['correctable_stream', 'write "(gorums.quorumcall)" and "returns (stream …)"'],
  ['ordered', 'remove it: all calls are in order'],
  ['strict_ordering', 'remove it: all calls are in order'],
  ['qc_strict_ordering', 'write "(gorums.quorumcall)": all calls are in order'],
  ['concurrent', 'remove it, and call context.release() in the handler'],
  ['async_handler', 'remove it: handlers may be asynchronous'],
])

export interface Called {
  readonly callType: CallType
  readonly noted: readonly NotedOption[]
}

/** How a method is called, from its `(gorums.…)` options. Mistakes go to `report`. */
export function callTypeOf(
  method: MethodDeclaration,
  options: readonly GorumsOption[],
  report: (position: Position, message: string) => void,
): Called {
  const noted: NotedOption[] = []
  const types: GorumsOption[] = []
  for (const each of options) {
    const { name, option } = each
    const replacement = REPLACEMENTS.get(name)
    if (replacement !== undefined) {
      report(option.position, `the option "(gorums.${name})" is of an earlier Gorums: ${replacement}`)
    } else if (name === 'custom_return_type') {
      if (option.value.kind === 'string') noted.push(name)
      else report(option.position, '"(gorums.custom_return_type)" is a name in quotes')
    } else if (!CALL_TYPES.has(name) && !NOTED.includes(name)) {
      report(option.position, `there is no option "(gorums.${name})": there are rpc, unicast, multicast and quorumcall`)
    } else if (option.value.kind !== 'word' || !['true', 'false'].includes(option.value.text)) {
      report(option.position, `"(gorums.${name})" is true or false, not "${option.value.text.slice(0, 40)}"`)
    } else if (option.value.text === 'true') {
      if (CALL_TYPES.has(name)) types.push(each)
      else noted.push(name as NotedOption)
    }
  }
  const [first, second] = types
  if (first !== undefined && second !== undefined) {
    const names = types.map(({ name }) => `"(gorums.${name})"`).join(' and ')
    report(second.option.position, `method "${method.name}" has the call types ${names}: keep one of them`)
  }
  const callType = first === undefined ? 'rpc' : typeOf(first.name, method.isServerStream)
  checkStreams(method, first, callType, report)
  return { callType, noted: NOTED.filter((name): name is NotedOption => noted.includes(name as NotedOption)) }
}

function typeOf(name: string, isStream: boolean): CallType {
  if (name === 'quorumcall' || name === 'correctable') return isStream ? 'quorumStream' : 'quorumCall'
  return name as CallType
}

function checkStreams(
  method: MethodDeclaration,
  option: GorumsOption | undefined,
  callType: CallType,
  report: (position: Position, message: string) => void,
): void {
  const { name } = method
  // Gorums accepts `stream` on the request of a multicast: a call still sends one message.
  if (method.isClientStream && callType !== 'multicast')
    report(
      method.request.position,
      `method "${name}" takes a stream of requests, which is not supported: remove "stream" and call it once per request`,
    )
  if (!method.isServerStream || callType === 'quorumStream') return
  if (callType === 'unicast' || callType === 'multicast')
    report(
      method.reply.position,
      `method "${name}" is one-way (${option!.name}) and answers nothing: remove "stream", or write "option (gorums.quorumcall) = true;"`,
    )
  else
    report(
      method.reply.position,
      `method "${name}" replies with a stream but is no quorum call: write "option (gorums.quorumcall) = true;" in its block, or remove "stream"`,
    )
}
