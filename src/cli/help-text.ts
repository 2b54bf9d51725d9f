/**
 * What stands below the options in `--help`: examples that run as they are, and the words that options take.
 * Lists are read off the code that accepts them, so that help cannot promise what is refused.
 */
import { SWEEP_METRICS } from '../engine/metrics/sweep-metrics.js'
import { READING_HELP } from './reading-flags.js'
import { builtinStrategies } from '../engine/strategies/builtin-strategies.js'

const WIDTH = 80

export const PROGRAM_HELP = examples(
  'sweepmill demo',
  'sweepmill backtest --data bars.csv --strategy sma-cross --set fast=10 --set slow=20',
  'sweepmill sweep --data bars.csv --strategy sma-cross --param fast=5:50 --param slow=20:200:5',
  'sweepmill COMMAND --help',
) + `
Redis and Postgres are those of REDIS_URL and DATABASE_URL; without them the
program starts its own, keeps their data in STATE_DIR (one place for a user) and
stops them again. "sweepmill config" lists every variable, and says where.

Exit codes: 0 success, 2 bad input, 1 failure, 130 and 143 interrupted.
`

export const BACKTEST_HELP = examples(
  'sweepmill backtest --data bars.csv --strategy sma-cross --set fast=10 --set slow=20',
  'sweepmill backtest --data bars.csv --strategy ./mine.ts --report result.html',
  'sweepmill backtest --spec spec.json --fee-rate 0.001 --trades trades.csv --json',
  'sweepmill backtest --from-sweep SWEEP_ID --rank 1 --report best.html',
) + READING_HELP + strategyList()

export const SWEEP_HELP = examples(
  'sweepmill sweep --data bars.csv --strategy sma-cross --param fast=5:50:1 \\\n      --param slow=20:200:5 --constraint "fast < slow" --holdout 0.3 --report sweep.html',
  'sweepmill sweep --data bars.csv --strategy ./mine.ts --param period=5,10,20',
  'sweepmill sweep --spec sweep.json --trials all.csv --json',
) + `
An interrupted sweep goes on where it was when the same command is given again.
${READING_HELP}${strategyList()}
Objectives:
${wrapped(SWEEP_METRICS)}
`

export const WORKER_HELP = `
Settings come from the environment: HTTP_HOST and HTTP_PORT (127.0.0.1:8080),
WORKER_THREADS, REDIS_URL, DATABASE_URL, API_TOKENS; "sweepmill config" has all.
The first SIGTERM or Ctrl-C hands work back and stops, the second stops at once.
With --json the document is printed when the worker is ready.
${examples('sweepmill worker', 'HTTP_PORT=0 WORKER_THREADS=4 sweepmill worker --json', 'curl -s localhost:8080/health')}`

export const TASKS_HELP = examples('sweepmill tasks list --status failed', 'sweepmill tasks show TASK_ID', 'sweepmill tasks cancel TASK_ID', 'sweepmill tasks retry TASK_ID --start-over',
  'sweepmill tasks export TASK_ID --report result.html')

export const STRATEGIES_HELP = examples('sweepmill strategies list', 'sweepmill strategies add sma-cross --set fast=10 --set slow=50 --name quick',
  'sweepmill strategies add ./mine.ts --set period=20', 'sweepmill strategies check ./mine.ts --data bars.csv --set period=20', 'sweepmill backtest --data bars.csv --strategy-id 1')

export const CLEANUP_HELP = `
Days count from the end of a task, the time of an event, the last use of bars. A
number may have a fraction, 0 keeps nothing that is not in use, never keeps for
ever. Tasks that wait or run, and what they need, are never touched.
${examples('sweepmill cleanup --dry-run', 'sweepmill cleanup --tasks-days 14 --events-days never',
  'sweepmill schedules add cleanup --name nightly --cron "0 3 * * *"')}`

export const SYNC_HELP = `
What is stored already is not fetched again; gaps are asked for once more. A sync
that is interrupted goes on where it was: run the same command again.
${examples('sweepmill sync --exchange bybit --symbol BTCUSDT --timeframe 1h --start 2024-01-01',
  'sweepmill schedules add sync --name btc --cron "5 * * * *" --exchange bybit --symbol BTCUSDT --timeframe 1h --start 2024-01-01')}`

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}\n`
}

function strategyList(): string {
  const lines = [...builtinStrategies.values()].map(({ name, params }) => {
    const ranges = Object.entries(params).map(([param, { min, max, default: preset }]) => `${param} ${min} to ${max}, default ${preset}`)
    return `  ${name.padEnd(20)}${ranges.length === 0 ? 'no parameters' : ranges.join('; ')}`
  })
  return `\nBuilt-in strategies:\n${lines.join('\n')}\n`
}

function wrapped(words: readonly string[]): string {
  const lines = ['']
  for (const word of words) {
    const line = lines.at(-1) ?? ''
    if (line.length + word.length + 1 > WIDTH) lines.push(`  ${word}`)
    else lines[lines.length - 1] = line === '' ? `  ${word}` : `${line} ${word}`
  }
  return lines.join('\n')
}
