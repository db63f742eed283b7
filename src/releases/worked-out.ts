/**
 * Eras precomputed by the build for its bundles (.ci/worked-out.mjs), by history, so that a start need not
 * compute them; none when running from source.
 */
import type { EraRow } from './era.ts'

export const WORKED_OUT: Readonly<Record<string, readonly EraRow[]>> = {}
