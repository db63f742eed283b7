/**
 * One boot, in parts: the firmware loads the UKI, the stub runs up to the hand-off, the kernel runs from
 * there until it arrives. Each part forks the state left by the one before, so that one serves many of the
 * next.
 */
import { rangeOrNull } from '../bytes/range.ts'
import type { ByteSource } from '../bytes/source.ts'
import { add, byteCount, type Phys } from '../bytes/units.ts'
import type { LoadedImage } from '../firmware/services.ts'
import { missingBytes } from '../image/missing-bytes.ts'
import type { UkiView } from '../image/uki.ts'
import { INITRD_FILES, statedLength } from '../kernel/kernels.ts'
import type { Gap, Machine, Outcome, Settings } from '../machine/machine.ts'
import type { HandOff, KernelModel, Payload, SectionFact, StubModel } from '../machine/model.ts'
import type { Memory } from '../memory/memory.ts'
import { assumeSigned, judgeShim } from './secure-boot.ts'
import { lookAhead } from './look-ahead.ts'
import { judgeSlots } from './slots.ts'
import { LaidOut, type Reached, type Run, type RunContext, type MachineConfig } from './run-context.ts'

export type { Run } from './run-context.ts'

/** The image to load, and how. */
export interface Loading {
  readonly source: ByteSource
  readonly uki: UkiView
  /** Observed load address; the allocator decides when absent. */
  readonly imageBase?: Phys | undefined
  /** LoadOptions of the boot entry, or null. */
  readonly loadOptions: string | null
}

/** Input of one boot. */
export interface BootConfig extends MachineConfig, Loading {
  /** The stub's model, or why there is none. */
  readonly stub: StubModel | Gap
  /** Chooses the kernel's model by what the stub found, or returns why there is none. */
  readonly kernel: (payload: Payload) => KernelModel | Gap
}

/** Runs one boot. Guest faults end up in the outcome; only a ModelBug is thrown. */
export function run(setup: BootConfig): Run {
  return toStubEntry(new LaidOut(setup).begin(setup), setup).boot(setup.stub).choose(setup.kernel)
}

/** The image is loaded and its stub is about to run; or the firmware refused it. */
export class StubEntry {
  readonly #ctx: RunContext
  readonly #reached: Reached<LoadedImage>
  /** The hand-off that was asked for last by `bootAgain`. */
  #last: { readonly stub: StubModel; readonly handedOver: HandedOver } | null = null

  constructor(ctx: RunContext, reached: Reached<LoadedImage>) {
    this.#ctx = ctx
    this.#reached = reached
  }

  /** The run, if the firmware refused the image; null if the stub is about to run. */
  get ended(): Run | null {
    const { ended } = this.#reached
    return ended === null ? null : this.#ctx.ended(ended)
  }

  /** Runs this stub on a fork; the next one starts from the same entry. A gap ends the run as unknown. */
  boot(stub: StubModel | Gap): HandedOver {
    const reached = this.#reached
    if (reached.ended !== null) return new HandedOver(this.#ctx, reached)
    if ('why' in stub) return new HandedOver(this.#ctx, { ended: { kind: 'unknown', gap: stub } })
    const ctx = this.#ctx.fork()
    const { machine } = ctx
    return handedOver(ctx, () => {
      const handOff = machine.as('stub', () => stub.boot(machine, reached.value))
      judgeShim(machine, ctx.loader, handOff)
      return handOff
    })
  }

  /**
   * The same for a stub that does the same every time, as those of the tables do: if it was the last one, its
   * hand-off is there already.
   */
  bootAgain(stub: StubModel | Gap): HandedOver {
    if ('why' in stub) return this.boot(stub)
    if (this.#last?.stub !== stub) this.#last = { stub, handedOver: this.boot(stub) }
    return this.#last.handedOver
  }
}

/** The kernel is about to run at its entry; or the run ended before. */
export class HandedOver {
  readonly #ctx: RunContext
  readonly #reached: Reached<HandOff>

  constructor(ctx: RunContext, reached: Reached<HandOff>) {
    this.#ctx = ctx
    this.#reached = reached
  }

  /** The run, when it ended before the kernel; null when the kernel is about to run. */
  get ended(): Run | null {
    const { ended } = this.#reached
    return ended === null ? null : this.#ctx.ended(ended)
  }

  /** The payload handed to the kernel; null if the run ended before. */
  get handOff(): HandOff | null {
    return this.#reached.ended === null ? this.#reached.value : null
  }

  /**
   * Runs this kernel on a fork; the next one starts from the same hand-off. A gap ends the run as unknown.
   */
  start(kernel: KernelModel | Gap): Run {
    const reached = this.#reached
    if (reached.ended !== null) return this.#ctx.ended(reached.ended)
    if ('why' in kernel) return this.#ctx.ended({ kind: 'unknown', gap: kernel })
    const ctx = this.#ctx.fork()
    const arrived = ctx.attempt((): Outcome => arrive(ctx, kernel, reached.value))
    judgeSlots(ctx.machine, ctx.notes.facts.kernelSlots, ctx.recording)
    return ctx.ended(arrived.ended ?? arrived.value)
  }

  /** The same, choosing the kernel by what is handed over; nothing is chosen when the run ended before. */
  choose(kernel: BootConfig['kernel']): Run {
    const reached = this.#reached
    return reached.ended === null ? this.start(kernel(reached.value.payload)) : this.#ctx.ended(reached.ended)
  }
}

/** The firmware loads the image in this context, which from then on belongs to the entry. */
export function toStubEntry(ctx: RunContext, loading: Loading): StubEntry {
  const { machine } = ctx
  const reached = ctx.attempt(() => {
    const loaded = machine.as('firmware', () => load(machine, loading))
    machine.observe({
      imageBase: loaded.base,
      sections: sectionFacts(machine.memory, loaded, loading.uki),
    })
    return loaded
  })
  if (reached.ended === null) ctx.takeSnapshot('stub-entry')
  return new StubEntry(ctx, reached)
}

/** Runs a stub or boot loader in this context, which from then on belongs to the hand-off. */
export function handedOver(ctx: RunContext, body: () => HandOff): HandedOver {
  const reached = ctx.attempt(body)
  if (reached.ended !== null) return new HandedOver(ctx, reached)
  const { value } = reached
  const kernelImage = value.via === 'pe-entry' ? value.loaded.base : value.image
  ctx.machine.observe({ handOff: { entryMethod: value.via, kernelImage, entry: value.entry } })
  ctx.takeSnapshot('hand-off')
  return new HandedOver(ctx, reached)
}

/** The kernel, from its entry point on. */
function arrive(ctx: RunContext, kernel: KernelModel, handOff: HandOff): Outcome {
  const { machine, notes } = ctx
  const at = machine.as('efi-stub', () => kernel.start(machine, handOff))
  ctx.takeSnapshot('arrival')
  machine.as('kernel', () => {
    lookAhead(
      machine,
      handOff.initrdObject ?? (machine.memory.partsOf(INITRD_FILES) === undefined ? null : INITRD_FILES),
      notes.facts,
    )
  })
  return { kind: 'arrived', at }
}

function load(machine: Machine, { source, uki, imageBase, loadOptions }: Loading): LoadedImage {
  const owners = new Map(uki.sections.map(({ section, object }) => [section.index, object]))
  const result = machine.step('PE-1', 'the firmware loads the UKI', () =>
    machine.firmware.loadImage({
      from: { kind: 'file', source },
      name: 'uki',
      ownerOf: section => ({ object: owners.get(section.index) ?? 'uki', at: 0 }),
      missing: missingBytes(uki, statedLength),
      pinned: imageBase,
    }),
  )
  assumeSigned(machine, uki.pe)
  if (result.image === null) return machine.refuse(result.clause, result.status, result.why, result.message)
  const text = loadOptions ?? shellLine(machine.settings)
  if (text === null) return result.image
  return {
    ...result.image,
    loadOptions: { at: null, bytes: byteCount(2 * (text.length + 1)), text, object: 'load-options' },
  }
}

/** The EFI shell passes the whole command, the image's own name first. */
function shellLine({ shell }: Settings): string | null {
  return shell === undefined ? null : ['\\EFI\\BOOT\\BOOTX64.EFI', ...shell].join(' ')
}

/** Address of every section at the stub's entry, and whether it is intact. */
function sectionFacts(memory: Memory, image: LoadedImage, uki: UkiView): SectionFact[] {
  return uki.sections.map(({ section, object }) => {
    const size = section.VirtualSize === 0 ? section.SizeOfRawData : section.VirtualSize
    const address = add(image.base, section.VirtualAddress)
    const where = rangeOrNull(address, size)
    let own = 0
    for (const { range, whose } of where === null ? [] : memory.extents(where)) {
      if (whose?.object !== object || whose.at !== range.start - address) break
      own += range.end - range.start
    }
    return { name: section.name, address, size, intact: own === size }
  })
}
