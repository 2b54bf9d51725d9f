/**
 * What the machine refuses for want of something: room, memory, open files, a disk that may be written. It says nothing about
 * who asked: the same work goes well a moment later, or elsewhere. A file that is missing or closed to us is not meant here.
 */
const SHORTAGES: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full', EDQUOT: 'the quota of this user is used up', EROFS: 'the disk is read-only', EIO: 'the disk does not answer',
  EMFILE: 'this process has too many open files', ENFILE: 'this machine has too many open files',
  ENOMEM: 'there is no memory left', EAGAIN: 'this user may start no more processes or threads', ENOBUFS: 'there is no memory left for connections',
  ERR_WORKER_INIT_FAILED: 'no thread can be started',
}
/** An error of ours, a package's, Node's: no chain is longer. */
const DEEPEST = 4

/** The shortage that an error, or what it was caused by, comes from; null for every other. Whatever was thrown, it does not throw. */
export function shortageBehind(thrown: unknown): string | null {
  try {
    for (let error = thrown, depth = 0; depth < DEEPEST && typeof error === 'object' && error !== null; depth += 1) {
      const { code, cause } = error as { code?: unknown; cause?: unknown }
      if (typeof code === 'string' && Object.hasOwn(SHORTAGES, code)) return SHORTAGES[code] ?? null
      error = cause
    }
  } catch {
    // A proxy may throw at every look.
  }
  return null
}
