/** GRUB's own heap, allocated before anything else. Chapter HO. */
import { TEXTS } from '../../messages/texts.ts'
import { sizeOf } from '../../bytes/range.ts'
import { PAGE, pagesOf, phys } from '../../bytes/units.ts'
import { EfiConventionalMemory, EfiLoaderCode, EfiLoaderData } from '../../image/memory-types.ts'
import type { Machine } from '../../machine/machine.ts'

/** Size of the heap: a quarter of free memory, within bounds, or a fixed number of bytes. */
export type HeapRule =
  | { readonly of: 'a-quarter'; readonly least: number; readonly most: number }
  | { readonly of: 'bytes'; readonly bytes: number }

/** Source: grub@2.06 grub-core/kern/efi/mm.c MIN_HEAP_SIZE, MAX_HEAP_SIZE. */
export const HEAP_2_06: HeapRule = { of: 'a-quarter', least: 0x100000, most: 1600 * 0x100000 }
/** Source: grub@2.12 grub-core/kern/efi/mm.c DEFAULT_HEAP_SIZE; 2.14 alike. */
export const HEAP_2_12: HeapRule = { of: 'bytes', bytes: 0x2000000 }

/** Highest address that GRUB allocates on x86-64. Source: grub@2.12 include/grub/x86_64/efi/memory.h. */
export const GRUB_MAX_ADDRESS = 0xffffffff
/** Its heap ends a page earlier: the limit is rounded down to pages. */
const HEAP_END = 0xfffff000
const ONE_MIB = 0x100000
/** Two memory maps of MEMORY_MAP_SIZE. */
const MAP_PAGES = 6

interface Region {
  readonly start: number
  readonly pages: number
}

/** Free memory above 1 MiB and below 4 GiB, largest first. */
function regions(machine: Machine): Region[] {
  const free = machine.firmware
    .memoryMap()
    .filter(
      ({ type, range: { start, end } }) =>
        type === EfiConventionalMemory && start <= GRUB_MAX_ADDRESS && end > ONE_MIB,
    )
  const cut = free.map(({ range: { start, end } }) => ({
    start: Math.max(start, ONE_MIB),
    end: Math.min(end, HEAP_END),
  }))
  return cut
    .map(({ start, end }) => ({ start, pages: (end - start) / PAGE }))
    .filter(({ pages }) => pages > 0)
    .sort((a, b) => b.pages - a.pages)
}

function pagesWanted(rule: HeapRule, total: number): number {
  if (rule.of === 'bytes') return pagesOf(rule.bytes)
  return Math.min(Math.max(Math.floor(total / 4), pagesOf(rule.least)), pagesOf(rule.most))
}

/**
 * Allocates the heap from the ends of the largest free regions (HO-16); returns its bytes. A map with that
 * much loader code was taken inside GRUB and already contains its heap.
 */
export function takeHeap(machine: Machine, rule: HeapRule): number {
  return machine.step('HO-16', 'GRUB allocates pages for its heap', () => {
    const inMap = machine.firmware
      .memoryMap()
      .filter(({ type }) => type === EfiLoaderCode)
      .map(({ range }) => range)
    const buffer = machine.firmware.allocatePages(
      { kind: 'max', limit: GRUB_MAX_ADDRESS },
      EfiLoaderData,
      MAP_PAGES,
      'grub:memory-map',
    )
    const found = regions(machine)
    const wanted = pagesWanted(
      rule,
      found.reduce((sum, { pages }) => sum + pages, 0),
    )
    const there = inMap.find(range => sizeOf(range) >= (rule.of === 'bytes' ? wanted * PAGE : ONE_MIB * 16))
    let missing = there === undefined ? wanted : 0
    for (const { start, pages } of found) {
      if (missing === 0) break
      const taken = Math.min(pages, missing)
      const got = machine.firmware.allocatePages(
        { kind: 'address', at: phys(start + (pages - taken) * PAGE) },
        EfiLoaderCode,
        taken,
        'grub:heap',
      )
      if (got.status !== 'EFI_SUCCESS')
        return machine.refuse(
          'HO-16',
          got.status,
          'memory that is free in the map cannot be allocated',
          TEXTS['grub/no-conventional'],
        )
      missing -= taken
    }
    if (missing > 0)
      return machine.refuse(
        'HO-16',
        'EFI_OUT_OF_RESOURCES',
        `${String(missing)} pages of GRUB’s heap cannot be allocated`,
        TEXTS['grub/too-little-memory'],
      )
    if (buffer.status === 'EFI_SUCCESS') machine.firmware.freePages(buffer.at, MAP_PAGES)
    machine.assume(
      'HO-16',
      there === undefined
        ? 'GRUB’s own image and the growth of its heap are not in the map'
        : 'the map was taken inside GRUB: its heap is the loader code in it',
    )
    return there === undefined ? wanted * PAGE : sizeOf(there)
  })
}
