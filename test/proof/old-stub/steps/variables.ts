/** Slot variables: what stays allocated from reading firmware variables (chapter ST). */
import { EfiLoaderData } from '../../../../src/image/memory-types.ts'
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
export function freesVariableBuffer({ machine, poolType = EfiLoaderData }: Booting): void {
  machine.step('ST-80', 'reads the variable SecureBoot', () => {
    const got = machine.firmware.allocatePool(poolType, VARIABLE_BUFFER, 'stub:SecureBoot')
    if (got.status === 'EFI_SUCCESS') machine.firmware.freePool(got.at)
  })
}

/** The same, and a random seed is looked for on the ESP. */
export function freesVariableBufferAfterSeed(on: Booting): void {
  on.machine.step('ST-90', 'looks for a random seed', () => {
    on.machine.assume('ST-90', 'there is no random seed file on the ESP')
  })
  freesVariableBuffer(on)
}

/** Buffers of the variables' own size, each freed at once. */
export function keepsNoVariable({ machine }: Booting): void {
  machine.step('ST-5', 'reads variables', () => {
    machine.assume('ST-90', 'there is no random seed file on the ESP')
  })
}
