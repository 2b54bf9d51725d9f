/**
 * `npm run soak -- --minutes N [--seed S]`: two producers, three workers, and something breaks every two seconds.
 *
 * At the end everything is let go on, and the invariants are checked. The last line is the summary; the exit code is
 * 1 when an accepted task was lost, ended twice, or did not end.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock } from '../../src/base/clock.js'
import { packageRoot } from '../../src/base/package-root.js'
import { seededRandom } from '../../src/base/random.js'
import { TaskType } from '../../src/tasks/task.js'
import type { ChildOrder, Work } from '../faults/child.js'
import { settleAndCheck } from '../faults/invariants.js'
import { openOwnServers } from '../faults/own-servers.js'
import { Children } from '../faults/processes.js'
import type { Child } from '../faults/processes.js'
import { openScene } from '../faults/scene.js'

const FAULT_EVERY_MS = 2000
/** After the faults: without any task that ends. */
const IDLE_MS = 180_000

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' }, seed: { type: 'string' } } })
const minutes = Number(values.minutes)
const seed = values.seed === undefined ? process.pid : Number(values.seed)
if (!(minutes > 0) || !Number.isInteger(seed)) {
  console.error('soak: --minutes takes a number above 0, --seed a whole number')
  process.exit(2)
}
const random = seededRandom(seed)
console.log(`soak for ${minutes} min, seed ${seed}`)

const file = join(packageRoot, 'samples', 'sp500-daily.csv')
const works: readonly Work[] = [
  { taskType: 'noop', data: {} },
  { taskType: 'spin', data: { spin_ms: 50 } },
  { taskType: TaskType.BACKTEST, data: { file, strategy: { name: 'sma-cross', params: { fast: 10, slow: 20 } } } },
  { taskType: 'failing', data: {} },
  { taskType: 'noop', data: {} },
  { taskType: TaskType.OPTIMIZATION, data: { file, strategy: { name: 'sma-cross' }, constraint: 'fast < slow', top: 3, space: { fast: { min: 2, max: 20, step: 1 }, slow: { min: 3, max: 60, step: 1 } } } },
]
const orders: Readonly<Record<'worker' | 'producer', ChildOrder>> = {
  worker: { role: 'worker' }, producer: { role: 'producer', produce: { tasks: 1_000_000, works, pauseMs: 20 } },
}

const servers = await openOwnServers()
const scene = await openScene(servers, 'soak')
const children = new Children()
const start = (kind: keyof typeof orders): Child => children.start(orders[kind], scene.environment)
const running: Record<keyof typeof orders, Child[]> = { worker: [1, 2, 3].map(() => start('worker')), producer: [1, 2].map(() => start('producer')) }

/** By itself: a server was away when it started. */
function hasEnded({ process: child }: Child): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

function killOne(kind: keyof typeof orders): string {
  const at = random.int(running[kind].length)
  running[kind][at]?.process.kill('SIGKILL')
  running[kind][at] = start(kind)
  return `SIGKILL of a ${kind}`
}

function stopOne(): string {
  const child = running.worker[random.int(running.worker.length)]
  const ms = 500 + random.int(4000)
  child?.process.kill('SIGSTOP')
  systemClock.after(ms, () => { child?.process.kill('SIGCONT') })
  return `SIGSTOP of a worker for ${ms} ms`
}

const faults: readonly (() => string | Promise<string>)[] = [
  () => killOne('worker'), () => killOne('worker'), () => killOne('producer'), stopOne, stopOne,
  () => servers.kill('redis', random.int(2) === 0 ? 'SIGTERM' : 'SIGKILL').then(() => 'restart of Redis'),
  () => servers.redis.flushall().then(() => 'FLUSHALL'),
  () => servers.kill('postgres', random.int(2) === 0 ? 'SIGINT' : 'SIGKILL').then(() => 'restart of Postgres'),
]

const untilMs = systemClock.monotonicMs() + minutes * 60_000
const struck = new Map<string, number>()
while (systemClock.monotonicMs() < untilMs) {
  await systemClock.sleep(FAULT_EVERY_MS)
  for (const kind of ['worker', 'producer'] as const) running[kind] = running[kind].map((child) => (hasEnded(child) ? start(kind) : child))
  const what = await faults[random.int(faults.length)]?.() ?? ''
  const kind = what.replace(/ for \d+ ms$/, '')
  struck.set(kind, (struck.get(kind) ?? 0) + 1)
  await servers.back()
}

for (const { process: child } of running.producer) child.kill('SIGKILL')
for (const { process: child } of running.worker) child.kill('SIGCONT')
if (running.worker.every(hasEnded)) start('worker')
const accepted = children.all.flatMap((child) => child.accepted())
const fenced = children.all.flatMap((child) => child.messages.filter((message) => message.kind === 'fenced')).length
let failure: string | null = null
try {
  const tally = await settleAndCheck(scene, accepted, IDLE_MS)
  for (const [what, times] of [...struck].toSorted(([a], [b]) => a.localeCompare(b))) console.log(`  ${what}: ${times}`)
  console.log(`accepted ${tally.accepted}, completed ${tally.completed}, failed ${tally.failed}, dead-lettered ${tally.deadLettered}, lost 0, committed twice 0, `
    + `attempts ${tally.attempts}, reclaims ${tally.reclaims}, fenced writes ${fenced}`)
} catch (error) {
  failure = error instanceof Error ? error.message : String(error)
}
await children.killAll()
await servers.close()
if (failure !== null) {
  console.log(`FAILED (seed ${seed}): ${failure}`)
  process.exit(1)
}
