/** Which bars are those of the other side under another stamp, and which only begin close together. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { otherStamps, otherStampsAtEdges } from '../../../src/market/other-stamps.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const JANUARY = Date.UTC(2024, 0)

const days = (hour: number, from: number, to: number): Float64Array => Float64Array.from({ length: to - from }, (_, i) => JANUARY + (from + i) * DAY + hour * HOUR)
const times = (...hours: number[]): Float64Array => Float64Array.from(hours, (hour) => JANUARY + hour * HOUR)

test('days under another stamp are counted, whichever is the earlier and wherever one side ends', () => {
  expect(otherStamps(days(0, 0, 20), days(5, 10, 30), DAY)).toEqual({ count: 10, first: { stored: JANUARY + 10 * DAY, incoming: JANUARY + 10 * DAY + 5 * HOUR } })
  expect(otherStamps(days(5, 0, 20), days(0, 20, 30), DAY).count).toBe(0)
  expect(otherStamps(days(5, 0, 20), days(0, 19, 30), DAY).count).toBe(1)
  expect(otherStamps(days(0, 0, 20), days(5, 19, 30), DAY).count).toBe(1)
  expect(otherStamps(days(21, 0, 20), days(0, 5, 10), DAY).first).toEqual({ stored: JANUARY + 4 * DAY + 21 * HOUR, incoming: JANUARY + 5 * DAY })
  // Half a day apart they are the same where they lie between two: nothing is there beside a last one.
  expect(otherStamps(days(0, 0, 20), days(12, 0, 20), DAY).count).toBe(19)
  expect(otherStamps(days(0, 0, 20), days(12, 19, 30), DAY).count).toBe(0)
  expect(otherStamps(times(9.5, 10.5, 11.5, 12.5), times(10, 11, 12, 13), HOUR).count).toBe(3)
})

test('clocks put back and bars that a session cuts short are no other stamp', () => {
  const newYork = Float64Array.from([...days(5, 0, 10), ...days(4, 10, 20)])
  expect(otherStamps(newYork.slice(0, 12), newYork.slice(8), DAY).count).toBe(0)
  expect(otherStamps(newYork.slice(0, 9), newYork.slice(11), DAY).count).toBe(0)
  // The same market with the summer's hour left out: ten days are an hour off.
  expect(otherStamps(newYork, days(5, 0, 20), DAY).count).toBe(10)
  // Four hours from the grid of UTC, the first of each session from its open at 14:30.
  const session = [14.5, 16, 20, 38.5, 40, 44]
  expect(otherStamps(times(...session.slice(0, 4)), times(...session.slice(4), 62.5, 64, 68), 4 * HOUR).count).toBe(0)
  expect(otherStamps(times(...session), times(15, 16, 20, 39, 40, 44), 4 * HOUR).count).toBe(2)
})

test('property: a bar counts where its nearest neighbour of the other side is nearer than half the timeframe and than all neighbours of its own, or divides a timeframe', () => {
  const some = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 8 }).map((all) => Float64Array.from(all).toSorted())
  fc.assert(fc.property(some, some, fc.integer({ min: 1, max: 20 }), (stored, incoming, step) => {
    const least = Math.min(...[stored, incoming].flatMap((all) => Array.from(all.subarray(1), (time, i) => time - all[i]!)))
    const within = (time: number, range: number): readonly number[] => [...stored].filter((other) => Math.abs(other - time) < range)
    const divides = (time: number): boolean => stored.some((other, i) => i > 0 && stored[i - 1]! < time && time < other && other - stored[i - 1]! <= step)
    const counted = [...incoming].filter((time) => !stored.includes(time) && within(time, least).length > 0 && (within(time, step / 2).length > 0 || divides(time)))
    const found = otherStamps(stored, incoming, step)
    expect(found.count).toBe(counted.length)
    expect(found.first?.incoming).toBe(counted[0])
  }))
})

test('where months meet the first and last bars are asked, from a day on', () => {
  const edge = (time: number): { firstTime: number; lastTime: number } => ({ firstTime: time, lastTime: time })
  const firsts = [0, 1, 2, 3].map((month) => edge(Date.UTC(2024, month, 1)))
  const lasts = [1, 2, 3].map((month) => edge(Date.UTC(2024, month, 0)))
  expect(otherStampsAtEdges(firsts, lasts, 28 * DAY)).toEqual({ count: 3, first: { stored: Date.UTC(2024, 1, 1), incoming: Date.UTC(2024, 0, 31) } })
  expect(otherStampsAtEdges(firsts, firsts.slice(2), 28 * DAY).count).toBe(0)
  const [evening, midnight] = [edge(Date.UTC(2024, 0, 31, 15)), edge(Date.UTC(2024, 1, 1))]
  expect(otherStampsAtEdges([evening], [midnight], DAY).count).toBe(1)
  expect(otherStampsAtEdges([edge(Date.UTC(2024, 0, 31, 23))], [midnight], 4 * HOUR).count).toBe(0)
})
