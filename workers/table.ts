/** A table on its way out: its columns, the batches that it comes in, and what makes bytes of them. */
export interface TableColumn {
  readonly name: string
  /** `long`: whole numbers that may be larger than 2^31. */
  readonly type: 'int' | 'long' | 'double' | 'text' | 'time'
}

/** In the order of the columns; all of one length. */
export interface TableBatch {
  readonly length: number
  readonly values: readonly (Float64Array | readonly string[])[]
}

export interface TableEncoder {
  add(batch: TableBatch): void
  /** Hands on what there is, as far as the format lets it. */
  flush(): Promise<void>
  end(): Promise<void>
}
