/** What the tests of chapter FW share: allocators over a map, and the recorded maps. */
import type { AllocatorId } from '../../src/firmware/allocators.ts'
import type { Edk2Release } from '../../src/firmware/edk2/releases.ts'
import type { SearchPolicy } from '../../src/firmware/page-allocator.ts'
import type { MemoryDescriptor } from '../../src/image/memory-types.ts'
import { mapOf, RECORDED } from '../unit/firmware/recorded.ts'
import { descriptor, edk2Pages, smallMachine } from '../unit/firmware/small-machine.ts'
import { MIB } from './bytes.ts'

export const DEFAULT: SearchPolicy = { bins: [], defaultMax: 0xffffff }
export const over = (
  map: readonly MemoryDescriptor[],
  search: SearchPolicy = DEFAULT,
  release?: Edk2Release,
) => edk2Pages(map, search, release)
export const recorded = (id: string) => {
  const row = RECORDED.find(one => one.id === id)
  if (typeof row?.trace?.efi_map_at_stub_entry !== 'string') throw new Error(`no map in ${id}`)
  return { row, map: mapOf(row.trace.efi_map_at_stub_entry) }
}
export const ANYWHERE: SearchPolicy = { bins: [], defaultMax: 2 ** 52 - 1 }
export const TWO_HOLES = [
  descriptor(7, 0, 0x9f000),
  descriptor(7, MIB, 2 * MIB),
  descriptor(4, 2 * MIB, 3 * MIB),
  descriptor(7, 3 * MIB, 6 * MIB),
]

export function machineWith(row: AllocatorId, search?: SearchPolicy, on = TWO_HOLES) {
  const { firmware } = smallMachine({
    map: on,
    contents: 'residue',
    allocator: row,
    build: search === undefined ? {} : { search },
  })
  return {
    firmware,
    any: (pages: number, type = 2) => firmware.allocatePages({ kind: 'any' }, type, pages, 'x'),
    max: (limit: number, pages: number) => firmware.allocatePages({ kind: 'max', limit }, 2, pages, 'x'),
  }
}
