// The errors of one node's part in a call: who, what, and whether a handler ran. None has a stack: they are made where bytes
// are read, or where a timer has fired.

import { type RpcError, tracelessError } from '../errors.ts'
import type { Channel } from '../net/channel.ts'
import { decodeCallHeader } from '../wire/call-header.ts'
import { decodeStatus } from '../wire/control.ts'
import type { IncomingFrame } from '../wire/incoming-frame.ts'
import type { CallSetup, StopReason } from './call-setup.ts'

/** The caller has ended the call before the node was done. */
export function stopError(
  setup: CallSetup,
  channel: Channel,
  reason: StopReason,
  cause: unknown,
  isWritten: boolean,
): RpcError {
  const { method, timeoutMs, defaults } = setup
  const what = `"${method.fullName}" on node ${channel.nodeID}`
  const executed = isWritten ? 'unknown' : 'no'
  const options = { nodeID: channel.nodeID, executed, cause } as const
  if (reason === 'closed') return tracelessError('cancelled', `${what}: the configuration is closed`, options)
  if (reason === 'cancelled') return tracelessError('cancelled', `${what} was cancelled`, options)
  const where = isWritten ? 'no answer' : `not sent (node is ${channel.state})`
  return tracelessError(
    'deadline_exceeded',
    `${what}: ${where} within ${timeoutMs} ms${defaults.describeLanes()}`,
    options,
  )
}

/** The session was lost behind a request that had been written, or this side has closed the node. */
export function lostError(setup: CallSetup, channel: Channel, error: RpcError): RpcError {
  const text = `${error.message}; whether "${setup.method.fullName}" ran there is unknown`
  const code = channel.state === 'closed' ? 'cancelled' : 'unavailable'
  return tracelessError(code, text, { nodeID: channel.nodeID, executed: 'unknown', cause: error })
}

/** The answer is no answer to this call. */
export function mismatchError(setup: CallSetup, nodeID: string): RpcError {
  return tracelessError(
    'internal',
    `node ${nodeID} answered "${setup.method.fullName}" as another method, or as one of another type`,
    { nodeID },
  )
}

export function undecodableError(setup: CallSetup, nodeID: string, cause: unknown): RpcError {
  const text = `the reply of node ${nodeID} to "${setup.method.fullName}" can not be decoded: ${messageOf(cause)}`
  return tracelessError('internal', text, { nodeID, executed: 'yes', cause })
}

export function droppedError(nodeID: string): RpcError {
  return tracelessError('cancelled', `the reply of node ${nodeID} was dropped by an interceptor`, {
    nodeID,
    executed: 'yes',
  })
}

export function hookError(nodeID: string, cause: unknown): RpcError {
  return tracelessError('internal', `an interceptor threw at the reply of node ${nodeID}: ${messageOf(cause)}`, {
    nodeID,
    executed: 'yes',
    cause,
  })
}

export function overflowError(setup: CallSetup, nodeID: string): RpcError {
  const { itemsMax } = setup.manager.transport.limits
  const text = `${setup.method.fullName}: more than ${itemsMax} items wait for their reader; node ${nodeID} was told to stop`
  return tracelessError('resource_exhausted', text, { nodeID, executed: 'yes' })
}

/** What the node answered with an ERROR frame. */
export function answeredError(nodeID: string, frame: IncomingFrame): RpcError {
  try {
    const status = decodeStatus(frame.payloadReader())
    const { metadata } = decodeCallHeader(frame.bytes, frame.headerStart, frame.payloadStart)
    return tracelessError(status.code, `node ${nodeID}: ${status.message}`, {
      nodeID,
      executed: status.notExecuted ? 'no' : 'yes',
      metadata: { ...metadata, ...status.metadata },
    })
  } catch (cause) {
    return tracelessError('internal', `node ${nodeID} answered with an error that can not be decoded`, {
      nodeID,
      cause,
    })
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
