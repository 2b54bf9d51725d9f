/** CSV that this program wrote itself, as rows of texts; a cell in quotes may hold anything. */
export function csvCells(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  for (let at = 0; at < text.length;) {
    let cell = ''
    if (text[at] === '"') {
      for (at += 1; ; at += 1) {
        const end = text.indexOf('"', at)
        cell += text.slice(at, end < 0 ? text.length : end)
        at = end < 0 ? text.length : end + 1
        if (text[at] !== '"') break
        cell += '"'
      }
    } else {
      const start = at
      while (at < text.length && text[at] !== ',' && text[at] !== '\n') at += 1
      cell = text.slice(start, at)
    }
    row.push(cell)
    if (text[at] !== ',') {
      rows.push(row)
      row = []
    }
    at += 1
  }
  return rows
}
