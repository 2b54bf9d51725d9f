/** Weighted priorities: everybody who waits gets its share less one step, and nobody earns by idling. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ThreadShares } from '../../src/pool/thread-shares.js'
import type { ThreadTurn } from '../../src/pool/thread-shares.js'
import { WaitingLine } from '../../src/pool/waiting-line.js'
import { PickTurns } from '../../src/queue/pick-turns.js'
import { PRIORITIES } from '../../src/tasks/task.js'
import type { TaskPriority } from '../../src/tasks/task.js'

type Each<T> = Readonly<Record<TaskPriority, T>>
const each = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<Each<T>> => fc.record({ high: arbitrary, medium: arbitrary, low: arbitrary })
const weights = each(fc.integer({ min: 1, max: 1000 }))
const share = (weight: Each<number>, one: TaskPriority): number => weight[one] / sum(weight)
/**
 * Where everybody begins level a priority is at most one step of its own behind its share. Where counting begins
 * anywhere it may just have been ahead by what it gets while the slowest of the others gets one step.
 */
const slack = (weight: Each<number>, step: Each<number>, one: TaskPriority): number =>
  // One step that began before what is measured, one that ends after it.
  2 * step[one] + weight[one] * Math.max(...PRIORITIES.map((other) => step[other] / weight[other])) + 1e-6
const sum = (values: Each<number>, of: readonly TaskPriority[] = PRIORITIES): number => of.reduce((total, one) => total + values[one], 0)

/** A pool in virtual time: the waiting line and the shares as the real pool uses them. */
class VirtualPool {
  readonly line = new WaitingLine<{ readonly priority: TaskPriority; readonly ms: number }>()
  readonly shares: ThreadShares
  readonly gotMs: Record<TaskPriority, number> = { high: 0, medium: 0, low: 0 }
  readonly steps: Record<TaskPriority, number> = { high: 0, medium: 0, low: 0 }
  readonly #threads: ({ readonly turn: ThreadTurn; readonly endsMs: number } | null)[]
  nowMs = 0

  constructor(weights: Each<number>, threads: number) {
    this.shares = new ThreadShares(weights)
    this.#threads = Array.from({ length: threads }, () => null)
  }

  add(priority: TaskPriority, ms: number): void {
    this.shares.arrived(priority, PRIORITIES.filter((one) => this.line.count(one) > 0), this.nowMs)
    this.line.add(priority, '', { priority, ms })
  }

  /** Ends the step that ends next, after starting whatever has a thread. `refill` keeps the line as it should be. */
  advance(refill: () => void): void {
    for (let slot = this.#threads.indexOf(null); slot >= 0; slot = this.#threads.indexOf(null)) {
      refill()
      const next = this.line.take(() => true, this.shares.order(this.nowMs))
      if (next === null) break
      this.#threads[slot] = { turn: this.shares.started(next.priority, this.nowMs), endsMs: this.nowMs + next.ms }
    }
    const running = this.#threads.filter((one) => one !== null)
    const first = running.toSorted((a, b) => a.endsMs - b.endsMs)[0]
    if (first === undefined) return
    this.nowMs = first.endsMs
    this.#threads[this.#threads.indexOf(first)] = null
    this.shares.ended(first.turn, this.nowMs)
    this.gotMs[first.turn.priority] += first.endsMs - first.turn.startedMs
    this.steps[first.turn.priority] += 1
  }

  keepWaiting(stepMs: Each<number>, of: readonly TaskPriority[] = PRIORITIES): void {
    for (const priority of of) while (this.line.count(priority) < 2) this.add(priority, stepMs[priority])
  }
}

describe('thread time', () => {
  test('a priority that always waits gets its share of the thread, less one step', () => {
    fc.assert(fc.property(each(fc.integer({ min: 1, max: 100 })), each(fc.integer({ min: 1, max: 50 })), fc.integer({ min: 50, max: 2000 }), (weight, stepMs, steps) => {
      const pool = new VirtualPool(weight, 1)
      // What a step costs is learned first: one that is expected to be long and has little weight waits for its first turn.
      for (let i = 0; i < 3000 || Math.min(...Object.values(pool.steps)) < 40; i += 1) pool.advance(() => pool.keepWaiting(stepMs))
      const before = { ...pool.gotMs }
      for (let i = 0; i < steps; i += 1) pool.advance(() => pool.keepWaiting(stepMs))
      const got = (one: TaskPriority): number => pool.gotMs[one] - before[one]
      const total = sum({ high: got('high'), medium: got('medium'), low: got('low') })
      for (const one of PRIORITIES) expect(got(one)).toBeGreaterThanOrEqual(share(weight, one) * total - slack(weight, stepMs, one))
    }), { numRuns: 200 })
  })

  test('with steps of any length on several threads, each gets its share but for a few steps', () => {
    fc.assert(fc.property(weights, fc.integer({ min: 1, max: 8 }), fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 20, maxLength: 200 }), (weight, threads, lengths) => {
      const pool = new VirtualPool(weight, threads)
      let next = 0
      const refill = (): void => {
        for (const priority of PRIORITIES) while (pool.line.count(priority) < 2) { pool.add(priority, lengths[next % lengths.length] ?? 1); next += 1 }
      }
      for (let i = 0; i < 3000; i += 1) pool.advance(refill)
      const total = sum(pool.gotMs)
      for (const one of PRIORITIES) expect(pool.gotMs[one]).toBeGreaterThanOrEqual(share(weight, one) * total - 100 * 2 * (threads + 1))
    }), { numRuns: 100 })
  })

  test('a flood of short HIGH steps leaves LOW its share of the time, not of the turns', () => {
    const pool = new VirtualPool({ high: 8, medium: 4, low: 1 }, 1)
    for (let i = 0; i < 20_000; i += 1) pool.advance(() => pool.keepWaiting({ high: 2, medium: 1, low: 50 }, ['high', 'low']))
    expect(pool.gotMs.low / sum(pool.gotMs)).toBeCloseTo(1 / 9, 2)
    expect(pool.steps.low).toBeLessThan(pool.steps.high / 100)
  })

  test('an idle priority earns nothing: back again it gets its share from then on, not what it missed', () => {
    fc.assert(fc.property(weights, fc.constantFrom(...PRIORITIES), fc.integer({ min: 10, max: 2000 }), (weight, idler, idleSteps) => {
      const others = PRIORITIES.filter((one) => one !== idler)
      const stepMs = { high: 10, medium: 10, low: 10 }
      const pool = new VirtualPool(weight, 1)
      for (let i = 0; i < 60; i += 1) pool.advance(() => pool.keepWaiting(stepMs))
      while (pool.line.count(idler) > 0) pool.advance(() => pool.keepWaiting(stepMs, others))
      for (let i = 0; i < idleSteps; i += 1) pool.advance(() => pool.keepWaiting(stepMs, others))
      const before = { ...pool.gotMs }
      for (let i = 0; i < 500; i += 1) pool.advance(() => pool.keepWaiting(stepMs))
      const total = sum(pool.gotMs) - sum(before)
      for (const one of PRIORITIES) expect(pool.gotMs[one] - before[one]).toBeGreaterThanOrEqual(share(weight, one) * total - slack(weight, stepMs, one))
    }), { numRuns: 200 })
  })

  test('one very long step does not starve its priority afterwards', () => {
    const stepMs = { high: 10, medium: 10, low: 10 }
    const pool = new VirtualPool({ high: 8, medium: 4, low: 1 }, 2)
    pool.add('low', 600_000)
    pool.add('low', 10)
    // The second thread is idle while the long step runs; then everybody comes, with LOW waiting too.
    pool.advance(() => undefined)
    pool.advance(() => undefined)
    expect([pool.nowMs, pool.steps.low]).toEqual([600_000, 2])
    for (let i = 0; i < 130; i += 1) pool.advance(() => pool.keepWaiting(stepMs))
    expect(pool.steps.low).toBeGreaterThanOrEqual(2 + 8)
    // HIGH comes while it runs: it is level with the time that LOW has had until then.
    const late = new VirtualPool({ high: 8, medium: 4, low: 1 }, 2)
    late.add('low', 60_000)
    while (late.nowMs < 59_000) late.advance(() => late.keepWaiting(stepMs, ['low']))
    // The last second of the long step is a second of LOW's, for which the others are owed twelve of theirs.
    for (let i = 0; i < 1300; i += 1) late.advance(() => late.keepWaiting(stepMs))
    const before = late.steps.low
    for (let i = 0; i < 1300; i += 1) late.advance(() => late.keepWaiting(stepMs))
    expect(late.steps.low - before).toBeGreaterThan(90)
  })
})

describe('picks', () => {
  /** What the script does, for streams of these depths. */
  function pick(turns: PickTurns, limits: Each<number>, depths: Record<TaskPriority, number>, total: number): { priority: TaskPriority }[] {
    const args = turns.args()
    const plan = { high: 0, medium: 0, low: 0 }
    for (let i = 0; i < total; i += 1) {
      const open = PRIORITIES.filter((one) => plan[one] < Math.min(limits[one], depths[one]))
      const after = (one: TaskPriority): number => (args[2 * PRIORITIES.indexOf(one) + 1] ?? 0) + (plan[one] + 1) / (args[2 * PRIORITIES.indexOf(one)] ?? 1)
      const [best] = open.toSorted((a, b) => after(a) - after(b))
      if (best !== undefined) plan[best] += 1
    }
    const taken = PRIORITIES.flatMap((priority) => Array.from({ length: plan[priority] }, () => ({ priority })))
    turns.settle(limits, { ...depths }, taken)
    for (const { priority } of taken) depths[priority] -= 1
    return taken
  }
  const all = { high: 100, medium: 100, low: 100 }

  test('full streams are taken by weight, whatever the size of the picks', () => {
    fc.assert(fc.property(weights, fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 20, maxLength: 300 }), (weight, sizes) => {
      const turns = new PickTurns(weight)
      const depths = { high: 10_000, medium: 10_000, low: 10_000 }
      const got = { high: 0, medium: 0, low: 0 }
      for (const size of sizes) for (const { priority } of pick(turns, all, depths, size)) got[priority] += 1
      for (const one of PRIORITIES) expect(got[one]).toBeGreaterThan(share(weight, one) * sum(got) - 1 - 1e-9)
    }), { numRuns: 300 })
  })

  test('a stream that was empty earned nothing', () => {
    fc.assert(fc.property(weights, fc.constantFrom(...PRIORITIES), fc.integer({ min: 1, max: 500 }), (weight, idler, picks) => {
      const turns = new PickTurns(weight)
      const depths = { high: 10_000, medium: 10_000, low: 10_000, [idler]: 0 }
      for (let i = 0; i < picks; i += 1) pick(turns, all, depths, 1)
      depths[idler] = 10_000
      const got = { high: 0, medium: 0, low: 0 }
      for (let i = 0; i < 200; i += 1) for (const { priority } of pick(turns, all, depths, 1)) got[priority] += 1
      for (const one of PRIORITIES) expect(got[one]).toBeGreaterThanOrEqual(share(weight, one) * 200 - slack(weight, { high: 1, medium: 1, low: 1 }, one))
    }), { numRuns: 300 })
  })
})
