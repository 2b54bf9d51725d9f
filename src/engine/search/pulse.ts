/** How long CPU work stays answerable: called at least every 50 ms where a trial, or a strategy's own constraint, allows it. */
export interface Pulse {
  /** `done` of `total` indices are behind; true means: stop now. */
  beat(done: number, total: number): boolean
}

/** Excluded points are cheap, unless their constraint is long or a strategy's own: so many pass between two beats. */
export const SKIPS_PER_BEAT = 64
