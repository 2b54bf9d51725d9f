/** `sweepmill series list|show`: what is in the bar store, and how good it is. */
import { Command } from 'commander'
import type { SeriesView } from '../../tasks/bar-series.js'
import type { Invocation, Invocations } from '../context.js'
import { qualityTable } from '../quality-table.js'
import { textTable } from '../text-table.js'
import type { Cell } from '../text-table.js'
import { parseSeriesName } from './import.js'

export function seriesCommand(invocations: Invocations): Command {
  return new Command('series').description('the bars in the store')
    .addCommand(invocations.command(new Command('list').description('all series'), listSeries))
    .addCommand(invocations.command(new Command('show').argument('<series>', 'exchange/symbol/timeframe, such as binance/BTCUSDT/1h').description('months and quality of one series'),
      (invocation, _flags, [name = '']) => showSeries(invocation, name)))
}

async function listSeries(invocation: Invocation): Promise<void> {
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const series = await (await workbench.connect('client')).series.list()
    output.document({ series: series.map(({ months, quality, ...one }) => ({ ...one, months: months.length, gaps: quality?.gaps.count ?? null, missing_bars: quality?.gaps.missing_bars ?? null, repaired: quality?.repaired ?? null })) })
    output.text(series.length === 0 ? 'No series. "sweepmill import FILE --exchange NAME --symbol NAME --timeframe 1h" makes one.'
      : textTable(['series', 'bars', 'months', 'first', 'last', 'gaps', 'missing', 'repaired'], series.map(row)))
  })
}

function row(one: SeriesView): Cell[] {
  const { quality } = one
  return [`${one.exchange}/${one.symbol}/${one.timeframe}`, one.bars, one.months.length, one.first_time, one.last_time, quality?.gaps.count, quality?.gaps.missing_bars, quality?.repaired]
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
