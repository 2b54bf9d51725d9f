/**
 * Where a command speaks: results on standard output, everything else on standard error.
 *
 * With `--json` standard output holds exactly one JSON document; `text` is silent then, and `document`
 * is silent without it. Where a file of the command goes to standard output it has that alone, and `text`
 * speaks on standard error. A reader that goes away (EPIPE) is no failure: what it did not want is dropped.
 */
import type { ByteSink } from '../base/table-format.js'
import type { Environment } from '../runtime/config-names.js'

export interface TextStream {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  write(text: string): unknown
}

interface Streams {
  readonly stdout: TextStream
  readonly stderr: TextStream
  readonly writeStdout?: ByteSink
  readonly env: Environment
}

export class Output {
  readonly json: boolean
  readonly stderr: TextStream
  /** For a file that goes to standard output. */
  readonly writeStdout: ByteSink
  readonly #stdout: TextStream
  readonly #bold: boolean
  #documents = 0
  #taken = false

  constructor({ stdout, stderr, writeStdout, env }: Streams, json: boolean) {
    this.#stdout = stdout
    this.stderr = stderr
    this.json = json
    this.writeStdout = writeStdout ?? ((bytes) => { stdout.write(new TextDecoder().decode(bytes)); return Promise.resolve() })
    // https://no-color.org: any value that is not empty.
    this.#bold = stdout.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
  }

  /** From now on standard output is a file's. */
  giveStdout(): void { this.#taken = true }

  document(value: unknown): void {
    if (!this.json || this.#documents > 0) return
    this.#documents += 1
    this.#stdout.write(`${JSON.stringify(value, null, 2)}\n`)
  }

  text(text: string): void {
    if (!this.json) (this.#taken ? this.stderr : this.#stdout).write(`${text}\n`)
  }

  /** A remark: standard error, in both modes. */
  note(text: string): void { this.stderr.write(`${text}\n`) }

  bold(text: string): string { return this.#bold ? `\u001B[1m${text}\u001B[22m` : text }
}
