/** A thread that reads a file of bars as plainly as it can be done, for the suite `import` to compare with; says how many milliseconds it took. */
import { readFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { parquetMetadataAsync, parquetRead } from 'hyparquet'

const { kind, path, rows } = workerData as { kind: 'csv' | 'parquet'; path: string; rows: number }

/** The least that reading six numbers a line can cost in JavaScript. */
function plainCsv(path: string, rows: number): void {
  const bytes = readFileSync(path)
  const columns = Array.from({ length: 6 }, () => new Float64Array(rows))
  let at = bytes.indexOf(10) + 1
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < 6; column += 1) {
      let value = 0
      let scale = 0
      for (let byte = bytes[at]!; byte !== 44 && byte !== 10; byte = bytes[++at]!) {
        if (byte === 46) scale = 1
        else {
          value = value * 10 + (byte - 48)
          scale *= 10
        }
      }
      columns[column]![row] = scale > 1 ? value / scale : value
      at += 1
    }
  }
  if (!(columns[0]![rows - 1]! > columns[0]![0]!)) throw new Error('the plain reader read something else')
}

async function plainParquet(path: string): Promise<void> {
  const bytes = readFileSync(path)
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)
  const file = { byteLength: bytes.length, slice: (start: number, end?: number) => buffer.slice(start, end) }
  const metadata = await parquetMetadataAsync(file)
  for (const name of ['time', 'open', 'high', 'low', 'close', 'volume']) {
    let rowStart = 0
    for (const group of metadata.row_groups) {
      const rowEnd = rowStart + Number(group.num_rows)
      await parquetRead({ file, metadata, columns: [name], rowStart, rowEnd, onChunk: () => undefined })
      rowStart = rowEnd
    }
  }
}

const fromMs = performance.now()
if (kind === 'csv') plainCsv(path, rows)
else await plainParquet(path)
parentPort?.postMessage(performance.now() - fromMs)
