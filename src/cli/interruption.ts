/** What an interrupted user is told: who works on the task now, how to see it, and how to have the files that were asked for. */

/** What the interrupted command knows. */
export interface Interruption {
  /** The same command finds the task again: what it would do with it. Null: it would make another one. */
  readonly again: string | null
  /** By flag. */
  readonly outputs: Readonly<Record<string, string | undefined>>
}

/** `workerRunning` is null where the services did not say. */
export function whatHappensNow(taskId: string, workerRunning: boolean | null, { again, outputs }: Interruption): readonly string[] {
  const who = workerRunning === true ? 'The running worker goes on with it.'
    : workerRunning === false ? 'No worker is running: it waits until one is started with "sweepmill worker".'
      : 'A worker that is running goes on with it.'
  const files = exportCommand(taskId, outputs)
  return [
    who, ...(again === null ? [] : [again]),
    `"sweepmill tasks show ${taskId}" shows it, "sweepmill tasks cancel ${taskId}" ends it.`,
    ...(files === null ? [] : [`Its files, once it is completed: ${files}`]),
  ]
}

/** Null where no file was asked for. */
export function exportCommand(taskId: string, outputs: Interruption['outputs']): string | null {
  const flags = Object.entries(outputs).flatMap(([flag, path]) => (path === undefined ? [] : [`${flag} ${quoted(path)}`]))
  return flags.length === 0 ? null : `sweepmill tasks export ${taskId} ${flags.join(' ')}`
}

/** As a shell takes it. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
