/** A small copy-on-write map. */
export class SharedMap<K, V> {
  #entries = new Map<K, V>()
  #shared = false

  /** An independent copy. */
  fork(): SharedMap<K, V> {
    const twin = new SharedMap<K, V>()
    twin.#entries = this.#entries
    twin.#shared = true
    this.#shared = true
    return twin
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)
  }

  has(key: K): boolean {
    return this.#entries.has(key)
  }

  set(key: K, value: V): void {
    if (this.#shared) {
      this.#entries = new Map(this.#entries)
      this.#shared = false
    }
    this.#entries.set(key, value)
  }
}
