/** The kernel's setup header, read where the kernel lies, and the length that it states (chapter ST). */
import { SECTOR, setupSectors } from '../../image/x86/boot-params.ts'
import { setupHeader } from '../../machine/x86/zero-page.ts'
import type { StubContext, Kernel } from '../model.ts'
import { isKernel, type SetupHeader } from '../setup-header.ts'

/** The setup header as it lies in memory now. Bytes that are not modelled read as zero. */
export function readSetupHeader({ machine }: StubContext, kernel: Kernel): SetupHeader {
  return setupHeader(machine.memory, kernel.at, kernel.object).values()
}

/**
 * Tells memory how long the kernel file really is, so that a truncated `.linux` is noticed when all of it is
 * read.
 */
export function kernelLength(ctx: StubContext, kernel: Kernel): void {
  ctx.machine.step('ST-45', "the length stated in the kernel's header", () => {
    const header = readSetupHeader(ctx, kernel)
    if (kernel.found && isKernel(header) && header.syssize > 0)
      ctx.machine.memory.declare(kernel.object, (setupSectors(header) + 1) * SECTOR + header.syssize * 16)
  })
}
