/**
 * Runs `onBar`: makes the context once a run and gives the kernel a function that it calls at each bar's close.
 * Bar i sees bars 0..i alone, the position as the kernel has it, and columns up to i; its decision takes the same way
 * as a mask's. Nothing is allocated per bar. What the strategy throws becomes STRATEGY_FAILED that names the bar.
 */
import { SweepmillError } from '../../base/errors.js'
import type { BarColumns } from '../../market/layout.js'
import { formatIsoTime } from '../calendar/iso-time.js'
import type { Direction } from '../specs/execution-spec.js'
import type { BarContext, NamedColumns, PastValue } from '../strategies/bar-context.js'
import type { Params, Strategy } from '../strategies/strategy.js'
import { LONG_ENTRY, LONG_EXIT, resolveDecision, SHORT_ENTRY, SHORT_EXIT } from './decisions.js'

/** What the kernel knows of its account; `Simulation` has it. */
export interface Account {
  readonly cash: number
  readonly units: number
  readonly entryBar: number
  readonly entryPrice: number
}

export interface BarLoop {
  readonly strategy: Strategy
  readonly bars: BarColumns
  readonly params: Params
  readonly columns: NamedColumns
  readonly account: Account
  readonly direction: Direction
  /** Decisions before this bar do not count. */
  readonly warmup: number
  readonly decisions: Uint8Array
  /** The bits that `onBar` set, before mirroring and conflicts: what a check compares. */
  readonly raw?: Uint8Array
}

/** The function for the kernel's `onClose`. Cost a bar: that of the strategy's own code and a few checks. */
export function barLoop(loop: BarLoop): (bar: number) => void {
  const { strategy, bars, params, columns, account, direction, warmup, decisions, raw } = loop
  const { close } = bars
  const hasShort = strategy.sides === 'both'
  let now = 0
  let bits = 0
  const past = (column: ArrayLike<number>): PastValue => (barsBack = 0) => (barsBack >= 0 && barsBack <= now ? column[now - barsBack] ?? NaN : NaN)
  const ind = Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, past(column)]))
  const short = (bit: number): void => {
    if (!hasShort) throw new SweepmillError('STRATEGY_FAILED', `The strategy "${strategy.name}" decides on a short, but trades longs alone; add sides: 'both' to its definition.`, { details: { strategy: strategy.name } })
    bits |= bit
  }
  const state = guarded(strategy, params, -1, bars, () => strategy.init?.(params) ?? {}) as Record<string, unknown>
  const ctx: BarContext = {
    get bar() { return now },
    open: past(bars.open), high: past(bars.high), low: past(bars.low), close: past(close), volume: past(bars.volume), time: past(bars.time),
    ind, params, state,
    value: (name, barsBack) => {
      const column = Object.hasOwn(ind, name) ? ind[name] : undefined
      if (column === undefined) throw new SweepmillError('STRATEGY_FAILED', `The strategy "${strategy.name}" asks for the column "${name}", but its indicators are ${Object.keys(ind).join(', ') || 'none'}.`, { details: { strategy: strategy.name, column: name } })
      return column(barsBack)
    },
    get position() { return account.units > 0 ? 1 : account.units < 0 ? -1 : 0 },
    get units() { return account.units },
    get entryPrice() { return account.units === 0 ? NaN : account.entryPrice },
    get entryBar() { return account.units === 0 ? -1 : account.entryBar },
    get barsHeld() { return account.units === 0 ? 0 : now - account.entryBar },
    get equity() { return account.cash + account.units * close[now]! },
    get cash() { return account.cash },
    enterLong: () => { bits |= LONG_ENTRY },
    exitLong: () => { bits |= LONG_EXIT },
    enterShort: () => { short(SHORT_ENTRY) },
    exitShort: () => { short(SHORT_EXIT) },
  }
  return (bar) => {
    now = bar
    bits = 0
    let returned: unknown
    try {
      returned = strategy.onBar!(ctx) as unknown
    } catch (thrown) {
      throw failed(strategy, params, bar, bars, thrown)
    }
    if (typeof returned === 'object' && returned !== null && 'then' in returned) {
      throw new SweepmillError('STRATEGY_FAILED', `The strategy "${strategy.name}" cannot be run: onBar is asynchronous; decide at once, without async and await.`, { details: { strategy: strategy.name } })
    }
    if (bar < warmup) bits = 0
    if (raw !== undefined) raw[bar] = bits
    decisions[bar] = bits === 0 ? 0 : resolveDecision(bits, hasShort, direction)
  }
}

/** Calls the strategy's code; what it throws becomes STRATEGY_FAILED with its name and parameters (our own errors pass unchanged). */
export function guarded<T>(strategy: Strategy, params: Params, bar: number, bars: BarColumns, call: () => T): T {
  try {
    return call()
  } catch (thrown) {
    throw failed(strategy, params, bar, bars, thrown)
  }
}

function failed(strategy: Strategy, params: Params, bar: number, bars: BarColumns, thrown: unknown): SweepmillError {
  if (thrown instanceof SweepmillError) return thrown
  const where = bar < 0 ? '' : ` on bar ${bar} (${formatIsoTime(bars.time[bar]!)})`
  return new SweepmillError('STRATEGY_FAILED',
    `The strategy "${strategy.name}" threw an error${where} for ${JSON.stringify(params)}: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    { details: { strategy: strategy.name, params, ...(bar < 0 ? {} : { bar }) }, cause: thrown })
}
