// Items of a streaming call that came before anybody had said how to consume them, in order.

import type { Metadata } from '../errors.ts'
import type { Call } from './call.ts'
import type { CallConsumer } from './call-setup.ts'

interface Item {
  readonly position: number
  readonly value: unknown
  readonly metadata: Metadata | undefined
}

export class Inbox {
  readonly #items: Item[] = []

  get size(): number {
    return this.#items.length
  }

  add(position: number, value: unknown, metadata: Metadata | undefined): void {
    this.#items.push({ position, value, metadata })
  }

  /** Gives a consumer the items, each while it is its node's newest. The last of each node is its newest again. */
  replay(call: Call, consumer: CallConsumer): void {
    for (const { position, value, metadata } of this.#items) {
      call.setValue(position, value)
      if (call.replyMetadata !== undefined) call.replyMetadata[position] = metadata
      if (!call.isDone) consumer.onReply(position)
    }
  }
}
