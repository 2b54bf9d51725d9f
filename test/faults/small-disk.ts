/** A small file system of a test's own, and taking the room on it. */
import { execFileSync } from 'node:child_process'
import { chmodSync, closeSync, fstatSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Null where one may not be mounted. `size` as mount takes it. */
export function mountSmall(size: string): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'sweepmill-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'ignore' })
    chmodSync(folder, 0o755)
    return folder
  } catch {
    rmSync(folder, { recursive: true, force: true })
    return null
  }
}

export function unmount(folder: string): void {
  execFileSync('umount', [folder])
  rmSync(folder, { recursive: true, force: true })
}

/** Takes all the room but so many bytes; returns what gives it back. */
export function fill(folder: string, room = 0): () => void {
  const filler = join(folder, 'filler')
  const file = openSync(filler, 'w')
  for (let chunk = Buffer.alloc(1 << 20); chunk.length > 0;) {
    try {
      writeSync(file, chunk)
    } catch {
      chunk = chunk.subarray(0, chunk.length >> 1)
    }
  }
  ftruncateSync(file, Math.max(0, fstatSync(file).size - room))
  closeSync(file)
  return () => { rmSync(filler) }
}
