/**
 * Release numbers of systemd and linux: the only module that compares versions (design rule R3; spec chapters
 * ST and EP name the spans).
 */
import { UsageError } from '../bytes/errors.ts'
import type { EraInfo, VersionSpan } from './era.ts'

/** An upstream release; a distribution's suffix is kept only as text. */
export interface Version {
  /** `5.10.223` is [5, 10, 223]. Missing numbers count as zero. */
  readonly numbers: readonly number[]
  /** 1 for -rc1; null for a release. */
  readonly candidate: number | null
  /** `-7+deb11u8`, `+deb13-cloud-amd64`; empty if there is none. */
  readonly suffix: string
}

// `-rc1` (linux, systemd tags), `~rc1` (Debian and Fedora packages), `-0.rc1` (Fedora kernels)
const PATTERN = /^v?(\d{1,9}(?:\.\d{1,9})*)(?:[-~.]?(?:0\.)?rc(\d{1,9}))?((?:[-+~_\s]|(?<=rc\d+)\.).*)?$/s

/**
 * Reads a version text: `247.3-7+deb11u8`, `5.7-rc1`, `v257~rc1`. Null if it does not begin with a release
 * number.
 */
export function parseVersion(text: string): Version | null {
  const found = PATTERN.exec(text.trim())
  if (found === null) return null
  const [, numbers = '', candidate, suffix = ''] = found
  return {
    numbers: numbers.split('.').map(Number),
    candidate: candidate === undefined ? null : Number(candidate),
    suffix,
  }
}

/** Does the text begin with a release number? */
export function isVersion(text: string): boolean {
  return parseVersion(text) !== null
}

/**
 * The release that a kernel's version string names. The first word is `uname -r`, which Debian keeps at x.y.0
 * for the life of a branch; its build text names the real release (`… SMP Debian 6.1.147-1 (2025-08-02)`) and
 * is preferred. `exact` is false if there is only the first word and it looks like such a branch name
 * (`5.15.0-91-generic`): the stable release is then unknown. Null without any release number.
 */
export function kernelRelease(
  versionString: string,
): { readonly release: string; readonly exact: boolean } | null {
  const first = versionString.trim().split(/\s/)[0] ?? ''
  const version = parseVersion(first)
  const packaged = / Debian (\d\S*)/.exec(versionString)?.[1]
  if (packaged !== undefined && isVersion(packaged)) return { release: packaged, exact: true }
  if (version === null) return null
  return {
    release: first,
    exact: !(version.candidate === null && version.numbers[2] === 0 && /^-\d/.test(version.suffix)),
  }
}

/** Like compareVersions, for parsed versions. */
export function compare(a: Version, b: Version): number {
  for (let i = 0; i < Math.max(a.numbers.length, b.numbers.length); i++) {
    const difference = (a.numbers[i] ?? 0) - (b.numbers[i] ?? 0)
    if (difference !== 0) return Math.sign(difference)
  }
  return Math.sign((a.candidate ?? Infinity) - (b.candidate ?? Infinity) || 0)
}

/** Parses a version. Throws UsageError if it is invalid. */
export function required(text: string): Version {
  const version = parseVersion(text)
  if (version === null)
    throw new UsageError(
      `not a version: ${JSON.stringify(text)} (expected something like 247.3, 5.10.223 or 5.7-rc1)`,
    )
  return version
}

/**
 * Negative when `a` was released before `b`, positive when after, 0 for the same upstream release: a release
 * candidate comes before its release, and a distribution's suffix is ignored. Throws UsageError when either
 * is not a version.
 */
export function compareVersions(a: string, b: string): number {
  return compare(required(a), required(b))
}

/**
 * Does [from, to) contain this release? False for a text that is not a version; throws UsageError when the
 * span's ends are not.
 */
export function inSpan(version: string, span: VersionSpan): boolean {
  const at = parseVersion(version)
  return at !== null && holds(span, at)
}

function holds(span: VersionSpan, at: Version): boolean {
  const { from, to } = endsOf(span)
  return compare(at, from) >= 0 && compare(at, to) < 0
}

interface Ends {
  readonly from: Version
  readonly to: Version
}

/** Parsed ends of spans, by their text: one span mostly ends where another begins. */
const PARSED = new Map<string, Version>()

function endOf(text: string): Version {
  const known = PARSED.get(text)
  if (known !== undefined) return known
  const parsed = required(text)
  PARSED.set(text, parsed)
  return parsed
}

function endsOf({ from, to }: VersionSpan): Ends {
  return { from: endOf(from), to: endOf(to) }
}

/** The rows whose spans contain this release, in table order: at most one in a consistent table. */
export function erasFor<T extends EraInfo>(
  version: string,
  eras: Readonly<Record<string, T>> | readonly T[],
): T[] {
  const at = parseVersion(version)
  return at === null ? [] : Object.values(eras).filter(era => era.spans.some(span => holds(span, at)))
}

/**
 * The rows with a release between `a` and `b`, inclusive, in either order; in table order. Throws UsageError
 * when either is not a version.
 */
export function erasBetween<T extends EraInfo>(a: string, b: string, eras: readonly T[]): T[] {
  const [first, last] = compareVersions(a, b) <= 0 ? [required(a), required(b)] : [required(b), required(a)]
  return eras.filter(era =>
    era.spans.some(span => compare(required(span.from), last) <= 0 && compare(first, required(span.to)) < 0),
  )
}

/**
 * The rows of any release of this one's branch (x.y), in table order. For version texts that name only the
 * branch.
 */
export function erasOfBranch<T extends EraInfo>(version: string, eras: readonly T[]): T[] {
  const [major = 0, minor = 0] = required(version).numbers
  const first: Version = { numbers: [major, minor], candidate: null, suffix: '' }
  const next: Version = { numbers: [major, minor + 1], candidate: 0, suffix: '' }
  return eras.filter(era =>
    era.spans.map(endsOf).some(({ from, to }) => compare(from, next) < 0 && compare(first, to) < 0),
  )
}
