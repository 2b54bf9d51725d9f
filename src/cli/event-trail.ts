/** A task's history, as `tasks show` and `dlq show` print it. */
import type { TaskEventView } from '../tasks/backend.js'
import { asRecord } from './backtest-summary.js'
import { fittedTable } from './text-table.js'

export function eventTrail(events: readonly TaskEventView[], wide: boolean): string {
  return fittedTable(['at', 'event', 'to', 'attempt', 'what', 'from', 'worker'],
    events.map((event) => [wide ? event.at : event.at.slice(0, 19).replace('T', ' '), event.event, event.to_status, event.attempt, whatOf(event), event.from_status, event.worker]),
    { drop: ['worker', 'from', 'attempt'], wide }, '  ')
}

/** The step of a saga's event, or why a transition happened. */
function whatOf({ detail }: TaskEventView): string | null {
  const { step, code, why, reason } = asRecord(detail)
  const found = reason ?? step ?? code ?? why
  return typeof found === 'string' ? found : null
}
