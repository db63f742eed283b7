/** How much of a long test is done: a part of it by default, all of it where THOROUGH=1, as in .ci/run. */
export const THOROUGH = process.env['THOROUGH'] === '1'

/** `all` when thorough, `fewer` otherwise. */
export function depth(fewer: number, all: number): number {
  return THOROUGH ? all : fewer
}

/** How often a property is tried: on `all` values when thorough, else on `fewer`, the same every time. */
export function tries(fewer: number, all: number): { readonly numRuns: number; readonly seed?: number } {
  return THOROUGH ? { numRuns: all } : { numRuns: fewer, seed: 20261130 }
}

/**
 * The members of a list that are taken in a turn: all of them when thorough, otherwise one of `of`. Over `of`
 * turns that follow one another, every member is taken.
 */
export function share<T>(list: readonly T[], of: number, turn: number): readonly T[] {
  return THOROUGH ? list : list.filter((_, i) => i % of === turn % of)
}
