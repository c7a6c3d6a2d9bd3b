// The honest client: it calls at a steady pace while others attack, checks every answer, and remembers how long each took.

import { type Configuration, type ConnectOptions, connect } from 'gorums'
import { Target } from './target-service.ts'

/** What honest calls have come to. */
export interface HonestFigures {
  readonly calls: number
  readonly failures: readonly string[]
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** How often its node came up after the first time. */
  readonly reconnects: number
}

/** So many loops of calls side by side, each with a pause between its rounds: not a load that hides what attackers do. */
const LOOPS = 4
const PAUSE_MS = 5

export class HonestClient {
  readonly config: Configuration
  #failures: string[] = []
  #times: number[] = []
  #reconnects = 0
  #calls = 0
  #isRunning = false
  #running: Promise<void>[] = []

  private constructor(config: Configuration) {
    this.config = config
    config.on('up', () => this.#reconnects++)
  }

  static async connect(address: string, options: ConnectOptions = {}): Promise<HonestClient> {
    return new HonestClient(await connect({ target: address }, { waitFor: 'all', callTimeoutMs: 30_000, ...options }))
  }

  /** Begins to call; `stop` ends it. Figures count from here. */
  start(): void {
    this.#failures = []
    this.#times = []
    this.#reconnects = 0
    this.#isRunning = true
    this.#running = Array.from({ length: LOOPS }, () => this.#run())
  }

  async stop(): Promise<HonestFigures> {
    this.#isRunning = false
    await Promise.all(this.#running)
    return this.figures()
  }

  figures(): HonestFigures {
    const sorted = Float64Array.from(this.#times).sort()
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
    return {
      calls: sorted.length + this.#failures.length,
      failures: this.#failures,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      maxMs: at(1),
      reconnects: this.#reconnects,
    }
  }

  /** One call of each kind, checked. */
  async checkOnce(): Promise<void> {
    const number = ++this.#calls
    const node = this.config.node('target').client(Target)
    const value = { number, text: `honest ${number}` }
    const echoed = (await node.echo(value)) as typeof value
    if (echoed.number !== number || echoed.text !== value.text) throw new Error(`wrong echo: ${JSON.stringify(echoed)}`)
    const tree = await node.echoTree({ name: value.text, children: [{ name: 'child' }], numbers: { number } })
    if (tree.name !== value.text || tree.children?.[0]?.name !== 'child' || tree.numbers?.number !== number)
      throw new Error(`wrong tree: ${JSON.stringify(tree)}`)
    const { length } = await node.big(1 + (number % 2_000))
    if (length !== 1 + (number % 2_000)) throw new Error(`wrong length: ${length}`)
    await this.#checkStream(number % 20)
  }

  async close(): Promise<void> {
    await this.stop()
    await this.config.close()
  }

  async #checkStream(items: number): Promise<void> {
    let next = 0
    for await (const { value, error } of this.config.client(Target).count(items)) {
      if (error !== undefined) throw error
      if (value !== next++) throw new Error(`wrong item: ${value} in place of ${next - 1}`)
    }
    if (next !== items) throw new Error(`${next} items in place of ${items}`)
  }

  async #run(): Promise<void> {
    while (this.#isRunning) {
      const start = performance.now()
      try {
        await this.checkOnce()
        this.#times.push(performance.now() - start)
      } catch (error) {
        this.#failures.push(String(error))
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }
}
