/**
 * What the OpenAPI document says of the routes. These schemas describe; they do not validate: one
 * parser judges specs for all three doors, and its errors name what to change.
 */
import { PRIORITIES, STATUS_NAMES, TaskType } from '../tasks/task.js'

const STATUSES = ['pending', 'processing', 'completed', 'failed', 'dead_letter', 'cancelled']

export const errorSchema = {
  type: 'object', required: ['error'],
  properties: {
    error: {
      type: 'object', required: ['code', 'message'],
      properties: { code: { type: 'string' }, message: { type: 'string' }, details: { type: 'object', additionalProperties: true } },
    },
  },
} as const

const envelope = {
  priority: { type: 'string', enum: PRIORITIES, description: 'Default: high for a backtest, medium with not_before, low for an optimization.' },
  name: { type: 'string', maxLength: 100, description: 'What people call the task.' },
  tags: { type: 'array', items: { type: 'string', maxLength: 50 }, maxItems: 20, description: 'To find several tasks by: letters, digits and . _ : = / @ + -.' },
  user_id: { type: 'string', maxLength: 200 },
  timeout: { type: 'integer', minimum: 1, description: 'Seconds without progress before an attempt ends; default 300.' },
  max_retries: { type: 'integer', minimum: 0, maximum: 100, description: 'Default 3.' },
  idempotency_key: { type: 'string', maxLength: 200, description: 'A repeat with the same key and payload returns the first task.' },
  not_before: { type: 'string', format: 'date-time' },
  deadline_at: { type: 'string', format: 'date-time', description: 'If it has not finished by then, it fails permanently.' },
} as const

const bars = {
  file: { type: 'string', description: 'CSV (also in gzip or zip) or Parquet, relative to one of the server\'s DATA_ROOTS.' },
  reading: {
    type: 'object', description: 'How the files are read where they do not say it; see docs/data.md.',
    properties: {
      ticker: { type: 'string', description: 'Which of several tickers in the file.' },
      date_format: { type: 'string', description: 'Such as MM/DD/YYYY, DD-MMM-YY, %d.%m.%Y, or mdy, dmy, ymd for the order alone.' },
      columns: { type: 'object', additionalProperties: { type: 'string' }, description: 'Headers of date, time, open, high, low, close, volume, adjclose, ticker; an empty one: there is none.' },
      decimal: { type: 'string', enum: ['.', ','], description: 'The sign before decimals; default a point.' },
      skip_bad: { type: ['boolean', 'number'], description: 'Leave out rows that cannot be bars: true for a tenth at most, or the share.' },
    },
  },
  symbol: { type: 'string', description: 'Stored bars, with timeframe; in place of `file`.' }, timeframe: { type: 'string', description: 'Such as 1m, 4h, 1d.' }, exchange: { type: 'string' },
  start_date: { type: 'string' }, end_date: { type: 'string' },
  adjust: { type: 'boolean', description: 'Multiply prices by adjclose ÷ close.' },
  data_hash: { type: 'string' },
} as const

const run = {
  strategy_id: { type: 'integer', description: 'A stored strategy with its parameters (and code), in place of `strategy`.' }, strategy_hash: { type: 'string' },
  execution: { type: 'object', additionalProperties: true, description: 'Fees, fill, sizing and so on; see docs/specs.md.' },
  metrics: { type: 'object', properties: { periods_per_year: { type: 'number' }, risk_free: { type: 'number' } } },
} as const

const strategy = {
  type: 'object', required: ['name'],
  properties: { name: { type: 'string' }, params: { type: 'object', additionalProperties: true } },
} as const

const onlyOfBacktests = {
  symbols: { type: 'array', items: { type: ['string', 'object'] }, description: 'A portfolio on one cash: names of stored series, or {"symbol": "BTC", "file": "btc.csv"}.' },
  finer: { type: 'object', additionalProperties: true, description: '{"timeframe": "1m"} or {"file": "bars-1m.csv"}, for the intrabar_path "finer".' },
} as const

const ofBacktests = {
  benchmark: { type: ['object', 'string'], additionalProperties: true, description: 'What alpha, beta and the benchmark\'s returns are against: a stored symbol, {"symbol", "exchange", "timeframe"} or {"file"}.' },
} as const

const ofTrials = {
  from_sweep: { type: 'string', description: 'The id of a completed sweep, one of whose trials is repeated in full, in place of bars, strategy and execution.' },
  trial: { type: 'integer', description: 'With from_sweep: the number of the trial.' }, rank: { type: 'integer', description: 'With from_sweep: its place among the best, from 1.' },
} as const

export const backtestBody = {
  type: 'object', properties: { ...bars, ...onlyOfBacktests, strategy, ...run, ...ofBacktests, ...ofTrials, ...envelope },
  example: { file: 'sp500-daily.csv', strategy: { name: 'sma-cross', params: { fast: 10, slow: 20 } }, execution: { fee_rate: 0.002 } },
} as const

export const optimizationBody = {
  type: 'object',
  properties: {
    ...bars, strategy, ...run,
    space: { type: 'object', additionalProperties: true, description: 'For each parameter {"min": 5, "max": 50, "step": 1} or {"choices": [5, 10, 20]}.' },
    constraint: { type: 'string', description: 'Such as "fast < slow".' }, method: { type: 'string', enum: ['grid'] }, objective: { type: 'string' },
    direction: { type: 'string', enum: ['maximize', 'minimize'] }, holdout: { type: 'number' }, seed: { type: 'integer' }, top: { type: 'integer' },
    ...envelope,
  },
  example: {
    file: 'sp500-daily.csv', strategy: { name: 'sma-cross' },
    space: { fast: { min: 5, max: 50, step: 1 }, slow: { min: 10, max: 200, step: 5 } }, constraint: 'fast < slow', objective: 'sharpe_ratio',
  },
} as const

export const dataSyncBody = {
  type: 'object',
  properties: {
    exchange: { type: 'string', description: 'bybit.' }, symbol: { type: 'string' }, timeframe: { type: 'string', description: 'Such as 1m, 1h, 1d.' },
    start_date: { type: 'string', description: 'A day or an ISO 8601 time.' },
    end_date: { type: 'string', description: 'A day, which belongs to it, or a time; absent: up to the last closed bar.' },
    category: { type: 'string', description: 'linear (default), spot or inverse.' },
    ...envelope,
  },
  example: { exchange: 'bybit', symbol: 'BTCUSDT', timeframe: '1h', start_date: '2024-01-01' },
} as const

const days = (what: string): object => ({ type: ['number', 'null'], minimum: 0, description: `${what} Null: kept for ever.` })

export const cleanupBody = {
  type: 'object',
  properties: {
    tasks_days: days('Finished tasks with all that belongs to them; default 30.'),
    dead_letters_days: days('Dead letters; default 90.'),
    chunks_days: days('Rows of finished sweeps, whose best trials and hash stay; default 30.'),
    checkpoints_days: days('Checkpoints of finished tasks; default 7.'),
    events_days: days('History; default 365.'),
    bars_days: days('Bars and strategy sources that no task needs; default 90.'),
    dry_run: { type: 'boolean', description: 'Counts what would go, and removes nothing.' },
    ...envelope,
  },
  example: { tasks_days: 14, dry_run: true },
} as const

export const retryBody = {
  type: 'object',
  properties: { start_over: { type: 'boolean', description: 'Of a sweep: forget the rows that it has, also of one that waits for a worker of the engine that began it.' } },
} as const

export const queued = {
  type: 'object', required: ['task_id', 'status'],
  properties: { task_id: { type: 'string', format: 'uuid' }, status: { type: 'string', enum: ['queued'] } },
} as const

export const task = {
  type: 'object',
  properties: {
    task_id: { type: 'string', format: 'uuid' }, task_type: { type: 'string', enum: Object.values(TaskType) },
    priority: { type: 'string', enum: PRIORITIES }, status: { type: 'string', enum: STATUSES },
    name: { type: ['string', 'null'] }, tags: { type: 'array', items: { type: 'string' } }, user_id: { type: ['string', 'null'] }, data: { type: 'object', additionalProperties: true },
    result: { description: 'Null until completed. total_return and max_drawdown are percent, win_rate is a fraction. The keys of a sweep\'s result stand beside it as well.' },
    error: { type: ['object', 'null'], additionalProperties: true },
    attempt: { type: 'integer' }, retry_count: { type: 'integer' }, max_retries: { type: 'integer' }, timeout: { type: 'integer' },
    generation: { type: 'integer' },
    created_at: { type: 'string', format: 'date-time' }, not_before: { type: ['string', 'null'] }, deadline_at: { type: ['string', 'null'] }, started_at: { type: ['string', 'null'] }, completed_at: { type: ['string', 'null'] },
    processing_time_ms: { type: ['number', 'null'] },
    progress: { type: ['object', 'null'], properties: { step: { type: 'string' }, done: { type: 'number' }, total: { type: 'number' }, waits: { type: 'string', description: 'What it waits for, where it does.' } } },
    truncated: { type: 'array', items: { type: 'string', enum: ['data', 'result', 'error'] }, description: 'In a list: which of these are not whole.' },
  },
} as const

export const taskQuery = {
  type: 'object',
  properties: {
    status: { type: 'string', enum: STATUS_NAMES, description: '`queued`, as the reply to a POST says, is `pending`.' }, type: { type: 'string' }, user_id: { type: 'string' },
    name: { type: 'string', description: 'A part of the name.' }, tag: { type: 'string', description: 'A tag; several, separated by commas, must all be there.' },
    limit: { type: 'integer', minimum: 1, maximum: 1000 }, before: { type: 'string', format: 'date-time' },
    cursor: { type: 'string', description: 'The next_cursor of the page before; it is null on the last page.' },
  },
} as const

export const taskParams = { type: 'object', properties: { id: { type: 'string', format: 'uuid' } } } as const
