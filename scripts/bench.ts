// npm run bench: builds the package and the benchmark, installs what the benchmark compares with when that has not been
// done (a short run, --ci, compares with nothing of that), and runs bench/command.ts. Measured is the compiled package,
// imported by its own name, as its users import it.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const peers = path.join(root, 'bench/peers')
const tsc = path.join(root, 'node_modules/typescript/bin/tsc')

for (const project of ['tsconfig.build.json', 'tsconfig.bench.json']) must(process.execPath, [tsc, '-p', project], root)
if (!process.argv.includes('--ci') && !existsSync(path.join(peers, 'node_modules'))) {
  console.log('installing what the benchmark compares with (bench/peers), once')
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: peers,
    stdio: 'inherit',
  })
  if (status !== 0) console.error('bench: npm ci in bench/peers failed: what it would have installed is not measured')
}

const command = spawn(process.execPath, [path.join(root, 'build/bench/command.js'), ...process.argv.slice(2)], {
  stdio: 'inherit',
})
// Ctrl-C reaches the command by itself; what only this process is sent is passed on.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => command.kill('SIGTERM'))
command.on('exit', (code) => {
  process.exitCode = code ?? 1
})

function must(file: string, args: readonly string[], cwd: string): void {
  const { status } = spawnSync(file, args, { cwd, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
