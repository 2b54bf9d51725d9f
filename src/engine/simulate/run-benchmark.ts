/** The benchmark of one run: the bars that the spec names, laid over the run's, and what is to be said of how they fit. */
import { SweepmillError } from '../../base/errors.js'
import type { BarColumns } from '../../market/layout.js'
import { formatIsoTime } from '../calendar/iso-time.js'
import { alignBenchmark } from '../metrics/aligned-benchmark.js'
import type { AlignedBenchmark } from '../metrics/aligned-benchmark.js'
import type { BacktestSpec } from '../specs/backtest-spec.js'
import { prepareBars } from './prepare-bars.js'

export interface RunBenchmark {
  readonly aligned: AlignedBenchmark | null
  readonly warnings: readonly string[]
}

/** `time` of the bars that the run covers. Throws SPEC_INVALID where spec and bars do not agree that there is one, DATA_EMPTY. */
export function runBenchmark(time: Float64Array, spec: BacktestSpec, bars: BarColumns | undefined): RunBenchmark {
  if ((spec.bars.benchmark !== undefined) !== (bars !== undefined)) {
    throw new SweepmillError('SPEC_INVALID', bars === undefined ? 'The spec names a benchmark, whose bars were not given beside the bars.'
      : 'Bars of a benchmark were given, but the spec names none; add "benchmark".', { details: { path: 'benchmark' } })
  }
  if (bars === undefined) return { aligned: null, warnings: [] }
  const { adjust } = spec.bars
  // An index has no dividends to adjust for.
  const prepared = prepareBars(bars, adjust === undefined || (adjust && bars.adjclose === undefined) ? {} : { adjust })
  const aligned = alignBenchmark(time, prepared.bars)
  return { aligned, warnings: [...prepared.warnings.map((text) => `Benchmark: ${text}`), ...fitOf(time, aligned, benchmarkName(spec))] }
}

function fitOf(time: Float64Array, { from, to, carried }: AlignedBenchmark, name: string): string[] {
  const compared = to - from
  return [
    ...(compared === time.length ? [] : [`The benchmark ${name} covers ${compared} of ${time.length} bars, from ${formatIsoTime(time[from]!)} to ${formatIsoTime(time[to - 1]!)}: alpha, beta and its figures are of those.`]),
    ...(carried === 0 ? [] : [`The benchmark ${name} has no new bar on ${carried} of ${compared} bars: its price stays there, a return of 0.`]),
  ]
}

/** As the result calls it: the symbol, or the file without folder and ending. */
export function benchmarkName({ bars: { benchmark } }: BacktestSpec): string {
  if (benchmark === undefined) return 'buy_and_hold'
  return 'symbol' in benchmark ? benchmark.symbol : (benchmark.file.split(/[/\\]/).at(-1) ?? '').replace(/(\.[a-z0-9]{1,7})+$/i, '')
}
