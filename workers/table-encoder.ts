/**
 * A table on its way out: batches of columns in, bytes of CSV, JSON or Parquet out, in bounded memory. A number that is not
 * finite is a missing value: an empty cell, null.
 */
import { once } from 'node:events'
import { createGzip } from 'node:zlib'
import { formatIsoTime } from '../src/engine/index.js'
import type { TableFormat } from '../src/base/table-format.js'
import { lateModule } from './late-module.js'
import { utf8 } from './step.js'
import type { TableBatch, TableColumn, TableEncoder } from './table.js'

export async function tableEncoder({ kind, gzip }: TableFormat, columns: readonly TableColumn[], emit: (bytes: Uint8Array) => void): Promise<TableEncoder> {
  // Its package takes longer to load than a thread may take to start.
  if (kind === 'parquet') return new (await lateModule(() => import('./parquet-encoder.js'))).ParquetEncoder(columns, emit)
  const out = gzip ? new Gzip(emit) : { write: (bytes: Uint8Array) => { emit(bytes); return Promise.resolve() }, end: () => Promise.resolve() }
  return kind === 'csv' ? new CsvEncoder(columns, out) : new JsonEncoder(columns, out)
}

interface Bytes {
  write(bytes: Uint8Array): Promise<void>
  end(): Promise<void>
}

/** Holds back what it packs; zlib works beside this thread. */
class Gzip implements Bytes {
  readonly #gzip = createGzip()

  constructor(emit: (bytes: Uint8Array) => void) {
    this.#gzip.on('data', (bytes: Buffer) => { emit(new Uint8Array(bytes)) })
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#gzip.write(bytes)) await once(this.#gzip, 'drain')
  }

  async end(): Promise<void> {
    this.#gzip.end()
    await once(this.#gzip, 'end')
  }
}

class CsvEncoder implements TableEncoder {
  readonly #columns: readonly TableColumn[]
  readonly #out: Bytes
  #text: string

  constructor(columns: readonly TableColumn[], out: Bytes) {
    this.#columns = columns
    this.#out = out
    this.#text = `${columns.map(({ name }) => csvText(name)).join(',')}\n`
  }

  add({ length, values }: TableBatch): void {
    const cells = this.#columns.map(({ type }, column) => cellOf(type, values[column]!, csvText, ''))
    for (let i = 0; i < length; i += 1) this.#text += `${cells.map((cell) => cell(i)).join(',')}\n`
  }

  async flush(): Promise<void> {
    const text = this.#text
    this.#text = ''
    if (text !== '') await this.#out.write(utf8(text))
  }

  async end(): Promise<void> {
    await this.flush()
    await this.#out.end()
  }
}

/** One array of objects, one object a line. */
class JsonEncoder implements TableEncoder {
  readonly #columns: readonly TableColumn[]
  readonly #out: Bytes
  #text = '['
  #rows = 0

  constructor(columns: readonly TableColumn[], out: Bytes) {
    this.#columns = columns
    this.#out = out
  }

  add({ length, values }: TableBatch): void {
    const cells = this.#columns.map(({ name, type }, column) => {
      const cell = cellOf(type, values[column]!, (text) => JSON.stringify(text), 'null')
      const key = JSON.stringify(name)
      return (i: number): string => `${key}:${type === 'time' ? quoted(cell(i)) : cell(i)}`
    })
    for (let i = 0; i < length; i += 1) {
      this.#text += `${this.#rows === 0 ? '' : ','}\n{${cells.map((cell) => cell(i)).join(',')}}`
      this.#rows += 1
    }
  }

  async flush(): Promise<void> {
    const text = this.#text
    this.#text = ''
    if (text !== '') await this.#out.write(utf8(text))
  }

  async end(): Promise<void> {
    this.#text += this.#rows === 0 ? ']\n' : '\n]\n'
    await this.flush()
    await this.#out.end()
  }
}

function quoted(time: string): string {
  return time === 'null' ? time : `"${time}"`
}

function cellOf(type: TableColumn['type'], values: Float64Array | readonly string[], text: (value: string) => string, missing: string): (i: number) => string {
  if (!(values instanceof Float64Array)) return (i) => text(values[i] ?? '')
  const number = type === 'time' ? formatIsoTime : String
  return (i) => (Number.isFinite(values[i]) ? number(values[i]!) : missing)
}

export function csvText(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
