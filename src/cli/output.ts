/**
 * Where a command speaks: results on standard output, everything else on standard error.
 *
 * With `--json` standard output holds exactly one JSON document; `text` is silent then, and `document`
 * is silent without it. A reader that goes away (EPIPE) is no failure: what it did not want is dropped.
 */
import type { Environment } from '../runtime/config-names.js'

export interface TextStream {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  write(text: string): unknown
}

export class Output {
  readonly json: boolean
  readonly stderr: TextStream
  readonly #stdout: TextStream
  readonly #bold: boolean
  #documents = 0

  constructor(stdout: TextStream, stderr: TextStream, json: boolean, env: Environment) {
    this.#stdout = stdout
    this.stderr = stderr
    this.json = json
    // https://no-color.org: any value that is not empty.
    this.#bold = stdout.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
  }

  document(value: unknown): void {
    if (!this.json || this.#documents > 0) return
    this.#documents += 1
    this.#stdout.write(`${JSON.stringify(value, null, 2)}\n`)
  }

  text(text: string): void {
    if (!this.json) this.#stdout.write(`${text}\n`)
  }

  /** A remark: standard error, in both modes. */
  note(text: string): void { this.stderr.write(`${text}\n`) }

  bold(text: string): string { return this.#bold ? `\u001B[1m${text}\u001B[22m` : text }
}
