/** What a perpetual contract adds to the execution: funding, maintenance margin and the fee of a liquidation (F29, F30). */
import { z } from 'zod'
import { formatIsoTime, parseIsoTime } from '../calendar/iso-time.js'
import { parseOrRefuse, refuseUnknownKeys, requireObject, show, specInvalid } from './refuse.js'

export interface FundingPoint {
  /** Milliseconds since 1970, UTC. */
  readonly time: number
  /** Fraction of the notional that longs pay to shorts. */
  readonly rate: number
}

/** The same rate at UTC multiples of an interval, or what the exchange published, by time. */
export type FundingSpec = { readonly rate: number; readonly intervalHours: number } | readonly FundingPoint[]

export interface MaintenanceTier {
  /** Notional up to which the rate holds; Infinity for the last tier. */
  readonly upTo: number
  readonly rate: number
}

export interface PerpetualSpec {
  readonly funding: FundingSpec
  /** Ascending. */
  readonly maintenance: readonly MaintenanceTier[]
  readonly liquidationFee: number
}

export const PERPETUAL_KEYS = ['funding', 'maintenance_margin', 'liquidation_fee'] as const
const DEFAULT_MAINTENANCE = 0.005
const MOST_POINTS = 100_000
const fraction = z.number('must be a number from 0 to below 1').min(0, 'must be at least 0').lt(1, 'must be below 1 (0.005 is 0.5 %)')
const rate = z.number('must be a number between -1 and 1').gt(-1, 'must be above -1').lt(1, 'must be below 1 (0.0001 is 0.01 %)')
const constantFunding = z.object({ rate, interval_hours: z.number('must be a number of hours above 0').gt(0, 'must be above 0').max(8760, 'must be at most 8760').default(8) })

/** `raw` is the execution as given, `leverage` its parsed one. Throws SPEC_INVALID. */
export function parsePerpetual(raw: Record<string, unknown>, leverage: number): PerpetualSpec {
  const maintenance = parseMaintenance(raw.maintenance_margin)
  const first = maintenance[0]!
  if (first.rate >= 1 / leverage) {
    throw specInvalid('execution.maintenance_margin', `execution.maintenance_margin begins with ${first.rate}, but at leverage ${leverage} an entry's margin is ${1 / leverage} of its notional, so that it would be liquidated at once; lower one of them.`)
  }
  return { funding: parseFunding(raw.funding), maintenance, liquidationFee: parseOrRefuse(fraction.default(0), raw.liquidation_fee, 'execution.liquidation_fee') }
}

function parseFunding(raw: unknown): FundingSpec {
  const path = 'execution.funding'
  if (raw === undefined || raw === null) return []
  if (!Array.isArray(raw)) {
    const given = requireObject(raw, path)
    refuseUnknownKeys(given, ['rate', 'interval_hours'], path)
    const { rate: constant, interval_hours: intervalHours } = parseOrRefuse(constantFunding, given, path)
    return { rate: constant, intervalHours }
  }
  if (raw.length > MOST_POINTS) throw specInvalid(path, `${path} has ${raw.length} entries, at most ${MOST_POINTS} are taken.`)
  let before = -Infinity
  return raw.map((entry: unknown, k) => {
    const at = `${path}.${k}`
    const given = requireObject(entry, at)
    refuseUnknownKeys(given, ['time', 'rate'], at)
    const time = typeof given.time === 'string' ? parseIsoTime(given.time) : undefined
    if (time === undefined) throw specInvalid(`${at}.time`, `${at}.time is ${show(given.time)}, but must be a time such as "2024-01-01T08:00:00Z".`)
    if (time <= before) throw specInvalid(`${at}.time`, `${at}.time is ${show(given.time)}, which does not come after the entry before; put them in the order of time.`)
    before = time
    return { time, rate: parseOrRefuse(rate, given.rate, `${at}.rate`) }
  })
}

function parseMaintenance(raw: unknown): readonly MaintenanceTier[] {
  const path = 'execution.maintenance_margin'
  if (!Array.isArray(raw)) return [{ upTo: Infinity, rate: parseOrRefuse(fraction.default(DEFAULT_MAINTENANCE), raw ?? undefined, path) }]
  if (raw.length === 0 || raw.length > 100) throw specInvalid(path, `${path} has ${raw.length} tiers, but must have 1 to 100.`)
  let before: MaintenanceTier = { upTo: 0, rate: 0 }
  return raw.map((entry: unknown, k) => {
    const at = `${path}.${k}`
    const given = requireObject(entry, at)
    refuseUnknownKeys(given, ['up_to', 'rate'], at)
    const isLast = k === raw.length - 1
    if (isLast !== (given.up_to === undefined || given.up_to === null)) throw specInvalid(`${at}.up_to`, `${at}.up_to ${isLast ? 'must be left out: the last tier has no end' : 'is missing: only the last tier has no end'}.`)
    const upTo = isLast ? Infinity : parseOrRefuse(z.number('must be a number above 0').gt(before.upTo, `must be above ${before.upTo}, the tier before`), given.up_to, `${at}.up_to`)
    const tier = { upTo, rate: parseOrRefuse(fraction.min(before.rate, `must be at least ${before.rate}, that of the tier before`), given.rate, `${at}.rate`) }
    before = tier
    return tier
  })
}

export function perpetualToJson({ funding, maintenance, liquidationFee }: PerpetualSpec): Record<string, unknown> {
  const [first] = maintenance
  return {
    market: 'perpetual',
    funding: 'intervalHours' in funding ? { rate: funding.rate, interval_hours: funding.intervalHours } : funding.map((point) => ({ time: formatIsoTime(point.time), rate: point.rate })),
    maintenance_margin: maintenance.length === 1 ? first?.rate : maintenance.map((tier) => ({ ...(tier.upTo === Infinity ? {} : { up_to: tier.upTo }), rate: tier.rate })),
    liquidation_fee: liquidationFee,
  }
}
