/**
 * A change of upstream's code: its title, the releases that have it, and its effect on a behaviour. The unit
 * of every table of releases.
 */

/** The records of a behaviour: plain data, compared by value. */
export type Scalar = string | number | boolean | null

/**
 * The part of a behaviour that a change sets. Records are merged field by field, everything else is replaced,
 * including lists. A record with another `way` replaces the old one as a whole, since the parameters of one
 * way do not apply to another.
 */
export type Patch<T> = T extends Scalar | readonly unknown[]
  ? T
  : T extends { readonly way: string }
    ? T | ({ readonly [K in Exclude<keyof T, 'way'>]?: Patch<T[K]> } & { readonly way?: never })
    : { readonly [K in keyof T]?: Patch<T[K]> }

/** The releases that have a change. */
export interface When {
  /**
   * The first release of each branch that has it, ascending. The last one is on upstream's main line: every
   * later branch has it from its start.
   */
  readonly in: readonly [string, ...string[]]
  /** The same for the releases that no longer have it: reverted or superseded. */
  readonly until?: readonly [string, ...string[]]
}

/** One change. */
export interface Change<B> extends When {
  /** Upstream's commits, abbreviated as upstream does; empty if unknown. */
  readonly commits: readonly string[]
  /** Its effect, as one line of text. */
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

/** Defines changes of behaviours `B`: `const change = changesOf<StubBehaviour>()`. */
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

/** Applies a change to a behaviour. */
export function patched<B>(base: B, patch: Patch<B>): B {
  return merged(base, patch) as B
}

/** Folds share unchanged records, so each is serialised once. */
const SAID = new WeakMap<object, string>()

/** Serialises a behaviour canonically, independent of the order of its fields. */
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
