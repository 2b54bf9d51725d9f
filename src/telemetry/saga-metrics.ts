/** The `saga_*` metrics. `saga_type` is the task type whose workflow runs, `step_name` a step of its definition. */
import { Counter } from 'prom-client'
import type { Registry } from 'prom-client'

export class SagaMetrics {
  readonly #started: Counter<'saga_type'>
  readonly #stepExecuted: Counter<'saga_type' | 'step_name'>
  readonly #completed: Counter<'saga_type'>
  readonly #compensated: Counter<'saga_type'>
  readonly #failed: Counter<'saga_type'>
  readonly #compensationFailed: Counter<'saga_type'>

  constructor(registry: Registry) {
    const registers = [registry]
    const labelNames = ['saga_type'] as const
    this.#started = new Counter({ name: 'saga_started_total', help: 'Saga runs started.', labelNames, registers })
    this.#stepExecuted = new Counter({
      name: 'saga_step_executed_total', help: 'Saga steps finished.', labelNames: ['saga_type', 'step_name'], registers,
    })
    this.#completed = new Counter({ name: 'saga_completed_total', help: 'Saga runs completed.', labelNames, registers })
    this.#compensated = new Counter({ name: 'saga_compensated_total', help: 'Saga runs whose steps were undone.', labelNames, registers })
    this.#failed = new Counter({ name: 'saga_failed_total', help: 'Saga runs in which a step failed.', labelNames, registers })
    this.#compensationFailed = new Counter({
      name: 'saga_compensation_failed_total', help: 'Saga runs whose undo failed and that wait for an operator.', labelNames, registers,
    })
  }

  started(sagaType: string): void { this.#started.inc({ saga_type: sagaType }) }
  stepExecuted(sagaType: string, stepName: string): void { this.#stepExecuted.inc({ saga_type: sagaType, step_name: stepName }) }
  completed(sagaType: string): void { this.#completed.inc({ saga_type: sagaType }) }
  compensated(sagaType: string): void { this.#compensated.inc({ saga_type: sagaType }) }
  failed(sagaType: string): void { this.#failed.inc({ saga_type: sagaType }) }
  compensationFailed(sagaType: string): void { this.#compensationFailed.inc({ saga_type: sagaType }) }
}
