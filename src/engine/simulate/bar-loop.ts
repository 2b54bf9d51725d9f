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
import { nearest } from '../specs/nearest.js'
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
  const past = (path: string, column: ArrayLike<number>): PastValue => {
    const value: PastValue = (barsBack = 0) => {
      const found = barsBack >= 0 && barsBack <= now ? column[now - barsBack] : undefined
      // Only what gave nothing is looked at: the common case stays two comparisons.
      if (found === undefined && !Number.isInteger(barsBack)) {
        throw misuse(strategy, `asks for a value ${shown([barsBack])} bars back, but bars are counted in whole numbers`)
      }
      return found ?? NaN
    }
    // `ctx.close > 100` would be false for ever.
    return Object.defineProperty(value, Symbol.toPrimitive, { value: () => {
      throw misuse(strategy, `takes ctx.${path} for a number, but it is a function: write ctx.${path}(), or ctx.${path}(1) for the bar before`)
    } })
  }
  const ind = Object.freeze(Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, past(`ind.${name}`, column)])))
  // Sizes and prices of orders belong to the execution: whoever gives one here expects a trade that would not come.
  const order = (name: string, bit: number, isShort: boolean) => (...given: readonly unknown[]): void => {
    if (given.length > 0) {
      throw misuse(strategy, `calls ctx.${name} with ${shown(given)}, which it does not take; write ctx.${name}(), and say how much to trade by "sizing" of the execution`)
    }
    if (isShort && !hasShort) throw new SweepmillError('STRATEGY_FAILED', `The strategy "${strategy.name}" decides on a short, but trades longs alone; add sides: 'both' to its definition.`, { details: { strategy: strategy.name } })
    bits |= bit
  }
  const state = guarded(strategy, params, -1, bars, () => strategy.init?.(params) ?? {}) as Record<string, unknown>
  if (isPromise(state)) throw misuse(strategy, 'has an asynchronous init; make the state at once, without async and await')
  const ctx: BarContext = Object.freeze({
    // Only a name that the context does not have gets this far: undefined would make every comparison false.
    __proto__: unknownNames((name) => {
      const guess = nearest(name, Object.keys(ctx))
      return misuse(strategy, `reads ctx.${name}, which there is not${guess === undefined ? '' : `; did you mean ctx.${guess}`}. It has ${Object.keys(ctx).join(', ')}`)
    }),
    get bar(): number { return now },
    open: past('open', bars.open), high: past('high', bars.high), low: past('low', bars.low), close: past('close', close),
    volume: past('volume', bars.volume), time: past('time', bars.time),
    ind, params: Object.freeze({ ...params }), state,
    value: (name: string, barsBack?: number): number => {
      const column = Object.hasOwn(ind, name) ? ind[name] : undefined
      if (column === undefined) throw new SweepmillError('STRATEGY_FAILED', `The strategy "${strategy.name}" asks for the column "${name}", but its indicators are ${Object.keys(ind).join(', ') || 'none'}.`, { details: { strategy: strategy.name, column: name } })
      return column(barsBack)
    },
    get position(): -1 | 0 | 1 { return account.units > 0 ? 1 : account.units < 0 ? -1 : 0 },
    get units(): number { return account.units },
    get entryPrice(): number { return account.units === 0 ? NaN : account.entryPrice },
    get entryBar(): number { return account.units === 0 ? -1 : account.entryBar },
    get barsHeld(): number { return account.units === 0 ? 0 : now - account.entryBar },
    get equity(): number { return account.cash + account.units * close[now]! },
    get cash(): number { return account.cash },
    enterLong: order('enterLong', LONG_ENTRY, false),
    exitLong: order('exitLong', LONG_EXIT, false),
    enterShort: order('enterShort', SHORT_ENTRY, true),
    exitShort: order('exitShort', SHORT_EXIT, true),
  })
  return (bar) => {
    now = bar
    bits = 0
    let returned: unknown
    try {
      returned = strategy.onBar!(ctx) as unknown
    } catch (thrown) {
      throw failed(strategy, params, bar, bars, thrown)
    }
    // Numbers and booleans are what a one-line arrow function leaves behind; masks and words are meant as decisions.
    if (returned !== undefined && ((typeof returned === 'object' && returned !== null) || typeof returned === 'string')) {
      throw misuse(strategy, isPromise(returned) ? 'cannot be run: onBar is asynchronous; decide at once, without async and await'
        : `returns ${shown([returned])} from onBar, whose result is not looked at; decide by ctx.enterLong(), ctx.exitLong(), ctx.enterShort() and ctx.exitShort()`)
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

/** A prototype whose names are those of any object; reading another one throws. Symbols and what `JSON` and `await` ask for are absent. */
function unknownNames(refuse: (name: string) => SweepmillError): object {
  return new Proxy(Object.prototype, {
    get: (target, name, receiver): unknown => {
      if (typeof name === 'string' && !(name in target) && name !== 'toJSON' && name !== 'then') throw refuse(name)
      return Reflect.get(target, name, receiver)
    },
  })
}

function isPromise(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value
}

/** What was given, by its keys or its value, short. */
function shown(given: readonly unknown[]): string {
  return given.map((one) => {
    if (typeof one !== 'object' || one === null) return typeof one === 'function' ? 'a function' : typeof one === 'string' ? JSON.stringify(one.slice(0, 60)) : String(one)
    const keys = Object.keys(one)
    return Array.isArray(one) ? 'a list' : keys.length === 0 ? 'an object' : keys.slice(0, 5).map((key) => `"${key.slice(0, 40)}"`).join(' and ')
  }).join(', ')
}

function misuse(strategy: Strategy, what: string): SweepmillError {
  return new SweepmillError('STRATEGY_FAILED', `The strategy "${strategy.name}" ${what}.`, { details: { strategy: strategy.name } })
}

function failed(strategy: Strategy, params: Params, bar: number, bars: BarColumns, thrown: unknown): SweepmillError {
  if (thrown instanceof SweepmillError) return thrown
  const where = bar < 0 ? '' : ` on bar ${bar} (${formatIsoTime(bars.time[bar]!)})`
  return new SweepmillError('STRATEGY_FAILED',
    `The strategy "${strategy.name}" threw an error${where} for ${JSON.stringify(params)}: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    { details: { strategy: strategy.name, params, ...(bar < 0 ? {} : { bar }) }, cause: thrown })
}
