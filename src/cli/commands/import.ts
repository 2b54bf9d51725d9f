/** `sweepmill import`: files of bars into the store, under exchange, symbol and timeframe. */
import { resolve } from 'node:path'
import { Command } from 'commander'
import { SweepmillError } from '../../base/errors.js'
import { parseTimeframe } from '../../market/timeframe.js'
import type { SeriesFile, SeriesKey } from '../../tasks/bar-series.js'
import type { Invocation, Invocations } from '../context.js'
import { qualityTable } from '../quality-table.js'
import { assertFile } from '../spec-flags.js'
import { formatNumber, textTable } from '../text-table.js'

interface Flags {
  readonly exchange: string
  readonly symbol: string
  readonly timeframe: string
}

const HELP = `
Files are CSV (also in gzip or zip, as exchanges dump them) or Parquet; FILE.CHECKSUM
beside a file is verified. Bars that are there already are compared: those of the
file stand. What the report says is in docs/data.md.

Examples:
  sweepmill import BTCUSDT-1h.csv --exchange binance --symbol BTCUSDT --timeframe 1h
  sweepmill import 2024-*.csv --exchange bybit --symbol ETHUSDT --timeframe 1m --json
`

export function importCommand(invocations: Invocations): Command {
  const command = new Command('import').description('put files of bars into the store')
    .argument('<file...>', 'files of one series, in this order')
    .requiredOption('--exchange <name>', 'where the bars are from, such as binance')
    .requiredOption('--symbol <name>', 'what was traded, such as BTCUSDT')
    .requiredOption('--timeframe <name>', 'how long a bar is: 1m, 15m, 4h, 1d, 1w, 1M')
    .option('--repair', 'fill gaps with flat bars of volume 0; every result that uses them says so')
    .addHelpText('after', HELP)
  return invocations.command(command, runImport)
}

interface ImportedFile {
  readonly file: string
  readonly bars: number
  readonly added: number
  readonly replaced: number
  readonly same: number
  readonly months: number
  readonly warnings: readonly string[]
  readonly notes: readonly string[]
}

async function runImport(invocation: Invocation, flags: Flags & { readonly repair?: boolean }, files: readonly string[]): Promise<void> {
  const { output } = invocation
  const key = seriesKey(flags)
  for (const file of files) await assertFile(file)
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const [first = '', ...others] = files
    const reading = workbench.readBars(resolve(first), key.timeframe)
    // A file that is wrong from its beginning starts no service.
    await reading.begun
    const { series } = await workbench.connect('client')
    const imported: ImportedFile[] = []
    const add = async (file: string, read: SeriesFile): Promise<void> => {
      const { added, replaced, same } = await series.add(key, read)
      const { bars, months, warnings, notes } = await read.facts
      imported.push({ file, bars, added, replaced, same, months, warnings, notes })
      for (const warning of [...warnings, ...notes]) output.note(`sweepmill: ${warning}`)
    }
    await add(first, reading)
    for (const file of others) await add(file, workbench.readBars(resolve(file), key.timeframe))
    const { filled, quality } = flags.repair === true ? await series.repair(key) : { filled: 0, quality: await series.check(key) }
    const sum = (of: (one: ImportedFile) => number): number => imported.reduce((total, one) => total + of(one), 0)
    const totals = { bars_read: sum((one) => one.bars), added: sum((one) => one.added), replaced: sum((one) => one.replaced), same: sum((one) => one.same) }
    output.document({ series: key, files: imported, ...totals, filled, quality })
    output.text([
      output.bold(`${key.exchange} ${key.symbol} ${key.timeframe}`),
      textTable(['file', 'months', 'bars', 'added', 'replaced', 'same'], imported.map((one) => [one.file, one.months, one.bars, one.added, one.replaced, one.same])),
      ...(imported.length > 1 ? [`${formatNumber(totals.bars_read)} bars read: ${formatNumber(totals.added)} added, ${formatNumber(totals.replaced)} replaced, ${formatNumber(totals.same)} the same.`] : []),
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
