/** Every step of a task's history must be legal and connected to the one before it. */
export function assertLegalHistory(events: readonly { from_status: string | null; to_status: string | null }[], legal: Readonly<Record<string, readonly string[]>>): void {
  let status: string | null = null
  for (const event of events) {
    if (event.to_status === null) continue
    if (event.from_status !== status) throw new Error(`history is not connected: ${status} then ${event.from_status} → ${event.to_status}`)
    if (status !== null && !(legal[status] ?? []).includes(event.to_status)) throw new Error(`illegal transition ${status} → ${event.to_status}`)
    status = event.to_status
  }
}
