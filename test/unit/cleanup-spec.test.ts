import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CLEANUP_DAYS, cutoffsOf, parseCleanupSpec } from '../../src/workflows/cleanup-spec.js'

const NOW = '2025-11-05T12:00:00.000Z'
const DEFAULTS = { tasks_days: 30, checkpoints_days: 7, events_days: 365, bars_days: 90, chunks_days: 30, dead_letters_days: 90, dry_run: false }

test('every key has a default, and what is given stands', () => {
  expect(parseCleanupSpec({})).toEqual(DEFAULTS)
  expect(parseCleanupSpec({ tasks_days: 0, events_days: null, bars_days: 0.5, dry_run: true })).toEqual({ ...DEFAULTS, tasks_days: 0, events_days: null, bars_days: 0.5, dry_run: true })
  expect(parseCleanupSpec(parseCleanupSpec({ chunks_days: 1 }))).toEqual({ ...DEFAULTS, chunks_days: 1 })
})

test.each([
  [{ task_days: 3 }, 'task_days', /did you mean "tasks_days"/], [{ tasks_days: -1 }, 'tasks_days', /0 or more/], [{ bars_days: '3' }, 'bars_days', /number of days/],
  [{ events_days: 1e9 }, 'events_days', /at most 36500/], [{ dry_run: 'yes' }, 'dry_run', /true or false/], [{ tasks_days: Number.NaN }, 'tasks_days', /number of days/],
])('%j is refused by the name of the key', (spec, path, sentence) => {
  expect(() => parseCleanupSpec(spec)).toThrow(expect.objectContaining({ code: 'SPEC_INVALID', message: expect.stringMatching(sentence) as string, details: expect.objectContaining({ path }) as object }) as Error)
})

test.each([[[]], [null], ['x'], [3]])('%j is no spec', (spec) => {
  expect(() => parseCleanupSpec(spec)).toThrow(expect.objectContaining({ code: 'SPEC_INVALID' }) as Error)
})

test('days count back from the store\'s clock; what was stored within the hour is kept by every number', () => {
  const cutoffs = cutoffsOf(parseCleanupSpec({ tasks_days: 1, bars_days: 0, events_days: null, checkpoints_days: 0.25 }), NOW)
  expect(cutoffs).toEqual({
    tasks: '2025-11-04T12:00:00.000Z', deadLetters: '2025-08-07T12:00:00.000Z', chunks: '2025-10-06T12:00:00.000Z', checkpoints: '2025-11-05T06:00:00.000Z',
    events: null, bars: '2025-11-05T11:00:00.000Z', unnamed: '2025-11-05T11:00:00.000Z', workers: '2025-10-29T12:00:00.000Z',
  })
  expect(cutoffsOf(parseCleanupSpec({ bars_days: null }), NOW)).toMatchObject({ bars: null, unnamed: null })
})

test('more days never remove more', () => {
  fc.assert(fc.property(fc.constantFrom(...CLEANUP_DAYS), fc.double({ min: 0, max: 36_500, noNaN: true }), fc.double({ min: 0, max: 36_500, noNaN: true }), (key, a, b) => {
    const of = (days: number): (string | null)[] => Object.values(cutoffsOf(parseCleanupSpec({ [key]: days }), NOW))
    const [less, more] = [of(Math.min(a, b)), of(Math.max(a, b))]
    for (const [i, cutoff] of more.entries()) expect((cutoff ?? '') <= (less[i] ?? '')).toBe(true)
  }))
})
