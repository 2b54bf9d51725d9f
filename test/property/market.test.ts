/** Numbers parse as JavaScript parses them; frames, blocks and CSV carry the same bars; garbage never crashes otherwise. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SweepmillError } from '../../src/base/errors.js'
import { createBars, hashColumns } from '../../src/market/bars.js'
import { decodeBlocks, encodeBlocks } from '../../src/market/blocks.js'
import { attachBars } from '../../src/market/layout.js'
import type { BarColumns } from '../../src/market/layout.js'
import { sliceBars } from '../../src/market/merge.js'
import { parseNumber } from '../../src/market/parse-number.js'
import { CsvReader, parseCsv } from '../../src/market/read-csv.js'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const META = { source: 'property', warnings: [] }

test('numbers parse to the same bits as Number', () => {
  const texts = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.tuple(fc.bigInt(0n, 10n ** 20n), fc.integer({ min: 0, max: 25 })).map(([mantissa, decimals]) => {
      const digits = mantissa.toString().padStart(decimals + 1, '0')
      return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
    }),
  )
  fc.assert(fc.property(texts, (text) => Object.is(parseNumber(bytesOf(text), 0, text.length), Number(text))), { numRuns: 5000 })
})

const barsArbitrary = fc.array(fc.record({
  step: fc.integer({ min: 60_000, max: 40 * 86_400_000 }),
  prices: fc.array(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), { minLength: 4, maxLength: 4 }),
  volume: fc.double({ min: 0, max: 1e12, noNaN: true }),
}), { minLength: 1, maxLength: 60 }).map((rows): BarColumns => {
  let time = Date.UTC(2001, 1, 3)
  const out = rows.map(({ step, prices, volume }) => {
    time += step
    const sorted = prices.toSorted((a, b) => a - b) as [number, number, number, number]
    return [time, sorted[1], sorted[3], sorted[0], sorted[2], volume] as const
  })
  const column = (i: number): Float64Array => Float64Array.from(out, (row) => row[i] ?? 0)
  return { length: rows.length, time: column(0), open: column(1), high: column(2), low: column(3), close: column(4), volume: column(5) }
})

test('frame, blocks and CSV give back the same content under the same hash', () => {
  fc.assert(fc.property(barsArbitrary, (columns) => {
    const bars = createBars(columns, META)
    expect([...attachBars(bars.buffer).close]).toEqual([...columns.close])
    expect(decodeBlocks(encodeBlocks(bars).map((block) => block.bytes), META).hash).toBe(bars.hash)
    const lines = Array.from({ length: columns.length }, (_, i) =>
      [new Date(columns.time[i] ?? 0).toISOString(), columns.open[i], columns.high[i], columns.low[i], columns.close[i], columns.volume[i]].join(','))
    expect(parseCsv(bytesOf(['time,open,high,low,close,volume', ...lines].join('\n')), 'p.csv').hash).toBe(bars.hash)
  }), { numRuns: 200 })
})

test('a CSV in pieces is the same CSV, and its errors name the same line', () => {
  const text = fc.tuple(barsArbitrary, fc.constantFrom('\n', '\r\n', '\n\n'), fc.boolean(), fc.option(fc.nat(), { nil: undefined })).map(([columns, end, header, wrongAt]) => {
    const lines = Array.from({ length: columns.length }, (_, i) => [columns.time[i], columns.open[i], columns.high[i], columns.low[i], columns.close[i], columns.volume[i]].join(','))
    if (wrongAt !== undefined) lines[wrongAt % lines.length] += '?'
    return `\uFEFF${header ? `time,open,high,low,close,volume${end}` : ''}${lines.join(end)}`
  })
  const read = (run: () => { columns: BarColumns }): unknown => {
    try { return hashColumns(run().columns) } catch (error) { return (error as SweepmillError).message }
  }
  fc.assert(fc.property(text, fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 8 }), fc.boolean(), (content, sizes, sizeKnown) => {
    const bytes = bytesOf(content)
    const inPieces = read(() => {
      const reader = new CsvReader('p.csv', sizeKnown ? bytes.length : null)
      const piece = new Uint8Array(90)
      for (let at = 0, k = 0; at < bytes.length; k += 1) {
        const size = Math.min(sizes[k % sizes.length] ?? 1, bytes.length - at)
        piece.set(bytes.subarray(at, at + size))
        reader.feed(piece.subarray(0, size))
        piece.fill(0)
        at += size
      }
      return reader.finish()
    })
    expect(inPieces).toBe(read(() => ({ columns: parseCsv(bytes, 'p.csv') })))
  }), { numRuns: 300 })
})

test('a range out of blocks is the same bars as a range of the columns', () => {
  fc.assert(fc.property(barsArbitrary, fc.nat(), fc.nat(), (columns, a, b) => {
    const [from = 0, to = 0] = [a % columns.length, b % (columns.length + 1)].toSorted((x, y) => x - y)
    const range = { fromMs: columns.time[from] ?? 0, toMs: columns.time[to] ?? Infinity }
    const cut = sliceBars(columns, range.fromMs, range.toMs)
    const blocks = encodeBlocks(columns).map((block) => block.bytes)
    if (cut.length === 0) expect(() => decodeBlocks(blocks, META, range)).toThrow(expect.objectContaining({ code: 'DATA_EMPTY' }))
    else expect(decodeBlocks(blocks, META, range).hash).toBe(createBars(cut, META).hash)
  }), { numRuns: 200 })
})

test('changing one cell changes the hash', () => {
  fc.assert(fc.property(barsArbitrary, fc.nat(), fc.constantFrom('time', 'open', 'high', 'low', 'close', 'volume'), (columns, at, name) => {
    const before = hashColumns(columns)
    const changed = { ...columns, [name]: Float64Array.from(columns[name]) }
    const i = at % columns.length
    changed[name][i] = (changed[name][i] ?? 0) + 1
    expect(hashColumns(changed)).not.toBe(before)
  }), { numRuns: 200 })
})

test('garbage is refused with a code', () => {
  const refused = (run: () => unknown): void => {
    try { run() } catch (error) { if (!(error instanceof SweepmillError)) throw error }
  }
  const frame = createBars({ length: 1, time: Float64Array.of(0), open: Float64Array.of(1), high: Float64Array.of(1), low: Float64Array.of(1), close: Float64Array.of(1), volume: Float64Array.of(1) }, META)
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (noise, at) => {
    refused(() => parseCsv(noise, 'noise'))
    refused(() => decodeBlocks([noise], META))
    const buffer = new SharedArrayBuffer(frame.sizeBytes)
    const bytes = new Uint8Array(buffer)
    bytes.set(new Uint8Array(frame.buffer))
    noise.forEach((byte, i) => { bytes[(at + i) % bytes.length] = byte })
    refused(() => attachBars(buffer))
  }), { numRuns: 500 })
})
