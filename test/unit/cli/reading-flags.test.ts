/** What flags say of how a file is read, and how that goes together with a spec file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addSpecFlags, backtestSpec } from '../../../src/cli/spec-flags.js'
import type { Spec, SpecFlags } from '../../../src/cli/spec-flags.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweepmill-reading-'))
  for (const name of ['a.csv', 'b.csv']) writeFileSync(join(folder, name), '')
  writeFileSync(join(folder, 'spec.json'), JSON.stringify({ file: join(folder, 'a.csv'), reading: { ticker: 'A', decimal: ',' }, strategy: { name: 'buy-and-hold' } }))
})
afterAll(() => { rmSync(folder, { recursive: true }) })

function specOf(...args: readonly string[]): Promise<Spec> {
  const command = addSpecFlags(new Command().exitOverride().configureOutput({ writeErr: () => undefined }))
  command.parse(args.map((arg) => arg.replace('FOLDER', folder)), { from: 'user' })
  return backtestSpec(command.opts<SpecFlags>())
}

test.each<readonly [args: readonly string[], reading: unknown]>([
  [['--data', 'FOLDER/a.csv'], undefined],
  [['--data', 'FOLDER/a.csv', '--ticker', 'AAPL', '--date-format', 'MM/DD/YYYY', '--decimal', ','], { ticker: 'AAPL', date_format: 'MM/DD/YYYY', decimal: ',' }],
  [['--data', 'FOLDER/a.csv', '--columns', 'open=Eröffnung,close=Schluss', '--columns', 'volume='], { columns: { open: 'Eröffnung', close: 'Schluss', volume: '' } }],
  [['--data', 'FOLDER/a.csv', '--skip-bad'], { skip_bad: true }],
  [['--data', 'FOLDER/a.csv', '--skip-bad', '0.02'], { skip_bad: 0.02 }],
  [['--spec', 'FOLDER/spec.json', '--ticker', 'B'], { ticker: 'B', decimal: ',' }],
  // Another file comes without the reading of the spec's.
  [['--spec', 'FOLDER/spec.json', '--data', 'FOLDER/b.csv'], undefined],
  [['--spec', 'FOLDER/spec.json', '--symbol', 'X', '--timeframe', '1d'], undefined],
])('%j', async (args, reading) => {
  expect((await specOf(...args))['reading']).toEqual(reading)
})

test('what is no share, and what is no pair, is refused', async () => {
  await expect(async () => specOf('--data', 'FOLDER/a.csv', '--skip-bad', 'b.csv')).rejects.toThrow(/Write a share such as 0\.05/)
  await expect(specOf('--data', 'FOLDER/a.csv', '--columns', 'Eröffnung')).rejects.toMatchObject({ code: 'USAGE', details: { flag: '--columns' } })
  await expect(specOf('--data', 'FOLDER/a.csv', '--columns', 'open=a,close=b', '--columns', 'open=c')).rejects.toMatchObject({ code: 'USAGE', message: '--columns open is given twice: leave one out.' })
})
