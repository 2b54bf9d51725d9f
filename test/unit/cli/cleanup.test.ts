import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.js'
import { runProgram } from '../../../src/cli/program.js'
import { FakeWorkbench } from './fake-workbench.js'

let bench: FakeWorkbench
beforeEach(() => { bench = new FakeWorkbench() })

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const told = { stdout: '', stderr: '' }
  const code = await runProgram(args, {
    env: {}, clock: systemClock, version: '0.0.0-test', openWorkbench: bench.open,
    stdout: { write: (text) => { told.stdout += text } }, stderr: { write: (text) => { told.stderr += text } },
  })
  return { code, ...told }
}

const RULES = [{ rule: 'dead_letters', rows: 0, bytes: 0 }, { rule: 'tasks', rows: 1200, bytes: 3_400_000 }]
const result = (dryRun: boolean): object => ({ dry_run: dryRun, rules: RULES, rows: 1200, bytes: 3_400_000 })

test('flags become the spec, over a file\'s', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sweepmill-cli-'))
  try {
    const spec = join(folder, 'spec.json')
    writeFileSync(spec, '{"tasks_days": 3, "bars_days": 4}')
    await run('cleanup')
    await run('cleanup', '--spec', spec, '--tasks-days', '0.5', '--events-days', 'never', '--dry-run', '--dead-letters-days', '0', '--checkpoints-days', '1', '--chunks-days', '2', '--priority', 'high')
    await run('schedules', 'add', 'cleanup', '--name', 'nightly', '--cron', '0 3 * * *', '--bars-days', '9')
  } finally {
    rmSync(folder, { recursive: true })
  }
  expect(bench.checked.map(({ taskType, data, priority }) => [taskType, data, priority])).toEqual([
    ['cleanup', {}, undefined],
    ['cleanup', { tasks_days: 0.5, bars_days: 4, events_days: null, dry_run: true, dead_letters_days: 0, checkpoints_days: 1, chunks_days: 2 }, 'high'],
    ['cleanup', { bars_days: 9 }, undefined],
  ])
  expect(bench.backend.named.get('nightly')).toMatchObject({ task_type: 'cleanup', data: { bars_days: 9 } })
})

test('what went as a table, or flat JSON; a dry run says that it was one', async () => {
  bench.outcome = { status: 'completed', processing_time_ms: 12, result: result(true) }
  const told = await run('cleanup', '--dry-run')
  expect(told.stdout).toMatch(/rule +rows +bytes\n[^]*dead letters +0 +0\n +tasks +1,200 +3,400,000\n +all +1,200 +3,400,000\nNothing was removed/)
  bench.outcome = { ...bench.outcome, result: result(false) }
  expect((await run('cleanup')).stdout).not.toContain('Nothing was removed')
  expect(JSON.parse((await run('cleanup', '--json')).stdout)).toEqual({ task_id: expect.any(String) as string, status: 'completed', ...result(false), processing_time_ms: 12 })
  expect((await run('tasks', 'show', '01900000-0000-7000-8000-000000000001')).stdout).toMatch(/tasks +1,200 +3,400,000/)
})

test.each([[['--tasks-days', 'soon'], /"never"/], [['--task-days', '3'], /--tasks-days/], [['--spec', 'none.json'], /none\.json/], [['extra'], /Too many arguments/]])('%j is bad input', async (args, why) => {
  expect(await run('cleanup', ...args)).toMatchObject({ code: 2, stderr: expect.stringMatching(why) as string })
  expect(bench.calls).toEqual([])
})
