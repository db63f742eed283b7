/** The kernel's setup header, read where the kernel lies, and the length that it states (chapter ST). */
import { ModelBug } from '../../bytes/errors.ts'
import { rangeAt } from '../../bytes/range.ts'
import type { Kernel, StubContext } from '../model.ts'
import { isKernel, SECTOR, SETUP_HEADER, type SetupHeader, setupSectors } from '../setup-header.ts'

/** The setup header as it lies in memory now. Bytes that are not modelled read as zero. */
export function readSetupHeader({ machine }: StubContext, kernel: Kernel): SetupHeader {
  const header = SETUP_HEADER.read(machine.memory.readRaw(rangeAt(kernel.at, SETUP_HEADER.size)))
  if (header === null) throw new ModelBug('setup header of another size')
  return header
}

/**
 * Tells memory how long the kernel file really is, so that a `.linux` that is cut short is noticed by who
 * reads all of it.
 */
export function kernelLength(ctx: StubContext, kernel: Kernel): void {
  ctx.machine.step('ST-45', 'the length that the kernel states', () => {
    const header = readSetupHeader(ctx, kernel)
    if (kernel.found && isKernel(header) && header.syssize > 0)
      ctx.machine.memory.declare(kernel.object, (setupSectors(header) + 1) * SECTOR + header.syssize * 16)
  })
}
