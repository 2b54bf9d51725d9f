/**
 * Tables for people's files: pages come over a port, bytes of the format asked for go back over it. Each step takes `format`
 * and replies {sent}: how many messages of bytes it sent, because they and the reply come by different ways.
 */
import { engineVersion } from '../../src/base/engine-version.js'
import { SweepmillError } from '../../src/base/errors.js'
import type { TableFormat } from '../../src/base/table-format.js'
import { decodeTrialRows, parseIsoTime, parseSweepSpec, layoutSweep, SWEEP_METRICS } from '../../src/engine/index.js'
import type { SpaceAxis } from '../../src/engine/search/space-axis.js'
import { decodeColumns } from '../../src/market/blocks.js'
import { COLUMN_NAMES } from '../../src/market/layout.js'
import { sliceBars } from '../../src/market/merge.js'
import { csvCells } from '../csv-cells.js'
import { eachPage } from '../pages.js'
import { payload, utf8Text } from '../step.js'
import type { Step, StepContext, StepResult } from '../step.js'
import { strategyShell } from '../strategy-shell.js'
import { tableEncoder } from '../table-encoder.js'
import type { TableBatch, TableColumn } from '../table.js'
import { equityColumns } from './backtest.js'

async function exported(context: StepContext, columns: readonly TableColumn[], batchOf: (bytes: Uint8Array) => TableBatch): Promise<StepResult> {
  let sent = 0
  const encoder = await tableEncoder(context.input['format'] as TableFormat, columns, (bytes) => {
    sent += 1
    context.port?.postMessage({ type: 'bytes', bytes }, [bytes.buffer as ArrayBuffer])
  })
  await eachPage(context, (bytes) => { encoder.add(batchOf(bytes)) }, () => encoder.flush(), () => encoder.end())
  return { json: { sent } }
}

/** Above this an axis is not looked at value by value. */
const LISTED_VALUES = 10_000

/** {spec, format} and pages of rows: `trial`, the parameters in the order of the space, the metrics in theirs. */
export const exportTrials: Step = async (context) => {
  const { axes, fullSize } = layoutSweep(parseSweepSpec(context.input['spec']), await strategyShell(context))
  const columns: TableColumn[] = [
    { name: 'trial', type: fullSize <= 2 ** 31 ? 'int' : 'long' }, ...axes.map((axis): TableColumn => ({ name: axis.name, type: isWhole(axis) ? 'int' : 'double' })),
    ...SWEEP_METRICS.map((name): TableColumn => ({ name, type: name === 'total_trades' ? 'int' : 'double' })),
  ]
  return exported(context, columns, (bytes) => {
    const { width, count, rows } = decodeTrialRows(bytes)
    if (width !== columns.length) {
      throw new SweepmillError('NOT_RESOLVABLE', `The rows of this sweep have ${width} numbers each, and engine ${engineVersion} knows ${columns.length} columns: another engine wrote them, and only that one can export them.`)
    }
    return { length: count, values: columns.map((_, column) => Float64Array.from({ length: count }, (__, k) => rows[k * width + column] ?? Number.NaN)) }
  })
}

function isWhole(axis: SpaceAxis): boolean {
  const { count } = axis
  return count <= LISTED_VALUES && Array.from({ length: count }, (_, k) => axis.valueAt(k)).every((value) => Number.isInteger(value) && Math.abs(value) < 2 ** 31)
}

/** {format} and pages of (time, equity) pairs → `bar,time,equity`. */
export const exportEquity: Step = (context) => {
  let bar = 0
  return exported(context, [{ name: 'bar', type: 'int' }, { name: 'time', type: 'time' }, { name: 'equity', type: 'double' }], (bytes) => {
    const { time, equity } = equityColumns(bytes)
    const first = bar
    bar += time.length
    return { length: time.length, values: [Float64Array.from(time, (_, i) => first + i), time, equity] }
  })
}

/** {format}, payload `head` and a page of trades as CSV → the same columns. */
export const exportTrades: Step = (context) => {
  const columns = (csvCells(utf8Text(payload(context, 'head')))[0] ?? []).map((name): TableColumn => ({ name, type: tradeType(name) }))
  return exported(context, columns, (bytes) => {
    const rows = csvCells(utf8Text(bytes)).slice(1)
    return { length: rows.length, values: columns.map(({ type }, column) => {
      const texts = rows.map((row) => row[column] ?? '')
      return type === 'text' ? texts : Float64Array.from(texts, (text) => (text === '' ? Number.NaN : type === 'time' ? parseIsoTime(text) ?? Number.NaN : Number(text)))
    }) }
  })
}

function tradeType(name: string): TableColumn['type'] {
  if (name === 'side' || name === 'exit_reason' || name === 'symbol') return 'text'
  return name.endsWith('_time') ? 'time' : name.endsWith('_bar') ? 'int' : 'double'
}

/** {months: count} and payloads month:0… → {adjclose}: how many of these months have it. */
export const nameColumns: Step = (context) => {
  const months = Number(context.input['months'])
  return { json: { adjclose: Array.from({ length: months }, (_, i) => decodeColumns(payload(context, `month:${i}`))).filter(({ adjclose }) => adjclose !== undefined).length } }
}

/** {format, adjclose, to_ms or null} and pages of months → `time,open,high,low,close,volume`, before `to_ms`. */
export const exportSeries: Step = (context) => {
  const { adjclose, to_ms: toMs } = context.input as { adjclose: boolean; to_ms: number | null }
  const names = COLUMN_NAMES.filter((name) => name !== 'adjclose' || adjclose)
  return exported(context, names.map((name) => ({ name, type: name === 'time' ? 'time' : 'double' })), (bytes) => {
    const bars = sliceBars(decodeColumns(bytes), -Infinity, toMs ?? Infinity)
    return { length: bars.length, values: names.map((name) => bars[name] ?? new Float64Array(bars.length)) }
  })
}
