/**
 * choose_random_location: the slots that the decompressor may choose, and those it must avoid. Chapter ZO.
 */
import { hex, overlaps, range, rangeAt, type Range } from '../../../bytes/range.ts'
import { alignDown, alignUp, phys, PHYS_END } from '../../../bytes/units.ts'
import {
  EfiConventionalMemory,
  EfiUnacceptedMemoryType,
  isMirrored,
  isSpecialPurpose,
  type MemoryDescriptor,
} from '../../../image/memory-types.ts'
import { guestRange, ZERO_PAGE, type KernelBoot, type Output, type Window } from '../boot.ts'
import { commandLinePointer } from './command-line.ts'
import { maxMem } from './five-level.ts'
import { ramdisk } from './initrd.ts'
import { GIB, memoryOptions, type MemoryOptions } from './memory-options.ts'
import { followSetupData } from './setup-data.ts'
import { kernelSlots, proveSlots, seedOf, slotAt, slotCount, type SlotArea } from './kaslr-slots.ts'
import { hasFlag, parametersOf } from './cmdline-parser.ts'

/**
 * Candidates begin at 512 MiB or below. Source: linux@5.10.223 arch/x86/boot/compressed/kaslr.c
 * choose_random_location.
 */
const MINIMUM_MAX = 512 * 2 ** 20
const MIN_KERNEL_ALIGN = 0x200000

/**
 * mem_avoid: input and working area of the decompressor, initrd, command line, zero page; and the nodes of
 * setup_data.
 */
export function memAvoid(boot: KernelBoot, window: Window): Range[] {
  const initrd = ramdisk(boot)
  const { commandLine, file, bootParams } = boot
  return [
    guestRange(window.moved + file.payloadOffset, file.end - file.payloadOffset),
    guestRange(initrd.at, initrd.size),
    commandLine === null ? null : rangeAt(commandLine.at, commandLine.length + 1),
    rangeAt(bootParams, ZERO_PAGE),
    ...boot.machine.step('ZO-32', 'nodes of setup_data are avoided', () =>
      followSetupData(boot).nodes.map(node => node.range),
    ),
  ].filter(avoided => avoided !== null)
}

/** MAX_SLOT_AREA. Source: linux@5.10.223 arch/x86/boot/compressed/kaslr.c. */
const MAX_SLOT_AREA = 100

/** The kernel to place: bytes, alignment, and the lowest address. */
export interface SlotRequest {
  readonly size: number
  readonly align: number
  readonly minimum: number
}

/**
 * Runs of slots, in the order of the regions; at most one per free range, and one more after excluded 1 GiB
 * pages. Source: linux@5.10.223 arch/x86/boot/compressed/kaslr.c.
 */
export function kaslrAreas(
  regions: readonly Range[],
  avoid: readonly Range[],
  { size, align, minimum }: SlotRequest,
  { limit, gigantic }: Pick<MemoryOptions, 'limit' | 'gigantic'> = { limit: PHYS_END, gigantic: 0 },
): SlotArea[] {
  const areas: SlotArea[] = []
  let left = gigantic
  const store = (start: number, end: number): void => {
    if (areas.length < MAX_SLOT_AREA)
      areas.push({ first: start, count: 1 + Math.floor((end - start - size) / align) })
  }
  const storeAround = (start: number, end: number): void => {
    const first = alignUp<number>(start, GIB)
    const last = alignDown(end, GIB)
    if (left === 0 || first >= last) {
      store(start, end)
      return
    }
    const pages = Math.min(left, (last - first) / GIB)
    left -= pages
    const tail = first + pages * GIB
    if (first >= start + size) store(start, first)
    if (end >= tail + size) store(tail, end)
  }
  for (const region of regions) {
    const end = Math.min(region.end, limit)
    let start = alignUp<number>(Math.max(region.start, minimum), align)
    while (areas.length < MAX_SLOT_AREA && start + size <= end) {
      const rest = range(start, end)
      const [hit] = avoid.filter(avoided => overlaps(avoided, rest)).sort((a, b) => a.start - b.start)
      if (hit === undefined) {
        storeAround(start, end)
        break
      }
      if (hit.start >= start + size) storeAround(start, hit.start)
      start = alignUp<number>(hit.end, align)
    }
  }
  return areas
}

/**
 * Free memory of the map, as the decompressor sees it, including unaccepted memory if supported; only
 * mirrored memory if there is any.
 */
export function freeRegions(map: readonly MemoryDescriptor[], takesUnaccepted = false): Range[] {
  const mirrored = map.some(isMirrored)
  const regions: Range[] = []
  for (const descriptor of map) {
    const { type, range: where } = descriptor
    if (
      (type !== EfiConventionalMemory && !(takesUnaccepted && type === EfiUnacceptedMemoryType)) ||
      isSpecialPurpose(descriptor)
    )
      continue
    if (!mirrored || isMirrored(descriptor)) regions.push(where)
  }
  return regions
}

/** R without KASLR or if nothing else fits; otherwise a random slot. */
export function chooseOutput(boot: KernelBoot, window: Window): Output {
  const { machine, file } = boot
  return machine.step('ZO-9', 'choose_random_location picks the output address', () => {
    const here: Output = { at: window.start, slots: null }
    const text = boot.commandLine?.text ?? ''
    if (
      !file.relocatable ||
      machine.settings.kaslr === 'off' ||
      commandLinePointer(boot) === 0 ||
      hasFlag(text, 'nokaslr')
    )
      return here
    boot.pageTables(boot, window, 'kaslr')
    const options = machine.step('ZO-24', 'the command line limits the memory for KASLR', () => {
      if (text.includes('efi_fake_mem='))
        machine.unmodelled(
          'ZO-24',
          'efi_fake_mem= is on the command line; which memory it reserves is not modelled',
        )
      return memoryOptions(text)
    })
    if (options.tooMany) return here
    const placed = {
      size: alignUp(file.outputLength, MIN_KERNEL_ALIGN),
      align: file.physicalAlign,
      minimum: alignUp(Math.min(window.start, MINIMUM_MAX), file.physicalAlign),
    }
    const limit = Math.min(options.limit, maxMem(boot))
    const areas = kaslrAreas(
      freeRegions(boot.finalMap, boot.takesUnaccepted),
      [...memAvoid(boot, window), ...options.avoid],
      placed,
      { ...options, limit },
    )
    const [first] = areas
    if (first === undefined) return here
    if (
      boot.finalMap.some(
        ({ type, range: where }) =>
          type === EfiUnacceptedMemoryType && overlaps(where, rangeAt(first.first, placed.size)),
      )
    ) {
      return machine.step('ZO-33', 'the output would lie in unaccepted memory', () =>
        machine.gap(
          'ZO-33',
          `the kernel would be extracted to ${hex(first.first)}, which is not accepted: an ` +
            'SEV-SNP or TDX guest accepts it first',
        ),
      )
    }
    machine.step('ZO-29', 'the decompressor searches for an SRAT', () => {
      if (!parametersOf(text).some(({ name, value }) => name === 'acpi' && value === 'off'))
        machine.assume(
          'ZO-29',
          'the firmware has no SRAT that excludes memory from KASLR; with one there are fewer slots',
        )
    })
    const seed = seedOf(machine.settings.kaslr)
    if (seed !== null) return { at: phys(slotAt(areas, seed % slotCount(areas), placed.align)), slots: null }
    if (machine.settings.kaslr === 'all' || boot.from.via === 'legacy-32' || boot.from.via === 'legacy-64')
      proveSlots(boot, 'ZO-23', areas, placed)
    else
      machine.assume(
        'ZO-9',
        'the kernel goes to a random slot; only free memory outside the avoid list is ' +
          'chosen, so nothing in use can be overwritten',
      )
    return { at: phys(first.first), slots: kernelSlots('ZO-23', areas, placed) }
  })
}
