/** choose_random_location: which places the decompressor may choose, and which it must avoid. Chapter ZO. */
import { overlaps, range, rangeAt, type Range } from '../../bytes/range.ts'
import { alignUp, phys } from '../../bytes/units.ts'
import { EFI_MEMORY_MORE_RELIABLE, EFI_MEMORY_SP, EfiConventionalMemory } from '../../image/memory-types.ts'
import { guestRange, ZERO_PAGE, type KernelBoot, type Output } from '../boot.ts'
import { commandLinePointer, hasWord } from './command-line.ts'
import type { Window } from './head64.ts'
import { ramdisk } from './initrd.ts'
import { memoryOptions, usableRegions } from './memory-options.ts'
import { proveSlots, seedOf, slotAt, slotCount, type SlotArea } from './slots.ts'

/** Candidates begin at 512 MiB at the most. Source: linux@5.10.223 arch/x86/boot/compressed/kaslr.c choose_random_location. */
const MINIMUM_MAX = 512 * 2 ** 20
const MIN_KERNEL_ALIGN = 0x200000

/** mem_avoid: input and working area of the decompressor, initrd, command line, zero page. */
export function memAvoid(boot: KernelBoot, window: Window): Range[] {
  const initrd = ramdisk(boot)
  const { commandLine, file, bootParams } = boot
  return [
    guestRange(window.moved + file.payloadOffset, file.end - file.payloadOffset),
    guestRange(initrd.at, initrd.size),
    commandLine === null ? null : rangeAt(commandLine.at, commandLine.length + 1),
    rangeAt(bootParams, ZERO_PAGE),
  ].filter(avoided => avoided !== null)
}

/** Runs of slots for `size` bytes, in the order of the regions; at most one per free stretch. Source: linux@5.10.223 arch/x86/boot/compressed/kaslr.c. */
export function kaslrAreas(regions: readonly Range[], avoid: readonly Range[], size: number, align: number, minimum: number): SlotArea[] {
  return regions.flatMap(region => {
    const areas: SlotArea[] = []
    let start = alignUp(Math.max(region.start, minimum), align)
    while (start + size <= region.end) {
      const rest = range(start, region.end)
      const [hit] = avoid.filter(avoided => overlaps(avoided, rest)).sort((a, b) => a.start - b.start)
      const end = hit?.start ?? region.end
      if (end >= start + size) areas.push({ first: start, count: 1 + Math.floor((end - start - size) / align) })
      if (hit === undefined) break
      start = alignUp(hit.end, align)
    }
    return areas
  })
}

/** R without KASLR or where nothing else fits; else a place that this model cannot know. */
export function chooseOutput(boot: KernelBoot, window: Window): Output {
  const { machine, file } = boot
  return machine.step('ZO-9', 'choose_random_location picks the output address', () => {
    const here: Output = { at: window.start, certain: true }
    if (machine.settings.kaslr === 'off' || commandLinePointer(boot) === 0 || hasWord(boot, 'nokaslr')) return here
    const usable = boot.finalMap.filter(({ type, attribute }) => type === EfiConventionalMemory && (attribute & EFI_MEMORY_SP) === 0n)
    const mirrored = usable.filter(({ attribute }) => (attribute & EFI_MEMORY_MORE_RELIABLE) !== 0n)
    const options = machine.step('ZO-24', 'the command line says which memory is left', () => memoryOptions(boot.commandLine?.text ?? ''))
    if (options.tooMany) return here
    const minimum = alignUp(Math.min(window.start, MINIMUM_MAX), file.physicalAlign)
    const regions = usableRegions((mirrored.length > 0 ? mirrored : usable).map(descriptor => descriptor.range), options, minimum)
    const placed = { size: alignUp(file.outputLength, MIN_KERNEL_ALIGN), align: file.physicalAlign }
    const areas = kaslrAreas(regions, [...memAvoid(boot, window), ...options.avoid], placed.size, placed.align, minimum)
    const [first] = areas
    if (first === undefined) return here
    const seed = seedOf(machine.settings.kaslr)
    if (seed !== null) return { at: phys(slotAt(areas, seed % slotCount(areas), placed.align)), certain: true }
    if (machine.settings.kaslr === 'all' || boot.from.via === 'legacy-32' || boot.from.via === 'legacy-64') proveSlots(boot, 'ZO-23', areas, placed)
    else machine.assume('ZO-9', 'the kernel goes to a random place; only free memory outside the avoid list is chosen, so nothing that lives can be hit wherever it is')
    return { at: phys(first.first), certain: false }
  })
}
