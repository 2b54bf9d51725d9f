/** `sweepmill import`: files of bars into the store, under exchange, symbol and timeframe. */
import { resolve } from 'node:path'
import { Command } from 'commander'
import { SweepmillError } from '../../base/errors.js'
import { parseTimeframe } from '../../market/timeframe.js'
import type { FileFacts, SeriesFile, SeriesKey } from '../../tasks/bar-series.js'
import type { Invocation, Invocations } from '../context.js'
import { qualityTable } from '../quality-table.js'
import { addReadingFlags, READING_HELP, readingOf } from '../reading-flags.js'
import type { ReadingFlags } from '../reading-flags.js'
import { assertFile } from '../spec-flags.js'
import { formatNumber, textTable } from '../text-table.js'

interface Flags {
  readonly exchange: string
  readonly symbol: string
  readonly timeframe: string
}

const HELP = `
Files are CSV (also in gzip or zip, as exchanges dump them) or Parquet; FILE.CHECKSUM
beside a file is verified. Bars that are there already are compared: where any has
other values nothing is stored, unless --replace says that those of the file are
right. What the report says is in docs/data.md; "sweepmill series history" shows what
became of a series, and "sweepmill series restore" takes it back.
${READING_HELP}
Examples:
  sweepmill import BTCUSDT-1h.csv --exchange binance --symbol BTCUSDT --timeframe 1h
  sweepmill import 2024-*.csv --exchange bybit --symbol ETHUSDT --timeframe 1m --json
`

export function importCommand(invocations: Invocations): Command {
  const command = addReadingFlags(new Command('import').description('put files of bars into the store'))
    .argument('<file...>', 'files of one series, in this order')
    .requiredOption('--exchange <name>', 'where the bars are from, such as binance')
    .requiredOption('--symbol <name>', 'what was traded, such as BTCUSDT')
    .requiredOption('--timeframe <name>', 'how long a bar is: 1m, 15m, 4h, 1d, 1w, 1M')
    .option('--replace', 'stored bars that have other values become those of the file')
    .option('--repair', 'fill gaps with flat bars of volume 0; every result that uses them says so')
    .addHelpText('after', HELP)
  return invocations.command(command, runImport)
}

interface ReadFile extends FileFacts {
  readonly file: string
}

type ImportFlags = Flags & ReadingFlags & { readonly repair?: boolean; readonly replace?: boolean }

async function runImport(invocation: Invocation, flags: ImportFlags, files: readonly string[]): Promise<void> {
  const { output } = invocation
  const key = seriesKey(flags)
  for (const file of files) await assertFile(file)
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const [first = '', ...others] = files
    const way = readingOf(flags)
    const reading = workbench.readBars(resolve(first), key.timeframe, way)
    // A file that is wrong from its beginning starts no service.
    await reading.begun
    const { series } = await workbench.connect('client')
    const read: ReadFile[] = []
    // One after the other; all become bars of the series together, or none.
    async function* all(): AsyncGenerator<SeriesFile> {
      for (const path of [first, ...others]) {
        const file = path === first && read.length === 0 ? reading : workbench.readBars(resolve(path), key.timeframe, way)
        yield file
        const facts = await file.facts
        read.push({ file: path, ...facts })
        for (const line of [...facts.warnings, ...facts.notes]) output.note(`sweepmill: ${line}`)
      }
    }
    const { files: counts, revision, ...totals } = await series.add(key, all(), flags.replace === true)
    const imported = read.map(({ warnings, notes, ...one }, i) => ({ ...one, ...counts[i], warnings, notes }))
    const { filled, quality } = flags.repair === true ? await series.repair(key) : { filled: 0, quality: await series.check(key) }
    const sums = { bars_read: read.reduce((sum, { bars }) => sum + bars, 0), added: totals.added, replaced: totals.replaced, same: totals.same }
    output.document({ series: key, files: imported, ...sums, revision, filled, quality })
    output.text([
      output.bold(`${key.exchange} ${key.symbol} ${key.timeframe}`),
      textTable(['file', 'months', 'bars', 'added', 'replaced', 'same'], imported.map((one) => [one.file, one.months, one.bars, one.added, one.replaced, one.same])),
      ...(imported.length > 1 ? [`${formatNumber(sums.bars_read)} bars read: ${formatNumber(sums.added)} added, ${formatNumber(sums.replaced)} replaced, ${formatNumber(sums.same)} the same.`] : []),
      revision === null ? 'Nothing changed: it is no new revision.' : `It is revision ${revision}; "sweepmill series history ${key.exchange}/${key.symbol}/${key.timeframe}" shows them all.`,
      ...(flags.repair === true ? [`${formatNumber(filled)} bars were made up to fill gaps.`] : []),
      '', qualityTable(quality),
    ].join('\n'))
  })
}

/** `exchange/symbol/timeframe`; a symbol may hold a slash of its own. Throws USAGE or SPEC_INVALID. */
export function parseSeriesName(name: string): SeriesKey {
  const [, exchange, symbol, timeframe] = /^([^/]+)\/(.+)\/([^/]+)$/.exec(name) ?? []
  if (exchange === undefined || symbol === undefined || timeframe === undefined) {
    throw new SweepmillError('USAGE', `"${name}" names no series. Write exchange/symbol/timeframe, such as binance/BTCUSDT/1h.`)
  }
  return seriesKey({ exchange, symbol, timeframe })
}

/** Throws USAGE or SPEC_INVALID. The timeframe gets its one name, so that 60m and 1h are one series. */
export function seriesKey({ exchange, symbol, timeframe }: Flags): SeriesKey {
  for (const [flag, value] of [['--exchange', exchange], ['--symbol', symbol]] as const) {
    if (/^[\w.:/@+-]{1,64}$/.test(value) && !(flag === '--exchange' && value.includes('/'))) continue
    throw new SweepmillError('USAGE', `${flag} is "${value}"; write a name of at most 64 letters, digits and any of . : @ + - _${flag === '--symbol' ? ' /' : ''}.`, { details: { flag } })
  }
  return { exchange, symbol, timeframe: parseTimeframe(timeframe).name }
}
