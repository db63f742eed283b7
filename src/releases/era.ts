/** What a table of releases says of each of its rows. */

/** Half-open span of releases: [from, to). A stable release belongs to the span that names it. */
export interface VersionSpan {
  readonly from: string
  readonly to: string
}

/** What every row of an era table says about itself. */
export interface EraInfo {
  /** `systemd-stub/S2`, `linux/E2`. */
  readonly id: string
  /** One line for people. */
  readonly title: string
  /** The releases that behave so. */
  readonly spans: readonly VersionSpan[]
  /** Upstream commits that began it, as upstream abbreviates them. */
  readonly commits: readonly string[]
  /** Versions that were read or booted. */
  readonly seen: readonly string[]
}

/** An era as plain data: changes by their places in the history's list. */
export interface EraRow extends EraInfo {
  /** What its first release has. */
  readonly has: readonly number[]
  /** What its first releases have and those before them had not, or the other way round. */
  readonly began: readonly number[]
}
