/** Findings of one rule are one finding with a list: its sentences. Chapter HZ. */
import { ADVICE_MAX } from './rule.ts'

/**
 * One sentence for all of these, the first sixteen; of more than those, how many more there are. `total` is
 * their number where not all are in the list.
 */
export function listed(items: readonly string[], total = items.length): string {
  const shown = items.slice(0, ADVICE_MAX)
  const more = total - shown.length
  return `${[...shown, ...(more > 0 ? [`and ${String(more)} more`] : [])].join('; ')}.`
}

/** Words that are the same for several of a list, each once. */
export function eachOnce(words: readonly string[]): string {
  return [...new Set(words)].join('; ')
}
