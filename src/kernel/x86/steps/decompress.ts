/** The EFI stub decompresses the kernel itself, into memory that it allocates. Chapter EP. */
import { printed, TEXTS } from '../../../messages/texts.ts'
import { formatRange, hex, overlaps, rangeAt } from '../../../bytes/range.ts'
import { alignDown, alignUp, phys, PHYS_END, PAGE, type Phys } from '../../../bytes/units.ts'
import {
  attributeBit,
  EfiConventionalMemory,
  EfiLoaderCode,
  EfiLoaderData,
  isMirrored,
  isSpecialPurpose,
  type MemoryDescriptor,
} from '../../../image/memory-types.ts'
import type { Placement } from '../behaviour.ts'
import type { KernelBoot, Output, Step } from '../boot.ts'
import { switch5LevelPaging } from './five-level.ts'
import { standsFirst, stubOptions, type StubOptions } from './cmdline-parser.ts'
import { extractTo } from './extract.ts'
import { DESCRIPTOR_SIZE, MAP, MAP_HEAD } from './map-buffer.ts'
import { memoryOptions } from './memory-options.ts'
import { extractedElf, goThroughPayload } from './payload.ts'
import {
  kernelSlots,
  proveSlots,
  seedOf,
  slotAt,
  slotCount,
  type Placed,
  type SlotArea,
} from './kaslr-slots.ts'

/** MIN_KERNEL_ALIGN. Source: linux@6.12.107 arch/x86/include/asm/boot.h. */
export const MIN_KERNEL_ALIGN = 0x200000
const FAILED = TEXTS['kernel/decompress']

/** The slots of one descriptor. */
export interface Slots {
  readonly first: number
  readonly count: number
  /** The descriptor's first aligned address, regardless of the minimum. */
  readonly lowest: number
}

/** EFI_MEMORY_HOT_PLUGGABLE. Source: uefi@2.10 section 7.2.3. */
const EFI_MEMORY_HOT_PLUGGABLE = 0x100000n

const isUnpluggable = attributeBit(EFI_MEMORY_HOT_PLUGGABLE)

/**
 * get_entry_num_slots over a map, in its order; only mirrored memory counts when some of it has slots.
 * `softReserve`: is specific-purpose memory excluded?
 */
export function randomAllocSlots(
  map: readonly MemoryDescriptor[],
  size: number,
  align: number,
  minimum: number,
  softReserve = true,
): Slots[] {
  const found: (Slots & { readonly mirrored: boolean })[] = []
  for (const descriptor of map) {
    const { type, range } = descriptor
    if (type !== EfiConventionalMemory || range.end - range.start < size) continue
    const first = alignUp(Math.max(range.start, minimum), align)
    const last = alignDown(Math.min(range.end, PHYS_END) - size, align)
    if (first > last || isUnpluggable(descriptor)) continue
    if (softReserve && isSpecialPurpose(descriptor)) continue
    found.push({
      first,
      count: (last - first) / align + 1,
      lowest: alignUp<number>(range.start, align),
      mirrored: isMirrored(descriptor),
    })
  }
  const mirrored = found.filter(slots => slots.mirrored)
  return (mirrored.length > 0 ? mirrored : found).map(({ first, count, lowest }) => ({
    first,
    count,
    lowest,
  }))
}

/** The slot the EFI stub uses, and its reaction if there is none. */
export type RandomAllocation = Extract<Placement, { way: 'efi_random_alloc' }>

/** The EFI stub decompresses the kernel into memory that efi_random_alloc finds. */
export function decompressKernel(data: RandomAllocation, slack: number): Step {
  return boot => {
    const { machine } = boot
    machine.step('EP-20', 'the EFI stub allocates memory for the decompressed kernel', () => {
      boot.output = allocateOutput(boot, data, slack)
    })
    machine.step('EP-23', 'the EFI stub decompresses the kernel', () => {
      const payload = boot.file.setupSize + boot.file.payloadOffset
      const reading = machine.memory.readAs(
        rangeAt(boot.fileAt + payload, boot.file.payloadLength),
        boot.object,
        { at: payload },
      )
      if (boot.output === null)
        return machine.step('EP-25', 'efi_random_alloc found no memory and reported success', () =>
          machine.undefinedBehaviour(
            reading.event,
            'the kernel is decompressed to an address that was never set',
          ),
        )
      if (!reading.whole)
        return machine.undefinedBehaviour(reading.event, 'the compressed kernel was overwritten')
      goThroughPayload(boot, (why, error) =>
        machine.step('EP-36', "the EFI stub passes on the decompressor's error", () =>
          machine.refuse(
            'EP-36',
            'EFI_LOAD_ERROR',
            why,
            printed('kernel/decompression', { why: error, rest: FAILED }),
          ),
        ),
      )
      extractTo(boot, boot.output, false)
    })
    machine.step('EP-40', 'the EFI stub asks the firmware to make the kernel executable', () => {
      if (machine.firmware.memoryAttributes === 'refused')
        machine.refuse(
          'EP-40',
          'EFI_UNSUPPORTED',
          'the firmware refuses to make the pages of the kernel read-only and executable',
          printed('kernel/memory-attribute', { rest: FAILED }),
        )
    })
  }
}

function allocateOutput(boot: KernelBoot, data: RandomAllocation, slack: number): Output | null {
  const { machine, file } = boot
  const size = alignUp(file.outputLength, MIN_KERNEL_ALIGN)
  if (spanOf(boot) > size)
    machine.assume('EP-20', 'the extracted kernel needs no more memory than its decompressed file')
  const minimum =
    data.minimum === 'none'
      ? machine.step('EP-32', 'this release has no minimum address', () => 0)
      : file.loadPhysicalAddress
  const options = machine.step('EP-38', 'the EFI stub reads its options', () =>
    stubOptions(boot.commandLine?.text ?? ''),
  )
  const buffer = readSlotMap(boot, slack)
  const output = chooseSlot(boot, data, { size, minimum, options, map: machine.firmware.memoryMap() })
  machine.firmware.freePool(buffer)
  return output
}

/** The map that slots are counted in holds its own buffer, which is freed once the kernel has its pages. */
function readSlotMap({ machine }: KernelBoot, slack: number): Phys {
  return machine.step('EP-68', 'the EFI stub reads the memory map into pool', () => {
    const descriptors = machine.firmware.memoryMap().length + slack
    const buffer = machine.firmware.allocatePool(EfiLoaderData, MAP_HEAD + descriptors * DESCRIPTOR_SIZE, MAP)
    return buffer.at ?? machine.refuse('EP-68', buffer.status, 'no pool memory for the memory map', FAILED)
  })
}

interface Search {
  readonly size: number
  readonly minimum: number
  readonly options: StubOptions
  readonly map: readonly MemoryDescriptor[]
}

function chooseSlot(
  boot: KernelBoot,
  data: RandomAllocation,
  { size, minimum, options, map }: Search,
): Output | null {
  const { machine, file } = boot
  if (map.some(isUnpluggable))
    machine.step('EP-39', 'hot-pluggable memory is not used', () => {
      machine.assume(
        'EP-39',
        'this release does not use hot-pluggable memory, like the last ones of its branch',
      )
    })
  const slots = randomAllocSlots(map, size, file.physicalAlign, minimum, options.softReserve)
  if (map.some(isMirrored)) machine.step('EP-60', 'slots in mirrored memory are preferred', () => undefined)
  const first = slots[0]
  if (first === undefined)
    return data.noSlot === 'EFI_SUCCESS'
      ? null
      : machine.refuse(
          'EP-21',
          'EFI_OUT_OF_RESOURCES',
          `no aligned run of ${hex(size)} bytes at or above ${hex(minimum)}`,
          FAILED,
        )
  const areas =
    data.minimum === 'kept'
      ? slots
      : machine.step('EP-33', 'slots are counted from the start of their descriptors', () =>
          slots.map(({ lowest, count }) => ({ first: lowest, count })),
        )
  const placed = { size, align: file.physicalAlign }
  const total = slotCount(areas)
  const seed = isRandom(boot, data, options) ? seedOf(machine.settings.kaslr) : 0
  const certain = total === 1 || seed !== null
  if (machine.settings.kaslr === 'all') proveSlots(boot, 'EP-35', areas, placed)
  else if (!certain)
    machine.assume(
      'EP-22',
      'the kernel goes to a random slot; only free memory is chosen, so nothing in use can be overwritten',
    )
  const at = slotAt(areas, Math.floor((total * ((seed ?? 0) % 2 ** 32)) / 2 ** 32), file.physicalAlign)
  keepOffMemmap(boot, certain ? [{ first: at, count: 1 }] : areas, placed)
  const got = machine.firmware.allocatePages(
    { kind: 'address', at: phys(at) },
    EfiLoaderCode,
    size / PAGE,
    'vo',
  )
  if (got.status !== 'EFI_SUCCESS')
    return machine.refuse(
      'EP-21',
      got.status,
      `${hex(at)} is free in the memory map, but the firmware does not allocate it`,
      FAILED,
    )
  return { at: phys(at), slots: certain ? null : kernelSlots('EP-35', areas, placed) }
}

/** Reports slots in memory that the command line reserves. */
function keepOffMemmap(
  { machine, commandLine }: KernelBoot,
  areas: readonly SlotArea[],
  { size, align }: Placed,
): void {
  machine.step('EP-52', 'slots are compared with the regions of memmap=', () => {
    for (const aside of memoryOptions(commandLine?.text ?? '').avoid) {
      const reached = areas.some(({ first, count }) =>
        overlaps(aside, rangeAt(first, (count - 1) * align + size)),
      )
      if (reached)
        machine.unmodelled(
          'EP-52',
          `the kernel may be placed in ${formatRange(aside)}, which memmap= reserves, and overwrite it`,
        )
    }
  })
}

/**
 * Memory from the first to the last byte of the extracted kernel's segments: no less than kernel_total_size.
 * Infinite where the payload was not decompressed.
 */
function spanOf(boot: KernelBoot): number {
  const elf = extractedElf(boot)
  return elf === null
    ? Infinity
    : Math.max(...elf.segments.map(({ p_paddr, p_memsz }) => p_paddr + p_memsz)) -
        boot.file.loadPhysicalAddress
}

/** Is physical KASLR active? */
function isRandom(boot: KernelBoot, { firstSlotFor }: RandomAllocation, { nokaslr }: StubOptions): boolean {
  return (
    boot.machine.settings.kaslr !== 'off' &&
    !nokaslr &&
    !firstSlotFor.some(option => standsFirst(boot.commandLine?.text ?? '', option))
  )
}

/** Boot services are over: the EFI stub jumps straight into the extracted kernel. */
export function jumpToOutput(boot: KernelBoot): void {
  const { machine } = boot
  machine.step('EP-24', 'the EFI stub jumps into the extracted kernel, past head_64.S', () => {
    switch5LevelPaging(boot)
  })
}
