/** The flags of a data sync and the spec they make. */
import type { Command } from 'commander'
import { readSpecFile } from './spec-flags.js'
import type { Spec } from './spec-flags.js'

export interface SyncFlags {
  readonly spec?: string
  readonly exchange?: string
  readonly symbol?: string
  readonly timeframe?: string
  readonly category?: string
  readonly start?: string
  readonly end?: string
}

export function addSyncFlags(command: Command): Command {
  return command
    .option('--spec <file>', 'JSON spec; flags override it')
    .option('--exchange <name>', 'where the bars come from: bybit')
    .option('--symbol <name>', 'what is traded, such as BTCUSDT')
    .option('--timeframe <name>', 'how long a bar is: 1m, 15m, 4h, 1d …')
    .option('--start <time>', 'from this day or time on')
    .option('--end <time>', 'up to this day, which belongs to it, or this time (default: the last closed bar)')
    .option('--category <name>', 'linear, spot or inverse (default: linear)')
}

/** Whether it makes sense is judged by the one parser of the spec. */
export async function syncSpec(flags: SyncFlags): Promise<Spec> {
  const spec = flags.spec === undefined ? {} : await readSpecFile(flags.spec)
  const given: Spec = {
    exchange: flags.exchange, symbol: flags.symbol, timeframe: flags.timeframe, category: flags.category, start_date: flags.start, end_date: flags.end,
  }
  for (const [key, value] of Object.entries(given)) if (value !== undefined) spec[key] = value
  return spec
}
