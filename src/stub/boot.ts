/** systemd-stub: the one procedure that calls the slots of an era in order (spec/ST-systemd-stub.md). */
import type { HandOff, StubModel } from '../machine/model.ts'
import type { BootPayload, StubContext, StubEra } from './model.ts'
import { kernelLength } from './steps/kernel-header.ts'
import { ownImage } from './steps/own-image.ts'

/** Makes a stub model of an era. */
export function stubModel(era: StubEra): StubModel {
  return { id: era.id, boot: (machine, self) => machine.as('stub', () => boot(era, { machine, self })) }
}

function boot(era: StubEra, entered: StubContext): HandOff {
  ownImage(entered)
  const pooled = { ...entered, poolType: era.pool(entered) }
  era.variables(pooled)
  const sections = era.locate(pooled, era.sectionTable(pooled))
  const kernel = era.kernel(pooled, sections)
  const ctx = { ...pooled, addons: era.addons(pooled, sections) }
  const commandLine = era.commandLine(ctx, sections)
  era.strings(ctx)
  const initrd = era.initrd(ctx, sections)
  era.deviceTree(ctx, sections)
  kernelLength(ctx, kernel)
  const payload = { kernel, commandLine, initrd }
  const method = era.entryMethod(ctx, kernel)
  return method.via === 'pe-entry'
    ? method.start(ctx, payload)
    : handOver(era, ctx, payload, method.sizeInMemory)
}

function handOver(
  era: StubEra,
  ctx: StubContext,
  { kernel, commandLine, initrd }: BootPayload,
  sizeInMemory: number,
): HandOff {
  const header = era.headerChecks(ctx, kernel)
  const image = era.placeKernel(ctx, kernel, sizeInMemory)
  const placed = era.placeInitrd(ctx, header, initrd)
  const bootParams = era.bootParams(ctx, kernel, header, image)
  if (commandLine !== null) era.placeCommandLine(ctx, header, bootParams, commandLine)
  const registered = era.passInitrd(ctx, bootParams, placed)
  const entry = era.entry(ctx, kernel, header, bootParams, image)
  ctx.machine.observe({ bootParams: bootParams.at })
  return {
    via: 'efi-handover',
    entry,
    image,
    bootParams: bootParams.at,
    payload: { object: kernel.object, source: kernel.source },
    ...(registered === null ? {} : { initrd: registered }),
    initrdObject: placed?.object ?? null,
    cmdlineObject: commandLine?.object ?? null,
  }
}
