/**
 * The parts of a task's `data` that a workflow needs on the main thread. The full spec is parsed in the threads;
 * here only the hashes are read that say which bars and which strategy code to hand them.
 */
import { SweepmillError } from '../base/errors.js'
import type { Attempt } from '../tasks/task.js'
import type { WorkflowTools } from './workflow.js'

export interface PinnedSpec {
  readonly spec: Readonly<Record<string, unknown>>
  readonly dataHash: string
  readonly strategyHash: string | null
}

export function pinnedSpec(attempt: Attempt): PinnedSpec {
  const { data_hash: dataHash, strategy_hash: strategyHash } = attempt.data
  if (typeof dataHash !== 'string') {
    throw new SweepmillError('SPEC_INVALID', `Task ${attempt.taskId} does not say which bars it wants: its data has no data_hash. Submit it through the command line or HTTP, which pin the bars.`)
  }
  return { spec: attempt.data, dataHash, strategyHash: typeof strategyHash === 'string' ? strategyHash : null }
}

/** The code of a user's strategy, or null for a built-in one. */
export async function strategyCode(pinned: PinnedSpec, tools: WorkflowTools): Promise<Uint8Array | null> {
  if (pinned.strategyHash === null) return null
  const code = await tools.archive.loadSource(pinned.strategyHash)
  if (code === null) {
    throw new SweepmillError('NOT_RESOLVABLE', `The strategy source ${pinned.strategyHash} is not in the store.`)
  }
  return code
}
