/** Bars of a stored series for a task: cut to its dates, or made of shorter bars; what was done to them is said in warnings. */
import { dayRuleOf } from '../../src/base/bar-day.js'
import { SweepmillError } from '../../src/base/errors.js'
import { createBars } from '../../src/market/bars.js'
import { decodeBlocks, decodeColumns } from '../../src/market/blocks.js'
import type { Bars, BarsMeta } from '../../src/market/layout.js'
import { firstAtOrAfter } from '../../src/market/merge.js'
import type { FilledRange, QualityReport } from '../../src/market/quality.js'
import { resampleBars } from '../../src/market/resample.js'
import { DAY_MS, inMarket, parseTimeframe } from '../../src/market/timeframe.js'
import type { Timeframe } from '../../src/market/timeframe.js'
import { payload } from '../step.js'
import type { Step } from '../step.js'
import { handedOver } from './bars.js'

interface CutInput {
  readonly source: string
  readonly symbol: string
  readonly stored: string
  readonly wanted: string
  /** Included; null: from the first bar. */
  readonly from_ms: number | null
  /** Excluded; null: to the last bar. */
  readonly to_ms: number | null
  /** What the whole series covers, without an unfinished last bar. */
  readonly covered_from_ms: number
  readonly covered_to_ms: number
  /** The market rests: a day lacks its night without lacking a bar. */
  readonly sessions: boolean
  /** Of the whole series; null where nobody has looked yet. */
  readonly days: QualityReport['days'] | null
  readonly filled: readonly FilledRange[]
  readonly warnings: readonly string[]
  readonly months: number
}

/** A `CutInput` and payloads month:0… in order → shared.bars and its monthly blocks, as `parse_bars` returns them. */
export const cutSeries: Step = (context) => {
  const input = context.input as unknown as CutInput
  const blocks = Array.from({ length: input.months }, (_, i) => payload(context, `month:${i}`))
  const stored = parseTimeframe(input.stored)
  const asked = parseTimeframe(input.wanted)
  const resampled = stored.name !== asked.name
  const days = input.days ?? { ...dayRuleOf(decodeColumns(blocks[0]!).time), phaseMs: 0 }
  const wanted = inMarket(asked, days, days.phaseMs)
  const meta: BarsMeta = { source: input.source, symbol: input.symbol, timeframe: wanted.name, warnings: input.warnings }
  const { from_ms: fromMs, to_ms: toMs } = input
  // Whole bars of the wanted timeframe: the first that begins in the range to the last that does.
  const range = {
    fromMs: fromMs === null ? -Infinity : resampled ? firstStart(wanted, fromMs) : fromMs,
    toMs: Math.min(input.covered_to_ms, toMs === null ? Infinity : resampled ? firstStart(wanted, toMs) : toMs),
  }
  const bars = decodeBlocks(blocks, meta, range)
  const warnings = [...input.warnings, ...filledWarning(bars, input.filled)]
  if (!resampled) return handedOver(bars, warnings)
  const { columns, torn, uncovered } = resampleBars(bars, stored, wanted, input.covered_from_ms, input.covered_to_ms)
  if (columns.length === 0) {
    throw new SweepmillError('DATA_EMPTY', `The ${bars.length} bars of ${stored.name} that ${input.source} is made of do not fill one whole bar of ${wanted.name}. Name a longer range or a shorter timeframe.`)
  }
  warnings.push(`The bars of ${wanted.name} were made of stored bars of ${stored.name}, ${alignment(wanted === asked, asked.stepMs < DAY_MS, days)}.`)
  if (torn > 0 && !input.sessions) warnings.push(`${torn} of ${columns.length} bars of ${wanted.name} were made although some of their bars of ${stored.name} are missing.`)
  if (uncovered > 0) warnings.push(`${uncovered === 1 ? 'One bar' : `${uncovered} bars`} of ${wanted.name} at the ends ${uncovered === 1 ? 'is' : 'are'} left out: the stored bars cover only a part of ${uncovered === 1 ? 'it' : 'them'}.`)
  return handedOver(createBars(columns, { ...meta, warnings }))
}

function filledWarning({ time, length }: Bars, filled: readonly FilledRange[]): string[] {
  const count = filled.reduce((sum, { from, to }) => sum + firstAtOrAfter(time, to + 1) - firstAtOrAfter(time, from), 0)
  return count === 0 ? [] : [`${count} of ${length} stored bars were made up by --repair to fill gaps: flat at the close before them, volume 0.`]
}

function alignment(isUtc: boolean, isShort: boolean, { text, phaseMs }: QualityReport['days']): string {
  if (isUtc) return 'aligned to UTC'
  return isShort ? `which begin ${phaseMs / 60_000} minutes after those of UTC, and so do these` : `by the market's days: ${text}`
}

function firstStart(timeframe: Timeframe, ms: number): number {
  const start = timeframe.startOf(ms)
  return start === ms ? ms : timeframe.next(start)
}
