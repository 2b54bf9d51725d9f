/**
 * Entry of every compute thread: decode the call, run the step, return a reply or an error as data.
 *
 * Nothing here knows Redis or Postgres. A step that throws never takes the thread with it.
 */
import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { SweepmillError, toSweepmillError } from '../src/base/errors.js'
import { collectGarbage } from '../src/base/garbage.js'
import { ControlBlock } from '../src/pool/control-block.js'
import { decodeCall } from '../src/pool/protocol.js'
import type { ThreadReply, ThreadRequest } from '../src/pool/protocol.js'
import { movable, threadOptions } from '../src/pool/thread-side.js'
import { holdRejections } from './guest-realm.js'
import { answerRecalls } from './handles.js'
import { forgetBars } from './perform.js'
import type { Step, StepContext } from './step.js'
import { stopped } from './step.js'
import { backtest, checkBacktest, describe, tryBacktest } from './steps/backtest.js'
import { checkStrategyStep } from './steps/check-strategy.js'
import { readFunding } from './steps/funding.js'
import { findHoles, joinMonths, parseKlines, takeBackMonth } from './steps/klines.js'
import { joinBars, loadBars, parseBars } from './steps/bars.js'
import { exportEquity, exportSeries, exportTrades, exportTrials, nameColumns } from './steps/export-table.js'
import { rankSweep } from './steps/rank.js'
import { renderBacktest, renderSweep } from './steps/render-report.js'
import { cutSeries } from './steps/cut-series.js'
import { fillMonths, mergeMonths, readSeriesFile, scanMonths } from './steps/series.js'
import { checkSweep, plan, runTrials, trialSpec, trySweep } from './steps/sweep.js'
import { warmUp } from './warm-up.js'

/**
 * Spins for `spin_ms`, answering its pulse unless it is `silent`: what benches and tests load threads with. For `wedge_ms` its
 * thread spins when the step is over, and says in `wedged` that it does.
 */
const probe: Step = ({ input, pulse, shared }) => {
  const total = Number(input['spin_ms'] ?? 0)
  const silent = input['silent'] === true
  const wedgeMs = Number(input['wedge_ms'] ?? 0)
  if (wedgeMs > 0) setImmediate(() => {
    if (shared['wedged'] !== undefined) Atomics.store(new Int32Array(shared['wedged']), 0, 1)
    for (const from = performance.now(); performance.now() - from < wedgeMs;);
  })
  const fromMs = performance.now()
  for (let done = 0; done < total; done = performance.now() - fromMs) if (!silent && pulse.beat(done, total)) throw stopped()
  return { json: {} }
}

const STEPS: Readonly<Record<string, Step>> = {
  parse_bars: parseBars, load_bars: loadBars, join_bars: joinBars, read_series_file: readSeriesFile, cut_series: cutSeries, merge_months: mergeMonths, join_months: joinMonths, find_holes: findHoles, take_back_month: takeBackMonth, parse_klines: parseKlines, scan_months: scanMonths, fill_months: fillMonths,
  describe_strategy: describe, check_strategy: checkStrategyStep, check_backtest: checkBacktest, try_backtest: tryBacktest, backtest,
  check_sweep: checkSweep, try_sweep: trySweep, plan_sweep: plan, run_trials: runTrials, rank_sweep: rankSweep, trial_spec: trialSpec,
  export_trials: exportTrials, export_equity: exportEquity, export_trades: exportTrades, name_columns: nameColumns, export_series: exportSeries,
  render_sweep_report: renderSweep, render_backtest_report: renderBacktest,
  read_funding: readFunding,
  probe, echo: ({ input }) => ({ json: input }),
}

let running = 0
let quietSinceMs = performance.now()
/** A step that hands over so much leaves about twice of it behind, and an idle thread collects nothing. */
const MUCH_BYTES = 2 ** 24
let leavesMuch = false

lowerPriority(threadOptions().niceness)
holdRejections()
answerRecalls(threadOptions().recallChannel, forgetBars)
warmUp(() => (running > 0 ? 0 : performance.now() - quietSinceMs))

export default async function compute(request: ThreadRequest): Promise<ThreadReply> {
  running += 1
  try {
    return await answer(request)
  } finally {
    running -= 1
    quietSinceMs = performance.now()
    // Behind the reply, which is on its way then.
    if (leavesMuch) setImmediate(() => { void collectGarbage() })
    leavesMuch = false
  }
}

async function answer(request: ThreadRequest): Promise<ThreadReply> {
  const fromMs = performance.now()
  const block = new ControlBlock(request.cells)
  const { slot, dispatch } = request
  const call = decodeCall(request.call)
  const context: StepContext = {
    input: call.input as Readonly<Record<string, unknown>>, bytes: request.bytes, shared: request.shared, port: request.port,
    pulse: {
      beat: (done, total) => {
        block.report(slot, dispatch, done, total)
        return block.isCancelled(slot, dispatch)
      },
    },
  }
  block.beat(slot, dispatch)
  try {
    const step = STEPS[call.step]
    if (step === undefined) throw new SweepmillError('INVARIANT', `No thread knows the step ${call.step}.`)
    const result = await step(context)
    const reply: ThreadReply = {
      kind: 'done', json: JSON.stringify(result.json), bytes: result.bytes ?? {}, shared: result.shared ?? {}, threadMs: performance.now() - fromMs,
    }
    leavesMuch = Object.values(reply.shared).some(({ byteLength }) => byteLength > MUCH_BYTES)
    return movable(reply)
  } catch (thrown) {
    return { kind: 'failed', error: toSweepmillError(thrown, 'COMPUTE_FAILED').toData(), threadMs: performance.now() - fromMs }
  }
}

/** Below the main thread's, so that leases and HTTP are served while every core is busy. Linux gives each thread an id. */
function lowerPriority(niceness: number): void {
  try {
    const tid = Number(readlinkSync('/proc/thread-self').split('/').at(-1))
    if (Number.isInteger(tid)) setPriority(tid, niceness)
  } catch {
    // Another system, or not allowed: the threads run as they are.
  }
}
