/** Ports: what a task's inputs and outputs are kept in. All of it is content-addressed or fenced. */

export interface StoredBlock {
  readonly hash: string
  readonly month: string
  readonly bars: number
  readonly bytes: Uint8Array
}

export interface DatasetRecord {
  readonly dataHash: string
  readonly source: string
  readonly bars: number
  readonly firstTime: string
  readonly lastTime: string
  readonly sizeBytes: number
  readonly warnings: readonly string[]
  /** Block hashes, oldest month first. */
  readonly blocks: readonly string[]
}

/** Bars and strategy sources by content hash: immutable, shared by all tasks. */
export interface BarArchive {
  /** Whoever finds it is about to name it: a cleanup leaves it alone for a while. */
  has(dataHash: string): Promise<boolean>
  save(dataset: DatasetRecord, blocks: readonly StoredBlock[]): Promise<void>
  dataset(dataHash: string): Promise<DatasetRecord | null>
  /** In the dataset's order; null when one is not there. */
  blocks(dataset: DatasetRecord): Promise<readonly Uint8Array[] | null>
  saveSource(sourceHash: string, name: string, code: Uint8Array): Promise<void>
  loadSource(sourceHash: string): Promise<Uint8Array | null>
}

/** Large outputs of a task, one a kind. A write is fenced by the attempt, and false where the fence is down. */
export interface ArtifactStore {
  /** By kind, at least one. */
  put(taskId: string, attempt: number, artifacts: Readonly<Record<string, Uint8Array>>): Promise<boolean>
  get(taskId: string, kind: string): Promise<Uint8Array | null>
  remove(taskId: string, attempt: number, kinds: readonly string[]): Promise<boolean>
}
