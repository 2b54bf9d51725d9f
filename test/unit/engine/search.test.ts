/** The grid: constraint language, values of an axis, the plan, rows and their bytes, ranking, stopping. */
import { describe, expect, test } from 'vitest'
import type { SweepSpec } from '../../../src/engine/index.js'
import {
  builtinStrategy, compileConstraint, decodeTrialRows, defineStrategy, encodeTrialRows, firstTrial, joinTrialRows, layoutSweep, parseSweepSpec, planSweep, runSweep, searchedPoints,
  SWEEP_METRICS,
  SweepRanker, TrialRunner, trialsCsvHeader, trialsCsvRows,
} from '../../../src/engine/index.js'
import { toBars } from '../../property/engine-arbitraries.js'
import { refusal } from './refusal.js'

const smaCross = builtinStrategy('sma-cross')
const sweepOf = (json: Record<string, unknown>): SweepSpec => parseSweepSpec({ strategy: { name: 'sma-cross' }, ...json } as unknown, { barsGiven: true })
const waves = toBars(Array.from({ length: 120 }, (_, i) => [100 + 20 * Math.sin(i / 5), 0.01, 0.01, 100 + 20 * Math.sin((i + 1) / 5)] as const))
const wide = defineStrategy({
  name: 'wide', params: { a: { min: 0, max: 1e6, step: 1, default: 1 }, b: { min: -10, max: 10, step: 0.1, default: 0 } },
  signals: ({ length }, { a }) => ({ longEntry: Uint8Array.from({ length }, (_, i) => (i === a % 7 ? 1 : 0)) }),
})

describe('the constraint language', () => {
  const params = { fast: 5, slow: 20, mult: 1.5 }
  test.each<[string, boolean]>([
    ['fast < slow', true], ['slow <= fast', false], ['fast * 4 == slow', true], ['fast*4 != slow', false], ['slow % fast == 0', true],
    ['slow - fast * 2 > 5', true], ['(slow - fast) * 2 > 5', true], ['slow - 10 - 5 == 5', true], ['slow / 4 / 5 == 1', true],
    ['-fast < 0', true], ['fast > -1', true], ['!(fast > slow)', true], ['not fast > slow', true], ['fast > 9 || slow > 9', true],
    ['fast > 9 or slow > 9 and mult > 2', false], ['(fast > 9 or slow > 9) and mult > 2', false], ['fast < 9 || slow < 9 && mult > 2', true],
    ['mult == 1.5 && .5 + 1e0 == mult', true], ['fast === 5 && slow !== 5', true], ['fast / 0 > 1e300', true], ['0 / 0 == 0 / 0', false],
  ])('%s', (text, expected) => {
    expect(compileConstraint(text, Object.keys(params))(params)).toBe(expected)
  })

  test.each<[string, number, string]>([
    ['', 0, 'it is empty'], ['fast', 0, 'is a number'], ['fast < ', 7, 'ends where'], ['fast = slow', 5, 'write "=="'],
    ['fats < slow', 0, 'did you mean "fast" (known: fast, slow, mult)'], ['fast < slow < mult', 12, 'do not chain'], ['(fast < slow', 12, '")" is missing'],
    ['fast < slow)', 11, '")" is not expected'], ['fast && slow < 3', 0, 'takes conditions'], ['(fast < 1) + 2 > 1', 0, 'takes numbers'],
    ['fast ; slow', 5, '";" is not part of the language'], ['process.exit() < 1', 7, '"." is not part of the language'], ['constructor < 1', 0, 'not a parameter'],
    ['__proto__ < 1', 0, 'not a parameter'], [`${'('.repeat(200)}fast < 1`, 100, 'nests more than'],
  ])('refuses %s', (text, position, part) => {
    const error = refusal(() => compileConstraint(text, Object.keys(params)))
    expect([error.code, error.message]).toEqual(['CONSTRAINT_INVALID', expect.stringContaining(part)])
    expect(error.details).toMatchObject({ position })
  })
})

describe('the plan', () => {
  test('the last-named parameter runs fastest, both constraints exclude, others keep their defaults', () => {
    const plan = planSweep(sweepOf({ space: { slow: { min: 4, max: 5 }, fast: { choices: [2, 4, 3] } }, constraint: 'fast != 2 || slow == 4' }), smaCross)
    expect(plan.names).toEqual(['slow', 'fast'])
    expect(plan.fullSize).toBe(6)
    expect(Array.from({ length: 6 }, (_, index) => plan.paramsAt(index))).toEqual([
      { slow: 4, fast: 2 }, null, { slow: 4, fast: 3 }, null, { slow: 5, fast: 4 }, { slow: 5, fast: 3 },
    ])
    expect(planSweep(sweepOf({ space: { fast: { choices: [7] } } }), smaCross).paramsAt(0)).toEqual({ fast: 7, slow: 20 })
    expect(planSweep(sweepOf({ strategy: { name: 'sma-cross', params: { slow: 90 } }, space: { fast: { choices: [7] } } }), smaCross).paramsAt(0)).toEqual({ fast: 7, slow: 90 })
  })

  test('values of a range are the shortest decimals, the max included when a step meets it', () => {
    const values = (axis: Record<string, unknown>): number[] => {
      const plan = planSweep(sweepOf({ space: { b: axis } }), wide)
      return Array.from({ length: plan.fullSize }, (_, index) => plan.paramsAt(index)?.b ?? NaN)
    }
    expect(values({ min: 0.1, max: 0.5, step: 0.1 })).toEqual([0.1, 0.2, 0.3, 0.4, 0.5])
    expect(values({ min: -0.3, max: 0.3, step: 0.15 })).toEqual([-0.3, -0.15, 0, 0.15, 0.3])
    expect(values({ min: 1, max: 2, step: 0.4 })).toEqual([1, 1.4, 1.8])
    expect(values({ min: 0, max: 3e-7, step: 1e-7 })).toEqual([0, 1e-7, 2e-7, 3e-7])
    expect(values({ min: 5, max: 5 })).toEqual([5])
    expect(values({ min: 0, max: 0.3 })).toEqual([0, 0.1, 0.2, 0.3]) // the strategy's own step
  })

  test('a grid of billions is planned without walking it', () => {
    const plan = planSweep(sweepOf({ space: { a: { min: 0, max: 999_999 }, b: { min: -10, max: 10, step: 0.01 } } }), wide)
    expect(plan.fullSize).toBe(2_001_000_000)
    expect(plan.paramsAt(2_000_999_999)).toEqual({ a: 999_999, b: 10 })
  })

  test.each<[string, Record<string, unknown>, string, string]>([
    ['a value outside the range', { space: { fast: { min: 1, max: 5 } } }, 'PARAM_INVALID', 'is 1, outside its range 2 to 200'],
    ['a choice outside the range', { space: { fast: { choices: [2, 900] } } }, 'PARAM_INVALID', 'is 900'],
    ['a step between whole numbers', { space: { fast: { min: 5, max: 6, step: 0.5 } } }, 'PARAM_INVALID', '"fast" of sma-cross is 5.5, but must be a whole number'],
    ['a choice between whole numbers', { space: { fast: { choices: [5, 6.5] } } }, 'PARAM_INVALID', '"fast" of sma-cross is 6.5, but must be a whole number'],
    ['an unknown parameter', { space: { fastt: { min: 2, max: 5 } } }, 'PARAM_INVALID', 'did you mean "fast"'],
    ['a parameter fixed and swept', { strategy: { name: 'sma-cross', params: { fast: 3 } }, space: { fast: { min: 2, max: 5 } } }, 'PARAM_INVALID', 'both fixed'],
    ['a fixed value outside the range', { strategy: { name: 'sma-cross', params: { slow: 5000 } }, space: { fast: { min: 2, max: 5 } } }, 'PARAM_INVALID', 'is 5000'],
    ['a constraint that excludes all', { space: { fast: { min: 2, max: 5 } }, constraint: 'fast > 9' }, 'SPACE_EMPTY', 'None of the 4 points'],
    ['the strategy\'s constraint excluding all', { space: { fast: { min: 20, max: 50 } } }, 'SPACE_EMPTY', 'the constraint of sma-cross'],
    ['a malformed constraint', { space: { fast: { min: 2, max: 5 } }, constraint: 'fast <' }, 'CONSTRAINT_INVALID', 'position 6'],
  ])('refuses %s', (_name, json, code, part) => {
    const error = refusal(() => planSweep(sweepOf(json), smaCross))
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(part)])
  })

  test('refuses a grid of more than 2^32 points with its size', () => {
    const error = refusal(() => planSweep(sweepOf({ space: { a: { min: 0, max: 999_999 }, b: { min: -10, max: 10, step: 0.001 } } }), wide))
    expect(error).toMatchObject({ code: 'SPEC_INVALID', message: expect.stringContaining('20001000000 points (a 1000000 × b 20001)') as unknown })
  })
})

describe('rows', () => {
  const spec = sweepOf({ space: { fast: { choices: [2, 3, 50] }, slow: { min: 5, max: 60, step: 55 } }, top: 3 })
  const plan = planSweep(spec, smaCross)

  test('hold index, parameters and metrics; all by value, and the CSV says the same', () => {
    const rows = new TrialRunner(waves, smaCross, plan, spec).run(0, plan.fullSize, { beat: () => false })
    if (rows === 'stopped') throw new Error('nobody stopped it')
    expect(rows.width).toBe(3 + SWEEP_METRICS.length)
    expect(rows.count).toBe(5) // fast 50 with slow 5 is excluded
    expect([...rows.rows.subarray(4 * rows.width, 4 * rows.width + 3)]).toEqual([5, 50, 60])
    const [header = '', ...lines] = `${trialsCsvHeader(plan)}${trialsCsvRows(rows)}`.trimEnd().split('\n')
    expect(header).toBe(`trial,fast,slow,${SWEEP_METRICS.join(',')}`)
    expect(lines.map((line) => line.split(',').slice(0, 3).join(' '))).toEqual(['0 2 5', '1 2 60', '2 3 5', '3 3 60', '5 50 60'])
    // The CSV is enough to compute the result hash.
    const fromText = lines.flatMap((line) => line.split(',').map((cell) => (cell === '' ? NaN : Number(cell))))
    expect(encodeTrialRows({ ...rows, rows: Float64Array.from(fromText) })).toEqual(encodeTrialRows(rows))
  })

  test('each distinct column is computed once', () => {
    const runner = new TrialRunner(waves, smaCross, plan, spec)
    runner.run(0, plan.fullSize, { beat: () => false })
    runner.run(0, plan.fullSize, { beat: () => false })
    expect(runner.columns.computed).toBe(5)
    expect(runner.columns.sizeBytes).toBe(5 * 120 * 8)
  })

  test('bytes: one NaN, and garbage is refused', () => {
    const odd = new Float64Array(3)
    new Uint32Array(odd.buffer).set([7, 0xfff80001, 0, 0, 1, 0x7ff00000])
    const bytes = encodeTrialRows({ width: 3, count: 1, rows: odd })
    expect([...bytes.subarray(0, 8)]).toEqual([0x53, 0x52, 2, 0, 3, 0, 0, 0])
    expect(Buffer.from(bytes.subarray(8)).toString('hex')).toBe('000000000000f87f0000000000000000000000000000f87f')
    const shifted = new Uint8Array(bytes.length + 3)
    shifted.set(bytes, 3)
    expect(decodeTrialRows(shifted.subarray(3))).toEqual({ width: 3, count: 1, rows: Float64Array.of(NaN, 0, NaN) })
    expect(decodeTrialRows(encodeTrialRows({ width: 3, count: 0, rows: new Float64Array(0) })).count).toBe(0)
    for (const bad of [new Uint8Array(3), bytes.subarray(1), bytes.subarray(0, 30), Uint8Array.of(...bytes.subarray(0, 2), 9, ...bytes.subarray(3))]) {
      expect(refusal(() => decodeTrialRows(bad)).code).toBe('MESSAGE_UNDECODABLE')
    }
  })

  test('a pulse stops the runner between two trials', () => {
    const beats: number[] = []
    const runner = new TrialRunner(waves, smaCross, plan, spec)
    expect(runner.run(1, 6, { beat: (done, total) => { beats.push(done, total); return done >= 2 } })).toBe('stopped')
    expect(beats).toEqual([0, 5, 1, 5, 2, 5])
    expect(refusal(() => runSweep(waves, spec, { pulse: { beat: () => true } })).code).toBe('TASK_CANCELLED')
  })

  test('a range left anywhere and gone on with gives the same bytes', () => {
    const runner = new TrialRunner(waves, smaCross, plan, spec)
    const whole = runner.run(0, plan.fullSize, { beat: () => false })
    if (whole === 'stopped') throw new Error('nobody stopped it')
    const parts: Uint8Array[] = []
    for (let from = 0; from < plan.fullSize;) {
      const { rows, reached } = runner.runPart(from, plan.fullSize, { beat: (done) => done > 0 })
      expect(reached).toBeGreaterThan(from)
      expect(rows.count).toBeLessThanOrEqual(1)
      parts.push(encodeTrialRows(rows))
      from = reached
    }
    expect(parts.length).toBeGreaterThan(1)
    expect(joinTrialRows(parts)).toEqual(encodeTrialRows(whole))
    expect(joinTrialRows(parts.slice(0, 1))).toEqual(parts[0])
  })

  test('excluded points pass 64 between two beats, in a range and in the search for a first trial', () => {
    const far = sweepOf({ space: { a: { min: 0, max: 999 }, b: { min: -1, max: 1, step: 0.01 } }, constraint: 'a >= 900' })
    const grid = layoutSweep(far, wide)
    const first = 900 * 201
    let beats = 0
    const count = { beat: () => { beats += 1; return false } }
    expect(firstTrial(grid, far, wide, 0, count)).toEqual({ kind: 'found', index: first })
    expect(beats).toBe(Math.floor(first / 64))
    beats = 0
    new TrialRunner(waves, wide, grid, far).run(0, first, count)
    expect(beats).toBe(Math.ceil(first / 64))
    // A search that is stopped goes on where it was left, and finds the same.
    for (let from = 0, parts = 0; ; parts += 1) {
      const found = firstTrial(grid, far, wide, from, { beat: (done) => done - from >= 10_000 })
      if (found.kind !== 'stopped') {
        expect([found, parts]).toEqual([{ kind: 'found', index: first }, Math.floor(first / 10_048)])
        break
      }
      expect(found.next - from).toBe(10_048)
      from = found.next
    }
    expect(refusal(() => planSweep(far, wide, { beat: () => true }))).toMatchObject({ code: 'TASK_CANCELLED' })
  })

  test('a long constraint is looked at for fewer points, and an empty space is told apart from an unknown one', () => {
    const space = { a: { min: 0, max: 999_999 }, b: { min: -10, max: 10, step: 0.1 } }
    const short = sweepOf({ space, constraint: 'a > 2000000' })
    const long = sweepOf({ space, constraint: `a > 2000000 && ${Array.from({ length: 180 }, () => 'a < 0').join(' && ')}` })
    const grid = layoutSweep(long, wide)
    expect(searchedPoints(grid, short)).toBe(2 ** 23)
    expect(searchedPoints(grid, long)).toBe(Math.floor(2 ** 23 / (long.constraint!.length / 64)))
    expect(searchedPoints({ fullSize: 7 }, long)).toBe(7)
    expect(firstTrial(grid, long, wide, searchedPoints(grid, long) - 1, { beat: () => true })).toEqual({ kind: 'unknown' })
    const few = sweepOf({ space: { a: { min: 0, max: 99 } }, constraint: 'a > 200' })
    expect(refusal(() => firstTrial(layoutSweep(few, wide), few, wide, 64, { beat: () => true }))).toMatchObject({ code: 'SPACE_EMPTY' })
  })

  test('a strategy that throws is named with its parameters', () => {
    const broken = defineStrategy({ name: 'broken', params: { a: { min: 0, max: 9, default: 1 } }, signals: () => { throw new Error('no luck') } })
    const error = refusal(() => runSweep(waves, sweepOf({ space: { a: { min: 4, max: 5 } } }), { strategy: broken }))
    expect(error).toMatchObject({ code: 'STRATEGY_FAILED', message: 'The strategy "broken" threw an error for {"a":4}: no luck' })
  })
})

describe('ranking', () => {
  test('ties go to the lower index, NaN never ranks, minimize turns the order', () => {
    const spec = sweepOf({ space: { a: { min: 0, max: 9 } }, objective: 'profit_factor', top: 4 })
    const plan = planSweep(spec, wide)
    const column = 2 + SWEEP_METRICS.indexOf('profit_factor')
    const values = [NaN, 2, 1, 3, 2, NaN, 3, 1, 2, NaN]
    const width = 2 + SWEEP_METRICS.length
    const rows = new Float64Array(width * values.length).fill(NaN)
    values.forEach((value, k) => {
      rows[k * width] = k
      rows[k * width + 1] = k
      rows[k * width + column] = value
    })
    const topOf = (direction: 'maximize' | 'minimize'): number[] => {
      const ranker = new SweepRanker(plan, { ...spec, direction })
      ranker.add({ width, count: values.length, rows })
      return ranker.finish().top.map(({ trial }) => trial)
    }
    expect(topOf('maximize')).toEqual([3, 6, 1, 4])
    expect(topOf('minimize')).toEqual([2, 7, 1, 4])
  })

  test('the heat map takes the first two axes with several values and bins long ones', () => {
    const spec = sweepOf({ space: { a: { min: 0, max: 299 }, b: { choices: [0.5, -0.5] } }, objective: 'final_equity' })
    const { heatMap, trials } = runSweep(waves, spec, { strategy: wide })
    expect(trials).toBe(600)
    expect(heatMap?.x).toEqual({ name: 'a', values: Array.from({ length: 100 }, (_, k) => k * 3) })
    expect(heatMap?.y).toEqual({ name: 'b', values: [0.5, -0.5] })
    expect(heatMap?.cells.length).toBe(200)
    const finals = Array.from({ length: 7 }, (_, a) => runSweep(waves, sweepOf({ space: { a: { choices: [a] } } }), { strategy: wide }).best?.inSample.final_equity ?? NaN)
    expect(heatMap?.cells[1]).toBe(Math.max(...finals.slice(3, 6))) // a = 3, 4, 5
    const alone = runSweep(waves, sweepOf({ space: { a: { min: 0, max: 3 }, b: { choices: [0] } } }), { strategy: wide }).heatMap
    expect([alone?.x, alone?.y, alone?.cells.length]).toEqual([{ name: 'a', values: [0, 1, 2, 3] }, null, 4])
    expect(runSweep(waves, sweepOf({ space: { a: { choices: [1] }, b: { choices: [0] } } }), { strategy: wide }).heatMap).toBeNull()
  })

  test('a holdout that leaves too few bars is refused', () => {
    const error = refusal(() => runSweep(toBars([[1, 0, 0, 1], [1, 0, 0, 1], [1, 0, 0, 1]]), sweepOf({ space: { a: { min: 0, max: 1 } }, holdout: 0.5 }), { strategy: wide }))
    expect(error).toMatchObject({ code: 'SPEC_INVALID', message: expect.stringContaining('leaves 1 of 3 bars in sample') as unknown })
  })
})
