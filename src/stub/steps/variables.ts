/** Slot variables: allocations left from reading firmware variables (chapter ST). */
import { EfiLoaderData } from '../../image/memory-types.ts'
import type { StubBehaviour } from '../behaviour.ts'
import type { StubContext } from '../model.ts'

/** sizeof(CHAR16 *) * EFI_MAXIMUM_VARIABLE_SIZE (gnu-efi: 1024). */
const VARIABLE_BUFFER = 8 * 1024

/** Reads SecureBoot, and a random seed if the release looks for one. */
export function readVariables({
  secureBoot,
  randomSeed,
}: StubBehaviour['variables']): (ctx: StubContext) => void {
  if (secureBoot === 'sized')
    return ctx => {
      readSizedVariables(ctx, randomSeed)
    }
  return ctx => {
    if (randomSeed)
      ctx.machine.step('ST-90', 'process_random_seed looks for a random seed', () => {
        assumeNoSeed(ctx)
      })
    if (secureBoot === 'kept') keepVariableBuffer(ctx)
    else freeVariableBuffer(ctx)
  }
}

function assumeNoSeed({ machine }: StubContext): void {
  machine.assume('ST-90', 'there is no random seed file on the ESP')
}

/** One pool buffer of 8 KiB for the value of SecureBoot, kept until the kernel runs. */
function keepVariableBuffer({ machine }: StubContext): void {
  machine.step('ST-4', 'efivar_get_raw reads the variable SecureBoot', () => {
    machine.assume('ST-4', 'the firmware has the variable SecureBoot')
    machine.firmware.allocatePool(EfiLoaderData, VARIABLE_BUFFER, 'stub:SecureBoot')
  })
}

/** One pool buffer of 8 KiB for the value of SecureBoot, freed after use. */
function freeVariableBuffer({ machine, poolType = EfiLoaderData }: StubContext): void {
  machine.step('ST-80', 'efivar_get_raw reads the variable SecureBoot', () => {
    const got = machine.firmware.allocatePool(poolType, VARIABLE_BUFFER, 'stub:SecureBoot')
    if (got.status === 'EFI_SUCCESS') machine.firmware.freePool(got.at)
  })
}

/** Buffers of the variables' own size, each freed at once. */
function readSizedVariables(ctx: StubContext, randomSeed: boolean): void {
  ctx.machine.step('ST-5', 'efivar_get_raw reads variables', () => {
    if (randomSeed) assumeNoSeed(ctx)
  })
}
