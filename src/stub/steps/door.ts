/** Slot door: which way into the kernel (chapter ST). */
import type { EfiError } from '../../firmware/status.ts'
import { IMAGE_FILE_MACHINE_AMD64 } from '../../image/pe.ts'
import type { ClauseId } from '../../machine/machine.ts'
import type { HandOff } from '../../machine/model.ts'
import { told } from '../../machine/told.ts'
import type { Booting, Cargo, Door, Kernel } from '../model.ts'
import { startOwn, type InnerLoading } from './inner-loader.ts'
import { shimWords, startLoaded } from './load-image.ts'
import { poolOrHalt, statusText } from './patch.ts'
import { brokenCheck, isOwnMachine, peAt, type HeaderCheck, type PeInMemory } from './section-table.ts'

/** The handover protocol for every kernel. */
export function alwaysHandover({ machine }: Booting): Door {
  return machine.step('ST-26', 'goes through the handover protocol', () => ({
    via: 'efi-handover',
    sizeInMemory: 0,
  }))
}

/** The kernel's own PE header, or the refusal of what is none. */
function kernelHeader(
  { machine }: Booting,
  clause: ClauseId,
  kernel: Kernel,
  words: (status: EfiError) => string,
  checks: readonly HeaderCheck[],
): PeInMemory {
  const bad = (id: ClauseId, why: string): never =>
    machine.refuse(id, 'EFI_LOAD_ERROR', why, `Bad kernel image: ${words('EFI_LOAD_ERROR')}`)
  const pe = peAt(machine, kernel.at)
  if (pe === null || !isOwnMachine(pe))
    return bad(
      clause,
      `.linux is ${pe !== null && pe.Machine !== IMAGE_FILE_MACHINE_AMD64 ? 'a PE of another machine' : 'no PE'}`,
    )
  const broken = brokenCheck(checks, pe, kernel.size)
  return broken === null ? pe : bad(broken.clause, `.linux: ${broken.why}`)
}

/** A loaded image for kernels that fetch their initrd; the handover protocol for older ones. */
export function imageOrHandover(
  start: (on: Booting, cargo: Cargo) => HandOff,
  words: (status: EfiError) => string,
): (on: Booting, kernel: Kernel) => Door {
  const look = (on: Booting, kernel: Kernel): Door =>
    on.machine.step('ST-27', "looks at the kernel's PE header", () => {
      const pe = kernelHeader(on, 'ST-27', kernel, words, [])
      return pe.MajorImageVersion < 1
        ? { via: 'efi-handover', sizeInMemory: pe.SizeOfImage }
        : { via: 'pe-entry', start }
    })
  return told(look, { start, words })
}

/** sizeof(KERNEL_FILE_PATH): a memory-mapped device path node and the end node. */
const KERNEL_FILE_PATH = 28

/** The entry point lies in the image. */
export const entryInside: HeaderCheck = ({ MajorImageVersion, AddressOfEntryPoint, SizeOfImage }) =>
  MajorImageVersion >= 1 && AddressOfEntryPoint >= SizeOfImage
    ? { clause: 'ST-69', why: 'the entry point lies behind the end of the image' }
    : null

/**
 * The stub's own loader, or LoadImage under Secure Boot with shim; the handover protocol for older kernels,
 * of whose PE it then knows nothing.
 */
export function ownLoaderOrHandover(
  loading: InnerLoading,
  checks: readonly HeaderCheck[],
): (on: Booting, kernel: Kernel) => Door {
  const look = (on: Booting, kernel: Kernel): Door =>
    on.machine.step('ST-59', "looks at the kernel's PE header", () => {
      const pe = kernelHeader(on, 'ST-59', kernel, statusText, checks)
      if (pe.MajorImageVersion < 1) return { via: 'efi-handover', sizeInMemory: 0 }
      const { secureBoot, shim } = on.machine.settings
      on.machine.step('ST-60', 'makes a device path', () =>
        poolOrHalt(on, 'ST-60', KERNEL_FILE_PATH, 'stub:kernel_file_path'),
      )
      if (secureBoot)
        on.machine.assume(
          'ST-67',
          shim
            ? 'shim started the image, and its loader protocol or both security protocols are there'
            : 'shim did not start the image',
        )
      return { via: 'pe-entry', start: secureBoot && shim ? startLoaded(shimWords) : startOwn(pe, loading) }
    })
  return told(look, { ...loading, checks })
}
