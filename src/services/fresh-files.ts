/**
 * Files below a folder for temporary files, kept from its cleaner. As root the servers' data may have to lie in /var/tmp, where
 * systemd-tmpfiles removes what nobody wrote, read or changed for 30 days (10 in /tmp): a table that is rarely read is
 * such a file, and its loss ruins a database. So all of them get the time of now while a supervisor runs.
 */
import { tmpdir } from 'node:os'
import { sep } from 'node:path'
import type { Clock } from '../base/clock.js'
import { runProgram } from './binary.js'

const EVERY_MS = 12 * 3_600_000

/** At once, and twice a day. Nothing where no cleaner comes. */
export function keepFresh(folder: string, clock: Clock): void {
  if (!['/tmp', '/var/tmp', tmpdir()].some((one) => folder.startsWith(one + sep))) return
  // Links themselves, never what they name; a file that is gone by then is not made.
  const refresh = (): void => { void runProgram('find', [folder, '-exec', 'touch', '-h', '-c', '{}', '+'], { cwd: '/' }) }
  refresh()
  clock.every(EVERY_MS, refresh)
}
