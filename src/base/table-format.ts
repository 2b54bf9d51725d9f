/** What a table that leaves the program is written as. */
export interface TableFormat {
  readonly kind: 'csv' | 'json' | 'parquet'
  /** Packed as a whole; never Parquet, which packs its pages itself. */
  readonly gzip: boolean
}

export const CSV: TableFormat = { kind: 'csv', gzip: false }

/** Takes what was written, in order; resolves when there is room for more. */
export type ByteSink = (bytes: Uint8Array) => Promise<void>
