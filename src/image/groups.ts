/** Matches lines against a regular expression and returns its groups. */
import { ModelBug } from '../bytes/errors.ts'

/** N texts. */
export type Texts<N extends number, T extends readonly string[] = readonly []> = T['length'] extends N
  ? T
  : Texts<N, readonly [...T, string]>

function areSoMany<N extends number>(texts: readonly string[], count: N): texts is Texts<N> {
  return texts.length === count
}

/**
 * Matches a line: the `count` groups of the expression, empty if one did not participate; null if the line
 * does not match. Throws ModelBug when the expression has another number of groups.
 */
export function groupsOf<const N extends number>(
  pattern: RegExp,
  count: N,
): (line: string) => Texts<N> | null {
  return line => {
    const match = pattern.exec(line)
    if (match === null) return null
    const texts = Array.from({ length: match.length - 1 }, (_, i) => match[i + 1] ?? '')
    if (!areSoMany(texts, count))
      throw new ModelBug(`${String(pattern)} has ${String(texts.length)} groups, not ${String(count)}`)
    return texts
  }
}
