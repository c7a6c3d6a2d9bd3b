// The rows of the matrix: each option of each call type, and what shows that it works. What they run on is in
// matrix-setting.ts, and the test that crosses them with codecs and transports in matrix.test.ts.

import assert from 'node:assert/strict'
import { type CallType, QuorumError, quorum, RpcError } from 'gorums'
import { aborted, rejection } from './cluster.ts'
import { callAdapted, type Outcome, PLAIN, type Setting, WATCHED } from './matrix-setting.ts'

/** One option, the call types that have it, and its check. */
export interface Row {
  readonly title: string
  readonly types: readonly CallType[]
  /** Does not make sense with one node. */
  readonly needsSeveral?: boolean
  readonly check: (setting: Setting, type: CallType, text: string) => Promise<void>
}

const TWO_WAY = ['rpc', 'quorumCall', 'quorumStream'] as const
const ONE_WAY = ['unicast', 'multicast'] as const
const QUORUM = ['quorumCall', 'quorumStream'] as const
const SEVERAL = ['multicast', 'quorumCall', 'quorumStream'] as const
const ALL = [...TWO_WAY, ...ONE_WAY]

/** The codes of the failures of a call on one node or several. */
function codesOf(error: RpcError | QuorumError): string[] {
  return error instanceof RpcError ? [error.code] : [...error.errors.values()].map(({ code }) => code)
}

/** What a call that can not succeed is rejected with. */
async function failure(outcome: Promise<Outcome>): Promise<RpcError | QuorumError> {
  const error = await rejection(outcome, Error)
  assert.ok(error instanceof RpcError || error instanceof QuorumError, String(error))
  return error
}

function assertReason(error: RpcError | QuorumError, reason: string, code: string): void {
  if (error instanceof QuorumError) assert.equal(error.reason, reason)
  for (const each of codesOf(error)) assert.equal(each, code)
}

const checkDeadline: Row['check'] = async (setting, type, text) => {
  const failed = failure(setting.call(type, { text: `hold ${text}` }, { timeoutMs: 250 }))
  const started = await setting.received(`hold ${text}`, setting.targets(type).length)
  for (const { context } of started) {
    assert.ok(Number.isFinite(context.deadline))
    assert.ok(context.remainingMs <= 250)
  }
  assertReason(await failed, 'deadline', 'deadline_exceeded')
  await Promise.all(started.map(({ context }) => aborted(context.signal)))
}

const checkOneWayDeadline: Row['check'] = async (setting, type, text) => {
  await setting.call(type, { text }, { timeoutMs: 5_000 })
  for (const { context } of await setting.received(text, setting.targets(type).length))
    assert.ok(context.remainingMs > 0 && context.remainingMs <= 5_000)
  const late = await failure(setting.call(type, { text: `late ${text}` }, { timeoutMs: 0 }))
  assertReason(late, 'deadline', 'deadline_exceeded')
  await setting.neverReceived(type, `late ${text}`)
}

const checkAbort: Row['check'] = async (setting, type, text) => {
  const controller = new AbortController()
  const failed = failure(setting.call(type, { text: `hold ${text}` }, { signal: controller.signal }))
  const started = await setting.received(`hold ${text}`, setting.targets(type).length)
  controller.abort(new Error('changed my mind'))
  assertReason(await failed, 'cancelled', 'cancelled')
  await Promise.all(started.map(({ context }) => aborted(context.signal)))
}

const checkEarlyAbort: Row['check'] = async (setting, type, text) => {
  const error = await failure(setting.call(type, { text }, { signal: AbortSignal.abort(new Error('no more')) }))
  assertReason(error, 'cancelled', 'cancelled')
  const failures = error instanceof QuorumError ? [...error.errors.values()] : [error]
  for (const each of failures) assert.equal(each.executed, 'no')
  await setting.neverReceived(type, text)
}

const checkMetadata: Row['check'] = async (setting, type, text) => {
  await setting.call(type, { text }, { metadata: { trace: `t-${text}`, binary: new Uint8Array([0, 255]) } })
  for (const { context } of await setting.received(text, setting.targets(type).length)) {
    assert.equal(context.metadata.trace, `t-${text}`)
    assert.deepEqual(new Uint8Array(context.metadata.binary as Uint8Array), new Uint8Array([0, 255]))
  }
}

const checkPerNode: Row['check'] = async (setting, type, text) => {
  const { replies } = await setting.call(
    type,
    { text },
    { perNode: (request, node) => ({ text: `${request.text} for ${node.id}` }) },
  )
  for (const nodeID of setting.targets(type)) {
    const [entry] = await setting.received(`${text} for ${nodeID}`, 1)
    assert.equal(entry!.nodeID, nodeID)
    if (type !== 'multicast') assert.equal(replies.get(nodeID)?.text, `${text} for ${nodeID}`)
  }
}

const checkSkip: Row['check'] = async (setting, type, text) => {
  const [skipped, ...others] = setting.targets(type)
  const { replies } = await setting.call(
    type,
    { text },
    { perNode: (request, node) => (node.id === skipped ? undefined : request) },
  )
  const seen = await setting.received(text, others.length)
  assert.deepEqual(seen.map(({ nodeID }) => nodeID).sort(), others)
  if (type !== 'multicast') assert.deepEqual([...replies.keys()].sort(), others)
  await setting.neverReceived(type, text, skipped!)
}

const checkSkipAll: Row['check'] = async (setting, type, text) => {
  const error = await rejection(setting.call(type, { text }, { perNode: () => undefined }), QuorumError)
  assert.equal(error.reason, 'impossible')
  assert.equal(error.errors.size, 0)
  await setting.neverReceived(type, text)
}

const checkStragglersGoOn: Row['check'] = async (setting, _type, text) => {
  const call = setting.quorumCall('quorumCall', { text: `gated ${text}` }, { stragglers: 'continue' })
  await call.threshold(setting.targets('quorumCall').length - 1)
  const [gated] = await setting.gated(`gated ${text}`)
  assert.equal(gated!.context.signal.aborted, false)
  gated!.gate.open()
  const record = await call.settled
  assert.deepEqual(
    record.nodes.map(({ outcome }) => outcome),
    record.nodes.map(() => 'replied'),
  )
}

const checkStragglersEnd: Row['check'] = async (setting, type, text) => {
  const call = setting.quorumCall(type, { text: `gated ${text}` }, { stragglers: 'cancel' })
  await call.threshold(setting.targets(type).length - 1)
  const [gated] = await setting.gated(`gated ${text}`)
  await aborted(gated!.context.signal)
  const record = await call.settled
  const straggler = record.nodes.find(({ nodeID }) => nodeID === gated!.nodeID)
  assert.equal(straggler?.error?.code, 'cancelled')
  gated!.gate.open()
}

const checkConfirm: Row['check'] = async (setting, type, text) => {
  await setting.call(type, { text }, { confirm: true })
  await setting.received(text, setting.targets(type).length)
}

const checkUnconfirmed: Row['check'] = async (setting, type, text) => {
  await setting.call(type, { text }, { confirm: false })
  await setting.received(text, setting.targets(type).length)
  const failed: string[] = []
  const listen = (nodeID: string, method: string, error: RpcError): void => {
    failed.push(`${nodeID} ${method.includes('matrix.') ? error.code : method}`)
  }
  setting.configuration.on('undelivered', listen)
  await setting.call(type, { text: `late ${text}` }, { confirm: false, timeoutMs: 0 })
  setting.configuration.off('undelivered', listen)
  assert.deepEqual(
    failed,
    setting.targets(type).map((nodeID) => `${nodeID} deadline_exceeded`),
  )
}

const checkOnReply: Row['check'] = async (setting, type, text) => {
  const seen = new Map<string, string>()
  await setting.toTheEnd(
    type,
    { text },
    {
      onReply: ({ nodeID, value, error, metadata }) => {
        seen.set(nodeID, error === undefined ? `${value.text} ${metadata['answered-by']}` : error.code)
      },
    },
  )
  for (const nodeID of setting.targets(type)) assert.equal(seen.get(nodeID), `${text} ${nodeID}`)
}

const checkRequestHook: Row['check'] = async (setting, type, text) => {
  setting.hooks = { request: (request) => ({ text: `${(request as { text: string }).text} hooked` }) }
  const { replies } = await setting.call(type, { text }, {}, WATCHED)
  await setting.received(`${text} hooked`, setting.targets(type).length)
  for (const reply of replies.values()) assert.equal(reply.text, `${text} hooked`)
}

const checkSendHook: Row['check'] = async (setting, type, text) => {
  setting.hooks = { send: (request, node) => ({ text: `${(request as { text: string }).text} to ${node.id}` }) }
  await setting.call(type, { text }, {}, WATCHED)
  for (const nodeID of setting.targets(type)) {
    const [entry] = await setting.received(`${text} to ${nodeID}`, 1)
    assert.equal(entry!.nodeID, nodeID)
  }
}

const checkSendHookSkips: Row['check'] = async (setting, type, text) => {
  const [skipped, ...others] = setting.targets(type)
  setting.hooks = { send: (request, node) => (node.id === skipped ? undefined : request) }
  await setting.call(type, { text }, {}, WATCHED)
  const seen = await setting.received(text, others.length)
  assert.deepEqual(seen.map(({ nodeID }) => nodeID).sort(), others)
  await setting.neverReceived(type, text, skipped!)
}

const checkResponseHook: Row['check'] = async (setting, type, text) => {
  setting.hooks = {
    response: (response) =>
      response.error === undefined
        ? { ...response, value: { ...(response.value as object), text: 'seen on the way' } }
        : response,
  }
  const { replies } = await setting.call(type, { text }, {}, WATCHED)
  assert.deepEqual([...replies.keys()].sort(), setting.targets(type))
  for (const reply of replies.values()) assert.equal(reply.text, 'seen on the way')
}

const checkSettledHook: Row['check'] = async (setting, type, text) => {
  const record = await new Promise<{ nodes: readonly { nodeID: string; outcome: string }[] }>((resolve, reject) => {
    setting.hooks = { settled: resolve }
    setting.toTheEnd(type, { text }, {}, WATCHED).catch(reject)
  })
  assert.deepEqual(
    record.nodes.map(({ nodeID, outcome }) => `${nodeID} ${outcome}`),
    setting.targets(type).map((nodeID) => `${nodeID} replied`),
  )
}

const checkAdapter: Row['check'] = async (setting, type, text) => {
  await callAdapted(setting, type, text)
  await setting.received(`adapted ${text}`, setting.targets(type).length)
}

const checkAdapterPerNode: Row['check'] = async (setting, type, text) => {
  await callAdapted(setting, type, text, {
    perNode: (request, node) => ({ text: `${request.text} for ${node.id}` }),
  })
  for (const nodeID of setting.targets(type)) await setting.received(`adapted ${text} for ${nodeID}`, 1)
}

const checkQuorum: Row['check'] = async (setting, type, text) => {
  const client = setting.configuration.client(setting.service(PLAIN), { quorum: quorum.all() })
  const replies = await (type === 'quorumCall' ? client.ask({ text }) : client.follow({ text })).result()
  assert.deepEqual([...replies.keys()].sort(), setting.targets(type))
}

const checkFunction: Row['check'] = async (setting, type, text) => {
  const needed = setting.targets(type).length
  const longest = (replies: ReadonlyMapLike, request: { text: string }): number | undefined =>
    replies.size < needed ? undefined : [...replies.values()].filter((reply) => reply.text === request.text).length
  const client = setting.configuration.client(setting.service(PLAIN), {
    functions: { ask: longest, follow: longest },
  })
  assert.equal(await (type === 'quorumCall' ? client.ask({ text }) : client.follow({ text })).result(), needed)
}

/** What both kinds of replies have in common. */
interface ReadonlyMapLike {
  readonly size: number
  values(): Iterable<{ text: string }>
}

const checkTogether: Row['check'] = async (setting, type, text) => {
  const controller = new AbortController()
  setting.hooks = { request: (request) => ({ text: `${(request as { text: string }).text} hooked` }) }
  const { replies } = await setting.call(
    type,
    { text },
    {
      timeoutMs: 5_000,
      signal: controller.signal,
      metadata: { trace: text },
      ...(type === 'rpc' || type === 'unicast'
        ? {}
        : { perNode: (request: { text: string }, node: { id: string }) => ({ text: `${request.text} ${node.id}` }) }),
      ...(type === 'quorumCall' || type === 'quorumStream' ? { stragglers: 'cancel' as const, onReply: () => {} } : {}),
      ...(type === 'unicast' || type === 'multicast' ? { confirm: true } : {}),
    },
    WATCHED,
  )
  const suffix = (nodeID: string): string => (type === 'rpc' || type === 'unicast' ? '' : ` ${nodeID}`)
  for (const nodeID of setting.targets(type)) {
    const [entry] = await setting.received(`${text} hooked${suffix(nodeID)}`, 1)
    assert.equal(entry!.context.metadata.trace, text)
    assert.ok(entry!.context.remainingMs <= 5_000)
    if (replies.size > 0) assert.equal(replies.get(nodeID)?.text, `${text} hooked${suffix(nodeID)}`)
  }
  controller.abort()
}

export const ROWS: readonly Row[] = [
  { title: 'timeoutMs ends it and its handlers', types: TWO_WAY, check: checkDeadline },
  { title: 'timeoutMs travels, and 0 sends nothing', types: ONE_WAY, check: checkOneWayDeadline },
  { title: 'signal cancels it and its handlers', types: TWO_WAY, check: checkAbort },
  { title: 'a signal that fired before sends nothing', types: ALL, check: checkEarlyAbort },
  { title: 'metadata reaches the handlers', types: ALL, check: checkMetadata },
  { title: 'perNode gives each node its own request', types: SEVERAL, check: checkPerNode },
  { title: 'perNode skips a node', types: SEVERAL, needsSeveral: true, check: checkSkip },
  { title: 'perNode that skips every node fails at once', types: SEVERAL, check: checkSkipAll },
  {
    title: "stragglers: 'continue' lets them answer",
    types: ['quorumCall'],
    needsSeveral: true,
    check: checkStragglersGoOn,
  },
  { title: "stragglers: 'cancel' tells them to stop", types: QUORUM, needsSeveral: true, check: checkStragglersEnd },
  { title: 'confirm: true resolves when it was written', types: ONE_WAY, check: checkConfirm },
  { title: 'confirm: false tells failures as events', types: ONE_WAY, check: checkUnconfirmed },
  { title: 'onReply sees every response', types: QUORUM, check: checkOnReply },
  { title: 'a request hook changes the request', types: ALL, check: checkRequestHook },
  { title: 'a send hook changes the request of each node', types: ALL, check: checkSendHook },
  { title: 'a send hook skips a node', types: SEVERAL, needsSeveral: true, check: checkSendHookSkips },
  { title: 'a response hook changes the reply', types: TWO_WAY, check: checkResponseHook },
  { title: 'a settled hook gets the record', types: ALL, check: checkSettledHook },
  { title: 'an adapter makes the request', types: SEVERAL, check: checkAdapter },
  { title: 'an adapter and perNode go together', types: SEVERAL, check: checkAdapterPerNode },
  { title: 'a declared quorum decides result()', types: QUORUM, check: checkQuorum },
  { title: 'a declared function decides result()', types: QUORUM, check: checkFunction },
  { title: 'all its options go together', types: ALL, check: checkTogether },
]
