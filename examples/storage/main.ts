// The storage example from the command line: a tour of five replicas, a prompt, one server, or a split brain. Reads the
// arguments and starts what they ask for; each of these is a file of its own.

import { parseArgs } from 'node:util'
import { type Configuration, connect, type NodeAddresses } from 'gorums'
import { parseInterceptors, SERVER_INTERCEPTORS, type ServerInterceptorName } from './interceptors.ts'
import { LOAD_PREFIX } from './load.ts'
import { createPaint, hasColours, type Paint } from './paint.ts'
import type { ReplicaProcesses } from './processes.ts'
import type { Narrator } from './tour.ts'

const USAGE = `Storage that survives the loss of a minority: an example of gorums.

  npm start                              five replicas on this machine and a tour of what they do;
                                         on a terminal with a prompt at the end
  npm start -- --repl                    five replicas and the prompt, without the tour
  npm start -- --connect a:1,b:2,c:3     a prompt on servers that run; also as id=host:port
  npm start -- --serve host:port         one server; port 0 takes a free one
      --id a --nodes a=host:port,…       as the replica "a" of these (for nested calls)
      --journal file                     remember in this file, not only in memory
  npm start -- --split-brain             what counting connected nodes does, and what we do instead
  --interceptors ${SERVER_INTERCEPTORS.join(',')}
                                         around the handlers of the servers that are started
  --help                                 this text`

const OPTIONS = {
  connect: { type: 'string' },
  serve: { type: 'string' },
  id: { type: 'string' },
  nodes: { type: 'string' },
  journal: { type: 'string' },
  // How processes.ts starts a replica: it reports to its parent, and keeps its journal in this directory.
  child: { type: 'string' },
  'split-brain': { type: 'boolean' },
  repl: { type: 'boolean' },
  interceptors: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

type Arguments = ReturnType<typeof readArguments>

function readArguments() {
  return parseArgs({ options: OPTIONS, allowPositionals: false }).values
}

const NODE_IDS = ['a', 'b', 'c', 'd', 'e']

async function main(): Promise<void> {
  let values: Arguments
  let interceptors: ServerInterceptorName[]
  try {
    values = readArguments()
    interceptors = parseInterceptors(values.interceptors ?? '')
    if (values.help === true) return console.log(USAGE)
    if (values.serve !== undefined) return await runServer(values, values.serve, interceptors)
    const paint = createPaint(hasColours(process.stdout))
    if (values.connect !== undefined) return await runPromptOn(values.connect, paint)
    if (values['split-brain'] === true) {
      const { splitBrain } = await import('./split-brain.ts')
      process.exitCode = (await splitBrain((line) => console.log(line), paint)) ? 0 : 1
      return
    }
    await runCluster(values.repl !== true, interceptors, paint)
  } catch (error) {
    // What somebody has typed wrong, or a port that is taken: one line, no stack.
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}

async function runServer(values: Arguments, address: string, interceptors: ServerInterceptorName[]): Promise<void> {
  const { serve, serveParent } = await import('./serve.ts')
  const at = address.lastIndexOf(':')
  const port = Number(address.slice(at + 1))
  if (at < 1 || !Number.isInteger(port) || port < 0 || port > 65_535)
    throw new RangeError(`--serve takes host:port, not "${address}"`)
  const nodes = values.nodes === undefined ? undefined : readNodes(values.nodes)
  if (isList(nodes)) throw new RangeError('--nodes takes id=host:port,…: replicas know each other by their ids')
  const options = {
    host: address.slice(0, at).replace(/^\[(.*)\]$/, '$1'),
    port,
    nodeID: values.id,
    nodes,
    journal: values.journal,
    interceptors,
  }
  await (values.child === undefined ? serve(options) : serveParent(options, values.child))
}

/** Five replicas on this machine: a tour, a prompt, or on a terminal both. */
async function runCluster(hasTour: boolean, interceptors: ServerInterceptorName[], paint: Paint): Promise<void> {
  const { ReplicaProcesses } = await import('./processes.ts')
  const { connectLocally, giveTour } = await import('./tour.ts')
  // The replicas end with this process: see processes.ts.
  for (const [signal, code] of Object.entries(EXIT_CODES)) process.on(signal, () => process.exit(code))
  console.log('Starting five storage replicas, each in a process of its own…')
  const processes = await ReplicaProcesses.start({ nodeIDs: NODE_IDS, interceptors, onOutput: printLog })
  try {
    const configuration = await connectLocally(processes.addresses)
    // Servers that hold every request back for 50 ms can not take more.
    const mostPerSecond = interceptors.includes('delay') ? 10 : Infinity
    if (hasTour) {
      const callsPerSecond = Math.min(mostPerSecond, TOUR_CALLS_PER_SECOND)
      const isGood = await giveTour(processes, configuration, narrator(paint), callsPerSecond)
      process.exitCode = isGood ? 0 : 1
    }
    if (isTerminal() || !hasTour) {
      console.log('\nNow it is yours, while a small load goes on: help tells what can be said.')
      await runPrompt(configuration, processes, Math.min(mostPerSecond, PROMPT_CALLS_PER_SECOND), paint)
    }
    await configuration.close()
  } finally {
    await processes.close()
  }
}

const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const
const TOUR_CALLS_PER_SECOND = 400
const PROMPT_CALLS_PER_SECOND = 100

/** Shows what a replica has logged, but not for the load, which would drown everything else. */
function printLog(nodeID: string, line: string): void {
  if (!line.includes(`"${LOAD_PREFIX}`)) console.log(`${nodeID}: ${line}`)
}

async function runPromptOn(addresses: string, paint: Paint): Promise<void> {
  const configuration = await connect(readNodes(addresses))
  const { connected, size } = configuration.status
  console.log(`${connected.size} of ${size} servers are connected; help tells what can be said`)
  await runPrompt(configuration, undefined, 0, paint)
  await configuration.close()
}

/** The prompt; a script on standard input that fails somewhere ends with exit code 1. */
async function runPrompt(
  configuration: Configuration,
  processes: ReplicaProcesses | undefined,
  callsPerSecond: number,
  paint: Paint,
): Promise<void> {
  const { Load } = await import('./load.ts')
  const { runRepl } = await import('./repl.ts')
  const writerID = `${process.env.USER ?? 'me'}-${process.pid}`
  const load = callsPerSecond === 0 ? undefined : new Load(configuration, { callsPerSecond, writerID })
  load?.start()
  const failures = await runRepl(
    { configuration, processes, load, writerID, paint },
    { input: process.stdin, output: process.stdout, isTerminal: isTerminal() },
  )
  await load?.stop()
  if (!isTerminal() && failures > 0) process.exitCode = 1
}

function isTerminal(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true
}

function narrator(paint: Paint): Narrator {
  // A person who watches gets a moment at the head of each chapter.
  const pauseMs = process.stdout.isTTY === true ? 700 : 0
  let chapters = 0
  return {
    paint,
    chapter: async (title) => {
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
      console.log(`\n${paint.bold(`${++chapters}. ${title}`)}`)
    },
    say: (text) => console.log(`  ${text}`),
    code: (text) => console.log(paint.cyan(`    ${text}`)),
    show: (text) => console.log(`    ${text}`),
  }
}

function isList(nodes: NodeAddresses | undefined): nodes is readonly string[] {
  return Array.isArray(nodes)
}

/** Reads `host:port,…` or `id=host:port,…`. */
function readNodes(text: string): NodeAddresses {
  const parts = text.split(',').map((part) => part.trim())
  if (!parts.some((part) => part.includes('='))) return parts
  return Object.fromEntries(
    parts.map((part) => {
      const at = part.indexOf('=')
      if (at < 1) throw new RangeError(`"${part}" must look like id=host:port, as the others do`)
      return [part.slice(0, at), part.slice(at + 1)]
    }),
  )
}

await main()
