/**
 * Pages of klines, fetched until they are whole. What is worth another try is tried again after a pause that doubles; an
 * exchange that asks for patience makes all requests of this sync wait. Every page is read, and judged, in a thread.
 */
import { SweepmillError } from '../base/errors.js'
import type { Clock } from '../base/clock.js'
import type { ComputeReply } from '../tasks/compute-pool.js'
import type { KlineRequest, KlineSource } from '../tasks/kline-source.js'
import type { StepRequest } from './workflow.js'

const TRIES = 6
const PAUSE_MS = 250
const MOST_PAUSE_MS = 30_000

export interface KlinePagesParts {
  readonly source: KlineSource
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly compute: (request: StepRequest) => Promise<ComputeReply>
  /** Called while it waits, so that waiting is not taken for standing still; says what the exchange answered last. */
  readonly onWait: (why: string) => void
}

/** Of an answer that is no page. */
type Verdict = 'again' | 'limited' | 'refused' | 'invalid'

/** What the step parse_klines replies. */
interface PageFacts {
  readonly kind: 'bars' | Verdict
  readonly why: string
  readonly bars: number
  readonly months: readonly string[]
}

export interface KlinePage {
  readonly bars: number
  /** Blocks of bars by month, each the bars of this page alone. */
  readonly months: readonly { readonly month: string; readonly bytes: Uint8Array }[]
}

export class KlinePages {
  readonly #parts: KlinePagesParts
  #requests = 0
  /** Nobody asks before then. */
  #quietUntilMs = 0
  #why = ''

  constructor(parts: KlinePagesParts) {
    this.#parts = parts
  }

  get requests(): number {
    return this.#requests
  }

  /** EXCHANGE_REFUSED and DATA_INVALID when asking again is no use, EXCHANGE_UNAVAILABLE when all tries were in vain. */
  async fetch(request: KlineRequest): Promise<KlinePage> {
    const { source, clock, signal } = this.#parts
    let why = ''
    for (let tried = 0; tried < TRIES; tried += 1) {
      if (tried > 0) await this.#wait(clock.monotonicMs() + Math.min(MOST_PAUSE_MS, PAUSE_MS * 2 ** (tried - 1)))
      await this.#wait(this.#quietUntilMs)
      this.#requests += 1
      const answer = await source.page(request, signal)
      const read = answer.kind === 'body' ? await this.#read(request, answer.bytes) : answer
      if ('months' in read) return read
      if (read.kind === 'refused') throw new SweepmillError('EXCHANGE_REFUSED', `${source.name} refused ${request.symbol} (${request.category}): ${read.why}`, { details: { symbol: request.symbol, category: request.category } })
      if (read.kind === 'invalid') {
        throw new SweepmillError('DATA_INVALID', `${source.name} was asked for ${request.symbol} of ${request.timeframe} from ${new Date(request.fromMs).toISOString()} to ${new Date(request.toMs).toISOString()} and sent ${read.why}. Nothing of the answer was taken.`, { details: { symbol: request.symbol, category: request.category } })
      }
      why = read.why
      this.#why = why
      if (read.kind === 'limited') this.#quietUntilMs = Math.max(this.#quietUntilMs, clock.monotonicMs() + (read.afterMs ?? Math.min(MOST_PAUSE_MS, 1000 * 2 ** tried)))
    }
    throw new SweepmillError('EXCHANGE_UNAVAILABLE', `${source.name} gave no usable page of ${request.symbol} from ${new Date(request.fromMs).toISOString()} in ${TRIES} tries; the last time: ${why}.`)
  }

  async #read({ category, symbol, timeframe, fromMs, toMs }: KlineRequest, page: Uint8Array): Promise<KlinePage | { kind: Verdict; why: string; afterMs: null }> {
    const { source, compute } = this.#parts
    const reply = await compute({
      step: 'parse_klines', input: { exchange: source.name, category, symbol, timeframe, from_ms: fromMs, to_ms: toMs }, bytes: { page }, divisible: true, userCode: false,
    })
    const facts = JSON.parse(reply.json) as PageFacts
    if (facts.kind !== 'bars') return { kind: facts.kind, why: facts.why, afterMs: null }
    return { bars: facts.bars, months: facts.months.map((month) => ({ month, bytes: reply.bytes[`block:${month}`] ?? new Uint8Array() })) }
  }

  /** Until that moment, or until somebody says stop. */
  async #wait(untilMs: number): Promise<void> {
    const { source, clock, signal, onWait } = this.#parts
    for (let left = untilMs - clock.monotonicMs(); left > 0; left = untilMs - clock.monotonicMs()) {
      onWait(`${source.name}: ${this.#why}`)
      await clock.sleep(Math.min(left, 1000), signal)
      signal.throwIfAborted()
    }
  }
}
