/**
 * What a row tells a step is kept beside the step, so that the cells of two rows can be compared in words.
 */

/** Arguments of a step by name: texts, numbers, lists, other steps. */
export type Particulars = Readonly<Record<string, unknown>>

const PARTICULARS = Symbol('particulars')

/** The step, which from now on says what it was told. */
export function told<F extends object>(step: F, particulars: Particulars): F {
  return Object.assign(step, { [PARTICULARS]: particulars })
}

/** What a step was told; null for one that is the same in every row. */
export function particularsOf(step: unknown): Particulars | null {
  return typeof step === 'function' && PARTICULARS in step ? (step[PARTICULARS] as Particulars) : null
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)

/**
 * Are they the same, down to texts, numbers and steps? A step that was told the same things as another one is
 * the same step.
 */
export function toldAlike(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a === 'function' || typeof b === 'function') {
    const [one, other] = [particularsOf(a), particularsOf(b)]
    return one !== null && other !== null && toldAlike(one, other)
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (isList(a) !== isList(b)) return false
  const [keys, others] = [Object.keys(a), Object.keys(b)]
  return (
    keys.length === others.length &&
    keys.every(key => toldAlike((a as Particulars)[key], (b as Particulars)[key]))
  )
}
