/**
 * Eras precomputed by the build for its bundles (.ci/worked-out.mjs), by the name of their history, so that a
 * start need not compute them; none when running from source.
 */
import type { EraRow } from './era.ts'

export function workedOut(history: string): readonly EraRow[] | undefined {
  return TABLES[history]
}

const TABLES: Readonly<Record<string, readonly EraRow[]>> = {}
