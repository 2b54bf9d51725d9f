/** A few at a time. Results are in the order of the items; the first error is thrown once all that was under way has ended. */
export async function inLanes<Item, Result>(items: readonly Item[], atOnce: number, run: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results = Array.from({ length: items.length }) as Result[]
  let next = 0
  let failed = false
  const lane = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const at = next
      next += 1
      try {
        results[at] = await run(items[at] as Item)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(atOnce, items.length) }, lane))
  const broken = lanes.find((one) => one.status === 'rejected')
  if (broken !== undefined) throw broken.reason
  return results
}
