/**
 * What a Parquet file says of itself, and that it agrees: the row groups have the rows of the file, each column has the rows
 * of its group and lies in the file, no two share bytes, and the rows are not more than the file's size allows.
 */
import { parquetMetadata, parquetSchema } from 'hyparquet'
import type { AsyncBuffer, ColumnMetaData, FileMetaData, ParquetParsers, RowGroup, SchemaTree } from 'hyparquet'
import { mostUnpackedBytes } from './parquet-column.js'
import { endOfStruct } from './thrift-struct.js'

const MAGIC_BYTES = 4
/** Length of the metadata, and the magic. */
const TAIL_BYTES = 8
/** Columns of bars lie at the top; what lies deeper is passed over. */
const MOST_COLUMNS = 10_000

/** The metadata, and the byte at which they begin. Throws an Error with what is wrong. */
export async function readFooter(file: AsyncBuffer, parsers: Partial<ParquetParsers>): Promise<{ metadata: FileMetaData; dataEnd: number }> {
  if (file.byteLength < MAGIC_BYTES + TAIL_BYTES) throw new Error(`it has ${file.byteLength} bytes`)
  const tail = new DataView(await file.slice(file.byteLength - TAIL_BYTES, file.byteLength))
  if (tail.getUint32(4, true) !== 0x31524150) throw new Error('it does not end as a Parquet file, and was cut off or is encrypted')
  const length = tail.getUint32(0, true)
  const dataEnd = file.byteLength - TAIL_BYTES - length
  if (dataEnd < MAGIC_BYTES) throw new Error(`its metadata cannot have ${length} bytes`)
  const footer = await file.slice(dataEnd, file.byteLength)
  endOfStruct(new Uint8Array(footer), 0, length)
  // With `geoparquet` it would read JSON that we do not need.
  const metadata = parquetMetadata(footer, { parsers, geoparquet: false })
  checkSchema(metadata)
  checkRows(metadata, file.byteLength)
  checkColumns(metadata)
  return { metadata, dataEnd }
}

function checkSchema({ schema }: FileMetaData): void {
  if (schema.length < 2 || schema.length > MOST_COLUMNS) throw new Error(`it has ${schema.length - 1} columns`)
  const children = schema.reduce((sum, { num_children: count = 0 }) => sum + (count >= 0 ? count : Number.NaN), 0)
  if (children !== schema.length - 1) throw new Error(`its schema has ${schema.length - 1} columns and says ${children}`)
  // How many are still to come at each depth.
  const open: number[] = []
  for (const { num_children: count = 0 } of schema) {
    if (open.length > 0) open[open.length - 1]! -= 1
    if (count > 0) open.push(count)
    while (open.at(-1) === 0) open.pop()
    if (open.length > 64) throw new Error('its schema is more than 64 deep')
  }
  for (const { name, converted_type: converted, logical_type: logical } of schema) {
    // Old readers take the first, new ones the second: they must not tell other times.
    const unit = logical?.type === 'TIMESTAMP' ? `TIMESTAMP_${logical.unit}` : null
    if (unit !== null && (converted === 'TIMESTAMP_MILLIS' || converted === 'TIMESTAMP_MICROS') && unit !== converted) {
      throw new Error(`its column ${JSON.stringify(name)} is ${converted} and ${unit} at once`)
    }
  }
}

function checkRows({ num_rows: rows, row_groups: groups }: FileMetaData, fileBytes: number): void {
  if (!(rows >= 0)) throw new Error(`it says that it has ${rows} rows`)
  if (Number(rows) * 8 > mostUnpackedBytes(fileBytes)) throw new Error(`it says that it has ${rows} rows, which do not fit into ${fileBytes} bytes`)
  let sum = 0n
  for (const [i, { num_rows: count }] of groups.entries()) {
    if (!(count >= 0)) throw new Error(`row group ${i + 1} says that it has ${count} rows`)
    sum += count
  }
  if (sum !== rows) throw new Error(`its ${groups.length} row groups have ${sum} rows, and it says ${rows}`)
}

/** A column that the groups know by another name than the schema would be passed over as one that is not there. */
function checkColumns(metadata: FileMetaData): void {
  const paths: string[] = []
  const visit = ({ children, path }: SchemaTree): void => {
    if (children.length === 0) paths.push(JSON.stringify(path))
    for (const child of children) visit(child)
  }
  visit(parquetSchema(metadata))
  for (const [i, { columns }] of metadata.row_groups.entries()) {
    if (columns.length !== paths.length) throw new Error(`row group ${i + 1} has ${columns.length} columns, and the schema ${paths.length}`)
    const wrong = columns.findIndex(({ meta_data: meta }, k) => JSON.stringify(meta?.path_in_schema) !== paths[k])
    if (wrong >= 0) throw new Error(`column ${wrong + 1} of row group ${i + 1} is not the one of the schema, ${paths[wrong] ?? ''}`)
  }
}

export interface ChunkPlace {
  readonly start: number
  readonly end: number
  readonly metadata: ColumnMetaData
}

/** Where the column lies in the group. Throws an Error with what does not agree. */
export function placeOf({ columns, num_rows: rows }: RowGroup, { element }: SchemaTree, dataEnd: number): ChunkPlace {
  const found = columns.filter(({ meta_data: meta }) => meta?.path_in_schema.length === 1 && meta.path_in_schema[0] === element.name)
  const [chunk] = found
  const metadata = chunk?.meta_data
  if (chunk === undefined || metadata === undefined || found.length > 1) throw new Error(found.length > 1 ? 'it is there twice' : 'it is missing')
  if (chunk.file_path !== undefined && chunk.file_path !== '') throw new Error('it lies in another file')
  if (chunk.crypto_metadata !== undefined || chunk.encrypted_column_metadata !== undefined) throw new Error('it is encrypted')
  if (metadata.type !== element.type) throw new Error(`it is of the type ${metadata.type}, and the schema says ${String(element.type)}`)
  if (metadata.num_values !== rows) throw new Error(`it has ${metadata.num_values} values for ${rows} rows`)
  const start = Number(metadata.dictionary_page_offset === undefined || metadata.dictionary_page_offset === 0n ? metadata.data_page_offset : metadata.dictionary_page_offset)
  const end = start + Number(metadata.total_compressed_size)
  if (!(start >= MAGIC_BYTES && end >= start && end <= dataEnd)) throw new Error(`its bytes ${start} to ${end} are not in the file`)
  return { start, end, metadata }
}

/** No two columns may share bytes: a file of many groups over the same bytes would be read many times. */
export class ReadPlaces {
  readonly #places: ChunkPlace[] = []

  add(place: ChunkPlace): void {
    let low = 0
    for (let high = this.#places.length; low < high;) {
      const middle = (low + high) >> 1
      if (this.#places[middle]!.start < place.start) low = middle + 1
      else high = middle
    }
    const [before, after] = [this.#places[low - 1], this.#places[low]]
    if ((before !== undefined && before.end > place.start) || (after !== undefined && place.end > after.start)) throw new Error('it shares its bytes with another column')
    this.#places.splice(low, 0, place)
  }
}

export function topColumns(metadata: FileMetaData): SchemaTree[] {
  return parquetSchema(metadata).children.filter(({ children, element }) => children.length === 0 && element.repetition_type !== 'REPEATED')
}
