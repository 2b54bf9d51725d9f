/** The part of every report that says how its numbers were made, so that another program can be held against them. */
import { escapeHtml, facts, formatExact } from './markup.js'

export function identityFacts(fields: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)
  return facts(pairs.map(([name, value]) => [escapeHtml(name), typeof value === 'number' ? formatExact(value) : `<code>${escapeHtml(String(value))}</code>`]))
}

/** A longer list is counted, not written out. */
const LISTED = 10

/** A spec's execution, flat: `sizing.mode`, not a nested object. */
export function executionFacts(spec: Readonly<Record<string, unknown>>): string {
  const flat: Record<string, unknown> = {}
  const walk = (prefix: string, value: unknown): void => {
    if (Array.isArray(value) && value.length > LISTED) flat[prefix] = `${formatExact(value.length)} entries`
    else if (typeof value === 'object' && value !== null) for (const [key, inner] of Object.entries(value)) walk(prefix === '' ? key : `${prefix}.${key}`, inner)
    else if (value !== null) flat[prefix] = value
  }
  walk('', spec['execution'])
  walk('metrics', spec['metrics'])
  return identityFacts(flat)
}

export function warningList(warnings: readonly string[]): string {
  return warnings.map((warning) => `<p class="warn">${escapeHtml(warning)}</p>`).join('\n')
}
