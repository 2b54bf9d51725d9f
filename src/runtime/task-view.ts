/** A task as JSON, the keys of its spec and its result in the one order that every door shows. */
import { resultInOrder, specInOrder } from '../engine/index.js'
import type { TaskView } from '../tasks/backend.js'
import { TaskType } from '../tasks/task.js'
import type { TaskRecord } from '../tasks/task-store.js'

export function taskView(record: TaskRecord): TaskView {
  const runs = record.taskType === TaskType.BACKTEST || record.taskType === TaskType.OPTIMIZATION
  const { data, result } = record
  return {
    task_id: record.taskId, task_type: record.taskType, priority: record.priority, status: record.status,
    name: record.name, tags: record.tags, user_id: record.userId, ip_address: record.ipAddress,
    data: runs ? specInOrder(data) : data, result: runs ? resultInOrder(result, data) : result, error: record.error,
    attempt: record.attempt, retry_count: record.retryCount, max_retries: record.maxRetries, timeout: record.timeoutSeconds,
    generation: record.generation, created_at: record.createdAt, not_before: record.notBefore, deadline_at: record.deadlineAt,
    started_at: record.startedAt, completed_at: record.completedAt, processing_time_ms: record.processingTimeMs, progress: record.progress,
    ...(record.truncated === undefined ? {} : { truncated: record.truncated }),
  }
}
