/**
 * Every metric of this process, on a registry of its own (never prom-client's global one, so that a
 * test or an embedding program can have several runtimes). Names and labels are a contract: dashboards
 * and deploy/alerts.yaml depend on them.
 */
import { Gauge, Registry } from 'prom-client'
import { HostMetrics } from './host-metrics.js'
import { QueueMetrics } from './queue-metrics.js'
import { SagaMetrics } from './saga-metrics.js'

export class Metrics {
  readonly queue: QueueMetrics
  readonly saga: SagaMetrics
  readonly host: HostMetrics
  readonly #registry = new Registry()

  constructor(version: string) {
    this.queue = new QueueMetrics(this.#registry)
    this.saga = new SagaMetrics(this.#registry)
    this.host = new HostMetrics(this.#registry)
    new Gauge({
      name: 'sweepmill_build_info', help: 'Always 1; the labels say what runs.', labelNames: ['version', 'node'], registers: [this.#registry],
    }).set({ version, node: process.version }, 1)
  }

  /** The Prometheus text format, version 0.0.4. */
  exposition(): Promise<string> { return this.#registry.metrics() }

  get contentType(): string { return this.#registry.contentType }
}
