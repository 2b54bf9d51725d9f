import { InvalidArgumentError } from 'commander'

/** A flag that names a moment, as ISO 8601 UTC. Without a zone it is UTC only for a date alone, as JavaScript has it. */
export function time(text: string): string {
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) throw new InvalidArgumentError('Write an ISO 8601 time, such as 2025-11-05T17:30:00Z.')
  return new Date(ms).toISOString()
}
