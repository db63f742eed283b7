/**
 * A change of upstream's code: what it is, which releases have it, and what it changes of a behaviour. The
 * unit of every table of releases.
 */

/** What a behaviour is made of: plain data, compared by value. */
export type Scalar = string | number | boolean | null

/**
 * As much of a behaviour as a change changes. Records are merged field by field, everything else is replaced,
 * lists too. A record that names another `way` takes the place of the old one whole: what one way is told
 * means nothing to another.
 */
export type Patch<T> = T extends Scalar | readonly unknown[]
  ? T
  : T extends { readonly way: string }
    ? T | ({ readonly [K in Exclude<keyof T, 'way'>]?: Patch<T[K]> } & { readonly way?: never })
    : { readonly [K in keyof T]?: Patch<T[K]> }

/** Which releases a change is in. */
export interface When {
  /**
   * Per branch the first release that has it, ascending. The last one is that of upstream's main line: every
   * later branch has it from its beginning.
   */
  readonly in: readonly [string, ...string[]]
  /** The same for the releases from which on it is gone again: reverted, or nothing is left of it. */
  readonly until?: readonly [string, ...string[]]
}

/** One change. */
export interface Change<B> extends When {
  /** Upstream's commits, abbreviated as upstream does; none where it is not known which it was. */
  readonly commits: readonly string[]
  /** What it brought, one line for people. */
  readonly title: string
  readonly patch: Patch<B>
}

/** A line of a table: `change('8c5b359579', 'any number of sections', { in: [...] }, { ... })`. */
export type MakeChange<B> = (
  commit: string | readonly string[],
  title: string,
  when: When,
  patch: Patch<B>,
) => Change<B>

/** Writes a change of behaviours `B`: `const change = changesOf<StubBehaviour>()`. */
export function changesOf<B>(): MakeChange<B> {
  return (commit, title, when, patch) => ({
    commits: typeof commit === 'string' ? [commit] : commit,
    title,
    ...when,
    patch,
  })
}

type Fields = Readonly<Record<string, unknown>>

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function merged(base: unknown, patch: unknown): unknown {
  if (!isRecord(base) || !isRecord(patch)) return patch
  if ('way' in patch && patch['way'] !== base['way']) return patch
  const fields: Record<string, unknown> = { ...base }
  for (const name of Object.keys(patch)) fields[name] = merged(base[name], patch[name])
  return fields
}

/** A behaviour and what a change changes of it. */
export function patched<B>(base: B, patch: Patch<B>): B {
  return merged(base, patch) as B
}

/** Folds share the records that no change touched: each is said once. */
const SAID = new WeakMap<object, string>()

/** Says a behaviour so that equal ones are said alike, in whatever order their fields were written. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (!isRecord(value)) return JSON.stringify(value)
  const known = SAID.get(value)
  if (known !== undefined) return known
  const fields = Object.keys(value)
    .sort()
    .map(name => `${JSON.stringify(name)}:${canonical(value[name])}`)
  const said = `{${fields.join()}}`
  SAID.set(value, said)
  return said
}
