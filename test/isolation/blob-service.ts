// The service of the isolation tests: bytes that are thrown away.

import { quorumCall, rpc, service } from 'gorums'

export interface Put {
  readonly bytes: Uint8Array
}

export interface PutReply {
  /** How many handlers have started so far. */
  readonly started: number
}

export const Blob = service('isolation.Blob', {
  put: rpc<Put, PutReply>(),
  putAll: quorumCall<Put, PutReply>(),
})
