/** Rows of the table of kill points and outcomes, told apart from whatever else a test run prints. */
export const TABLE_ROW = 'saga | '

export interface KillRow {
  readonly saga: string
  readonly direction: string
  /** Such as "before write 3 of 12". */
  readonly point: string
  readonly outcome: string
}

export function tableRow({ saga, direction, point, outcome }: KillRow): string {
  return `${TABLE_ROW}${saga.padEnd(22)} ${direction.padEnd(10)} ${point.padEnd(24)} ${outcome}`
}
