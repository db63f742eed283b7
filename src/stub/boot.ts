/** systemd-stub: the one procedure that calls the slots of an era in order (spec/ST-systemd-stub.md). */
import type { HandOff, StubModel } from '../machine/model.ts'
import type { Booting, Cargo, StubEra } from './model.ts'
import { kernelLength } from './steps/kernel-header.ts'
import { ownImage } from './steps/own-image.ts'

/** Makes a model of a row. */
export function stubModel(era: StubEra): StubModel {
  return { id: era.id, boot: (machine, self) => machine.as('stub', () => boot(era, { machine, self })) }
}

function boot(era: StubEra, entered: Booting): HandOff {
  ownImage(entered)
  const pooled = { ...entered, poolType: era.pool(entered) }
  era.variables(pooled)
  const located = era.locate(pooled, era.sectionTable(pooled))
  const kernel = era.kernel(pooled, located)
  const on = { ...pooled, addons: era.addons(pooled, located) }
  const commandLine = era.commandLine(on, located)
  era.strings(on)
  const initrd = era.initrd(on, located)
  era.deviceTree(on, located)
  kernelLength(on, kernel)
  const cargo = { kernel, commandLine, initrd }
  const door = era.door(on, kernel)
  return door.via === 'pe-entry' ? door.start(on, cargo) : handOver(era, on, cargo, door.sizeInMemory)
}

function handOver(
  era: StubEra,
  on: Booting,
  { kernel, commandLine, initrd }: Cargo,
  sizeInMemory: number,
): HandOff {
  const header = era.headerChecks(on, kernel)
  const image = era.placeKernel(on, kernel, sizeInMemory)
  const placed = era.placeInitrd(on, header, initrd)
  const bootParams = era.bootParams(on, kernel, header, image)
  if (commandLine !== null) era.placeCommandLine(on, header, bootParams, commandLine)
  const offer = era.passInitrd(on, bootParams, placed)
  const entry = era.entry(on, kernel, header, bootParams, image)
  on.machine.observe({ bootParams: bootParams.at })
  return {
    via: 'efi-handover',
    entry,
    image,
    bootParams: bootParams.at,
    payload: { object: kernel.object, source: kernel.source },
    ...(offer === null ? {} : { initrd: offer }),
    initrdObject: placed?.object ?? null,
    cmdlineObject: commandLine?.object ?? null,
  }
}
