/**
 * The history of systemd-stub: its branches and everything recorded about its releases
 * (spec/ST-systemd-stub.md).
 */
import type { History } from '../releases/history.ts'
import type { StubBehaviour } from './behaviour.ts'
import { STUB_229, STUB_CHANGES, STUB_SEEN } from './changes.ts'
import { STUB_LABELS } from './labels.ts'

/** Releases 229 to 262: every one began a branch. */
const BRANCHES = Array.from({ length: 34 }, (_, i) => String(229 + i))

/** What is known of systemd-stub's releases. */
export const stubHistory: History<StubBehaviour> = {
  product: 'systemd-stub',
  branches: BRANCHES,
  end: '263',
  base: STUB_229,
  baseCommits: ['0fa2cac4f0'],
  changes: STUB_CHANGES,
  labels: STUB_LABELS,
  seen: STUB_SEEN,
}
