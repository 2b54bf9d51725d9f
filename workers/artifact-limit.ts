/** What a step hands over to be kept as artifacts: nothing larger than the store takes, and a warning for what is left out. */
export const ARTIFACT_BYTES = 64 * 1024 * 1024

export interface Kept {
  readonly bytes: Readonly<Record<string, Uint8Array>>
  readonly warnings: readonly string[]
}

export function keptArtifacts(artifacts: Readonly<Record<string, Uint8Array>>, limitBytes: number = ARTIFACT_BYTES): Kept {
  const bytes: Record<string, Uint8Array> = {}
  const warnings: string[] = []
  for (const [kind, content] of Object.entries(artifacts)) {
    if (content.byteLength <= limitBytes) bytes[kind] = content
    else warnings.push(`What it would keep as ${kind} takes ${Math.ceil(content.byteLength / 2 ** 20)} MiB, more than the ${limitBytes / 2 ** 20} MiB that a task may keep, and was left out; narrow start_date and end_date to have it.`)
  }
  return { bytes, warnings }
}
