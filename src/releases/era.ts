/** The fields of every era. */

/** Half-open span of releases: [from, to). A stable release belongs to the span that names its branch. */
export interface VersionSpan {
  readonly from: string
  readonly to: string
}

/** Fields of every era of a table. */
export interface EraInfo {
  /** `systemd-stub/S2`, `linux/E2`. */
  readonly id: string
  /** One line of text. */
  readonly title: string
  /** Its releases. */
  readonly spans: readonly VersionSpan[]
  /** Upstream commits that began it, abbreviated. */
  readonly commits: readonly string[]
  /** Versions that were read or booted. */
  readonly seen: readonly string[]
}

/** An era as plain data: changes as indexes into the history's list. */
export interface EraRow extends EraInfo {
  /** The changes in its first release. */
  readonly has: readonly number[]
  /** The changes that its first releases have and their predecessors do not, or the reverse. */
  readonly began: readonly number[]
}
