/** `sweepmill series list|show|export|history|restore|remove`: what is in the bar store, how good it is, and what became of it. */
import { Command, InvalidArgumentError } from 'commander'
import type { ExportedSeries, SeriesView } from '../../tasks/bar-series.js'
import type { Invocation, Invocations } from '../context.js'
import { prepareOutputs, writeOutput } from '../output-file.js'
import { isStdout, tableFormatOf } from '../output-name.js'
import { qualityTable } from '../quality-table.js'
import { nameOf } from '../../workflows/series-months.js'
import { fittedTable, formatNumber, shownTime, textTable, WIDE } from '../text-table.js'
import type { Cell } from '../text-table.js'
import { parseSeriesName } from './import.js'

const HELP = `
Examples:
  sweepmill series export binance/BTCUSDT/1h --out btc.parquet
  sweepmill series history binance/BTCUSDT/1h
  sweepmill series restore binance/BTCUSDT/1h --revision 3
  sweepmill series remove binance/BTCUSDT/1h
`

export function seriesCommand(invocations: Invocations): Command {
  const one = (verb: string): Command => new Command(verb).argument('<series>', 'exchange/symbol/timeframe, such as binance/BTCUSDT/1h')
  return new Command('series').description('the bars in the store').addHelpText('after', HELP)
    .addCommand(invocations.command(new Command('list').description('all series').option('--wide', WIDE), listSeries))
    .addCommand(invocations.command(one('show').description('months and quality of one series'), (invocation, _flags, [name = '']) => showSeries(invocation, name)))
    .addCommand(invocations.command(one('export').description('write all its bars, so that an import reads the same again')
      .option('--out <file>', '.csv, .csv.gz, .json or .parquet; - is standard output, as CSV', '-'),
    (invocation, { out }: { readonly out: string }, [name = '']) => exportSeries(invocation, name, out)))
    .addCommand(invocations.command(one('history').description('its revisions, latest first: each import, sync, repair, restore and removal').option('--wide', WIDE),
      (invocation, { wide = false }: { readonly wide?: boolean }, [name = '']) => showHistory(invocation, name, wide)))
    .addCommand(invocations.command(one('restore').description('take a series back to what it was after a revision; that is a revision too')
      .requiredOption('--revision <number>', 'the one to go back to', revisionNumber), (invocation, { revision }: { readonly revision: number }, [name = '']) => restoreSeries(invocation, name, revision)))
    .addCommand(invocations.command(one('remove').description('take all bars of a series out; "series restore" brings them back until a cleanup'),
      (invocation, _flags, [name = '']) => removeSeries(invocation, name)))
}

function revisionNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Write the number of a revision, such as 3; "sweepmill series history" lists them.')
  return Number(text)
}

async function listSeries(invocation: Invocation, { wide = false }: { readonly wide?: boolean }): Promise<void> {
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const series = await (await workbench.connect('client')).series.list()
    output.document({ series: series.map(({ months, quality, ...one }) => ({ ...one, months: months.length, gaps: quality?.gaps.count ?? null, missing_bars: quality?.gaps.missing_bars ?? null, repaired: quality?.repaired ?? null })) })
    output.text(series.length === 0 ? 'No series. "sweepmill import FILE --exchange NAME --symbol NAME --timeframe 1h" makes one.'
      : fittedTable(['series', 'bars', 'first', 'last', 'gaps', 'months', 'missing', 'repaired'], series.map((one) => row(one, wide)), { drop: ['repaired', 'missing', 'months', 'gaps'], wide }))
  })
}

function row(one: SeriesView, wide: boolean): Cell[] {
  const { quality } = one
  return [`${one.exchange}/${one.symbol}/${one.timeframe}`, one.bars, shownTime(one.first_time, wide), shownTime(one.last_time, wide), quality?.gaps.count, one.months.length, quality?.gaps.missing_bars, quality?.repaired]
}

async function showSeries(invocation: Invocation, name: string): Promise<void> {
  const key = parseSeriesName(name)
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const series = await (await workbench.connect('client')).series.show(key)
    output.document(series)
    output.text([
      output.bold(`${series.exchange} ${series.symbol} ${series.timeframe}`),
      textTable(['month', 'bars', 'first', 'last'], series.months.map((one) => [one.month, one.bars, one.first_time, one.last_time])),
      '', series.quality === null ? 'It was not checked yet: an import does that.' : qualityTable(series.quality),
    ].join('\n'))
  })
}

async function exportSeries(invocation: Invocation, name: string, out: string): Promise<void> {
  const key = parseSeriesName(name)
  const { output } = invocation
  await prepareOutputs(output, { '--out': out })
  const format = tableFormatOf('--out', out)
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const { series } = await workbench.connect('client')
    // Empty where the reader went away before its end.
    const exported: ExportedSeries[] = []
    await writeOutput(output, out, async (write) => { exported.push(await series.export(key, format, write)) })
    const { bars, notes } = exported[0] ?? { bars: null, notes: [] }
    for (const note of notes) output.note(`sweepmill: ${note}`)
    output.document({ series: key, written: out, bars, notes })
    if (!isStdout(out)) output.text(`Wrote ${formatNumber(bars ?? 0)} bars of ${nameOf(key)} to ${out}`)
  })
}

async function showHistory(invocation: Invocation, name: string, wide: boolean): Promise<void> {
  const key = parseSeriesName(name)
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const revisions = await (await workbench.connect('client')).series.history(key)
    output.document({ series: key, revisions })
    output.text([
      output.bold(`${key.exchange} ${key.symbol} ${key.timeframe}`),
      fittedTable(['revision', 'at', 'by', 'bars', 'added', 'replaced', 'restorable', 'of'],
        revisions.map((one) => [one.revision, shownTime(one.at, wide), one.kind, one.bars, one.added, one.replaced, one.current ? 'current' : one.restorable ? 'yes' : 'no, cleaned up', one.source]),
        { drop: ['of', 'by'], wide }),
    ].join('\n'))
  })
}

async function restoreSeries(invocation: Invocation, name: string, revision: number): Promise<void> {
  const key = parseSeriesName(name)
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const { series } = await workbench.connect('client')
    const made = await series.restore(key, revision)
    // A series may have been empty after a removal.
    const quality = made.bars === 0 ? null : await series.check(key)
    output.document({ series: key, restored: revision, ...made, quality })
    const what = made.months_changed === 0 ? `is what it was after revision ${revision}; nothing changed.`
      : `is again what it was after revision ${revision}: ${formatNumber(made.bars)} bars, ${formatNumber(made.months_changed)} months changed. This is revision ${made.revision}.`
    output.text([`${nameOf(key)} ${what}`,
      ...(quality === null ? [] : ['', qualityTable(quality)])].join('\n'))
  })
}

async function removeSeries(invocation: Invocation, name: string): Promise<void> {
  const key = parseSeriesName(name)
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const made = await (await workbench.connect('client')).series.remove(key)
    output.document({ series: key, ...made })
    output.text([`${nameOf(key)} is removed. Tasks that were submitted keep their bars.`,
      `"sweepmill series restore ${nameOf(key)} --revision ${made.revision - 1}" brings it back, until a cleanup takes its bars.`].join('\n'))
  })
}
