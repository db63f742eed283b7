/**
 * The history of a product: its branches, upstream's changes, and the eras derived from them. A release's
 * behaviour is the fold of its changes; an era is a set of releases that behave alike.
 */
import { ModelBug } from '../bytes/errors.ts'
import { once } from '../bytes/once.ts'
import { canonical, patched, type Change } from './change.ts'
import type { EraInfo, EraRow } from './era.ts'
import { compare, required, type Version } from './version.ts'
import { workedOut } from './worked-out.ts'

/** A label for the era of a release. */
export interface Label {
  /** Any release of the era. */
  readonly release: string
  /** One line of text. */
  readonly title: string
}

/** Was the source of a release read, or was it booted? */
export type Seen = 'read' | 'booted'

/** The data of a product. */
export interface History<B> {
  /** `systemd-stub`, `linux`: the prefix of ids. */
  readonly product: string
  /**
   * The first release of every branch, ascending, starting with the table's first release. A branch ends
   * where the next one begins, release candidates included.
   */
  readonly branches: readonly string[]
  /** End of the table: this release and later ones are unknown. */
  readonly end: string
  /** The behaviour of the first release. */
  readonly base: B
  /** The commits behind it, if known. */
  readonly baseCommits?: readonly string[]
  /** In the order in which upstream's main line got them. */
  readonly changes: readonly Change<B>[]
  /**
   * Names of eras by id, in the order in which the table shows them. An era without one is named after its
   * first release.
   */
  readonly labels: Readonly<Record<string, Label>>
  /** Releases that were read or booted. */
  readonly seen: Readonly<Record<string, Seen>>
}

/** A set of releases that behave alike. */
export interface Era<B> extends EraInfo {
  readonly behaviour: B
  /** The changes that its first releases have and their predecessors do not, or the reverse. */
  readonly began: readonly Change<B>[]
}

/** A release at which the behaviour may change. */
interface Point {
  readonly text: string
  readonly at: Version
  /** Index of its branch. */
  readonly branch: number
}

/** First releases that have a change, as indexes of points. */
interface Entry {
  readonly branch: number
  readonly point: number
}

/** The same for lookup: by the point's own branch, otherwise the main line's; Infinity for none. */
interface Reach {
  readonly own: ReadonlyMap<number, number>
  readonly main: number
}

interface Timeline<B> {
  readonly end: Version
  readonly points: readonly Point[]
  /** Per change, in order: where it begins and where it ends. */
  readonly places: readonly {
    readonly change: Change<B>
    readonly in: readonly Entry[]
    readonly until: readonly Entry[]
    readonly comes: Reach
    readonly goes: Reach
  }[]
  /** Changes in force at each point, cached. */
  readonly inForce: Map<number, readonly Change<B>[]>
}

/** Index of the last point not after a version; -1 if all are. */
function lastNotAfter(points: readonly Point[], version: Version): number {
  let [low, high] = [0, points.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (compare(points[middle]?.at ?? version, version) <= 0) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** The first of two entries of one branch counts. */
function reachOf(entries: readonly Entry[]): Reach {
  return {
    own: new Map(entries.toReversed().map(({ branch, point }) => [branch, point])),
    main: entries.at(-1)?.branch ?? Infinity,
  }
}

function pointsOf<B>({ branches, changes }: History<B>, end: Version): Point[] {
  const named = changes.flatMap(change => [...change.in, ...(change.until ?? [])])
  const firsts = branches.map(required)
  const points: Point[] = []
  let branch = -1
  for (const one of [...new Set([...branches, ...named])]
    .map(text => ({ text, at: required(text) }))
    .sort((a, b) => compare(a.at, b.at))) {
    const before = points.at(-1)
    for (
      let next = firsts[branch + 1];
      next !== undefined && compare(next, one.at) <= 0;
      next = firsts[branch + 1]
    )
      branch++
    if (branch < 0 || compare(one.at, end) >= 0) continue
    if (before === undefined || compare(before.at, one.at) < 0) points.push({ ...one, branch })
  }
  return points
}

function timelineOf<B>(history: History<B>): Timeline<B> {
  const end = required(history.end)
  const points = pointsOf(history, end)
  const entries = (releases: readonly string[]): Entry[] =>
    releases.map(release => {
      const version = required(release)
      const point = lastNotAfter(points, version)
      const { at, branch } = points[point] ?? { at: null, branch: -1 }
      if (at === null || compare(at, version) !== 0)
        throw new ModelBug(`${release} is outside the table of its product`)
      return { branch, point }
    })
  const places = history.changes.map(change => {
    const [into, until] = [entries(change.in), entries(change.until ?? [])]
    return { change, in: into, until, comes: reachOf(into), goes: reachOf(until) }
  })
  return { end, points, places, inForce: new Map() }
}

/** Layout of a history, computed once. */
const TIMELINES = new WeakMap<object, Timeline<never>>()

function timeline<B>(history: History<B>): Timeline<B> {
  const known = TIMELINES.get(history) as Timeline<B> | undefined
  if (known !== undefined) return known
  const made = timelineOf(history)
  TIMELINES.set(history, made as unknown as Timeline<never>)
  return made
}

/** The first release of its own branch counts; if the branch has none, the main line's. */
function reached({ own, main }: Reach, point: number, branch: number): boolean {
  const first = own.get(branch)
  return first === undefined ? main < branch : first <= point
}

function inForceAt<B>({ points, places, inForce }: Timeline<B>, point: number): readonly Change<B>[] {
  const known = inForce.get(point)
  if (known !== undefined) return known
  const branch = points[point]?.branch ?? -1
  const changes = places
    .filter(({ comes, goes }) => reached(comes, point, branch) && !reached(goes, point, branch))
    .map(({ change }) => change)
  inForce.set(point, changes)
  return changes
}

/** The last point that is not after a release; -1 for a release outside the table. */
function pointAt<B>(history: History<B>, release: Version): number {
  const { points, end } = timeline(history)
  return compare(release, end) >= 0 ? -1 : lastNotAfter(points, release)
}

/**
 * The changes that a release has, in the table's order. A release candidate belongs to the branch it
 * precedes. Throws UsageError for an invalid version; empty for a release outside the table.
 */
export function inForce<B>(history: History<B>, release: string): readonly Change<B>[] {
  const point = pointAt(history, required(release))
  return point < 0 ? [] : inForceAt(timeline(history), point)
}

const fold = <B>(base: B, changes: readonly Change<B>[]): B =>
  changes.reduce<B>((behaviour, { patch }) => patched(behaviour, patch), base)

/** The behaviour of a release; null outside the table. Throws UsageError for an invalid version. */
export function behaviour<B>(history: History<B>, release: string): B | null {
  const point = pointAt(history, required(release))
  return point < 0 ? null : fold(history.base, inForceAt(timeline(history), point))
}

/** Releases at which the behaviour may change: the first of every branch, and those named by a change. */
export function boundaries<B>(history: History<B>): readonly string[] {
  return timeline(history).points.map(({ text }) => text)
}

/** The predecessor of a point: in its branch, or in the previous branch at its main-line release. */
function before<B>({ points }: Timeline<B>, point: number): number {
  const [here, earlier] = [points[point], points[point - 1]]
  if (here === undefined || earlier === undefined) return -1
  if (here.branch === earlier.branch) return point - 1
  const first = points.findIndex(({ branch }) => branch === earlier.branch)
  const release = { ...(points[first]?.at ?? here.at), candidate: null }
  return points.findLastIndex(({ at }, i) => i >= first && i < point && compare(at, release) <= 0)
}

function begun<B>(line: Timeline<B>, point: number): Set<Change<B>> {
  const [here, there] = [inForceAt(line, point), before(line, point)]
  const earlier = there < 0 ? here : inForceAt(line, there)
  return new Set([
    ...here.filter(change => !earlier.includes(change)),
    ...earlier.filter(change => !here.includes(change)),
  ])
}

interface Group<B> {
  readonly behaviour: B
  /** First points of its spans. */
  readonly starts: number[]
  readonly spans: { from: string; to: string }[]
}

/**
 * Folds changes in the table's order. Releases mostly differ in their latest changes, so the folds on the way
 * to the last one are kept, and a fold begins where the two part.
 */
function keptFolds<B>(base: B): (changes: readonly Change<B>[]) => B {
  let latest: readonly Change<B>[] = []
  /** Behaviours before each change of the latest ones, and after the last. */
  let folds: B[] = [base]
  return changes => {
    let same = 0
    while (same < changes.length && changes[same] === latest[same]) same++
    folds = folds.slice(0, same + 1)
    for (let i = same; i < changes.length; i++) {
      const [before, change] = [folds[i], changes[i]]
      if (before !== undefined && change !== undefined) folds.push(patched(before, change.patch))
    }
    latest = changes
    return folds.at(-1) ?? base
  }
}

/** The group of every point. */
function groupsOf<B>(history: History<B>): readonly Group<B>[] {
  const line = timeline(history)
  const folds = keptFolds(history.base)
  const groups = new Map<string, Group<B>>()
  let current: Group<B> | null = null
  return line.points.map(({ text }, i) => {
    const folded = folds(inForceAt(line, i))
    const key = canonical(folded)
    const group = groups.get(key) ?? { behaviour: folded, starts: [], spans: [] }
    groups.set(key, group)
    if (group === current) return group
    const open = current?.spans.at(-1)
    if (open !== undefined) open.to = text
    group.starts.push(i)
    group.spans.push({ from: text, to: history.end })
    current = group
    return group
  })
}

/** `systemd-stub/S6` of `systemd-stub/S6/257.3`. */
const familyOf = (id: string): string => id.split('/').slice(0, 2).join('/')

function lower(title: string): string {
  return /^[A-Z][a-z]/.test(title) ? `${title.charAt(0).toLowerCase()}${title.slice(1)}` : title
}

/**
 * The eras of a product as plain data. Their order is that of the labels; one without a label comes after the
 * era of the releases before its own.
 */
export function eraRows<B>(history: History<B>): readonly EraRow[] {
  const line = timeline(history)
  const groupAt = groupsOf(history)
  const groupOf = (release: string): Group<B> | undefined => groupAt[pointAt(history, required(release))]
  const seen = Object.keys(history.seen).map(release => ({ release, group: groupOf(release) }))
  const rowOf = (group: Group<B>, id: string, title: string | null): EraRow => {
    const first = new Set(group.starts.flatMap(start => [...begun(line, start)]))
    const began = history.changes.filter(change => first.has(change))
    const origin = group.starts[0] === 0 ? (history.baseCommits ?? []) : []
    const has = group.starts[0] === undefined ? [] : inForceAt(line, group.starts[0])
    return {
      id,
      title: title ?? lower(began.map(change => change.title).join('; ')),
      spans: group.spans,
      commits: [...new Set([...origin, ...began.flatMap(({ commits }) => commits)])],
      seen: seen.filter(one => one.group === group).map(({ release }) => release),
      has: has.map(change => history.changes.indexOf(change)),
      began: began.map(change => history.changes.indexOf(change)),
    }
  }
  const left = new Set(groupAt)
  const table = Object.entries(history.labels).map(([id, { release, title }]) => {
    const group = groupOf(release)
    if (group === undefined || !left.delete(group))
      throw new ModelBug(`${id}: no era of its own holds ${release}`)
    return { group, row: rowOf(group, id, title) }
  })
  for (const group of left) {
    const start = group.starts[0] ?? 0
    const place = table.findIndex(({ group: one }) => one === groupAt[start - 1])
    const family = table[place] === undefined ? history.product : familyOf(table[place].row.id)
    const id = `${family}/${line.points[start]?.text ?? ''}`
    table.splice(place + 1, 0, { group, row: rowOf(group, id, null) })
  }
  return table.map(({ row }) => row)
}

/** A key that identifies a history: `linux 4.19 to 7.4-rc1`. */
export function historyName<B>({ product, branches, end }: History<B>): string {
  return `${product} ${branches[0] ?? ''} to ${end}`
}

/** The eras of a product: rows that say which era a release has, and an era itself when it is asked for. */
export interface EraTable<E extends EraInfo> {
  /** In the order of `eraRows`. */
  readonly rows: () => readonly EraInfo[]
  /** The era of one of these rows, the same object each time. */
  readonly era: (row: EraInfo) => E
  /** The eras of all rows, in their order. */
  readonly eras: () => readonly E[]
}

/**
 * The eras of a product; rows precomputed by the build are reused. `complete` makes the era of a product from
 * what every era has.
 */
export function eraTable<B, E extends EraInfo>(
  history: History<B>,
  complete: (era: Era<B>) => E,
): EraTable<E> {
  const rows = once(() => workedOut(historyName(history)) ?? eraRows(history))
  const folds = keptFolds(history.base)
  const changes = (places: readonly number[]): Change<B>[] => {
    const found: Change<B>[] = []
    for (const place of places) {
      const change = history.changes[place]
      if (change !== undefined) found.push(change)
    }
    return found
  }
  const made = new Map<EraInfo, E>()
  const makeEra = (row: EraRow): E => {
    const known = made.get(row)
    if (known !== undefined) return known
    const { has, began, ...info } = row
    const era = complete({ ...info, behaviour: folds(changes(has)), began: changes(began) })
    made.set(row, era)
    return era
  }
  return {
    rows,
    era: wanted => {
      const row = rows().find(one => one === wanted)
      if (row === undefined) throw new ModelBug(`${wanted.id} is not in the table of ${history.product}`)
      return makeEra(row)
    },
    eras: once(() => rows().map(makeEra)),
  }
}

/** The eras of a product, in the order of `eraRows`. */
export function erasOf<B>(history: History<B>): readonly Era<B>[] {
  return eraTable(history, era => era).eras()
}

/**
 * Problems of a table, one line each: releases not ascending, two of one branch, changes out of order,
 * releases outside the table, and a change that ends before it begins.
 */
export function faultsOf<B>(history: History<B>): string[] {
  const line = timeline(history)
  const faults: string[] = []
  let latest = -1
  for (const place of line.places) {
    const { title } = place.change
    for (const entries of [place.in, place.until])
      entries.forEach(({ branch, point }, i) => {
        const earlier = entries[i - 1]
        if (earlier !== undefined && earlier.branch === branch)
          faults.push(`${title}: two releases of the branch of ${line.points[point]?.text ?? ''}`)
        if (earlier !== undefined && earlier.branch > branch)
          faults.push(`${title}: its releases do not ascend`)
      })
    const main = place.in.at(-1)?.point ?? -1
    if (main < latest) faults.push(`${title}: the main line had it before the change above`)
    latest = Math.max(latest, main)
    for (const { branch, point } of place.until)
      if (!reached(place.comes, point, branch) || place.in.some(one => one.point === point))
        faults.push(`${title}: is gone in ${line.points[point]?.text ?? ''} before it came`)
  }
  for (const release of Object.keys(history.seen))
    if (pointAt(history, required(release)) < 0) faults.push(`${release} was seen, and is outside the table`)
  return faults
}
