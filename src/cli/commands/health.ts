/** `sweepmill health`: asks the running worker over HTTP, as a monitor would. Starts nothing. */
import { Command } from 'commander'
import { SweepmillError } from '../../base/errors.js'
import type { Config } from '../../runtime/config.js'
import { asRecord } from '../backtest-summary.js'
import type { Invocation, Invocations } from '../context.js'
import { textPairs } from '../text-table.js'
import type { Cell } from '../text-table.js'

const PATIENCE_MS = 5000

export function healthCommand(invocations: Invocations): Command {
  const command = new Command('health').description('health of the running worker; exit code 1 unless it is healthy or degraded')
    .option('--url <url>', 'address of the worker (default: HTTP_HOST and HTTP_PORT)')
  return invocations.command(command, runHealth)
}

async function runHealth(invocation: Invocation, flags: { readonly url?: string }): Promise<void> {
  const { output } = invocation
  const base = addressOf(invocation.config(), flags.url)
  const report = await ask(new URL('/health', base))
  if (report === null) {
    invocation.exitCode = 1
    output.document({ status: 'unreachable', url: base.origin })
    output.text(`No worker answers at ${base.origin}; "sweepmill worker" starts one, --url asks elsewhere.`)
    return
  }
  if (report['status'] !== 'healthy' && report['status'] !== 'degraded') invocation.exitCode = 1
  output.document(report)
  output.text(describe(report))
}

function addressOf(config: Config, url: string | undefined): URL {
  if (url !== undefined) {
    if (!URL.canParse(url) || !/^https?:/.test(url)) throw new SweepmillError('USAGE', `--url "${url}" is no address: write one such as http://127.0.0.1:8080.`)
    return new URL(url)
  }
  // What listens everywhere is asked on this machine.
  const host = config.httpHost === '0.0.0.0' ? '127.0.0.1' : config.httpHost === '::' ? '::1' : config.httpHost
  return new URL(`http://${host.includes(':') ? `[${host}]` : host}:${config.httpPort}`)
}

async function ask(url: URL): Promise<Readonly<Record<string, unknown>> | null> {
  try {
    const reply = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) })
    const report = asRecord(await reply.json())
    return typeof report['status'] === 'string' ? report : null
  } catch {
    return null
  }
}

function describe(report: Readonly<Record<string, unknown>>): string {
  const metrics = asRecord(report['metrics'])
  const threads = asRecord(report['threads'])
  const delay = asRecord(report['event_loop_delay_ms'])
  const depths = asRecord(metrics['queue_depth'])
  const services = asRecord(report['services'])
  const count = (name: string): Cell => cell(metrics[name])
  return textPairs([
    ['status', cell(report['status'])],
    ['worker', cell(metrics['consumer_name'])],
    ['waiting', `high ${shown(depths['high'])}, medium ${shown(depths['medium'])}, low ${shown(depths['low'])}`],
    ['paused', pausedText(report['paused'])],
    ['handed back', handedBackText(report['handed_back'])],
    ['completed', count('tasks_completed')], ['failed', count('tasks_failed')], ['cancelled', count('tasks_cancelled')], ['recovered', count('tasks_recovered')],
    ['threads busy', `${shown(threads['busy'])} of ${shown(threads['total'])}${Number(threads['stuck'] ?? 0) > 0 ? `, ${shown(threads['stuck'])} stuck` : ''}`],
    ['event-loop delay', `p50 ${shown(delay['p50'])} ms, p99 ${shown(delay['p99'])} ms, max ${shown(delay['max'])} ms`],
    ['Redis', cell(services['redis'])], ['Postgres', cell(services['postgres'])],
    ...(Array.isArray(report['troubles']) ? report['troubles'] : []).map((trouble: unknown): [string, Cell] => ['trouble', cell(trouble)]),
    ['at', cell(report['timestamp'])],
  ], '')
}

function pausedText(paused: unknown): Cell {
  return Array.isArray(paused) ? paused.join(', ') || 'nothing' : null
}

/** Sweeps by the engine that they wait for; no line where none does. */
function handedBackText(handedBack: unknown): Cell {
  return Object.entries(asRecord(handedBack)).map(([engine, count]) => `${shown(count)} for engine ${engine}`).join(', ') || null
}

function cell(value: unknown): Cell {
  return typeof value === 'string' || typeof value === 'number' ? value : null
}

function shown(value: unknown): string { return String(cell(value) ?? '-') }
