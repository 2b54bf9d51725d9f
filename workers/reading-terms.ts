/** What a reader of a file is told that is not of the file: who watches its rows, what it may take, how it stays answerable. */
import { DataRoom } from '../src/market/data-room.js'
import type { RowWatcher } from '../src/market/read-csv.js'

export interface ReadingTerms {
  readonly onRows?: RowWatcher
  readonly room: DataRoom
  /** Called after each piece; throws where the reading is to end. */
  readonly alive: () => void
}

/** Nobody watches, and there is room for everything. */
export function freeTerms(): ReadingTerms {
  return { room: new DataRoom(), alive: () => undefined }
}
