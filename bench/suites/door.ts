/**
 * Many submissions of one file at once: what the process takes while they come in, and how long the main loop is held. All
 * of them are run, too. The file is parsed, tried and stored for each, as if each were another.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { systemClock } from '../../src/base/clock.js'
import { seededRandom } from '../../src/base/random.js'
import { TaskType } from '../../src/tasks/task.js'
import type { Suite } from '../figure.js'
import { openWorkplace } from '../workplace.js'

const FILE_BYTES = 416 * 1024
const MIB = 2 ** 20

export const doorSuite: Suite = async ({ smoke, stateDir }) => {
  const count = smoke ? 20 : 1000
  const file = barsFile(join(stateDir, 'bench', 'door'))
  const place = await openWorkplace(stateDir, 'worker', 2)
  try {
    const { backend } = place.runtime
    const submit = (fast: number): ReturnType<typeof backend.submit> =>
      backend.submit({ taskType: TaskType.BACKTEST, roots: null, data: { file, strategy: { name: 'sma-cross', params: { fast, slow: 60 } } } })
    await backend.wait((await submit(5)).taskId)
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    let peakBytes = 0
    const stopLooking = systemClock.every(20, () => { peakBytes = Math.max(peakBytes, process.memoryUsage.rss()) })
    const fromMs = performance.now()
    await Promise.all(Array.from({ length: count }, (_, i) => submit(2 + (i % 50))))
    const acceptedMs = performance.now() - fromMs
    while (await place.countTasks('completed') <= count) await systemClock.sleep(50)
    const completedMs = performance.now() - fromMs
    delay.disable()
    stopLooking()
    return {
      suite: 'door', limit: `${count} submissions of ${FILE_BYTES / 1024} KiB at once, two threads: parsed and tried for each, about 5 ms of a thread`,
      figures: [
        { name: 'accepted', value: (count * 1000) / acceptedMs, unit: '/s' },
        { name: 'completed', value: (count * 1000) / completedMs, unit: '/s' },
        { name: 'resident memory at most', value: peakBytes / MIB, unit: 'MiB', target: { kind: 'max', value: 500 } },
        { name: 'main loop p99', value: delay.percentile(99) / 1e6, unit: 'ms', target: { kind: 'max', value: 20 } },
      ],
    }
  } finally {
    await place.close()
  }
}

function barsFile(folder: string): string {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'bars.csv')
  if (existsSync(path)) return path
  const random = seededRandom(7)
  let text = 'time,open,high,low,close,volume\n'
  for (let i = 0, close = 100; text.length < FILE_BYTES; i += 1) {
    const open = close
    close = open * (1 + (random.next() - 0.5) / 100)
    text += `${1_600_000_000 + 60 * i},${open.toFixed(4)},${(Math.max(open, close) * 1.001).toFixed(4)},${(Math.min(open, close) * 0.999).toFixed(4)},${close.toFixed(4)},${Math.floor(random.next() * 1e6)}\n`
  }
  writeFileSync(path, text)
  return path
}
