/** What a task is about, out of its spec: the strategy and the bars, short enough for a table. Null where its type has none. */
import type { TaskView } from '../tasks/backend.js'

type Named = Pick<TaskView, 'data'>

export function strategyName({ data }: Named): string | null {
  const { strategy } = data as { strategy?: { name?: unknown } | null }
  return typeof strategy?.name === 'string' ? strategy.name : null
}

/** The symbol, or the name of the file; of a portfolio the first and how many more. */
export function symbolName({ data }: Named): string | null {
  const { symbol, symbols, file } = data
  if (typeof symbol === 'string') return symbol
  if (Array.isArray(symbols) && symbols.length > 0) {
    const [first] = symbols as readonly (string | { symbol?: string })[]
    const name = typeof first === 'string' ? first : first?.symbol ?? ''
    return symbols.length === 1 ? name : `${name} +${symbols.length - 1}`
  }
  // Paths come from any system.
  return typeof file === 'string' ? (file.split(/[/\\]/).at(-1) ?? file).replace(/(\.[a-z0-9]{1,7})+$/i, '') : null
}
