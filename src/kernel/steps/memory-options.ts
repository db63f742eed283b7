/** mem=, memmap= and hugepages= on the command line, as choose_random_location reads them. Chapter ZO. */
import { range, rangeAt, type Range } from '../../bytes/range.ts'
import { alignUp, PHYS_END } from '../../bytes/units.ts'

/** What the options say about memory. */
export interface MemoryOptions {
  /** First address that may not be used. */
  readonly limit: number
  /** Regions that memmap= sets aside. */
  readonly avoid: readonly Range[]
  /** More memmap= regions than the decompressor keeps: physical KASLR is given up. */
  readonly tooMany: boolean
  /** Pages of 1 GiB that are wanted for hugepages. */
  readonly gigantic: number
}

/** MAX_MEMMAP_REGIONS. Source: linux@5.10.223 arch/x86/boot/compressed/kaslr.c. */
const MAX_MEMMAP_REGIONS = 4
const GIB = 2 ** 30
const UNITS = 'KMGTPE'

/** memparse: a number, decimal or with 0x, with K, M, G, T, P or E; and what follows it. Null where there is none. */
export function memparse(text: string): { readonly value: number; readonly rest: string } | null {
  const found = /^(0x[0-9a-f]+|\d+)([kmgtpe])?/i.exec(text)
  if (found === null) return null
  const [all, digits = '', unit = ''] = found
  const power = unit === '' ? 0 : UNITS.indexOf(unit.toUpperCase()) + 1
  return { value: Number(digits) * 1024 ** power, rest: text.slice(all.length) }
}

/** Reads the options in their order. */
export function memoryOptions(commandLine: string): MemoryOptions {
  let limit: number = PHYS_END
  let gigantic = 0
  let giganticSize = false
  const avoid: Range[] = []
  let regions = 0
  for (const word of commandLine.split(/\s+/)) {
    const [name = '', value = ''] = word.split(/=(.*)/s, 2)
    if (name === 'mem') limit = Math.min(limit, memparse(value)?.value || limit)
    if (name === 'hugepagesz') giganticSize = memparse(value)?.value === GIB
    if (name === 'hugepages' && giganticSize) gigantic = memparse(value)?.value ?? 0
    if (name !== 'memmap') continue
    for (const part of value.split(',')) {
      const size = memparse(part)
      if (size === null) continue
      const at = /^[#$!]/.test(size.rest) ? memparse(size.rest.slice(1)) : null
      if (at !== null && size.value > 0) {
        regions += 1
        if (regions <= MAX_MEMMAP_REGIONS && at.value + size.value <= PHYS_END) avoid.push(rangeAt(at.value, size.value))
      } else if (size.rest === '' && size.value > 0) limit = Math.min(limit, size.value)
    }
  }
  return { limit, avoid, tooMany: regions > MAX_MEMMAP_REGIONS, gigantic }
}

/** Regions without what lies at or above `limit`, and without the first pages of 1 GiB that hugepages want. */
export function usableRegions(regions: readonly Range[], { limit, gigantic }: Pick<MemoryOptions, 'limit' | 'gigantic'>, minimum: number): Range[] {
  let left = gigantic
  return regions.flatMap(region => {
    const start = Math.max(region.start, minimum)
    const end = Math.min(region.end, limit)
    if (start >= end) return []
    const first = alignUp<number>(start, GIB)
    const pages = Math.min(left, Math.max(0, Math.floor((end - first) / GIB)))
    if (pages === 0) return [range(start, end)]
    left -= pages
    return [[start, first] as const, [first + pages * GIB, end] as const].flatMap(([from, to]) => (from < to ? [range(from, to)] : []))
  })
}
