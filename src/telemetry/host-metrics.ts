/**
 * What the process and its threads do: event-loop delay, threads, bars, memory, CPU.
 *
 * Readings are taken at a scrape from a source the runtime hands in; nothing is sampled in between.
 * prom-client's own default metrics are not used: three of its gauges end in `_total`, which promtool
 * refuses, and they would start a second event-loop monitor.
 */
import { Counter } from 'prom-client'
import type { Registry } from 'prom-client'
import { addGauge } from './scraped-gauge.js'

export interface HostReading {
  readonly eventLoopDelayP99Ms: number
  readonly threads: number
  readonly threadsBusy: number
  /** CPU time spent in finished kernels ÷ (threads × wall time), 0..1, since the last few seconds; null before anything ran. */
  readonly usefulCpuShare: number | null
  /** Market data: in use, loading or not yet given back. */
  readonly dataBytes: number
  readonly dataBudgetBytes: number
}

export class HostMetrics {
  readonly #bars: Counter
  #read: () => HostReading | null = () => null

  constructor(registry: Registry) {
    this.#bars = new Counter({
      name: 'sweepmill_bars_processed_total', help: 'Bars simulated: bars of the series times trials.', registers: [registry],
    })
    const reading = (name: string, help: string, pick: (reading: HostReading) => number | null): void => {
      addGauge(registry, name, help, () => {
        const found = this.#read()
        return found === null ? null : pick(found)
      })
    }
    reading('sweepmill_event_loop_delay_p99_seconds', 'Delay of the main thread\'s event loop, 99th percentile of the last minute.',
      ({ eventLoopDelayP99Ms }) => eventLoopDelayP99Ms / 1000)
    reading('sweepmill_threads', 'Compute threads.', ({ threads }) => threads)
    reading('sweepmill_threads_busy', 'Compute threads at work.', ({ threadsBusy }) => threadsBusy)
    reading('sweepmill_useful_cpu_share', 'Share of the threads\' time that went into kernels, 0 to 1.', ({ usefulCpuShare }) => usefulCpuShare)

    reading('sweepmill_data_memory_bytes', 'Market data in shared memory, until it was really given back.', ({ dataBytes }) => dataBytes)
    reading('sweepmill_data_memory_budget_bytes', 'DATA_MEMORY_MB: what market data may take.', ({ dataBudgetBytes }) => dataBudgetBytes)

    // timeOrigin is a constant of the process, so no clock is read.
    addGauge(registry, 'process_start_time_seconds', 'Start of the process, seconds since 1970.', () => performance.timeOrigin / 1000)
    addGauge(registry, 'process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss())
    addGauge(registry, 'nodejs_heap_used_bytes', 'JavaScript heap in use on the main thread.', () => process.memoryUsage().heapUsed)
    let countedSeconds = 0
    registry.registerMetric(new Counter({
      name: 'process_cpu_seconds_total', help: 'CPU time of all threads, user and system.', registers: [],
      collect() {
        const { user, system } = process.cpuUsage()
        const seconds = (user + system) / 1e6
        this.inc(Math.max(0, seconds - countedSeconds))
        countedSeconds = Math.max(seconds, countedSeconds)
      },
    }))
  }

  /** Called at each scrape. */
  observe(read: () => HostReading | null): void { this.#read = read }

  barsProcessed(bars: number): void { this.#bars.inc(bars) }
}
