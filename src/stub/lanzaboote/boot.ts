/** lanzaboote's stub: the one procedure that calls the slots of an era in order (spec/LZ-lanzaboote.md). */
import type { Machine } from '../../machine/machine.ts'
import type { HandOff, LoadedImage, StubModel } from '../../machine/model.ts'
import { kernelLength } from '../steps/kernel-header.ts'
import { ownImage } from '../steps/own-image.ts'
import type { EspFiles, LanzabooteContext, LanzabooteEra } from './model.ts'

/** Makes a stub model of an era. */
export function lanzabooteModel(era: LanzabooteEra, esp: EspFiles): StubModel {
  return {
    id: era.id,
    boot: (machine: Machine, self: LoadedImage) =>
      machine.as('stub', () => boot(era, { machine, self, esp })),
  }
}

function boot(era: LanzabooteEra, ctx: LanzabooteContext): HandOff {
  ownImage(ctx)
  const configuration = era.configuration(ctx)
  const held = era.payload(ctx, configuration)
  kernelLength(ctx, held.kernel)
  const start = era.trust(ctx, configuration)
  const line = era.commandLine(ctx, configuration)
  const initrd = era.initrd(ctx, held.initrd)
  return era.handOff(ctx, { ...held, initrd }, line, start)
}
