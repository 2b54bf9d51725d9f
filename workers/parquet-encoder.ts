/**
 * A table as Parquet, a row group at a time: one holds at most GROUP_CELLS values, so that memory does not grow with the table.
 * Whole numbers are INT32 or INT64, other numbers DOUBLE, texts UTF8, times TIMESTAMP in milliseconds of UTC.
 */
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import type { TableBatch, TableColumn, TableEncoder } from './table.js'

/** Of one row group: 8 MB of doubles, some dozen MB while they are encoded. */
const GROUP_CELLS = 2 ** 20

export class ParquetEncoder implements TableEncoder {
  readonly #columns: readonly TableColumn[]
  readonly #groupRows: number
  readonly #bytes = new ByteWriter()
  readonly #parquet: ParquetWriter
  readonly #emit: (bytes: Uint8Array) => void
  #rows: unknown[][]
  #count = 0

  constructor(columns: readonly TableColumn[], emit: (bytes: Uint8Array) => void) {
    this.#columns = columns
    this.#groupRows = Math.max(1, Math.floor(GROUP_CELLS / columns.length))
    this.#emit = emit
    this.#rows = columns.map(() => [])
    this.#parquet = new ParquetWriter({ writer: this.#bytes, schema: schemaOf(columns), createdBy: 'sweepmill' })
  }

  add({ length, values }: TableBatch): void {
    for (let from = 0; from < length;) {
      const to = Math.min(length, from + this.#groupRows - this.#count)
      this.#columns.forEach(({ type }, column) => {
        const cell = parquetCell(type, values[column]!)
        const into = this.#rows[column]!
        for (let i = from; i < to; i += 1) into.push(cell(i))
      })
      this.#count += to - from
      from = to
      if (this.#count === this.#groupRows) this.#group()
    }
  }

  flush(): Promise<void> {
    return Promise.resolve()
  }

  end(): Promise<void> {
    if (this.#count > 0) this.#group()
    void this.#parquet.finish()
    this.#hand()
    return Promise.resolve()
  }

  #group(): void {
    void this.#parquet.write({ columnData: this.#columns.map(({ name }, column) => ({ name, data: this.#rows[column]! })), rowGroupSize: this.#groupRows })
    this.#rows = this.#columns.map(() => [])
    this.#count = 0
    this.#hand()
  }

  #hand(): void {
    this.#emit(new Uint8Array(this.#bytes.buffer.slice(0, this.#bytes.index)))
    this.#bytes.index = 0
  }
}

type SchemaElement = ParquetWriter['schema'][number]

function schemaOf(columns: readonly TableColumn[]): SchemaElement[] {
  const types: Readonly<Record<TableColumn['type'], Omit<SchemaElement, 'name'>>> = {
    int: { type: 'INT32' }, long: { type: 'INT64' }, double: { type: 'DOUBLE' }, text: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
    time: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' } },
  }
  return [{ name: 'root', num_children: columns.length }, ...columns.map(({ name, type }): SchemaElement => ({ name, repetition_type: 'OPTIONAL', ...types[type] }))]
}

function parquetCell(type: TableColumn['type'], values: Float64Array | readonly string[]): (i: number) => unknown {
  if (!(values instanceof Float64Array)) return (i) => values[i] ?? ''
  const value: (number: number) => unknown = type === 'long' || type === 'time' ? BigInt : (number) => number
  return (i) => (Number.isFinite(values[i]) ? value(values[i]!) : null)
}
