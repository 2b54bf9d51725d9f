/** The first command of a newcomer, as a process of its own: all that it names is real, and the report lies where it says. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../../src/base/package-root.js'
import { openTestBed } from '../harness.js'

test('the demo runs one backtest and one sweep, and writes its report', async () => {
  const bed = await openTestBed()
  const folder = mkdtempSync(join(tmpdir(), 'sweepmill-demo-'))
  try {
    const child = spawn(process.execPath, [join(packageRoot, 'dist', 'src', 'cli', 'main.js'), 'demo', '--json'], {
      cwd: folder, env: { PATH: process.env['PATH'], HOME: folder, ...bed.environment }, stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [printed, told] = [child.stdout, child.stderr].map((stream) => {
      const text = { whole: '' }
      stream.on('data', (bytes: Buffer) => { text.whole += bytes.toString() })
      return text
    })
    const [code] = await once(child, 'close') as [number | null]
    expect({ code, told: code === 0 ? '' : told?.whole }).toEqual({ code: 0, told: '' })
    const demo = JSON.parse(printed?.whole ?? '') as Record<string, unknown>
    expect(demo).toMatchObject({ backtest: { status: 'completed' }, sweep: { status: 'completed', trials: 103_281 }, report: join(folder, 'sweepmill-demo.html') })
    expect(readFileSync(join(folder, 'sweepmill-demo.html'), 'utf8')).toContain((demo['sweep'] as { result_hash: string }).result_hash)
  } finally {
    rmSync(folder, { recursive: true, force: true })
    await bed.close()
  }
})
