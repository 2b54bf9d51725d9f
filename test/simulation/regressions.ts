/** Schedules that once broke an invariant, shrunk: they run before the random ones. */
import type { Op } from './schedule.js'

export const REGRESSIONS: readonly (readonly Op[])[] = [
  // Redis's clock was set back: the delayed task came an hour late.
  [
    { op: 'enqueue', by: 0, priority: 'high', delayMs: 1500, retries: 0, crashAt: null },
    { op: 'pick', by: 0, count: 1, crashAt: null, loseReply: false },
    { op: 'step_clock', ms: -3_600_000 },
  ],
  // The groups were made again, the entry of a living owner went to another worker, who died, and from there to a third.
  [
    { op: 'outlive', by: 0 }, { op: 'start' },
    { op: 'enqueue', by: 0, priority: 'high', delayMs: 0, retries: 0, crashAt: null },
    { op: 'pick', by: 2, count: 1, crashAt: null, loseReply: false },
    { op: 'drop_groups' },
    { op: 'pick', by: 0, count: 1, crashAt: 'picked', loseReply: false },
    { op: 'enqueue', by: 0, priority: 'high', delayMs: 0, retries: 0, crashAt: null },
    { op: 'recover', by: 0 }, { op: 'start' },
  ],
  // A worker that was stopped past its lease woke up, opened a task before it had beaten again, and Redis was emptied.
  [
    { op: 'outlive', by: 3 },
    { op: 'enqueue', by: 0, priority: 'high', delayMs: 0, retries: 0, crashAt: null },
    { op: 'pick', by: 3, count: 1, crashAt: null, loseReply: false },
    { op: 'flush' }, { op: 'start' },
    { op: 'finish', by: 0, n: 0, ending: 'complete', crashAt: null, loseReply: false },
    { op: 'recover', by: 0 }, { op: 'advance', ms: 300 },
    { op: 'finish', by: 0, n: 0, ending: 'complete', crashAt: null, loseReply: false },
  ],
  // A worker died with two entries of one task in its hands, for the third time: the stale one hid that the other was poison,
  // and both were dropped.
  [
    { op: 'enqueue', by: 0, priority: 'high', delayMs: 0, retries: 0, crashAt: null },
    { op: 'outlive', by: 1 }, { op: 'outlive', by: 0 }, { op: 'advance', ms: 300 }, { op: 'drop_groups' }, { op: 'outlive', by: 1 },
    { op: 'enqueue', by: 0, priority: 'high', delayMs: 0, retries: 0, crashAt: 'row_committed' },
    { op: 'pick', by: 0, count: 1, crashAt: 'picked', loseReply: false },
  ],
]
