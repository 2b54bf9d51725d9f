/**
 * What passes between a thread and the realm of a user's strategy: strings, numbers and bytes, never an object of the other side.
 * An object of the thread in the hands of a strategy would lead it to everything that the thread has (`x.constructor.constructor`).
 */

/** Functions of the thread. The realm calls them through closures of its own, which a strategy cannot take apart. */
export interface OutsideCalls {
  /** True: stop. */
  readonly beat: (done: number, total: number) => boolean
  readonly sha256: (text: string) => string
  readonly nowMs: () => number
  /** The first line of a stack that stands in the user's own file, as ` (at mine.ts:3:5)`. */
  readonly place: (stack: string) => string
  readonly print: (text: string) => void
  readonly random32: () => number
}

/** Functions of the realm, taken before a strategy is loaded: it cannot replace them. */
export interface RealmApi {
  /** Memory for the realm's own copy of a frame. */
  readonly allocate: (byteLength: number) => ArrayBuffer
  /** `header` is a `FrameHeader` as JSON, `dataAt` where the first column lies. */
  readonly attach: (dataHash: string, header: string, dataAt: number, buffer: ArrayBuffer) => void
  readonly forget: (dataHash: string) => void
  /** The function that makes the strategy's module, not called yet. */
  readonly take: (module: unknown) => void
  /** Empty, or an `Answer` as JSON that says why the strategy cannot be loaded. */
  readonly load: () => string
  /** `Answer` as JSON. `bars` names the data hash of each frame, as JSON. */
  readonly perform: (job: string, input: string, spec: string, bars: string) => string
  /** Of the last answer. */
  readonly text: (name: string) => unknown
  readonly bytes: (name: string) => unknown
  /** Anything that was thrown, in words and with its place. */
  readonly textOf: (thrown: unknown) => unknown
}

export type Answer =
  | { readonly json: unknown; readonly texts: readonly string[]; readonly bytes: readonly string[] }
  | { readonly failure: Failure }

export interface Failure {
  readonly code: string
  readonly message: string
  readonly details?: unknown
}
