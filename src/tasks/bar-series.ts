/**
 * Port: bars by exchange, symbol and timeframe. A series is a list of immutable month blocks; adding bars replaces a
 * month's block, by comparison with the one it was made from, so two writers of one month cannot lose each other's bars.
 */
import type { QualityReport } from '../market/quality.js'
import type { StoredBlock } from './bar-archive.js'

/** Upper case exchange and symbol are kept as given; the timeframe is such as 1m, 1h, 1d. */
export interface SeriesKey {
  readonly exchange: string
  readonly symbol: string
  readonly timeframe: string
}

/** Times are starts of bars in milliseconds since 1970, UTC. */
export interface SeriesBlock {
  readonly month: string
  readonly hash: string
  readonly bars: number
  readonly firstTime: number
  readonly lastTime: number
}

export interface Series extends SeriesKey {
  readonly seriesId: number
  /** Oldest month first. */
  readonly blocks: readonly SeriesBlock[]
  /** The latest data-quality report, as JSON. */
  readonly quality: unknown
}

export interface NewBlock extends StoredBlock, SeriesBlock {}

/** One month's block in place of another, which was kept before; null: none. */
export interface MonthChange {
  readonly seriesId: number
  readonly month: string
  readonly before: string | null
  readonly after: SeriesBlock | null
}

/** A change that a task made and has not undone. */
export interface MadeChange {
  readonly changeId: number
  readonly seriesId: number
  readonly month: string
  readonly before: string | null
  readonly after: string
}

/** The attempt that writes. */
export interface Writer {
  readonly taskId: string
  readonly attempt: number
}

/** `changed`: the month no longer has the block `before`; read it again and merge anew. */
export type Replaced = 'replaced' | 'changed' | 'fenced'

/** A month that comes to a series. Without bytes its block is kept in the store already. */
export interface IncomingMonth extends SeriesBlock {
  readonly bytes: Uint8Array | null
}

/** A file of bars while it is read. All three reject where the file is wrong. */
export interface SeriesFile {
  /** In their order, some at a time, once. */
  readonly months: AsyncIterable<readonly NewBlock[]>
  /** A month has come, or all is read. */
  readonly begun: Promise<unknown>
  readonly facts: Promise<FileFacts>
}

/** What is known of a file when all of it was read. */
export interface FileFacts {
  readonly bars: number
  readonly months: number
  readonly warnings: readonly string[]
  /** What only the importer may want to know, such as whether a checksum was verified. */
  readonly notes: readonly string[]
}

/** Of the bars that came: new ones, ones that changed what was stored, ones that changed nothing. */
export interface AddedBars {
  readonly added: number
  readonly replaced: number
  readonly same: number
  /** Months that are not what they were. */
  readonly changed: readonly string[]
}

/** JSON that leaves the program. */
export interface SeriesView {
  readonly exchange: string
  readonly symbol: string
  readonly timeframe: string
  readonly bars: number
  readonly first_time: string | null
  readonly last_time: string | null
  readonly months: readonly { readonly month: string; readonly bars: number; readonly first_time: string; readonly last_time: string; readonly block_hash: string }[]
  /** See docs/data.md; null until it was checked. */
  readonly quality: QualityReport | null
}

/** Port: what a person or a program does with series. */
export interface SeriesDesk {
  /**
   * Makes the series if there is none. Bars of the file stand where the series has others of the same time. Months are
   * stored while the file is read, and become part of the series when all of it was: a file that is wrong adds nothing.
   */
  add(key: SeriesKey, file: SeriesFile): Promise<AddedBars>
  /** Reads all of the series, keeps the report with it and returns it. */
  check(key: SeriesKey): Promise<QualityReport>
  /** By exchange, symbol, timeframe. */
  list(): Promise<readonly SeriesView[]>
  /** SERIES_NOT_FOUND. */
  show(key: SeriesKey): Promise<SeriesView>
  /** Fills its gaps with flat bars, and checks it. What was made up is kept in the report, and said in every result. */
  repair(key: SeriesKey): Promise<{ readonly filled: number; readonly quality: QualityReport }>
}

export interface BarSeriesStore {
  find(key: SeriesKey): Promise<Series | null>
  /** Makes the series if there is none. */
  ensure(key: SeriesKey): Promise<Series>
  /** By exchange, symbol, timeframe; all, or those of a symbol in any case of its letters. */
  list(symbol?: string): Promise<readonly Series[]>
  /** In the order asked for; NOT_RESOLVABLE when one is not there. */
  blocks(hashes: readonly string[]): Promise<readonly Uint8Array[]>
  /** One transaction. Blocks that no series names stay until a cleanup: they can be kept before it is known whether they will be. */
  keep(blocks: readonly NewBlock[]): Promise<void>
  /** One transaction, an outcome for each change. With a writer all is fenced by the attempt and remembered as that task's changes. */
  replace(changes: readonly MonthChange[], writer: Writer | null): Promise<readonly Replaced[]>
  /** Latest first: the order in which they are undone. */
  changesOf(taskId: string): Promise<readonly MadeChange[]>
  /** Bars that the months have more, or less, through the changes of this task that stand. */
  addedBy(taskId: string): Promise<number>
  /** Replaces the month and marks the change as undone, in one transaction fenced by the attempt. */
  undo(changeId: number, change: MonthChange, writer: Writer): Promise<Replaced>
  saveQuality(seriesId: number, quality: unknown): Promise<void>
}
