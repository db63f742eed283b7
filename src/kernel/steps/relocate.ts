/** efi_relocate_kernel: when the compressed kernel moves before boot services end, and where to. Chapter EP. */
import { hex, rangeAt, rangeOrNull } from '../../bytes/range.ts'
import { alignUp, PAGE, pagesOf, type Phys } from '../../bytes/units.ts'
import { EFI_MEMORY_SP, EfiConventionalMemory, EfiLoaderData } from '../../image/memory-types.ts'
import { guestAlign, guestRange, header, type KernelBoot, type Step } from '../boot.ts'

/** MAXMEM with four-level paging. Source: linux@5.10.223 drivers/firmware/efi/libstub/x86-stub.c MAXMEM_X86_64_4LEVEL. */
const MAXMEM_X86_64_4LEVEL = 2 ** 46
const FAILED = 'efi_relocate_kernel() failed!\nefi_main() failed!'

/** What the condition looks at. */
interface Placement {
  readonly start: number
  readonly end: number
  readonly imageOffset: number
  readonly misaligned: boolean
}

/** Moves when the window would begin too low or end too high, or when `also` says so. */
function relocateIf(also: (placement: Placement) => boolean, copyLength: (boot: KernelBoot) => number): Step {
  return boot => {
    const { machine, file, compressed, imageOffset } = boot
    machine.step('EP-15', 'efi_main decides whether the compressed kernel moves', () => {
      const alignment = header(boot, 'kernel_alignment')
      const start = guestAlign(compressed - imageOffset, alignment)
      const end = start + header(boot, 'init_size')
      const misaligned = alignment !== 0 && compressed % alignment !== 0
      if (start < file.loadPhysicalAddress || end > MAXMEM_X86_64_4LEVEL || also({ start, end, imageOffset, misaligned })) relocate(boot, copyLength(boot))
    })
  }
}

const wholeWindow = (boot: KernelBoot): number => header(boot, 'init_size')

/** 5.7-rc1: after a handover only when `startup_32` is not aligned. */
export const relocateIfMisaligned = relocateIf(({ imageOffset, misaligned }) => imageOffset === 0 && misaligned, wholeWindow)
/** 5.7-rc2 and later: after a handover always. Copies init_size bytes. */
export const relocateAfterHandover = relocateIf(({ imageOffset }) => imageOffset === 0, wholeWindow)

function relocate(boot: KernelBoot, length: number): void {
  const { machine } = boot
  machine.step('EP-16', 'efi_relocate_kernel takes pages and copies the compressed kernel there', () => {
    const size = header(boot, 'init_size')
    if (size === 0) return machine.refuse('EP-16', 'EFI_INVALID_PARAMETER', 'init_size in boot_params is 0', FAILED)
    const to = allocate(boot, size)
    copyKernel(boot, to, length)
    boot.compressed = to
  })
}

function allocate(boot: KernelBoot, size: number): Phys {
  const { machine, file } = boot
  const preferred = guestRange(header(boot, 'pref_address'), size)
  const wanted = preferred === null ? null : machine.firmware.allocatePages({ kind: 'address', at: preferred.start }, EfiLoaderData, pagesOf(size), boot.object)
  if (wanted?.status === 'EFI_SUCCESS') return wanted.at
  const low = lowAllocAbove(boot, size, header(boot, 'kernel_alignment'), file.loadPhysicalAddress)
  const why = `no free run of init_size ${hex(size)} bytes at pref_address or, aligned, at or above ${hex(file.loadPhysicalAddress)}`
  return low ?? machine.refuse('EP-17', 'EFI_NOT_FOUND', why, `Failed to allocate usable memory for kernel.\n${FAILED}`)
}

/** efi_low_alloc_above: the first descriptor, in the map's order, with an aligned run at or above `minimum`; null when there is none. */
function lowAllocAbove(boot: KernelBoot, size: number, alignment: number, minimum: number): Phys | null {
  const { machine } = boot
  return machine.step('EP-17', 'efi_low_alloc_above walks the memory map', () => {
    const align = Math.max(alignment, PAGE)
    const length = pagesOf(size) * PAGE
    for (const { type, range, attribute } of machine.firmware.memoryMap()) {
      if (type !== EfiConventionalMemory || (attribute & EFI_MEMORY_SP) !== 0n) continue
      const start = alignUp(Math.max(range.start, minimum), align)
      if (start + length > range.end) continue
      const got = machine.firmware.allocatePages({ kind: 'address', at: start }, EfiLoaderData, pagesOf(size), boot.object)
      if (got.status === 'EFI_SUCCESS') return got.at
    }
    return null
  })
}

/** Copies the file's bytes with whatever became of them; what is read behind them is copied too and never used. */
function copyKernel(boot: KernelBoot, to: Phys, length: number): void {
  const { machine, file, compressed, object } = boot
  const own = Math.min(length, file.codeEnd)
  machine.memory.copy(to, rangeAt(compressed, own))
  const rest = rangeOrNull(to + own, length - own)
  if (rest !== null) machine.memory.make(rest, object, file.setupSize + own)
  if (length < file.codeEnd) machine.doubt('EP-16', 'init_size in boot_params is shorter than the kernel: not all of it is copied')
}
