// What the processes that are killed serve.

import { quorumCall, rpc, service } from 'gorums'

export const Counter = service('chaos.Counter', {
  count: rpc<{ n: number }, { n: number }>(),
  countAll: quorumCall<{ n: number }, { n: number }>(),
})
