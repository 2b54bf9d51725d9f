/** A task's history, as `tasks show` and `dlq show` print it. */
import type { TaskEventView } from '../tasks/backend.js'
import { asRecord } from './backtest-summary.js'
import { textTable } from './text-table.js'

export function eventTrail(events: readonly TaskEventView[]): string {
  return textTable(['at', 'event', 'what', 'from', 'to', 'attempt', 'worker'],
    events.map((event) => [event.at, event.event, whatOf(event), event.from_status, event.to_status, event.attempt, event.worker]), '  ')
}

/** The step of a saga's event, or why a transition happened. */
function whatOf({ detail }: TaskEventView): string | null {
  const { step, code, why, reason } = asRecord(detail)
  const found = reason ?? step ?? code ?? why
  return typeof found === 'string' ? found : null
}
