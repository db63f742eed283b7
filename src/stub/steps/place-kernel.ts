/**
 * Slots placeKernel and placeInitrd: their addresses when the kernel is entered through the handover protocol
 * (chapter ST).
 */
import { TEXTS } from '../../messages/texts.ts'
import { rangeAt } from '../../bytes/range.ts'
import { pagesOf, type Phys } from '../../bytes/units.ts'
import { EfiLoaderCode, EfiLoaderData } from '../../image/memory-types.ts'
import type { StubBehaviour } from '../behaviour.ts'
import type { Initrd, Kernel, StubContext } from '../model.ts'
import { canLieAbove4G, type SetupHeader } from '../setup-header.ts'
import { readSetupHeader } from './kernel-header.ts'
import { xmallocPages } from './xmalloc.ts'

/** UINT32_MAX */
const UINT32_MAX = 0xffffffff

/** Where the kernel runs when it is entered through the handover protocol. */
export function placeKernel({
  above4G,
  zeroTail,
}: StubBehaviour['placeKernel']): (ctx: StubContext, kernel: Kernel, sizeInMemory: number) => Phys {
  if (above4G === 'left') return inPlace
  if (above4G === 'refused') return inPlaceOrRefused
  return zeroTail ? copiedWithTail : copiedWhenHigh
}

/** The kernel runs in place. */
function inPlace({ machine }: StubContext, kernel: Kernel): Phys {
  return machine.step('ST-33', 'linux_exec leaves the kernel in place', () => kernel.at)
}

/**
 * The kernel is copied when it is larger in memory than `.linux`, or when it is above 4 GiB and cannot run
 * there; its tail is zeroed.
 */
function copiedWithTail(ctx: StubContext, kernel: Kernel, sizeInMemory: number): Phys {
  const { machine } = ctx
  return machine.step('ST-34', 'linux_exec_efi_handover places the kernel', () => {
    const { object } = kernel
    if (kernel.at + kernel.size <= UINT32_MAX && sizeInMemory <= kernel.size) return kernel.at
    const pages = pagesOf(Math.max(sizeInMemory, kernel.size))
    const at = xmallocPages(ctx, 'ST-34', {
      where: { kind: 'max', limit: UINT32_MAX },
      type: EfiLoaderCode,
      pages,
      label: object,
    })
    machine.memory.copy(at, rangeAt(kernel.at, kernel.size))
    if (sizeInMemory > kernel.size)
      machine.memory.zero(rangeAt(at + kernel.size, sizeInMemory - kernel.size), object, kernel.size)
    return at
  })
}

/** IMAGE_DLLCHARACTERISTICS_NX_COMPAT */
const NX_COMPAT = 0x100
/** IMAGE_SCN_MEM_EXECUTE */
const MEM_EXECUTE = 0x20000000

/** The kernel runs in place; if it is above 4 GiB and cannot run there, the stub returns an error. */
function inPlaceOrRefused(ctx: StubContext, kernel: Kernel): Phys {
  const { machine } = ctx
  return machine.step('ST-56', 'linux_exec_efi_handover leaves the kernel in place', () => {
    if (!canLieAbove4G(readSetupHeader(ctx, kernel)) && kernel.at + kernel.size > UINT32_MAX) {
      machine.refuse(
        'ST-56',
        'EFI_UNSUPPORTED',
        'the kernel lies above 4 GiB and cannot run there',
        TEXTS['stub/kernel-above-4g'],
      )
    }
    return kernel.at
  })
}

/**
 * The kernel runs in place; if it ends above 4 GiB, `.linux` is copied below and runs there. Nothing is
 * zeroed.
 */
function copiedWhenHigh(ctx: StubContext, kernel: Kernel): Phys {
  const { machine, self } = ctx
  return machine.step('ST-58', 'linux_exec_efi_handover places the kernel', () => {
    if (kernel.at + kernel.size <= UINT32_MAX) {
      const section = self.pe.sections.find(({ VirtualAddress }) => VirtualAddress === kernel.at - self.base)
      const guarded =
        section !== undefined &&
        (self.pe.optional.DllCharacteristics & NX_COMPAT) !== 0 &&
        (section.Characteristics & MEM_EXECUTE) === 0
      if (guarded)
        machine.unmodelled(
          'ST-58',
          'the image is NX_COMPAT and .linux is not marked executable: whether the firmware ' +
            'lets code run there is not modelled',
        )
      return kernel.at
    }
    const at = xmallocPages(ctx, 'ST-58', {
      where: { kind: 'max', limit: UINT32_MAX },
      type: EfiLoaderCode,
      pages: pagesOf(kernel.size),
      label: kernel.object,
    })
    machine.memory.copy(at, rangeAt(kernel.at, kernel.size))
    return at
  })
}

/** Address of an initrd passed through boot_params. */
export function placeInitrd({
  above4G,
}: StubBehaviour['placeInitrd']): (
  ctx: StubContext,
  header: SetupHeader,
  initrd: Initrd | null,
) => Initrd | null {
  if (above4G === 'left') return initrdStays
  return above4G === 'refused' ? initrdInReachOrRefused : initrdWithinReach
}

/** The initrd stays where it is. */
function initrdStays({ machine }: StubContext, _: SetupHeader, initrd: Initrd | null): Initrd | null {
  return machine.step('ST-35', 'linux_exec leaves the initrd in place', () => initrd)
}

/** The initrd is copied below 4 GiB when the kernel cannot reach it. */
function initrdWithinReach(ctx: StubContext, header: SetupHeader, initrd: Initrd | null): Initrd | null {
  const { machine } = ctx
  return machine.step('ST-36', 'linux_exec_efi_handover places the initrd', () => {
    if (initrd === null || canLieAbove4G(header) || initrd.at + initrd.size <= UINT32_MAX) return initrd
    const at = xmallocPages(ctx, 'ST-36', {
      where: { kind: 'max', limit: UINT32_MAX },
      type: EfiLoaderData,
      pages: pagesOf(initrd.size),
      label: 'initrd',
    })
    machine.memory.copy(at, rangeAt(initrd.at, initrd.size))
    return { ...initrd, at }
  })
}

/** An initrd that the kernel cannot reach ends the boot. */
function initrdInReachOrRefused(ctx: StubContext, header: SetupHeader, initrd: Initrd | null): Initrd | null {
  const { machine } = ctx
  return machine.step('ST-57', 'linux_exec_efi_handover leaves the initrd in place', () => {
    if (initrd !== null && !canLieAbove4G(header) && initrd.at + initrd.size > UINT32_MAX) {
      machine.refuse(
        'ST-57',
        'EFI_UNSUPPORTED',
        'the initrd lies above 4 GiB, where the kernel cannot reach it',
        TEXTS['stub/initrd-above-4g'],
      )
    }
    return initrd
  })
}
