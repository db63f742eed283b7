/**
 * Memory that a confidential guest has not accepted yet: the bitmap that the EFI stub makes for it. Chapter
 * EP.
 */
import { TEXTS } from '../../../messages/texts.ts'
import { formatRange, rangeAt, sizeOf } from '../../../bytes/range.ts'
import { alignDown, alignUp, phys } from '../../../bytes/units.ts'
import { struct } from '../../../bytes/struct.ts'
import {
  EfiACPIReclaimMemory,
  EfiUnacceptedMemoryType,
  type MemoryDescriptor,
} from '../../../image/memory-types.ts'
import type { KernelBoot } from '../boot.ts'
import type { GiveUp } from './e820.ts'

/** EFI_UNACCEPTED_UNIT_SIZE: PMD_SIZE. Source: linux@6.12.107 arch/x86/include/asm/efi.h. */
const UNIT = 0x200000
/** struct efi_unaccepted_memory; the bitmap follows. Source: linux@6.12.107 include/linux/efi.h. */
const efi_unaccepted_memory = struct(
  'efi_unaccepted_memory',
  24,
  {
    version: [0, 'u32'],
    unit_size: [4, 'u32'],
    phys_base: [8, 'u64'],
    size: [16, 'u64'],
  },
  'memory',
)
const TABLE = 'efi-stub:unaccepted'

function unacceptedOf(map: readonly MemoryDescriptor[]): MemoryDescriptor[] {
  const found: MemoryDescriptor[] = []
  for (const descriptor of map) if (descriptor.type === EfiUnacceptedMemoryType) found.push(descriptor)
  return found
}

/** Start and length of the bitmap; null if all memory is accepted. */
export function bitmapOf(
  map: readonly MemoryDescriptor[],
): { readonly base: number; readonly bytes: number } | null {
  const found = unacceptedOf(map)
  if (found.length === 0) return null
  const base = alignDown<number>(Math.min(...found.map(({ range }) => range.start)), UNIT)
  const end = alignUp<number>(Math.max(...found.map(({ range }) => range.end)), UNIT)
  return { base, bytes: Math.ceil((end - base) / (UNIT * 8)) }
}

/**
 * Ranges accepted immediately because they do not fill a unit of the bitmap, and the units that get a bit.
 */
export function unitsOf(map: readonly MemoryDescriptor[]): {
  readonly atOnce: readonly { readonly start: number; readonly end: number }[]
  readonly units: readonly { readonly start: number; readonly count: number }[]
} {
  const atOnce: { start: number; end: number }[] = []
  const units: { start: number; count: number }[] = []
  for (const { range } of unacceptedOf(map)) {
    if (sizeOf(range) < 2 * UNIT) {
      atOnce.push(range)
      continue
    }
    const start = alignUp<number>(range.start, UNIT)
    const end = alignDown<number>(range.end, UNIT)
    if (start > range.start) atOnce.push({ start: range.start, end: start })
    if (end < range.end) atOnce.push({ start: end, end: range.end })
    units.push({ start, count: (end - start) / UNIT })
  }
  return { atOnce, units }
}

/** allocate_unaccepted_bitmap: a configuration table in memory that ACPI would reclaim. */
export function takeBitmap(boot: KernelBoot, giveUp: GiveUp): void {
  const { machine } = boot
  machine.step('EP-46', 'the EFI stub allocates a bitmap of unaccepted memory', () => {
    const bitmap = bitmapOf(machine.firmware.memoryMap())
    if (bitmap === null) return
    boot.takesUnaccepted = true
    machine.assume(
      'EP-46',
      'the kernel was built with CONFIG_UNACCEPTED_MEMORY, and the firmware leaves accepting memory to it',
    )
    const { at } = machine.firmware.allocatePool(
      EfiACPIReclaimMemory,
      efi_unaccepted_memory.size + bitmap.bytes,
      TABLE,
    )
    if (at === null)
      return giveUp(
        'EFI_OUT_OF_RESOURCES',
        `no pool memory for a bitmap of ${String(bitmap.bytes)} bytes`,
        TEXTS['kernel/unaccepted'],
      )
    machine.memory.patch(
      phys(at),
      efi_unaccepted_memory.write({
        version: 1,
        unit_size: UNIT,
        phys_base: BigInt(bitmap.base),
        size: BigInt(bitmap.bytes),
      }),
      TABLE,
    )
    machine.memory.zero(
      rangeAt(at + efi_unaccepted_memory.size, bitmap.bytes),
      TABLE,
      efi_unaccepted_memory.size,
    )
    boot.bitmapAt = phys(at)
  })
}

/** Sets `count` bits from `first` on, whole bytes at once. */
export function setBits(bits: Uint8Array, first: number, count: number): void {
  const end = first + count
  const [firstByte, lastByte] = [Math.ceil(first / 8), Math.floor(end / 8)]
  const one = (bit: number): void => {
    bits[Math.floor(bit / 8)] = (bits[Math.floor(bit / 8)] ?? 0) | (1 << (bit % 8))
  }
  for (let bit = first; bit < Math.min(end, firstByte * 8); bit++) one(bit)
  if (firstByte < lastByte) bits.fill(0xff, firstByte, lastByte)
  for (let bit = Math.max(firstByte, lastByte) * 8; bit < end; bit++) one(bit)
}

/** process_unaccepted_memory: whole units get their bits, the rest is accepted immediately. */
export function markUnaccepted(boot: KernelBoot): void {
  const { machine, finalMap, bitmapAt } = boot
  const bitmap = bitmapOf(finalMap)
  if (bitmap === null || bitmapAt === null) return
  machine.step('EP-47', 'unaccepted memory is marked in the bitmap', () => {
    const { atOnce, units } = unitsOf(finalMap)
    const bits = new Uint8Array(bitmap.bytes)
    for (const { start, count } of units) setBits(bits, (start - bitmap.base) / UNIT, count)
    machine.memory.patch(phys(bitmapAt + efi_unaccepted_memory.size), bits, TABLE, efi_unaccepted_memory.size)
    const now = atOnce.map(piece => formatRange(piece as Parameters<typeof formatRange>[0])).join(', ')
    machine.unmodelled(
      'EP-47',
      'unaccepted memory means an SEV-SNP or TDX guest: what its hypervisor is ' +
        `asked${now === '' ? '' : ` to accept ${now}`} and what encryption does to memory is ` +
        'not modelled',
    )
  })
}

/** Older kernels do not support the type. */
export function passOverUnaccepted(boot: KernelBoot): void {
  const { machine } = boot
  machine.step('EP-48', 'this kernel ignores unaccepted memory', () => {
    if (unacceptedOf(machine.firmware.memoryMap()).length > 0)
      machine.unmodelled(
        'EP-48',
        'unaccepted memory means an SEV-SNP or TDX guest: whether its firmware accepts all ' +
          'of it when boot services end is not modelled',
      )
  })
}
