/**
 * Eras that were worked out before, by name of the history: which releases behave alike. The build does that for its bundles
 * (.ci/worked-out.mjs), so that a start need not; source that runs as it is has none.
 */
import type { EraRow } from './era.ts'

export const WORKED_OUT: Readonly<Record<string, readonly EraRow[]>> = {}
