/** Every job by its name. */
import { backtest, checkBacktest, describe, indicators, portfolioIndexOf, tryBacktest } from './backtest-jobs.js'
import { check } from './check-job.js'
import type { Job } from './job.js'
import { checkSweep, finishSweep, plan, runTrials, trialSpec, trySweep } from './sweep-jobs.js'

export const JOBS = {
  describe, check, check_backtest: checkBacktest, try_backtest: tryBacktest, backtest, indicators, portfolio_index: portfolioIndexOf,
  check_sweep: checkSweep, try_sweep: trySweep, plan_sweep: plan, run_trials: runTrials, trial_spec: trialSpec, finish_sweep: finishSweep,
} as const satisfies Readonly<Record<string, Job>>

export type JobName = keyof typeof JOBS
