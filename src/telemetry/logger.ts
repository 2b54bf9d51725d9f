/**
 * Structured logs on standard error, one JSON object a line; standard output belongs to results.
 *
 * In a compute thread the destination is synchronous: pino's asynchronous one loses lines when a
 * thread is terminated. On the main thread it is asynchronous, so that a slow reader of the pipe
 * cannot hold up leases; what is buffered is flushed at exit.
 */
import { isMainThread } from 'node:worker_threads'
import { pino } from 'pino'
import type { Logger } from 'pino'

export type { Logger }

export interface LoggerOptions {
  readonly level: string
  readonly workerName: string
  /** Overrides the choice above; a command that ends soon wants its lines at once. */
  readonly sync?: boolean
}

const SECRET = ['redisUrl', 'databaseUrl', 'bybitUrl', 'apiTokens', 'password', 'authorization']
const HIDDEN = [...SECRET, ...SECRET.map((name) => `*.${name}`), 'req.headers.authorization']

export function createLogger(options: LoggerOptions): Logger {
  return pino({
    level: options.level,
    base: { worker: options.workerName, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: HIDDEN, censor: '***' },
  }, pino.destination({ fd: 2, sync: options.sync ?? !isMainThread }))
}
