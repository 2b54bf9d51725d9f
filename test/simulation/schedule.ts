/** Random schedules: what may happen to a queue and its workers, in any order. fast-check shrinks one that fails. */
import fc from 'fast-check'
import { PRIORITIES } from '../../src/tasks/task.js'
import type { TaskPriority } from '../../src/tasks/task.js'
import type { Waypoint } from '../../src/tasks/waypoint.js'
import type { Ending, SimWorker } from './sim-worker.js'
import type { World } from './world.js'

export type Op =
  | { readonly op: 'enqueue'; readonly by: number; readonly priority: TaskPriority; readonly delayMs: number; readonly retries: number; readonly crashAt: Waypoint | null }
  | { readonly op: 'pick'; readonly by: number; readonly count: number; readonly crashAt: Waypoint | null; readonly loseReply: boolean }
  | { readonly op: 'finish'; readonly by: number; readonly n: number; readonly ending: Ending; readonly crashAt: Waypoint | null; readonly loseReply: boolean }
  | { readonly op: 'checkpoint'; readonly by: number; readonly n: number }
  | { readonly op: 'recover' | 'crash' | 'leave' | 'pause' | 'resume' | 'outlive'; readonly by: number }
  | { readonly op: 'start' | 'flush' | 'snapshot' | 'roll_back' | 'drop_groups' }
  | { readonly op: 'advance' | 'step_clock'; readonly ms: number }
  | { readonly op: 'cancel' | 'redrive'; readonly n: number }

const by = fc.nat(3)
const n = fc.nat(5)
/** Most acts go well. */
const crashAt = (...points: Waypoint[]): fc.Arbitrary<Waypoint | null> =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.constantFrom(...points) })

const seldom = fc.nat(7).map((roll) => roll === 7)

const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ op: fc.constant('enqueue' as const), by, priority: fc.constantFrom(...PRIORITIES), delayMs: fc.constantFrom(0, 0, 0, 1500), retries: fc.nat(2), crashAt: crashAt('row_committed', 'published') }) },
  { weight: 6, arbitrary: fc.record({ op: fc.constant('pick' as const), by, count: fc.integer({ min: 1, max: 4 }), crashAt: crashAt('picked', 'opened'), loseReply: seldom }) },
  { weight: 6, arbitrary: fc.record({ op: fc.constant('finish' as const), by, n, ending: fc.constantFrom<Ending>('complete', 'complete', 'complete', 'transient', 'permanent', 'release'), crashAt: crashAt('before_commit', 'committed'), loseReply: seldom }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('checkpoint' as const), by, n }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('recover' as const), by }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('advance' as const), ms: fc.constantFrom(300, 1000, 2500) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constantFrom('crash' as const, 'leave' as const, 'pause' as const, 'pause' as const), by }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constantFrom('resume' as const, 'outlive' as const, 'outlive' as const), by }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('start' as const) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom('flush' as const, 'snapshot' as const, 'roll_back' as const, 'drop_groups' as const) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('step_clock' as const), ms: fc.constantFrom(-3_600_000, -2000, 2000, 3_600_000) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom('cancel' as const, 'redrive' as const), n }) },
)

export const schedules = fc.array(op, { minLength: 5, maxLength: 40 })

const MAX_LIVING = 4

export async function run(world: World, schedule: string, ops: readonly Op[]): Promise<void> {
  // Two from the start: what one of them leaves behind is the other's to find.
  for (let i = 0; i < 2; i += 1) await world.startWorker()
  for (const one of ops) await apply(world, schedule, one)
  await world.heal()
  await world.check()
}

async function apply(world: World, schedule: string, one: Op): Promise<void> {
  const acting = async (act: (worker: SimWorker) => unknown): Promise<void> => {
    const worker = 'by' in one ? world.acting(one.by) : null
    if (worker !== null) await act(worker)
  }
  switch (one.op) {
    case 'enqueue': return acting((worker) => world.act(worker, one.crashAt, () => worker.enqueue(one.priority, schedule, one.delayMs, one.retries)))
    case 'pick': return acting((worker) => world.pick(worker, one.count, one.crashAt, one.loseReply))
    case 'finish': return acting((worker) => world.finish(worker, one.n, one.ending, one.crashAt, one.loseReply))
    case 'checkpoint': return acting((worker) => world.checkpoint(worker, one.n))
    case 'recover': return acting((worker) => worker.recover())
    case 'crash': return acting((worker) => world.crash(worker))
    case 'leave': return acting((worker) => world.leave(worker))
    case 'pause': return acting((worker) => world.pause(worker))
    case 'outlive': return acting((worker) => world.outlive(worker))
    case 'resume': return world.resume(one.by)
    case 'start': return world.startUpTo(MAX_LIVING)
    case 'flush': return world.flush()
    case 'snapshot': return world.snapshot()
    case 'roll_back': return world.rollBack()
    case 'drop_groups': return world.dropGroups()
    case 'advance': return world.advance(one.ms)
    case 'step_clock': return world.stepRedisClock(one.ms)
    case 'cancel': return world.cancel(one.n)
    case 'redrive': return world.redrive(one.n)
  }
}
