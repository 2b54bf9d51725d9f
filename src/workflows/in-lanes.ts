/** A few at a time, in the order they come. Results are in that order too; the first error is thrown once all that was under way has ended. */
export async function inLanes<Item, Result>(items: Iterable<Item> | AsyncIterable<Item>, atOnce: number, run: (item: Item) => Promise<Result>): Promise<Result[]> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
  const results: Result[] = []
  let taken = 0
  let failed = false
  const lane = async (): Promise<void> => {
    while (!failed) {
      const at = taken
      taken += 1
      try {
        const next = await iterator.next()
        if (next.done === true) return
        results[at] = await run(next.value)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: atOnce }, lane))
  if (failed) await iterator.return?.()
  const broken = lanes.find((one) => one.status === 'rejected')
  if (broken !== undefined) throw broken.reason
  return results
}
