/** Slot variables: what stays allocated from reading firmware variables (chapter ST). */
import { EfiLoaderData } from '../../image/memory-types.ts'
import type { Booting } from '../model.ts'

/** sizeof(CHAR16 *) * EFI_MAXIMUM_VARIABLE_SIZE (gnu-efi: 1024). */
const VARIABLE_BUFFER = 8 * 1024

/** One pool buffer of 8 KiB for the value of SecureBoot, kept until the kernel runs. */
export function keepsVariableBuffer({ machine }: Booting): void {
  machine.step('ST-4', 'reads the variable SecureBoot', () => {
    machine.assume('ST-4', 'the firmware has the variable SecureBoot')
    machine.firmware.allocatePool(EfiLoaderData, VARIABLE_BUFFER, 'stub:SecureBoot')
  })
}

/** One pool buffer of 8 KiB for the value of SecureBoot, freed once it was looked at. */
export function freesVariableBuffer({ machine }: Booting): void {
  machine.step('ST-80', 'reads the variable SecureBoot', () => {
    const got = machine.firmware.allocatePool(EfiLoaderData, VARIABLE_BUFFER, 'stub:SecureBoot')
    if (got.status === 'EFI_SUCCESS') machine.firmware.freePool(got.at)
  })
}

/** Buffers of the variables' own size, each freed at once. */
export function keepsNoVariable({ machine }: Booting): void {
  machine.step('ST-5', 'reads variables', () => {
    machine.assume('ST-5', 'there is no random seed file on the ESP')
  })
}
