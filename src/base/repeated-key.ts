/**
 * The first key that a JSON text gives twice in one object: JSON.parse keeps the last and drops the others without a word.
 * The text has been parsed before, so it is JSON; only strings and brackets are looked at.
 */
export function repeatedKey(json: string): string | undefined {
  /** One entry an open bracket: the keys so far, or null in a list. */
  const open: (Set<string> | null)[] = []
  let last = ''
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)) {
    const keys = open.at(-1)
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(null)
    else if (token === '}' || token === ']') open.pop()
    else if (token !== ':') last = JSON.parse(token) as string
    else if (keys?.has(last) === true) return last
    else keys?.add(last)
  }
  return undefined
}
