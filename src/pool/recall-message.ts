/** What travels over the recall channel: threads that listen now, data that they must let go of, and each one's answer. */
export interface ThreadListening {
  readonly type: 'listening'
  readonly threadId: number
}

export interface RecallRequest {
  readonly type: 'recall'
  readonly recall: number
  /** The threads that are asked; others heed nothing. */
  readonly threadIds: readonly number[]
  readonly dataHash: string
}

export interface RecallAnswer {
  readonly type: 'answer'
  readonly recall: number
  readonly threadId: number
  /** Handles on the data that were still alive after a full collection. */
  readonly handles: number
}
