/** lanzaboote's stub: the one procedure that calls the slots of an era in order (spec/LZ-lanzaboote.md). */
import type { Machine } from '../../machine/machine.ts'
import type { HandOff, LoadedImage, StubModel } from '../../machine/model.ts'
import { kernelLength } from '../steps/kernel-header.ts'
import { ownImage } from '../steps/own-image.ts'
import type { EspFiles, LanzabooteEra, LanzaBooting } from './model.ts'

/** Makes a model of a row. */
export function lanzabooteModel(era: LanzabooteEra, esp: EspFiles): StubModel {
  return {
    id: era.id,
    boot: (machine: Machine, self: LoadedImage) =>
      machine.as('stub', () => boot(era, { machine, self, esp })),
  }
}

function boot(era: LanzabooteEra, on: LanzaBooting): HandOff {
  ownImage(on)
  const configuration = era.configuration(on)
  const held = era.payload(on, configuration)
  kernelLength(on, held.kernel)
  const start = era.trust(on, configuration)
  const line = era.commandLine(on, configuration)
  const initrd = era.initrd(on, held.initrd)
  return era.handOff(on, { ...held, initrd }, line, start)
}
