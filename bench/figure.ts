/** What a suite reports: named figures with units, and targets that the seed design set as a floor. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** Passes when the value is at least (`min`) or at most (`max`) this. */
  readonly target?: { readonly kind: 'min' | 'max'; readonly value: number }
}

export interface SuiteResult {
  readonly suite: string
  /** What bounds the figures on any machine, by arithmetic. */
  readonly limit: string
  readonly figures: readonly Figure[]
  /** Hash of what was computed, where something was: the same on every run. */
  readonly resultHash?: string
}

export interface BenchOptions {
  /** Small sizes: shows that the suite runs, not how fast. */
  readonly smoke: boolean
  readonly stateDir: string
}

export type Suite = (options: BenchOptions) => Promise<SuiteResult>

/** Value at quantile `q` of the samples (nearest rank). */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? Number.NaN
}

export function latencies(name: string, samples: readonly number[], targets: { p50?: number; p99?: number } = {}): Figure[] {
  const at = (q: number, max: number | undefined): Figure => ({
    name: `${name} p${q * 100}`, value: quantile(samples, q), unit: 'ms', ...(max === undefined ? {} : { target: { kind: 'max', value: max } }),
  })
  return [at(0.5, targets.p50), at(0.99, targets.p99)]
}

export function passes(figure: Figure): boolean {
  if (figure.target === undefined) return true
  return figure.target.kind === 'min' ? figure.value >= figure.target.value : figure.value <= figure.target.value
}
