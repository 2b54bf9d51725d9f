/** The error of a write that the fence refused. `details.write` names the kind of write, for the count of refusals. */
import { SweepmillError } from '../base/errors.js'

export type FencedWrite = 'finish' | 'checkpoint' | 'saga' | 'artifact' | 'sweep_plan' | 'sweep_rows' | 'series' | 'cleanup'

export function leaseLost(taskId: string, write: FencedWrite): SweepmillError {
  return new SweepmillError('LEASE_LOST', `Task ${taskId} belongs to another attempt now; this one writes nothing more.`, { details: { task_id: taskId, write } })
}

/** The kind of write that `error` was the refusal of; null when it is something else (a renewal found another owner). */
export function refusedWrite(error: SweepmillError): string | null {
  const write = error.code === 'LEASE_LOST' ? error.details?.['write'] : undefined
  return typeof write === 'string' ? write : null
}
