/** The executable itself, in a process of its own: what only a process can show. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packageRoot } from '../../../src/base/package-root.js'

const main = join(packageRoot, 'dist', 'src', 'cli', 'main.js')

// `npm test` builds first; a bare `vitest` in a fresh clone has nothing to run.
describe.skipIf(!existsSync(main))('the executable (skipped unless built)', () => {
  let folder: string
  beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'sweepmill-main-')) })
  afterAll(() => { rmSync(folder, { recursive: true }) })

  const PATH = process.env['PATH'] ?? ''
  const sweepmill = (args: readonly string[], env: Record<string, string> = {}) =>
    spawnSync(process.execPath, [main, ...args], { cwd: folder, env: { PATH, ...env }, encoding: 'utf8', timeout: 60_000 })

  test('runs from any folder, and says its version', () => {
    const ran = sweepmill(['--version'])
    expect([ran.status, ran.stdout]).toEqual([0, '0.1.0\n'])
  })

  test.each([
    [['backtest', '--data', 'none.csv', '--json'], {}, 'FILE_NOT_FOUND'],
    [['bactest', '--json'], {}, 'USAGE'],
    [['config', '--json'], { WORKER_THREADS: 'many' }, 'CONFIG_INVALID'],
    [['config', '--json'], { SWEEPMILL_TURBO: '1' }, 'CONFIG_UNKNOWN'],
  ] as const)('%j %j is exit 2 with %s, and leaves nothing behind', (args, env, code) => {
    const ran = sweepmill(args, env)
    expect([ran.status, ran.stderr]).toEqual([2, ''])
    expect(JSON.parse(ran.stdout)).toMatchObject({ error: { code } })
    expect(readdirSync(folder)).toEqual([])
  })

  test('a port in use is exit 2 before a service starts', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => { taken.once('listening', resolve) })
    const { port } = taken.address() as AddressInfo
    const ran = sweepmill(['worker'], { HTTP_PORT: String(port) })
    taken.close()
    expect(ran.status).toBe(2)
    expect(ran.stderr).toMatch(new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is taken .*HTTP_PORT.*\\[PORT_IN_USE\\]`))
    expect(readdirSync(folder)).toEqual([])
  })

  test('a reader that goes away is no failure', async () => {
    const child = spawn(process.execPath, [main, 'sweep', '--help'], { cwd: folder, env: { PATH }, stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.destroy()
    let stderr = ''
    child.stderr.on('data', (text) => { stderr += String(text) })
    const status = await new Promise((resolve) => { child.once('close', resolve) })
    expect([status, stderr]).toEqual([0, ''])
  })
})
