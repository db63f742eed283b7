/** Slot door: which way into the kernel (chapter ST). */
import { IMAGE_FILE_MACHINE_AMD64 } from '../../image/pe.ts'
import type { Booting, Door, Kernel } from '../model.ts'
import { startImage } from './load-image.ts'
import { statusText } from './patch.ts'
import { isOwnMachine, peAt } from './section-table.ts'

/** The handover protocol for every kernel. */
export function alwaysHandover({ machine }: Booting): Door {
  return machine.step('ST-26', 'goes through the handover protocol', () => ({ via: 'efi-handover', sizeInMemory: 0 }))
}

/** A loaded image for kernels that fetch their initrd; the handover protocol for older ones. */
export function imageOrHandover({ machine }: Booting, kernel: Kernel): Door {
  return machine.step('ST-27', "looks at the kernel's PE header", () => {
    const pe = peAt(machine, kernel.at)
    if (pe === null || !isOwnMachine(pe)) {
      const what = pe !== null && pe.Machine !== IMAGE_FILE_MACHINE_AMD64 ? 'a PE of another machine' : 'no PE'
      return machine.refuse('ST-27', 'EFI_LOAD_ERROR', `.linux is ${what}`, `Bad kernel image: ${statusText('EFI_LOAD_ERROR')}`)
    }
    if (pe.MajorImageVersion < 1) return { via: 'efi-handover', sizeInMemory: pe.SizeOfImage }
    return { via: 'pe-entry', start: startImage }
  })
}
