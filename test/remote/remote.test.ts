// The scripts that run the benchmark on several machines, each where its tool is: over ssh, with Ansible, in network
// namespaces. The machines are this one. Whatever becomes of a run, no process, namespace or folder is left.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import path from 'node:path'
import { before, test } from 'node:test'
import { ENDLESS, freePorts, hasTool, processesIn, root, runScript, SHORT, temporaryFolder } from './machines.ts'
import { startSshServer } from './ssh-server.ts'

const IS_RUNNING = /\[1\/1\]/
const bundle = path.join(root, 'build/gorums-bench.tgz')

before(async () => {
  const { status, output } = await runScript(root, 'remote/bundle', [])
  assert.equal(status, 0, output)
})

/** How many sections the results have that a run has brought to a folder. */
function sectionsIn(folder: string): number {
  return JSON.parse(readFileSync(path.join(folder, 'bench-results/bench.json'), 'utf8')).sections.length
}

async function takePort(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

test('over ssh: a run brings its results; interrupted and failed ones leave no process either', async (t) => {
  const folder = temporaryFolder(t)
  const server = await startSshServer(t, folder)
  if ('skip' in server) return t.skip(server.skip)
  const there = path.join(folder, 'there')
  const [one, two] = (await freePorts(2)) as [number, number]
  const servers = [one, two].map((port) => `box=127.0.0.1:${port}`)
  const hosts = ['--folder', there, '--config', server.config, '--bundle', bundle, 'box', ...servers, '--']

  const run = await runScript(folder, 'remote/ssh', [...hosts, ...SHORT])
  assert.equal(run.status, 0, run.output)
  assert.equal(sectionsIn(folder), 1)
  assert.deepEqual(processesIn(there), [])

  const interrupted = await runScript(folder, 'remote/ssh', [...hosts, ...ENDLESS], IS_RUNNING)
  assert.equal(interrupted.status, 130, interrupted.output)
  assert.deepEqual(processesIn(there), [])

  const taken = await takePort(two)
  const failed = await runScript(folder, 'remote/ssh', [...hosts, ...SHORT])
  taken.close()
  assert.equal(failed.status, 1, failed.output)
  assert.match(failed.output, /EADDRINUSE/)
  assert.ok(failed.output.includes(`box, 127.0.0.1:${two}: the agent could not be started`), failed.output)
  assert.deepEqual(processesIn(there), [])
})

test('with Ansible: deployed, run, and ended; a node that can not serve is named with its address and the cause', async (t) => {
  if (!hasTool('ansible-playbook')) return t.skip('there is no ansible-playbook here (ansible-core)')
  const folder = temporaryFolder(t)
  const inventory = path.join(folder, 'hosts')
  const [one, two] = (await freePorts(2)) as [number, number]
  writeFileSync(
    inventory,
    `[client]
c1
[servers]
s1 bench_port=${one}
s2 bench_port=${two}
[all:vars]
ansible_connection=local
ansible_python_interpreter=auto_silent
bench_address=127.0.0.1
bench_folder=${folder}/{{ inventory_hostname }}
`,
  )
  const deploy = path.join(root, 'scripts/ansible/deploy.yml')
  const deployed = spawnSync('ansible-playbook', ['-i', inventory, deploy], { encoding: 'utf8' })
  assert.equal(deployed.status, 0, deployed.stdout + deployed.stderr)

  const run = await runScript(folder, 'ansible/benchmark.sh', [inventory, ...SHORT])
  assert.equal(run.status, 0, run.output)
  assert.match(run.output, /QuorumCall: 2 nodes/)
  assert.equal(sectionsIn(folder), 1)
  assert.deepEqual(processesIn(folder), [])

  const interrupted = await runScript(
    folder,
    'ansible/benchmark.sh',
    [inventory, ...ENDLESS],
    /TASK \[Run the client\]/,
  )
  assert.equal(interrupted.status, 130, interrupted.output)
  assert.deepEqual(processesIn(folder), [])

  const taken = await takePort(two)
  const failed = await runScript(folder, 'ansible/benchmark.sh', [inventory, ...SHORT])
  taken.close()
  assert.notEqual(failed.status, 0, failed.output)
  assert.match(failed.output.replaceAll(/\s+/g, ' '), new RegExp(`node s2, address 127.0.0.1:${two}: .*EADDRINUSE`))
  assert.deepEqual(processesIn(folder), [])
})

test('in network namespaces: the benchmark runs across them, and nothing is left, also when interrupted', async (t) => {
  const folder = temporaryFolder(t)
  const refusal = whyNoNamespaces()
  if (refusal !== undefined) return t.skip(refusal)
  const before = readNamespaces()
  const hosts = ['--servers', '2', '--bundle', bundle, '--']

  const run = await runScript(folder, 'netns-cluster', ['--delay', '1ms', ...hosts, ...SHORT])
  assert.equal(run.status, 0, run.output)
  assert.match(run.output, /servers at 10\.77\.0\.11:13371,10\.77\.0\.12:13371/)
  assert.equal(sectionsIn(folder), 1)
  assert.deepEqual(readNamespaces(), before)
  const skipped = run.output.split('\n').find((line) => line.includes('skipped'))
  if (skipped !== undefined) t.diagnostic(skipped)

  const interrupted = await runScript(folder, 'netns-cluster', [...hosts, ...ENDLESS], IS_RUNNING)
  assert.equal(interrupted.status, 130, interrupted.output)
  assert.deepEqual(readNamespaces(), before)

  const failed = await runScript(folder, 'netns-cluster', [...hosts, '--quorum-size', '3'])
  assert.equal(failed.status, 1, failed.output)
  assert.match(failed.output, /there are 2 nodes/)
  assert.match(failed.output, /client, 10\.77\.0\.1: the benchmark failed with exit code 2/)
  assert.deepEqual(readNamespaces(), before)
})

const NAMESPACES = '/run/netns'

/** The names of the namespaces of this machine that the script has made. */
function readNamespaces(): string[] {
  return existsSync(NAMESPACES) ? readdirSync(NAMESPACES).filter((name) => name.startsWith('gorums-')) : []
}

/** Why no namespace can be made here; undefined when one can. */
function whyNoNamespaces(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  if (!hasTool('ip') || !hasTool('tc')) return 'there is no ip or tc here (iproute2)'
  const name = `gorums-probe-${process.pid}`
  const made = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' })
  if (made.status !== 0) return `namespaces can not be made here: ${made.stderr.trim()}`
  spawnSync('ip', ['netns', 'del', name])
  return undefined
}
