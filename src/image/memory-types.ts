/** Memory types of UEFI and the descriptor of memory maps. Source: UEFI 2.10 table 7.6 (EFI_MEMORY_TYPE). */
import type { Range } from '../bytes/range.ts'

export const EfiReservedMemoryType = 0
/** Code of an application or loader. */
export const EfiLoaderCode = 1
/** Data of an application or loader. */
export const EfiLoaderData = 2
export const EfiBootServicesCode = 3
/** Data of boot services: free when they end. */
export const EfiBootServicesData = 4
export const EfiRuntimeServicesCode = 5
export const EfiRuntimeServicesData = 6
/** Free memory. */
export const EfiConventionalMemory = 7
export const EfiUnusableMemory = 8
export const EfiACPIReclaimMemory = 9
export const EfiACPIMemoryNVS = 10
export const EfiMemoryMappedIO = 11
export const EfiMemoryMappedIOPortSpace = 12
export const EfiPalCode = 13
export const EfiPersistentMemory = 14
export const EfiUnacceptedMemoryType = 15

/**
 * Types that an operating system may reuse once boot services have ended. Source: UEFI 2.10 section
 * 7.2, memory type usage after ExitBootServices.
 */
export const FREE_AFTER_EXIT: readonly number[] = [
  EfiLoaderCode,
  EfiLoaderData,
  EfiBootServicesCode,
  EfiBootServicesData,
  EfiConventionalMemory,
]
/** Types that firmware gives to RAM. */
export const RAM_TYPES: readonly number[] = [
  ...FREE_AFTER_EXIT,
  EfiRuntimeServicesCode,
  EfiRuntimeServicesData,
  EfiACPIReclaimMemory,
  EfiACPIMemoryNVS,
]

/** EFI_MEMORY_SP: reserved for a specific purpose. */
export const EFI_MEMORY_SP = 0x40000n
/** EFI_MEMORY_MORE_RELIABLE: mirrored memory. */
export const EFI_MEMORY_MORE_RELIABLE = 0x10000n
/** EFI_MEMORY_RUNTIME. */
export const EFI_MEMORY_RUNTIME = 1n << 63n

/** The specification's names by number. */
export const MEMORY_TYPE_NAMES = [
  'EfiReservedMemoryType',
  'EfiLoaderCode',
  'EfiLoaderData',
  'EfiBootServicesCode',
  'EfiBootServicesData',
  'EfiRuntimeServicesCode',
  'EfiRuntimeServicesData',
  'EfiConventionalMemory',
  'EfiUnusableMemory',
  'EfiACPIReclaimMemory',
  'EfiACPIMemoryNVS',
  'EfiMemoryMappedIO',
  'EfiMemoryMappedIOPortSpace',
  'EfiPalCode',
  'EfiPersistentMemory',
  'EfiUnacceptedMemoryType',
] as const

/**
 * One entry of a memory map. `type` is UEFI's number (OEM and OS types from 0x70000000 on are kept as they
 * are).
 */
export interface MemoryDescriptor {
  readonly type: number
  /** Whole pages. */
  readonly range: Range
  /** EFI_MEMORY_* bits; 0xf (all cache modes) if the text has none. */
  readonly attribute: bigint
}

/**
 * A test for one EFI_MEMORY_* bit. Arithmetic on bigints allocates, and most descriptors of a map have the
 * attribute of the one before: its answer is kept.
 */
export function attributeBit(bit: bigint): (of: Pick<MemoryDescriptor, 'attribute'>) => boolean {
  let last = 0n
  let answer = false
  return ({ attribute }) => {
    if (attribute !== last) {
      last = attribute
      answer = (attribute & bit) !== 0n
    }
    return answer
  }
}

/** EFI_MEMORY_SP is set. */
export const isSpecialPurpose = attributeBit(EFI_MEMORY_SP)
/** EFI_MEMORY_MORE_RELIABLE is set. */
export const isMirrored = attributeBit(EFI_MEMORY_MORE_RELIABLE)

/** `EfiLoaderData`, or `type 0x70000001` for a type without a name in the specification. */
export function memoryTypeName(type: number): string {
  return MEMORY_TYPE_NAMES[type] ?? `type 0x${type.toString(16)}`
}
