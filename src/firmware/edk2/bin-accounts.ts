/** EDK2's statistics of pages per memory type, from which it sizes the bins of the next boot (chapter FW). */
import type { SearchPolicy } from '../page-allocator.ts'
import type { TypeInformation } from './type-information.ts'

/** Counting starts when the bins are placed. */
export class BinAccounts {
  readonly #search: SearchPolicy
  readonly #current = new Map<number, number>()
  readonly #peak = new Map<number, number>()
  /** Lowest address that the default search has found. */
  #lowest = Infinity

  constructor(search: SearchPolicy) {
    this.#search = search
  }

  /** An independent copy. */
  fork(): BinAccounts {
    const twin = new BinAccounts(this.#search)
    for (const [type, pages] of this.#current) twin.#current.set(type, pages)
    for (const [type, pages] of this.#peak) twin.#peak.set(type, pages)
    twin.#lowest = this.#lowest
    return twin
  }

  /** Records a result of the default search. */
  found(at: number): void {
    this.#lowest = Math.min(this.#lowest, at)
  }

  /**
   * Pages from `start` on change their type; counted if they begin in the type's bin or in the used part of
   * the default range (FW-52).
   */
  converted(start: number, pages: number, from: number, to: number): void {
    if (this.#counts(start, from))
      this.#current.set(from, Math.max(0, (this.#current.get(from) ?? 0) - pages))
    if (!this.#counts(start, to)) return
    const now = (this.#current.get(to) ?? 0) + pages
    this.#current.set(to, now)
    this.#peak.set(to, Math.max(now, this.#peak.get(to) ?? 0))
  }

  /** The peak number of pages of each of these types. */
  peaks(types: readonly number[]): TypeInformation[] {
    return types.map(type => ({ type, pages: this.#peak.get(type) ?? 0 }))
  }

  #counts(start: number, type: number): boolean {
    const bin = this.#search.bins.find(one => one.type === type)
    const [base, max] = bin === undefined ? [0, this.#search.defaultMax] : [bin.base, bin.max]
    return (
      type < 16 &&
      ((base <= start && start <= max) || (this.#lowest <= start && start <= this.#search.defaultMax))
    )
  }
}
