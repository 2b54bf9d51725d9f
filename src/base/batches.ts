/** In order, as many together as fit a batch of so many bytes; at least one. */
export function batches<Item>(items: readonly Item[], sizeBytes: (item: Item) => number, batchBytes: number): Item[][] {
  const all: Item[][] = []
  let room = 0
  for (const item of items) {
    const last = all.at(-1)
    const size = sizeBytes(item)
    if (last === undefined || size > room) {
      all.push([item])
      room = batchBytes - size
    } else {
      last.push(item)
      room -= size
    }
  }
  return all
}
