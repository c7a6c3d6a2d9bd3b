// An ssh server of this machine on loopback, with keys of its own, and the client configuration that reaches it.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { freePorts, hasTool } from './machines.ts'

const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find(existsSync)

/** Starts sshd; the path of a configuration with which ssh reaches it as `box`, or why it can not be. */
export async function startSshServer(t: TestContext, folder: string): Promise<{ config: string } | { skip: string }> {
  if (SSHD === undefined || !hasTool('ssh-keygen')) return { skip: 'there is no sshd here (openssh-server)' }
  const file = (name: string): string => path.join(folder, name)
  for (const name of ['host', 'user']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(name)])
  const [port] = await freePorts(1)
  writeFileSync(
    file('sshd_config'),
    `Port ${port}
ListenAddress 127.0.0.1
HostKey ${file('host')}
AuthorizedKeysFile ${file('user.pub')}
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
SetEnv PATH=${path.dirname(process.execPath)}:/usr/bin:/bin
`,
  )
  const check = spawnSync(SSHD, ['-t', '-f', file('sshd_config')], { encoding: 'utf8' })
  if (check.status !== 0) return { skip: `sshd can not run here: ${check.stderr.trim()}` }
  const sshd = spawn(SSHD, ['-D', '-e', '-f', file('sshd_config')], { stdio: ['ignore', 'ignore', 'pipe'] })
  t.after(() => end(sshd))
  await listens(sshd)
  writeFileSync(file('known_hosts'), `[127.0.0.1]:${port} ${readFileSync(file('host.pub'), 'utf8')}`)
  writeFileSync(
    file('ssh_config'),
    `Host box
  HostName 127.0.0.1
  Port ${port}
  User ${userInfo().username}
  IdentityFile ${file('user')}
  IdentitiesOnly yes
  UserKnownHostsFile ${file('known_hosts')}
`,
  )
  return { config: file('ssh_config') }
}

function listens(sshd: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = ''
    sshd.stderr!.on('data', (chunk: Buffer) => {
      text += chunk
      if (text.includes('Server listening')) resolve()
    })
    sshd.once('exit', () => reject(new Error(`sshd ended: ${text}`)))
  })
}

async function end(sshd: ChildProcess): Promise<void> {
  if (sshd.exitCode !== null) return
  const ended = once(sshd, 'exit')
  sshd.kill()
  await ended
}
