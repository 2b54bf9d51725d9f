/**
 * Performs a job where it belongs: in this thread for a built-in strategy, in a realm for the code that came along. Realms are
 * kept, least recently used first out, and thrown away as soon as something of theirs failed. What failed is not kept: the
 * next task with the same code begins anew.
 */
import { createHash } from 'node:crypto'
import { engineVersion } from '../src/base/engine-version.js'
import { builtinStrategy } from '../src/engine/index.js'
import type { Strategy } from '../src/engine/index.js'
import { GuestRealm } from './guest-realm.js'
import { JOBS } from './jobs/jobs.js'
import type { JobName } from './jobs/jobs.js'
import type { JobCall, JobResult } from './jobs/job.js'
import { SweepRunners } from './jobs/sweep-runners.js'
import { barsOf, frameOf, utf8, utf8Text } from './step.js'
import type { StepContext, StepResult } from './step.js'
import { hashSource } from './strategy-source.js'

const KEPT_RUNNERS = 4
const KEPT_REALMS = 4
/** Private copies of frames that idle realms may hold together; the last one used keeps its own in any case. */
const KEPT_COPY_BYTES = 64 * 2 ** 20

const runners = new SweepRunners(KEPT_RUNNERS, false)
/** By hash of the code, in order of last use. */
const realms = new Map<string, GuestRealm>()

/** `input` goes before that of the step. The strategy is the code that came along, else a built-in one. */
export async function perform(context: StepContext, job: JobName, input: Readonly<Record<string, unknown>> = context.input): Promise<StepResult> {
  const { code } = context.bytes
  return code === undefined ? withUtf8(JOBS[job](callHere(context, input))) : performGuest(context, code, job, input)
}

/** Everything that this thread keeps for these bars. */
export function forgetBars(dataHash: string): void {
  runners.forget(dataHash)
  for (const realm of realms.values()) realm.forget(dataHash)
}

async function performGuest(context: StepContext, code: Uint8Array, job: JobName, input: Readonly<Record<string, unknown>>): Promise<StepResult> {
  const hash = hashSource(code)
  const known = realms.get(hash)
  realms.delete(hash)
  const realm = known ?? await GuestRealm.load(utf8Text(code))
  const result = await realm.perform(job, input, Object.fromEntries(Object.entries(context.shared).map(([name]) => [name, frameOf(context, name)])), context.pulse)
  // A check bends the clocks of its realm.
  if (job === 'check') return withUtf8(result)
  realms.set(hash, realm)
  trim()
  return withUtf8(result)
}

function trim(): void {
  let copies = [...realms.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  for (const [hash, { sizeBytes }] of realms) {
    if (realms.size <= 1 || (realms.size <= KEPT_REALMS && copies <= KEPT_COPY_BYTES)) return
    realms.delete(hash)
    copies -= sizeBytes
  }
}

function callHere(context: StepContext, { spec, ...input }: Readonly<Record<string, unknown>>): JobCall {
  const { name: given } = input as { name?: string }
  const { strategy: named } = (spec ?? {}) as { strategy?: { name?: string } }
  // One that the spec does not name is refused when the spec is parsed.
  const strategy = (): Strategy => builtinStrategy(given ?? named?.name ?? '')
  const call = {
    input, specText: JSON.stringify(spec ?? null), bars: (frame?: string) => barsOf(context, frame), strategy, copy: strategy, ambient: null, pulse: context.pulse,
    surroundings: { engineVersion, sha256: (text: string) => createHash('sha256').update(text).digest('hex'), nowMs: () => performance.now(), placeOf: () => '' },
  }
  return { ...call, prepared: () => runners.prepared(call) }
}

function withUtf8({ json, texts = {}, bytes = {} }: JobResult): StepResult {
  return { json, bytes: { ...bytes, ...Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, utf8(text)])) } }
}
