/**
 * Port: bars by exchange, symbol and timeframe. A series is a list of immutable month blocks; adding bars replaces a
 * month's block, by comparison with the one it was made from, so two writers of one month cannot lose each other's bars.
 */
import type { ByteSink, TableFormat } from '../base/table-format.js'
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

/** What the history is to say of a change. */
export interface RevisionNote {
  readonly kind: 'import' | 'repair' | 'sync'
  /** Names of files, or of the exchange. */
  readonly source: string
  readonly added: number
  readonly replaced: number
}

/** All months were replaced and are a revision, or none was: `months` are those that changed meanwhile. */
export type ReplacedAll = { readonly kind: 'replaced'; readonly revision: number } | { readonly kind: 'changed'; readonly months: readonly string[] } | { readonly kind: 'fenced' }

/** A month that comes to a series. Without bytes its block is kept in the store already. */
export interface IncomingMonth extends SeriesBlock {
  readonly bytes: Uint8Array | null
}

/** A file of bars while it is read. All three reject where the file is wrong. */
export interface SeriesFile {
  /** What messages call it. */
  readonly name: string
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
export interface BarCounts {
  readonly added: number
  readonly replaced: number
  readonly same: number
}

export interface AddedBars extends BarCounts {
  /** By file, in their order; a bar counts against what was stored and the files before. */
  readonly files: readonly BarCounts[]
  /** Months that are not what they were. */
  readonly changed: readonly string[]
  /** The revision that they are; null where nothing changed. */
  readonly revision: number | null
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

/** JSON that leaves the program. */
export interface RevisionView {
  readonly revision: number
  readonly at: string
  /** `found`: the series was there before its history. `undo`: a sync was taken back. */
  readonly kind: RevisionNote['kind'] | 'found' | 'undo' | 'restore' | 'remove'
  readonly source: string
  readonly task_id: string | null
  /** Of the whole series, then. */
  readonly bars: number
  readonly added: number
  readonly replaced: number
  readonly months_changed: number
  readonly current: boolean
  /** All its bars are there still. */
  readonly restorable: boolean
}

/** What a restore or a removal did. */
export interface RevisedSeries {
  readonly revision: number
  readonly bars: number
  readonly months_changed: number
}

/** What an export wrote, and what the file does not say. */
export interface ExportedSeries {
  readonly bars: number
  readonly notes: readonly string[]
}

/** Port: what a person or a program does with series. All but `add`, `list` and `history` know none without bars: SERIES_NOT_FOUND. */
export interface SeriesDesk {
  /**
   * Makes the series if there is none. Months are stored while the files are read, and become part of the series together
   * when all of them were: a file that is wrong adds nothing. Bars that differ from stored ones, or from those of a file
   * before, are DATA_CONFLICT and add nothing either, unless `replace` is true: then the later ones stand.
   */
  add(key: SeriesKey, files: SeriesFile | AsyncIterable<SeriesFile>, replace?: boolean): Promise<AddedBars>
  /** Reads all of the series, keeps the report with it and returns it. */
  check(key: SeriesKey): Promise<QualityReport>
  /** By exchange, symbol, timeframe. */
  list(): Promise<readonly SeriesView[]>
  show(key: SeriesKey): Promise<SeriesView>
  /** Fills its gaps with flat bars, and checks it. What was made up is kept in the report, and said in every result. */
  repair(key: SeriesKey): Promise<{ readonly filled: number; readonly quality: QualityReport }>
  /** All finished bars, in files that an import reads as the same bars. `write` applies back-pressure. */
  export(key: SeriesKey, format: TableFormat, write: ByteSink): Promise<ExportedSeries>
  /** Latest first. SERIES_NOT_FOUND where there never was one. */
  history(key: SeriesKey): Promise<readonly RevisionView[]>
  /** Back to what it was after that revision, as a new one; also of a removed series. REVISION_NOT_FOUND. */
  restore(key: SeriesKey, revision: number): Promise<RevisedSeries>
  /** Takes all bars out, as a revision. */
  remove(key: SeriesKey): Promise<RevisedSeries>
}

/** Port: the history of series. Each is one transaction. */
export interface SeriesHistory {
  /** Null where there never was such a series. */
  history(key: SeriesKey): Promise<readonly RevisionView[] | null>
  /** REVISION_NOT_FOUND; null as above. */
  restore(key: SeriesKey, revision: number): Promise<RevisedSeries | null>
  /** Null where the series has no bars. */
  remove(key: SeriesKey): Promise<RevisedSeries | null>
}

export interface BarSeriesStore {
  find(key: SeriesKey): Promise<Series | null>
  /** Makes the series if there is none. */
  ensure(key: SeriesKey): Promise<Series>
  /** By exchange, symbol, timeframe; all that have bars, or those of a symbol in any case of its letters. */
  list(symbol?: string): Promise<readonly Series[]>
  /** In the order asked for; NOT_RESOLVABLE when one is not there. */
  blocks(hashes: readonly string[]): Promise<readonly Uint8Array[]>
  /** One transaction. Blocks that no series names stay until a cleanup: they can be kept before it is known whether they will be. */
  keep(blocks: readonly NewBlock[]): Promise<void>
  /** One transaction: all or none. With a writer all is fenced by the attempt and remembered as that task's changes. */
  replace(seriesId: number, changes: readonly MonthChange[], writer: Writer | null, note: RevisionNote): Promise<ReplacedAll>
  /** Latest first: the order in which they are undone. */
  changesOf(taskId: string): Promise<readonly MadeChange[]>
  /** Bars that the months have more, or less, through the changes of this task that stand. */
  addedBy(taskId: string): Promise<number>
  /** Replaces the month and marks the change as undone, in one transaction fenced by the attempt. */
  undo(changeId: number, change: MonthChange, writer: Writer): Promise<Replaced>
  saveQuality(seriesId: number, quality: unknown): Promise<void>
}
