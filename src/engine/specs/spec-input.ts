/**
 * Specs as a program writes them: the JSON of docs/specs.md as types, so that an editor completes the keys and a slip in a
 * literal does not compile. They describe what the parsers take and judge nothing: ranges and contradictions are theirs.
 * A test holds these keys to the parsers'.
 */
import type { SweepMetricName } from '../metrics/sweep-metrics.js'

/** A fraction of the price (0.05 is 5 %), or multiples of Wilder's ATR over `atr` bars. */
export type DistanceInput = number | { readonly atr: number; readonly multiple: number }

export interface SizingInput {
  readonly mode?: 'all_in' | 'fraction' | 'cash' | 'units' | 'risk'
  /** Fraction of the equity, cash, units, or fraction of the equity at risk, by mode. */
  readonly value?: number
  readonly whole_units?: boolean
  readonly lot_size?: number | null
  readonly min_notional?: number
}

export interface ExecutionInput {
  readonly initial_cash?: number
  readonly fill?: 'next_open' | 'close'
  readonly direction?: 'long' | 'short' | 'both'
  readonly sizing?: SizingInput
  /** Fraction of each fill's notional: 0.001 is 0.1 %. */
  readonly fee_rate?: number
  readonly fee_fixed?: number
  /** By the units of each fill, and the least that a fill pays in all. */
  readonly fee_per_unit?: number
  readonly fee_min?: number
  readonly maker_fee_rate?: number
  readonly spread?: number
  readonly slippage?: number
  readonly stop_slippage?: number
  readonly leverage?: number
  readonly stop_loss?: DistanceInput | null
  readonly take_profit?: DistanceInput | null
  readonly trailing_stop?: DistanceInput | null
  readonly stop_reference?: 'fill_price' | 'signal_close'
  readonly stop_on_entry_bar?: boolean
  readonly stop_priority?: 'signal_first' | 'stop_first'
  readonly entry_order?: { readonly type: 'limit' | 'stop'; readonly offset?: DistanceInput | null; readonly bars?: number | null } | null
  readonly entry_when_in_position?: 'ignore' | 'add' | 'replace'
  readonly max_entries?: number | null
  readonly conflicting_signals?: 'ignore'
  readonly finalize?: 'mark_to_market' | 'close_last_open' | 'close_last_close'
  readonly intrabar_path?: 'pessimistic' | 'ohlc' | 'olhc' | 'adaptive' | 'finer'
  /** A year, as a fraction. */
  readonly borrow_rate?: number
  readonly tick_size?: number | null
  readonly market?: 'spot' | 'perpetual'
  readonly funding?: { readonly rate: number; readonly interval_hours?: number } | readonly { readonly time: string; readonly rate: number }[] | null
  readonly maintenance_margin?: number | readonly { readonly up_to?: number | null; readonly rate: number }[] | null
  readonly liquidation_fee?: number | null
}

export interface MetricsInput {
  readonly periods_per_year?: number
  /** A year, as a fraction: 0.02 is 2 %. */
  readonly risk_free?: number
}

/** How a file of bars is read where it does not say it (docs/data.md). */
export interface ReadingInput {
  /** Which of several tickers in the file. */
  readonly ticker?: string
  /** Such as `MM/DD/YYYY`. */
  readonly date_format?: string
  /** Headers of columns that have names of their own; an empty one: there is none. */
  readonly columns?: Readonly<Partial<Record<'date' | 'time' | 'open' | 'high' | 'low' | 'close' | 'volume' | 'adjclose' | 'ticker', string>>>
  /** The sign before decimals. */
  readonly decimal?: '.' | ','
  /** Leave bad rows out: true for a tenth of them at most, or the share itself. */
  readonly skip_bad?: boolean | number
}

/** Either `strategy` or `strategy_id`; where the bars are not given by the program, also `file`, `symbol` or `symbols`. */
export interface BacktestSpecInput {
  readonly file?: string
  /** Of all files of the spec. */
  readonly reading?: ReadingInput
  readonly symbol?: string
  readonly symbols?: readonly (string | { readonly symbol: string; readonly file?: string; readonly reading?: ReadingInput; readonly exchange?: string })[]
  readonly timeframe?: string
  readonly exchange?: string
  readonly finer?: { readonly file: string; readonly reading?: ReadingInput; readonly timeframe?: undefined } | { readonly timeframe: string; readonly file?: undefined } | null
  /** What the run is compared with: a stored symbol, or a file; without it buy-and-hold of the same bars. Not in a sweep. */
  readonly benchmark?: string | { readonly symbol: string; readonly exchange?: string; readonly timeframe?: string; readonly file?: undefined }
    | { readonly file: string; readonly reading?: ReadingInput; readonly symbol?: undefined } | null
  /** `2020-01-31` or `2020-01-31T12:00:00Z`. */
  readonly start_date?: string
  /** The last bar; a day belongs to it whole. */
  readonly end_date?: string
  readonly adjust?: boolean
  readonly strategy?: { readonly name: string; readonly params?: Readonly<Record<string, number>> }
  readonly strategy_id?: number
  readonly execution?: ExecutionInput
  readonly metrics?: MetricsInput
  /** The program writes the rest when a task is accepted. */
  readonly data_hash?: string
  readonly data_parts?: readonly number[]
  readonly data_warnings?: readonly string[]
  readonly strategy_hash?: string
  /** The parameters' names in the order in which they were written. */
  readonly params_order?: readonly string[]
}

export type AxisInput = { readonly min: number; readonly max: number; readonly step?: number; readonly choices?: undefined }
  | { readonly choices: readonly number[]; readonly min?: undefined; readonly max?: undefined; readonly step?: undefined }

export interface SweepSpecInput extends BacktestSpecInput {
  /** By the names of the strategy's parameters; the last runs fastest. */
  readonly space: Readonly<Record<string, AxisInput>>
  readonly space_order?: readonly string[]
  /** Such as `fast < slow`. */
  readonly constraint?: string
  readonly method?: 'grid'
  readonly objective?: SweepMetricName
  readonly direction?: 'maximize' | 'minimize'
  /** The last share of the bars, kept back. */
  readonly holdout?: number
  readonly seed?: number
  readonly top?: number
}

/** JSON whose shape the compiler does not know, such as what JSON.parse gave: only the parser judges it. */
export type Untyped<Json> = unknown extends Json ? Json : string extends keyof Json ? Json : never
