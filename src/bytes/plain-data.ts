/**
 * Plain data from a text that anybody may have written: JSON of bounded length, depth and number of values.
 */

/** Longest JSON text that is parsed, in bytes or UTF-16 units. */
export const JSON_MAX = 2 ** 20
/** Deepest nesting of lists and objects that is taken; a scenario needs 9. */
export const DEPTH_MAX = 64
/** Most values that are taken, each list, object and scalar counted as often as it is reached. */
export const VALUES_MAX = 2 ** 17

/**
 * What was parsed, or why it is not taken, in one line; `isJson` is false when the text breaks the grammar.
 */
export type PlainData = { readonly value: unknown } | { readonly why: string; readonly isJson: boolean }

/**
 * Why this data is not taken, or null: it is nested too deeply, as data that contains itself is, or has too
 * many values. Looks at no more than VALUES_MAX of them.
 */
export function whyUnbounded(value: unknown): string | null {
  let values = 0
  const visit = (item: unknown, depth: number): string | null => {
    if (++values > VALUES_MAX) return `it has more than ${String(VALUES_MAX)} values`
    if (typeof item !== 'object' || item === null) return null
    if (depth === DEPTH_MAX) return `it is nested more than ${String(DEPTH_MAX)} deep`
    for (const inner of Object.values(item)) {
      const why = visit(inner, depth + 1)
      if (why !== null) return why
    }
    return null
  }
  return visit(value, 0)
}

/** Parses JSON. Never throws. */
export function parseJson(text: string): PlainData {
  if (text.length > JSON_MAX)
    return { why: `it has ${String(text.length)} characters, ${String(JSON_MAX)} at the most`, isJson: true }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const why = (error instanceof Error ? error.message : 'unreadable').split('\n')[0] ?? ''
    return { why, isJson: false }
  }
  const why = whyUnbounded(value)
  return why === null ? { value } : { why, isJson: true }
}
