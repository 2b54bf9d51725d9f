/**
 * Progress of a waiting command, on standard error: a bar on a terminal, elsewhere a line every five
 * seconds (a log that scrolls is worse than none), nothing for work that is over sooner.
 *
 * The rate is that of the last ten seconds or so, not of the whole run: a resumed sweep begins with
 * finished chunks that would make it absurd.
 */
import { SingleBar } from 'cli-progress'
import type { Clock } from '../base/clock.js'
import type { ProgressView } from '../tasks/backend.js'
import type { TextStream } from './output.js'
import { stepInWords } from './step-words.js'
import { formatDuration, formatNumber } from './text-table.js'

const LINE_EVERY_MS = 5000
/** A terminal with less room gets a shorter bar, and no units and threads: what is left to do must not be cut off. */
const ROOMY_COLUMNS = 130
const RATE_WINDOW_MS = 10_000
/** After so long without a step forward the line says for how long: something waits, for an exchange or in a strategy. */
const STANDSTILL_MS = 10_000

export class ProgressDisplay {
  readonly #stream: TextStream
  readonly #clock: Clock
  readonly #units: Readonly<Record<string, string>>
  readonly #samples: { readonly atMs: number; readonly done: number }[] = []
  #bar: SingleBar | null = null
  #step = ''
  #lastLineMs: number
  #done = Number.NaN
  #movedMs: number

  /** `units` says what a step counts, such as `{ run_sweep: 'trials' }`. */
  constructor(stream: TextStream, clock: Clock, units: Readonly<Record<string, string>>) {
    this.#stream = stream
    this.#clock = clock
    this.#units = units
    this.#lastLineMs = clock.monotonicMs()
    this.#movedMs = this.#lastLineMs
  }

  update(view: ProgressView): void {
    const nowMs = this.#clock.monotonicMs()
    if (view.step !== this.#step || view.done !== this.#done) this.#movedMs = nowMs
    this.#done = view.done
    if (view.step !== this.#step) {
      this.#step = view.step
      this.#samples.length = 0
    }
    this.#samples.push({ atMs: nowMs, done: view.done })
    while (this.#samples.length > 2 && nowMs - (this.#samples[0]?.atMs ?? nowMs) > RATE_WINDOW_MS) this.#samples.shift()
    if (view.total <= 0) return
    if (this.#stream.isTTY === true) this.#draw(view)
    else if (nowMs - this.#lastLineMs >= LINE_EVERY_MS) {
      this.#lastLineMs = nowMs
      this.#stream.write(`${stepInWords(view.step)}: ${Math.floor((100 * view.done) / view.total)} %, ${this.#line(view)}\n`)
    }
  }

  /** Takes the bar off the screen. */
  stop(): void {
    this.#bar?.stop()
    this.#bar = null
  }

  #draw(view: ProgressView): void {
    const brief = (this.#stream.columns ?? 80) < ROOMY_COLUMNS
    const payload = { label: stepInWords(view.step), line: this.#line(view, brief) }
    if (this.#bar === null) {
      this.#bar = new SingleBar({
        format: '{label} [{bar}] {percentage} % · {line}', stream: this.#stream as NodeJS.WritableStream,
        barsize: brief ? 12 : 24, hideCursor: true, clearOnComplete: true, stopOnComplete: false, gracefulExit: false, fps: 8,
      })
      this.#bar.start(view.total, view.done, payload)
    } else {
      this.#bar.setTotal(view.total)
      this.#bar.update(view.done, payload)
    }
  }

  #line(view: ProgressView, brief = false): string {
    const first = this.#samples[0]
    const last = this.#samples.at(-1)
    const spanMs = first === undefined || last === undefined ? 0 : last.atMs - first.atMs
    const ratePerSecond = first === undefined || last === undefined || spanMs <= 0 ? 0 : (1000 * (last.done - first.done)) / spanMs
    const parts = [`${formatNumber(view.done)} of ${formatNumber(view.total)} ${brief ? '' : this.#units[view.step] ?? ''}`.trimEnd()]
    if (ratePerSecond > 0) {
      parts.push(`${formatNumber(Math.round(ratePerSecond))}/s`)
      if (view.done < view.total) parts.push(`${formatDuration((1000 * (view.total - view.done)) / ratePerSecond)} left`)
    }
    const stoodMs = (last?.atMs ?? this.#movedMs) - this.#movedMs
    if (view.waits !== undefined) parts.push(`waits: ${view.waits}`)
    if (stoodMs >= STANDSTILL_MS) parts.push(`no step forward for ${formatDuration(stoodMs)}`)
    if (view.threads !== null && !brief) parts.push(`${view.threads.busy} of ${view.threads.total} threads busy`)
    return parts.join(', ')
  }
}
