/** The flags that say how a file of bars is read, and the `reading` of a spec that they make. */
import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { SweepmillError } from '../base/errors.js'
import type { Reading } from '../market/reading.js'
import { numberOf } from './assignments.js'

export interface ReadingFlags {
  readonly ticker?: string
  readonly dateFormat?: string
  readonly columns?: readonly string[]
  readonly decimal?: string
  readonly skipBad?: boolean | number
}

export const READING_HELP = `
Of a CSV the file itself says most; what it does not say, flags do:
  --ticker AAPL                which of several tickers in it
  --date-format MM/DD/YYYY     also DD.MM.YY, DD-MMM-YYYY, "YYYYMMDD HHmm", %d/%m/%Y, or
                               mdy, dmy, ymd for the order alone
  --columns open=Eröffnung,close=Schluss
                               keys: date, time, open, high, low, close, volume,
                               adjclose, ticker; volume= means that there is none
  --decimal ,                  decimals have a comma
  --skip-bad [share]           leave rows out that cannot be bars, and list them: at
                               most a tenth of them, or the share (0.02 is 2 %)
`

export function addReadingFlags(command: Command): Command {
  return command
    .option('--ticker <name>', 'of a CSV of several tickers, which one')
    .option('--date-format <form>', 'how a CSV writes dates, such as MM/DD/YYYY, DD-MMM-YY, %d.%m.%Y or mdy')
    .option('--columns <key=header,...>', 'headers of a CSV that are not known, such as open=Eröffnung,close=Schluss; volume= for none (repeatable)', each)
    .option('--decimal <sign>', 'the sign before decimals in a CSV: . or , (default: .)')
    .option('--skip-bad [share]', 'leave out rows of a CSV that cannot be bars, a tenth at most or this share; they are counted and listed', share)
}

const each = (text: string, before: readonly string[] = []): readonly string[] => [...before, text]

function share(text: string): number {
  const value = numberOf(text)
  if (value === undefined || value < 0 || value >= 1) throw new InvalidArgumentError('Write a share such as 0.05, or --skip-bad alone and last.')
  return value
}

/** Undefined where no flag says anything. Its values are judged by the reader of the file. */
export function readingOf({ ticker, dateFormat, columns, decimal, skipBad }: ReadingFlags): Reading | undefined {
  const reading = {
    ...(ticker === undefined ? {} : { ticker }), ...(dateFormat === undefined ? {} : { date_format: dateFormat }),
    ...(columns === undefined ? {} : { columns: columnsOf(columns) }), ...(decimal === undefined ? {} : { decimal }), ...(skipBad === undefined ? {} : { skip_bad: skipBad }),
  }
  return Object.keys(reading).length === 0 ? undefined : reading as Reading
}

function columnsOf(texts: readonly string[]): Record<string, string> {
  const columns = new Map<string, string>()
  for (const pair of texts.flatMap((text) => text.split(','))) {
    const at = pair.indexOf('=')
    if (at <= 0) throw new SweepmillError('USAGE', `--columns has "${pair}", but must be pairs such as open=Eröffnung,close=Schluss.`, { details: { flag: '--columns' } })
    const key = pair.slice(0, at).trim()
    if (columns.has(key)) throw new SweepmillError('USAGE', `--columns ${key} is given twice: leave one out.`, { details: { flag: '--columns', key } })
    columns.set(key, pair.slice(at + 1).trim())
  }
  return Object.fromEntries(columns)
}
