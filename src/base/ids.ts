/** The only file that makes ids. Task ids are time-ordered (UUID v7), so an index on them stays compact. */
import { randomBytes } from 'node:crypto'

/** A UUID version 7: 48 bits of milliseconds, then randomness. */
export function newTaskId(wallMs: number): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(Math.floor(wallMs), 0, 6)
  bytes[6] = (bytes[6]! & 0x0f) | 0x70
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** A short random name for one incarnation of a process: eight hexadecimal digits. */
export function newNonce(): string {
  return randomBytes(4).toString('hex')
}

export function isTaskId(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text)
}
