/** What a step of a task is called where people read it; logs, metrics and JSON keep its name. */
const WORDS: Readonly<Record<string, string>> = {
  fetch_data: 'loading bars', plan: 'planning', run_backtest: 'running the backtest', run_chunks: 'running trials', rank: 'ranking trials',
  save_results: 'saving results', sync_bars: 'fetching bars', fill_gaps: 'filling gaps', check_series: 'checking the series', sweep_out: 'removing what is old',
}

export function stepInWords(step: string): string {
  return WORDS[step] ?? step.replaceAll('_', ' ')
}
