/** A saga as `tasks show` and `sagas show` print it: its steps as they went, and the way back. */
import type { SagaView } from '../tasks/backend.js'
import { fittedTable, formatDuration } from './text-table.js'

type Step = SagaView['steps'][number]

const DONE = { started: 'begun', finished: 'done', failed: 'failed', skipped: 'skipped' } as const
const UNDONE = { started: 'undo begun', finished: 'undone', failed: 'undo failed', skipped: 'undo skipped' } as const

export function sagaTimeline(saga: SagaView, wide: boolean): string {
  const rows = saga.steps.map((step) => [wide ? step.started_at : step.started_at.slice(0, 19).replace('T', ' '), step.undo ? `← ${step.step}` : step.step, stateOf(step), tookOf(step), step.attempt,
    step.error === null ? null : `${step.error.message} [${step.error.code}]`])
  const title = `Saga ${saga.saga_type} v${saga.version}, run ${saga.run}: ${saga.status.replace('_', ' ')}`
  return rows.length === 0 ? title : `${title}\n${fittedTable(['at', 'step', 'state', 'took', 'attempt', 'why'], rows, { drop: ['attempt', 'took'], wide }, '  ')}`
}

function stateOf({ undo, status, error }: Step): string {
  if (!undo && status === 'failed' && error?.code === 'TASK_CANCELLED') return 'cancelled'
  return (undo ? UNDONE : DONE)[status as keyof typeof DONE] ?? status
}

function tookOf({ started_at: startedAt, finished_at: finishedAt }: Step): string | null {
  return finishedAt === null ? null : formatDuration(Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)))
}
