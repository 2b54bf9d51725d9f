/** Properties of sweeps: a row is the backtest's numbers bit for bit, however the grid is cut into ranges. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SweepMetricName, SweepSpec, TrialRows } from '../../src/engine/index.js'
import {
  builtinStrategy, decodeTrialRows, encodeTrialRows, evaluateTrial, parseBacktestSpec, parseSweepSpec, planSweep, runBacktest, runSweep,
  SWEEP_METRICS, SweepRanker, TrialRunner,
} from '../../src/engine/index.js'
import type { BarColumns } from '../../src/market/layout.js'
import { executionArbitrary, toBars } from './engine-arbitraries.js'

const pulse = { beat: () => false }
const strategy = builtinStrategy('sma-cross')

/** A wandering price whose crosses are many; the steps repeat so that ties happen. */
const longBars = fc.array(fc.tuple(fc.integer({ min: -4, max: 4 }), fc.constantFrom(0, 0.01, 0.04)), { minLength: 40, maxLength: 160, size: 'max' }).map((steps) => {
  let last = 100
  return toBars(steps.map(([step, wick]) => {
    const open = last
    last = Math.max(5, last + step / 2)
    return [open, wick, wick, last] as const
  }))
})

const sweepArbitrary = fc.record({
  bars: longBars,
  execution: executionArbitrary,
  objective: fc.constantFrom(...SWEEP_METRICS as readonly SweepMetricName[]),
  direction: fc.constantFrom('maximize' as const, 'minimize' as const),
  top: fc.integer({ min: 1, max: 12 }),
  constraint: fc.constantFrom(undefined, 'slow - fast > 2', 'fast % 2 == 0 or slow > 7'),
}).map(({ bars, execution, ...rest }): { bars: BarColumns; spec: SweepSpec } => ({
  bars,
  spec: {
    ...parseSweepSpec({
      strategy: { name: 'sma-cross' }, space: { slow: { min: 3, max: 11, step: 2 }, fast: { choices: [2, 5, 3, 4] } },
      objective: rest.objective, direction: rest.direction, top: rest.top, ...(rest.constraint === undefined ? {} : { constraint: rest.constraint }),
    }, { barsGiven: true }),
    execution,
  },
}))

/** The rows of the whole grid, computed in ranges that end at these shares of it. */
function inRanges(bars: BarColumns, spec: SweepSpec, cuts: readonly number[], cacheBytes?: number): TrialRows[] {
  const plan = planSweep(spec, strategy)
  const runner = new TrialRunner(bars, strategy, plan, spec, { cacheBytes })
  const bounds = [...new Set([0, ...cuts.map((cut) => cut % plan.fullSize).sort((a, b) => a - b), plan.fullSize])]
  return bounds.slice(1).map((to, k) => {
    const rows = runner.run(bounds[k] ?? 0, to, pulse)
    if (rows === 'stopped') throw new Error('nobody stopped it')
    return rows
  })
}

const bytesOf = (chunks: readonly TrialRows[]): string => Buffer.concat(chunks.map((rows) => encodeTrialRows(rows).subarray(8))).toString('hex')

describe('sweeps', () => {
  test('rows and ranking do not depend on how the grid is cut, nor on the memory of the column cache', () => {
    fc.assert(fc.property(sweepArbitrary, fc.array(fc.nat(), { maxLength: 6 }), ({ bars, spec }, cuts) => {
      const whole = inRanges(bars, spec, [])
      const pieces = inRanges(bars, spec, cuts, 4096)
      expect(bytesOf(pieces)).toBe(bytesOf(whole))
      const rank = (chunks: readonly TrialRows[]) => {
        const ranker = new SweepRanker(planSweep(spec, strategy), spec)
        for (const rows of chunks) ranker.add(decodeTrialRows(encodeTrialRows(rows)))
        return ranker.finish()
      }
      expect(rank(pieces)).toEqual(rank(whole))
    }), { numRuns: 150 })
  })

  test('a trial\'s metrics are those of a backtest of the same parameters, bit for bit', () => {
    fc.assert(fc.property(sweepArbitrary, fc.option(fc.constantFrom(0.2, 0.5), { nil: undefined }), ({ bars, spec }, holdout) => {
      const held: SweepSpec = holdout === undefined ? spec : { ...spec, holdout }
      const plan = planSweep(held, strategy)
      for (const { width, count, rows } of inRanges(bars, held, [])) {
        for (let k = 0; k < count; k++) {
          const row = rows.subarray(k * width, (k + 1) * width)
          const params = plan.paramsAt(row[0] ?? NaN)
          if (params === null) throw new Error('an excluded index has a row')
          expect(row[1]).toBe(params.slow)
          expect(row[2]).toBe(params.fast)
          const split = evaluateTrial(bars, strategy, held, params)
          const single = runBacktest(bars, strategy, { ...held, strategy: { name: 'sma-cross', params } }, {}, { from: 0, to: split.split })
          SWEEP_METRICS.forEach((name, m) => {
            const value = row[3 + m] ?? NaN
            expect([name, single.summary[name]]).toEqual([name, Number.isNaN(value) ? null : value])
            expect([name, split.inSample[name]]).toEqual([name, Number.isNaN(value) ? null : value])
          })
          expect(split.heldOut === null).toBe(holdout === undefined)
        }
      }
    }), { numRuns: 40 })
  })

  test('the top is the sorted list of all trials, cut', () => {
    fc.assert(fc.property(sweepArbitrary, ({ bars, spec }) => {
      const all: { trial: number; objective: number }[] = []
      const column = 3 + SWEEP_METRICS.indexOf(spec.objective)
      const result = runSweep(bars, spec, {
        onRows: ({ width, count, rows }) => {
          for (let k = 0; k < count; k++) all.push({ trial: rows[k * width] ?? NaN, objective: rows[k * width + column] ?? NaN })
        },
      })
      const sign = spec.direction === 'maximize' ? 1 : -1
      const ranked = all.filter(({ objective }) => !Number.isNaN(objective)).sort((a, b) => sign * (b.objective - a.objective) || a.trial - b.trial)
      expect(result.trials).toBe(all.length)
      expect(result.top.map(({ trial }) => trial)).toEqual(ranked.slice(0, spec.top).map(({ trial }) => trial))
      const best = ranked[0]?.objective ?? null
      const cells = (result.heatMap?.cells ?? []).filter((cell) => cell !== null)
      expect(cells.length === 0 ? null : sign * Math.max(...cells.map((cell) => sign * cell))).toBe(best)
    }), { numRuns: 150 })
  })

  test('held-out bars are traded from flat with the initial cash, and seen by no trial', () => {
    fc.assert(fc.property(longBars, fc.constantFrom(0.2, 0.4), (bars, holdout) => {
      const spec = parseSweepSpec({ strategy: { name: 'sma-cross' }, space: { fast: { choices: [2, 3] } }, holdout, execution: { fee_rate: 0.001 } }, { barsGiven: true })
      const split = Math.floor(bars.length * (1 - holdout) + 1e-9)
      const future = (column: Float64Array): Float64Array => column.map((value, i) => (i < split ? value : value * 3))
      const changed = { ...bars, open: future(bars.open), high: future(bars.high), low: future(bars.low), close: future(bars.close) }
      expect(bytesOf(inRanges(changed, spec, []))).toBe(bytesOf(inRanges(bars, spec, [])))
      const params = { fast: 2, slow: 20 }
      const { heldOut, split: at } = evaluateTrial(bars, strategy, spec, params)
      expect(at).toBe(split)
      const held = runBacktest(bars, strategy, parseBacktestSpec({ strategy: { name: 'sma-cross', params }, execution: { fee_rate: 0.001 } }, { barsGiven: true }), {}, { from: split, to: bars.length })
      expect(held.equity[0]).toBe(10_000)
      expect(held.trades.every((trade) => trade.entryBar > split)).toBe(true)
      expect(heldOut?.final_equity).toBe(held.summary.final_equity)
      expect(heldOut?.buy_and_hold_return).toBe(((bars.close.at(-1) ?? NaN) / (bars.close[split] ?? NaN) - 1) * 100)
    }), { numRuns: 100 })
  })
})
