/** The two kernels are one contract: where both can do a spec, they give the same bits. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decide } from '../../src/engine/simulate/decisions.js'
import { FastSimulation, isFast } from '../../src/engine/simulate/fast-simulation.js'
import { FullSimulation } from '../../src/engine/simulate/full-simulation.js'
import type { Simulation } from '../../src/engine/simulate/simulation.js'
import { caseArbitrary } from './engine-arbitraries.js'

test('the fast and the full kernel give the same bits', () => {
  let compared = 0
  fc.assert(fc.property(caseArbitrary, fc.nat(), ({ bars, masks, execution }, skip) => {
    if (!isFast(execution)) return
    compared += 1
    const decisions = new Uint8Array(bars.length)
    decide(masks, bars.length, execution.direction, 'masks', decisions)
    const from = skip % 3 === 0 ? skip % (bars.length - 1) : 0
    const traces = [new FastSimulation(bars.length, execution), new FullSimulation(bars.length, execution)].map((simulation: Simulation) => {
      simulation.run(bars, decisions, from, bars.length)
      const { equity, trades, cash, units, entryBar, entryPrice, entryFee, feesPaid, notional, rejectedEntries, liquidated } = simulation
      return { equity: equity.slice(from), trades: trades.toTrades(bars.time), cash, units, feesPaid, notional, rejectedEntries, liquidated, ...(units === 0 ? {} : { entryBar, entryPrice, entryFee }) }
    })
    expect(traces[1]).toEqual(traces[0])
  }), { numRuns: 3000 })
  expect(compared).toBeGreaterThan(500)
})
