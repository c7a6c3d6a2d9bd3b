// Runs rows one after the other against one server process, beside one honest client, and holds every row to the same
// conditions: the honest client notices nothing, the server lives, and nothing of the attacker is left behind.

import assert from 'node:assert/strict'
import { HonestClient, type HonestFigures } from './honest-client.ts'
import { type Row, Scene } from './row.ts'
import { type Health, TargetServer } from './target.ts'

export interface RowOutcome {
  readonly id: string
  readonly what: string
  readonly expected: string
  readonly passed: boolean
  /** A figure, why it failed, or why there is nothing to do. */
  readonly note: string
}

/** One server process with its honest client, for as many rows as like. */
export class Arena {
  readonly target: TargetServer
  readonly honest: HonestClient
  readonly #scene: Scene
  #logLines = 0

  private constructor(target: TargetServer, honest: HonestClient) {
    this.target = target
    this.honest = honest
    this.#scene = new Scene(target, honest)
  }

  static async open(): Promise<Arena> {
    const target = await TargetServer.start()
    return new Arena(target, await HonestClient.connect(target.address))
  }

  /** Runs one row; rejects when the server, the honest client, or the row is not as it should be. */
  async run(row: Row): Promise<string> {
    if (row.run === undefined) return `nothing to do: ${row.why}`
    this.honest.start()
    let note: string | undefined
    let figures: HonestFigures
    try {
      note = await row.run(this.#scene)
      await this.honest.checkOnce()
    } finally {
      await this.#scene.end()
      figures = await this.honest.stop()
    }
    assert.deepEqual(figures.failures, [], 'the honest client')
    assert.equal(figures.reconnects, 0, 'the honest client was disconnected')
    await this.#checkQuiet()
    return note ?? ''
  }

  async close(): Promise<void> {
    if (this.target.exit === undefined) await this.honest.close()
    await this.target.stop()
  }

  /** The server is the same process, nothing has escaped it, and what the attacker made it hold is gone. */
  async #checkQuiet(): Promise<Health> {
    const isQuiet = ({ clients, running }: Health): boolean =>
      clients === 1 && Object.values(running).every((count) => count === 0)
    const health = await this.target.until(isQuiet, 'nothing is left of the attacker')
    assert.equal(health.pid, this.target.pid)
    assert.deepEqual(health.crashes, [])
    this.#logLines = health.logLines
    return health
  }

  get logLines(): number {
    return this.#logLines
  }
}
