/**
 * `npm run test:faults [-- --only NAME] [--seed S] [--runs N]`: the fault tests with a seed of their own.
 *
 * NAME is part of a file's name under test/faults, or `mutations`: every promise broken on purpose in a copy, where a
 * test must then fail. The last line is the summary; the exit code is 1 when anything was not as it must be.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../../src/base/package-root.js'
import { TABLE_ROW } from './kill-table.js'
import { MUTATIONS } from './mutations.js'
import type { Mutation } from './mutations.js'

const { values } = parseArgs({ options: { only: { type: 'string' }, seed: { type: 'string' }, runs: { type: 'string', default: '1000' } } })
const seed = values.seed ?? String(process.pid)

interface Run {
  readonly ok: boolean
  readonly output: string
}

function vitest(root: string, filter: string, environment: Readonly<Record<string, string>>, named?: string): Run {
  const args = [join(packageRoot, 'node_modules', 'vitest', 'vitest.mjs'), 'run', filter, ...(named === undefined ? [] : ['-t', named])]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', env: { ...process.env, ...environment }, maxBuffer: 64 * 1024 * 1024 })
  return { ok: status === 0, output: `${stdout}${stderr}` }
}

/** True when the mutated copy fails its tests. */
function isCaught(copy: string, mutation: Mutation): boolean {
  const path = join(copy, mutation.file)
  const text = readFileSync(path, 'utf8')
  if (text.split(mutation.from).length !== 2) throw new Error(`the mutation "${mutation.what}" does not fit ${mutation.file} exactly once`)
  try {
    writeFileSync(path, text.replace(mutation.from, () => mutation.to))
    // Processes of the tests run what was built. A mutation may leave something unused behind; it is built all the same.
    spawnSync(process.execPath, [join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json', '--noUnusedLocals', 'false', '--noUnusedParameters', 'false'], { cwd: copy })
    spawnSync(process.execPath, ['dist/workers/realm/bundle.js'], { cwd: copy })
    return !vitest(copy, mutation.test, { SIM_RUNS: '400', FAULT_SEED: seed }, mutation.named).ok
  } finally {
    writeFileSync(path, text)
  }
}

function runMutations(): boolean {
  const copy = mkdtempSync(join(tmpdir(), 'sweepmill-mutations-'))
  try {
    for (const name of ['src', 'workers', 'test', 'bench', 'samples', 'package.json', 'tsconfig.json', 'vitest.config.mjs']) cpSync(join(packageRoot, name), join(copy, name), { recursive: true })
    symlinkSync(join(packageRoot, 'node_modules'), join(copy, 'node_modules'))
    let missed = 0
    for (const mutation of MUTATIONS) {
      const caught = isCaught(copy, mutation)
      if (!caught) missed += 1
      console.log(`  ${mutation.promise}  ${caught ? 'caught' : 'MISSED'}  ${mutation.what} (${mutation.test})`)
    }
    console.log(`${MUTATIONS.length} mutations, ${MUTATIONS.length - missed} caught, ${missed} missed`)
    return missed === 0
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

function runTests(only: string | undefined): boolean {
  const { ok, output } = vitest(packageRoot, `test/faults/${only ?? ''}`, { FAULT_SEED: seed, SIM_RUNS: values.runs, FAULT_SPIN_SECONDS: '60', FAULT_STARTS: '100' })
  const counts = /^.*Tests\s+(.*)$/m.exec(output)?.[1] ?? 'no test ran'
  if (!ok) console.log(output)
  else for (const line of output.split('\n')) if (line.startsWith(TABLE_ROW)) console.log(line)
  console.log(`seed ${seed}: ${counts.trim()}`)
  return ok
}

const ok = values.only === 'mutations' ? runMutations() : runTests(values.only)
process.exit(ok ? 0 : 1)
