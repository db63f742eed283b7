/**
 * Possible places of a kernel under KASLR: runs of slots, one slot by its number, and the check that no slot
 * contains something needed later. Chapters EP and ZO.
 */
import { hex, overlaps, rangeAt } from '../../../bytes/range.ts'
import { ModelBug } from '../../../bytes/errors.ts'
import { phys } from '../../../bytes/units.ts'
import type { Settings } from '../../../machine/machine.ts'
import type { KernelSlots } from '../../../machine/model.ts'
import type { Extent } from '../../../memory/extent.ts'
import type { KernelBoot } from '../boot.ts'

/** A run of slots: the first address, and how many follow each other at the alignment's distance. */
export interface SlotArea {
  readonly first: number
  readonly count: number
}

/** The kernel to place: bytes and alignment. */
export interface Placed {
  readonly size: number
  readonly align: number
}

/** The number in `seed:N`; null for any other choice. */
export function seedOf(kaslr: Settings['kaslr']): number | null {
  return kaslr.startsWith('seed:') ? Number(kaslr.slice('seed:'.length)) : null
}

/** Slots of all runs. */
export function slotCount(areas: readonly SlotArea[]): number {
  return areas.reduce((sum, { count }) => sum + count, 0)
}

/** The slots as they are reported; null where there is only one. */
export function kernelSlots(
  clause: KernelSlots['clause'],
  areas: readonly SlotArea[],
  { size, align }: Placed,
): KernelSlots | null {
  const count = slotCount(areas)
  if (count < 2) return null
  return {
    from: phys(Math.min(...areas.map(({ first }) => first))),
    to: phys(Math.max(...areas.map(area => area.first + (area.count - 1) * align + size))),
    count,
    size,
    align,
    runs: areas.map(({ first, count: inRun }) => ({ first, count: inRun })),
    clause,
  }
}

/** The slot with this number, from 0, counted through all runs. */
export function slotAt(areas: readonly SlotArea[], number: number, align: number): number {
  let left = number
  for (const { first, count } of areas) {
    if (left < count) return first + left * align
    left -= count
  }
  throw new ModelBug(`slot ${String(number)} of ${String(slotCount(areas))}`)
}

/**
 * Checks every slot of every run. Records that none overwrites anything, or reports the first that would, as
 * a gap.
 */
export function proveSlots(
  boot: KernelBoot,
  clause: 'EP-35' | 'ZO-23',
  areas: readonly SlotArea[],
  { size, align }: Placed,
): void {
  const { machine } = boot
  machine.step(clause, 'every slot that could be chosen is checked', () => {
    let hit = false
    for (const { first, count } of areas) {
      const [found] = liveIn(boot, first, (count - 1) * align + size)
      if (found === undefined) continue
      hit = true
      const slot = first + Math.max(0, Math.ceil((found.range.start + 1 - size - first) / align)) * align
      if (!overlaps(rangeAt(slot, size), found.range))
        throw new ModelBug(`slot ${hex(slot)} does not reach ${hex(found.range.start)}`)
      machine.unmodelled(
        clause,
        `the slot at ${hex(slot)} would put the kernel over ` +
          `${found.whose?.object ?? 'something'} at ${hex(found.range.start)}`,
      )
    }
    if (!hit)
      machine.assume(
        clause,
        `none of ${String(slotCount(areas))} slots in ${String(areas.length)} runs contains ` +
          'anything that is needed later',
      )
  })
}

/**
 * The first thing in use there: after a boot protocol entry anything that is not the kernel's, otherwise
 * anything allocated.
 */
function liveIn({ machine, from, object }: KernelBoot, start: number, length: number): Extent[] {
  const everything = from.via === 'legacy-32' || from.via === 'legacy-64'
  const found = machine.memory.occupants(
    rangeAt(start, length),
    owner => owner === object || owner === 'vo' || owner === 'firmware:boot',
  )
  return found.filter(extent => everything || machine.memory.claims(extent.range).length > 0)
}
