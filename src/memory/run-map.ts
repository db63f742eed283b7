/**
 * A map from addresses to values, kept as runs in sorted buckets: assigning a range splits and replaces runs.
 * Forks share buckets until one of them writes.
 */
import { ModelBug } from '../bytes/errors.ts'

/** [start, end) with this value. Immutable: a run that is split is replaced. */
export interface Run<V> {
  readonly start: number
  readonly end: number
  readonly value: V
}

/** [start, end). */
interface Span {
  readonly start: number
  readonly end: number
}

/** Runs in order, and the map that may modify the list; others copy it first. */
interface Bucket<V> {
  readonly owner: object
  readonly runs: Run<V>[]
}

const BUCKET = 256
/** Number of ranges from which one pass through whole buckets is faster. */
const MANY = 8

/**
 * Disjoint runs in ascending order. Neighbours with equal values are not joined: two writes stay two runs. A
 * value must not depend on the start of its run, because runs are split without changing it. Assigning costs
 * a search plus a move within one bucket; a fork costs one step per bucket.
 */
export class RunMap<V> {
  #owner: object = {}
  #buckets: Bucket<V>[] = [{ owner: this.#owner, runs: [] }]

  /** Number of runs. */
  get size(): number {
    return this.#buckets.reduce((sum, { runs }) => sum + runs.length, 0)
  }

  /** An independent copy. */
  fork(): RunMap<V> {
    const twin = new RunMap<V>()
    twin.#buckets = this.#buckets.slice()
    this.#owner = {}
    return twin
  }

  /** The run that contains this address, or undefined in a hole. */
  at(address: number): Run<V> | undefined {
    const bucket = this.#runs(this.#bucketOf(address))
    const run = bucket[indexIn(bucket, address)]
    return run !== undefined && run.start <= address ? run : undefined
  }

  /** The runs that touch [start, end), ascending, clipped to it. Later assignments do not change the list. */
  runs(start = 0, end = Number.MAX_SAFE_INTEGER): Run<V>[] {
    const found: Run<V>[] = []
    let b = this.#bucketOf(start)
    let i = indexIn(this.#runs(b), start)
    for (; b < this.#buckets.length; b++, i = 0) {
      const runs = this.#runs(b)
      for (; i < runs.length; i++) {
        const run = runs[i] as Run<V>
        if (run.start >= end) return found
        found.push(
          start <= run.start && run.end <= end
            ? run
            : { start: Math.max(start, run.start), end: Math.min(end, run.end), value: run.value },
        )
      }
    }
    return found
  }

  /** Does every address of [start, end) have a value? */
  covers(start: number, end: number): boolean {
    let at = start
    let b = this.#bucketOf(start)
    let i = indexIn(this.#runs(b), start)
    for (; b < this.#buckets.length; b++, i = 0) {
      const runs = this.#runs(b)
      for (; i < runs.length; i++) {
        const run = runs[i] as Run<V>
        if (run.start > at) return false
        at = run.end
        if (at >= end) return true
      }
    }
    return false
  }

  /** Calls `visit` for every run, ascending, until it returns true. */
  some(visit: (run: Run<V>) => boolean): boolean {
    return this.#buckets.some(({ runs }) => runs.some(visit))
  }

  /** Assigns this value to [start, end). */
  assign(start: number, end: number, value: V): void {
    this.#replace(start, end, { start, end, value })
  }

  /** Makes [start, end) a hole. */
  clear(start: number, end: number): void {
    this.#replace(start, end, null)
  }

  /** Assigns one value to all these ranges, which are sorted and disjoint. */
  assignAll(ranges: readonly Span[], value: V): void {
    if (ranges.length < MANY) {
      for (const { start, end } of ranges) this.assign(start, end, value)
      return
    }
    const all: Run<V>[] = []
    let next = 0
    let end = 0
    for (const { runs } of this.#buckets)
      for (const run of runs) {
        let at = Math.max(run.start, end)
        for (let one = ranges[next]; one !== undefined && one.start < run.end; one = ranges[++next]) {
          if (at < one.start) all.push({ start: at, end: one.start, value: run.value })
          all.push({ start: one.start, end: one.end, value })
          end = one.end
          at = Math.max(at, end)
        }
        if (at === run.start) all.push(run)
        else if (at < run.end) all.push({ start: at, end: run.end, value: run.value })
      }
    for (; next < ranges.length; next++) {
      const one = ranges[next] as Span
      all.push({ start: one.start, end: one.end, value })
    }
    this.#buckets = []
    for (let i = 0; i < all.length; i += BUCKET)
      this.#buckets.push({ owner: this.#owner, runs: all.slice(i, i + BUCKET) })
  }

  /**
   * Changes the values in these ranges, which are sorted and disjoint: `change` gets a value and its first
   * address and returns the new value, or none. Holes stay holes.
   */
  rewrite(ranges: readonly Span[], change: (value: V, start: number) => V | null): void {
    const [first] = ranges
    if (first === undefined) return
    let next = 0
    for (let b = this.#bucketOf(first.start); b < this.#buckets.length && next < ranges.length; b++) {
      const runs = this.#runs(b)
      const changed: Run<V>[] = []
      for (const run of runs) {
        while (next < ranges.length && (ranges[next] as Span).end <= run.start) next++
        let at = run.start
        for (let i = next; i < ranges.length; i++) {
          const { start, end } = ranges[i] as Span
          if (start >= run.end) break
          if (at < start) changed.push({ start: at, end: start, value: run.value })
          at = Math.min(end, run.end)
          const from = Math.max(start, run.start)
          const value = change(run.value, from)
          if (value !== null) changed.push({ start: from, end: at, value })
        }
        if (at === run.start) changed.push(run)
        else if (at < run.end) changed.push({ start: at, end: run.end, value: run.value })
      }
      this.#buckets[b] = { owner: this.#owner, runs: changed }
      const before = this.#buckets.length
      this.#settle(b)
      b += this.#buckets.length - before
    }
  }

  #replace(start: number, end: number, run: Run<V> | null): void {
    if (!(start < end)) throw new ModelBug(`empty run ${String(start)}-${String(end)}`)
    const b = this.#bucketOf(start)
    const runs = this.#writable(b)
    const i = indexIn(runs, start)
    let to = i
    while (to < runs.length && (runs[to] as Run<V>).start < end) to++
    const first = runs[i]
    const last = runs[to - 1]
    const left =
      to > i && first !== undefined && first.start < start
        ? { start: first.start, end: start, value: first.value }
        : null
    const right =
      to > i && last !== undefined && last.end > end ? { start: end, end: last.end, value: last.value } : null
    if (to === runs.length && right === null) this.#dropHeads(b + 1, end)
    put(runs, i, to - i, left, run, right)
    this.#settle(b)
  }

  /** Removes runs before `end` at the start of buckets from `b` on. */
  #dropHeads(b: number, end: number): void {
    while (b < this.#buckets.length && (this.#runs(b)[0]?.start ?? Infinity) < end) {
      const runs = this.#writable(b)
      let to = 0
      while (to < runs.length && (runs[to] as Run<V>).end <= end) to++
      const next = runs[to]
      const right =
        next !== undefined && next.start < end ? { start: end, end: next.end, value: next.value } : null
      put(runs, 0, right === null ? to : to + 1, right, null, null)
      if (runs.length > 0) return
      this.#buckets.splice(b, 1)
    }
  }

  /** Splits a bucket that is too long, and removes an empty one. */
  #settle(b: number): void {
    const runs = this.#writable(b)
    if (runs.length > 2 * BUCKET) {
      const tail = { owner: this.#owner, runs: runs.splice(BUCKET, runs.length) }
      this.#buckets.splice(b + 1, 0, tail)
    } else if (runs.length === 0 && this.#buckets.length > 1) this.#buckets.splice(b, 1)
  }

  #runs(b: number): readonly Run<V>[] {
    return (this.#buckets[b] as Bucket<V>).runs
  }

  /** The runs of a bucket, unshared. */
  #writable(b: number): Run<V>[] {
    const bucket = this.#buckets[b] as Bucket<V>
    if (bucket.owner === this.#owner) return bucket.runs
    const runs = bucket.runs.slice()
    this.#buckets[b] = { owner: this.#owner, runs }
    return runs
  }

  /** The first bucket with a run that ends after `address`; the last bucket if there is none. */
  #bucketOf(address: number): number {
    let low = 0
    let high = this.#buckets.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#runs(middle).at(-1)?.end ?? 0) > address) high = middle
      else low = middle + 1
    }
    return low
  }
}

/** Index of the first run that ends after `address`; the length when there is none. */
function indexIn<V>(runs: readonly Run<V>[], address: number): number {
  let from = 0
  let to = runs.length
  while (from < to) {
    const middle = (from + to) >> 1
    if ((runs[middle] as Run<V>).end > address) to = middle
    else from = middle + 1
  }
  return from
}

/** Replaces `count` runs from index `i` on by up to three others. */
function put<V>(
  runs: Run<V>[],
  i: number,
  count: number,
  left: Run<V> | null,
  middle: Run<V> | null,
  right: Run<V> | null,
): void {
  if (count === 1 && left === null && right === null && middle !== null) {
    runs[i] = middle
    return
  }
  const more = (left === null ? 0 : 1) + (middle === null ? 0 : 1) + (right === null ? 0 : 1) - count
  const any = left ?? middle ?? right
  // A run that is split has one before it or after it: there are at most two more
  if (more === 1 && any !== null) runs.splice(i, 0, any)
  else if (more === 2 && any !== null) runs.splice(i, 0, any, any)
  else if (more < 0) runs.splice(i, -more)
  let at = i
  if (left !== null) runs[at++] = left
  if (middle !== null) runs[at++] = middle
  if (right !== null) runs[at] = right
}
