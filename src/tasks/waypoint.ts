/**
 * Named points of a task's life, in order. Nothing happens at them in production; the fault tests end the process
 * at each, because between two of them is where a crash can hurt.
 */
export type Waypoint =
  | 'row_committed' | 'published'
  | 'picked' | 'opened' | 'logging' | 'logged' | 'step_started' | 'computing' | 'checkpointed' | 'undoing'
  | 'before_commit' | 'committed' | 'settled'

export const WAYPOINTS: readonly Waypoint[] = [
  'row_committed', 'published', 'picked', 'opened', 'logging', 'logged', 'step_started', 'computing', 'checkpointed', 'undoing', 'before_commit', 'committed', 'settled',
]

export type PassWaypoint = (point: Waypoint, taskId: string) => void
