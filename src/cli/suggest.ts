/** Did you mean: the known word closest to a misspelt one. */

/** Optimal string alignment: insertions, deletions, replacements and swaps of neighbours. */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const at = (r: number, c: number): number => rows[r]?.[c] ?? 0
      let best = Math.min(
        at(i - 1, j) + 1,
        (row[j - 1] ?? 0) + 1,
        at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
      )
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, at(i - 2, j - 2) + 1)
      row.push(best)
    }
    rows.push(row)
  }
  return rows[a.length]?.[b.length] ?? 0
}

/** Longer words are not compared: they are not typing errors, and comparing them takes time. */
const WORD_MAX = 80

/** ` (did you mean --memmap?)`, or nothing if no known word is close. */
export function didYouMean(word: string, known: readonly string[]): string {
  if (word.length > WORD_MAX) return ''
  const limit = Math.max(1, Math.floor(word.length / 3))
  const near = known
    .map(name => ({
      name,
      distance:
        name.startsWith(word) && word.length > 1 ? 0 : editDistance(word.toLowerCase(), name.toLowerCase()),
    }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)[0]
  return near === undefined ? '' : ` (did you mean ${near.name}?)`
}
