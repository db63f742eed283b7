/** efi_relocate_kernel: when and where the compressed kernel moves before boot services end. Chapter EP. */
import { printed, TEXTS } from '../../../messages/texts.ts'
import { formatRange, hex, rangeAt, rangeOrNull } from '../../../bytes/range.ts'
import { PAGE, pagesOf, phys, type Phys } from '../../../bytes/units.ts'
import { EfiLoaderData } from '../../../image/memory-types.ts'
import type { Placement } from '../behaviour.ts'
import { guestAlign, guestRange, isRam, zeroPageOf, type KernelBoot, type Step } from '../boot.ts'
import { codeStop } from '../file.ts'
import { ABOVE_NULL, lowAlloc } from './low-alloc.ts'

/**
 * MAXMEM with four-level paging. Source: linux@5.10.223 drivers/firmware/efi/libstub/x86-stub.c
 * MAXMEM_X86_64_4LEVEL.
 */
const MAXMEM_X86_64_4LEVEL = 2 ** 46
const FAILED = 'efi_relocate_kernel() failed!\nefi_main() failed!'

/** When the compressed kernel moves, what is copied, and the lowest address. */
export type Relocation = Extract<Placement, { way: 'efi_relocate_kernel' }>

/** Moves the compressed kernel, or leaves it where it is. */
export function relocateKernel(data: Relocation): Step {
  return data.when === 'not-at-pref_address' ? relocateUnlessPreferred(data) : relocateIfNecessary(data)
}

/** The bytes that a move copies, and the lowest address. */
interface Move {
  /** Address of the first byte. */
  readonly from: number
  /** Bytes. */
  readonly length: number
  readonly minimum: number
}

/** Moves when the window would begin too low or end too high; after a handover always or when misaligned. */
function relocateIfNecessary({ when, copies, lowest }: Relocation): Step {
  return boot => {
    const { machine, file, zo, imageOffset } = boot
    machine.step('EP-15', 'efi_main decides whether the compressed kernel moves', () => {
      const { hdr } = zeroPageOf(boot)
      const alignment = hdr.get('kernel_alignment')
      const start = guestAlign(zo - imageOffset, alignment)
      const end = start + hdr.get('init_size')
      const misaligned = alignment !== 0 && zo % alignment !== 0
      const handover = imageOffset === 0 && (when === 'every-handover' || misaligned)
      if (start < file.loadPhysicalAddress || end > MAXMEM_X86_64_4LEVEL || handover)
        boot.zo = relocate(boot, {
          from: zo,
          length: lengthOf(boot, copies),
          minimum: lowestOf(boot, lowest),
        })
    })
  }
}

/** Bytes that are copied. */
function lengthOf(boot: KernelBoot, copies: Relocation['copies']): number {
  return copies === 'init_size'
    ? zeroPageOf(boot).hdr.get('init_size')
    : boot.machine.step('EP-29', 'the copy ends where .bss begins', () => boot.file.bss)
}

/** The lowest address of the copy. */
function lowestOf(boot: KernelBoot, lowest: Relocation['lowest']): number {
  return lowest === 'any'
    ? boot.machine.step('EP-28', 'the copy has no minimum address', () => ABOVE_NULL)
    : boot.file.loadPhysicalAddress
}

/** Moves unless the kernel is at pref_address; code32_start has its address, before and after. */
function relocateUnlessPreferred({ copies, lowest }: Relocation): Step {
  return boot => {
    const { machine } = boot
    machine.step('EP-27', 'efi_main moves the compressed kernel unless code32_start is pref_address', () => {
      boot.imageOffset = 0
      takeDescriptorTable(boot)
      const { hdr } = zeroPageOf(boot)
      const from = hdr.get('code32_start')
      if (from !== hdr.get('pref_address')) {
        const to = relocate(boot, { from, length: lengthOf(boot, copies), minimum: lowestOf(boot, lowest) })
        hdr.set('pref_address', from)
        hdr.set('code32_start', to)
      }
      boot.zo = phys(hdr.get('code32_start'))
    })
    if (lowest === 'any')
      machine.step('EP-28', 'the window begins at LOAD_PHYSICAL_ADDR, wherever the pages are', () => {
        doubtWindow(boot)
      })
  }
}

/** Reports memory that the decompressor will write without owning it. */
function doubtWindow(boot: KernelBoot): void {
  const { machine, file, zo } = boot
  const size = zeroPageOf(boot).hdr.get('init_size')
  const end = zo + pagesOf(size) * PAGE
  const past = zo < file.loadPhysicalAddress ? rangeOrNull(end, file.loadPhysicalAddress + size - end) : null
  if (past !== null)
    machine.unmodelled(
      'EP-28',
      `the kernel was moved to ${hex(zo)} and decompresses itself from ` +
        `${hex(file.loadPhysicalAddress)} on: it does not own ${formatRange(past)}`,
    )
}

/**
 * Size of the EFI stub's descriptor table, and of the pointer to it, in pool memory. Source: linux@5.6
 * arch/x86/boot/compressed/eboot.c efi_main.
 */
const DESCRIPTOR_TABLE = 0x800
const POINTER = 10

function takeDescriptorTable({ machine }: KernelBoot): void {
  const pointer = machine.firmware.allocatePool(EfiLoaderData, POINTER, 'efi-stub:gdt')
  if (pointer.status !== 'EFI_SUCCESS')
    return machine.refuse(
      'EP-27',
      pointer.status,
      'no pool memory for the pointer to the descriptor table',
      TEXTS['kernel/no-gdt-pointer'],
    )
  const at = lowAlloc(machine, {
    size: DESCRIPTOR_TABLE,
    align: PAGE,
    minimum: ABOVE_NULL,
    label: 'efi-stub:gdt',
  })
  if (at === null)
    return machine.refuse(
      'EP-27',
      'EFI_NOT_FOUND',
      'no free page for the descriptor table',
      TEXTS['kernel/no-gdt'],
    )
  machine.memory.make(rangeAt(at, DESCRIPTOR_TABLE), 'efi-stub:gdt')
}

/** Returns the address of the copy. */
function relocate(boot: KernelBoot, move: Move): Phys {
  const { machine } = boot
  return machine.step(
    'EP-16',
    'efi_relocate_kernel allocates pages and copies the compressed kernel there',
    () => {
      const size = zeroPageOf(boot).hdr.get('init_size')
      if (size === 0)
        return machine.refuse('EP-16', 'EFI_INVALID_PARAMETER', 'init_size in boot_params is 0', FAILED)
      if (size < move.length)
        return machine.refuse(
          'EP-16',
          'EFI_INVALID_PARAMETER',
          'init_size in boot_params is less than the bytes copied',
          FAILED,
        )
      const to = allocate(boot, size, move.minimum)
      copyKernel(boot, to, move)
      return to
    },
  )
}

function allocate(boot: KernelBoot, size: number, minimum: number): Phys {
  const { machine } = boot
  const { hdr } = zeroPageOf(boot)
  const preferred = guestRange(hdr.get('pref_address'), size)
  const wanted =
    preferred === null
      ? null
      : machine.firmware.allocatePages(
          { kind: 'address', at: preferred.start },
          EfiLoaderData,
          pagesOf(size),
          boot.object,
        )
  if (wanted?.status === 'EFI_SUCCESS') return wanted.at
  const low = machine.step('EP-17', 'efi_low_alloc_above walks the memory map', () =>
    lowAlloc(machine, { size, align: hdr.get('kernel_alignment'), minimum, label: boot.object }),
  )
  const why =
    `no free run of init_size ${hex(size)} bytes at pref_address or, aligned, at or ` +
    `above ${hex(minimum)}`
  return low ?? machine.refuse('EP-17', 'EFI_NOT_FOUND', why, printed('kernel/no-memory', { rest: FAILED }))
}

/** Copies the file's bytes as they are in memory; bytes past them are copied, too, and never used. */
function copyKernel(boot: KernelBoot, to: Phys, { from, length }: Move): void {
  const { machine, file, object } = boot
  const own = Math.min(length, file.codeEnd)
  machine.memory.copy(to, rangeAt(from, own))
  const rest = rangeOrNull(to + own, length - own)
  if (rest !== null) machine.memory.make(rest, object, file.setupSize + own)
  const past = rangeOrNull(from + own, length - own)
  if (past !== null && !isRam(machine, past))
    machine.unmodelled(
      'EP-16',
      `the copy reads past the kernel at ${formatRange(past)}, which is not entirely RAM`,
    )
  if (length < codeStop(file))
    machine.unmodelled('EP-16', 'init_size in boot_params is less than the kernel: it is copied in part')
}
