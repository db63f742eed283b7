/**
 * A map from addresses to values, kept as runs in sorted buckets: assigning over a range splits and replaces
 * what was there.
 */
import { ModelBug } from '../bytes/errors.ts'

/** [start, end) has this value. */
export interface Run<V> {
  readonly start: number
  readonly end: number
  readonly value: V
}

interface Entry<V> {
  start: number
  end: number
  value: V
}

const BUCKET = 256

/**
 * Disjoint runs in ascending order. Neighbours with equal values are not joined: two writes stay two runs. A
 * value must not
 * depend on where its run starts, because runs are cut without asking it. Assigning costs a search plus a
 * move within one bucket.
 */
export class RunMap<V> {
  #buckets: Entry<V>[][] = [[]]

  /** Number of runs. */
  get size(): number {
    return this.#buckets.reduce((sum, bucket) => sum + bucket.length, 0)
  }

  /** The run that holds this address, or undefined in a hole. */
  at(address: number): Run<V> | undefined {
    const [b, i] = this.#find(address)
    const entry = this.#buckets[b]?.[i]
    return entry !== undefined && entry.start <= address ? entry : undefined
  }

  /**
   * The runs that touch [start, end), ascending, cut to it. What is assigned later does not change the list.
   */
  runs(start = 0, end = Number.MAX_SAFE_INTEGER): Run<V>[] {
    const [first, from] = this.#find(start)
    const found: Run<V>[] = []
    for (let b = first; b < this.#buckets.length; b++) {
      const bucket = this.#buckets[b] ?? []
      for (let i = b === first ? from : 0; i < bucket.length; i++) {
        const entry = bucket[i]
        if (entry === undefined || entry.start >= end) return found
        found.push({ start: Math.max(start, entry.start), end: Math.min(end, entry.end), value: entry.value })
      }
    }
    return found
  }

  /** Gives [start, end) this value and forgets what it had. */
  assign(start: number, end: number, value: V): void {
    const [b, i] = this.#find(start)
    const there = this.#buckets[b]?.[i]
    if (there?.start === start && there.end === end) {
      there.value = value
      return
    }
    this.clear(start, end)
    const [bucket, index] = this.#find(start)
    this.#insert(bucket, index, { start, end, value })
  }

  /** Makes [start, end) a hole. */
  clear(start: number, end: number): void {
    if (!(start < end)) throw new ModelBug(`empty run ${String(start)}-${String(end)}`)
    const [b, found] = this.#find(start)
    let i = found
    const head = this.#buckets[b]?.[i]
    if (head === undefined) return
    if (head.start < start) {
      if (head.end > end) {
        const tail = { start: end, end: head.end, value: head.value }
        head.end = start
        this.#insert(b, i + 1, tail)
        return
      }
      head.end = start
      i++
    }
    this.#drop(b, i, end)
  }

  /** Puts an entry before index i of bucket b; a bucket that has become too long is cut in two. */
  #insert(b: number, i: number, entry: Entry<V>): void {
    const bucket = this.#buckets[b] ?? []
    bucket.splice(i, 0, entry)
    if (bucket.length > 2 * BUCKET) this.#buckets.splice(b, 1, bucket.slice(0, BUCKET), bucket.slice(BUCKET))
  }

  /** Removes entries from (b, i) on that end at or before `end`, and trims the one that straddles it. */
  #drop(b: number, i: number, end: number): void {
    let at = b
    let from = i
    for (;;) {
      const bucket = this.#buckets[at]
      if (bucket === undefined) return
      let to = from
      while (to < bucket.length && (bucket[to]?.end ?? 0) <= end) to++
      const reachedEnd = to === bucket.length
      bucket.splice(from, to - from)
      if (!reachedEnd) {
        const next = bucket[from]
        if (next !== undefined && next.start < end) next.start = end
        return
      }
      if (bucket.length === 0 && this.#buckets.length > 1) this.#buckets.splice(at, 1)
      else at++
      from = 0
    }
  }

  /** Where the first run lies that ends behind `address`; past the last one when there is none. */
  #find(address: number): [bucket: number, index: number] {
    let low = 0
    let high = this.#buckets.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#buckets[middle]?.at(-1)?.end ?? 0) > address) high = middle
      else low = middle + 1
    }
    const bucket = this.#buckets[low] ?? []
    let from = 0
    let to = bucket.length
    while (from < to) {
      const middle = (from + to) >> 1
      if ((bucket[middle]?.end ?? 0) > address) to = middle
      else from = middle + 1
    }
    return [low, from]
  }
}
