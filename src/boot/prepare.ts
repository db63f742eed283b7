/**
 * What many boots share, made once: an image that is parsed, a machine that is laid out. Prepared values are
 * never changed; every boot works on a fork of its own.
 */
import { madeOf, stays } from '../bytes/fixed-source.ts'
import type { ByteSource } from '../bytes/source.ts'
import type { ByteCount, FileOffset } from '../bytes/units.ts'
import { firmwareNamed, nobodyNamed, type Firmware } from '../firmware/firmwares.ts'
import { recogniseLayout } from '../image/layouts/recognise.ts'
import { parsePe, type PeParse } from '../image/pe.ts'
import { viewUki, type UkiView } from '../image/uki.ts'
import type { BootLoaderCargo, BootLoaderModel } from '../boot-loader/model.ts'
import type { Assumption, Gap, Settings } from '../machine/machine.ts'
import { once } from '../bytes/once.ts'
import { UsageError } from '../bytes/errors.ts'
import type { MachineInput } from './machine.ts'
import { foreignImage, loaderInTheWay, machineDoubts, noMachine } from './machine-doubts.ts'
import { mapBeforeLoad } from './map-before-load.ts'
import { toBootLoaderHandOff } from './run-boot-loader.ts'
import { HandedOver, StubEntry, toStubEntry } from './run.ts'
import { LaidOut, type Stage } from './stage.ts'

/** What a boot brings to a prepared machine. */
export interface BootOptions {
  /** What is absent is as the table of settings says. */
  readonly settings?: Partial<Settings>
  /** LoadOptions of the boot entry. Default: there are none. */
  readonly loadOptions?: string | null
  /** Of the image: what was taken for granted, and what makes the verdict unknown. Default: nothing. */
  readonly assumptions?: readonly Assumption[]
  readonly doubts?: readonly Gap[]
}

/**
 * An image whose headers are parsed once, however many boots, questions and candidates there are. It is a
 * source, too, and goes wherever its bytes went; they must not change any more.
 */
export class PreparedImage implements ByteSource {
  readonly size: ByteCount
  readonly #source: ByteSource

  constructor(source: ByteSource) {
    this.#source = source
    this.size = source.size
    stays(this)
  }

  read(at: FileOffset, length: number): Uint8Array {
    return this.#source.read(at, length)
  }

  /** The PE headers, or null, and what is odd about them. */
  get parsed(): PeParse {
    return parsePe(this)
  }

  /** The sections under the names of a UKI; null when it is no PE file. */
  get uki(): UkiView | null {
    return madeOf(this, ukiIn)
  }

  /** Which tool may have laid it out; null when it is no PE file. */
  get builder(): ReturnType<typeof recogniseLayout> | null {
    return madeOf(this, builderOf)
  }
}

function ukiIn(image: ByteSource): UkiView | null {
  const { pe } = parsePe(image)
  if (pe === null) return null
  const uki = viewUki(pe)
  for (const { content } of uki.sections) stays(content)
  return uki
}

function builderOf(image: ByteSource): ReturnType<typeof recogniseLayout> | null {
  const uki = madeOf(image, ukiIn)
  return uki === null ? null : recogniseLayout(uki.pe, uki)
}

/** Prepares an image. Nothing is read before it is needed. */
export function prepareImage(source: ByteSource): PreparedImage {
  return source instanceof PreparedImage ? source : new PreparedImage(source)
}

/** A machine whose memory is laid out once, as its firmware leaves it. */
export class PreparedMachine {
  readonly input: MachineInput
  readonly firmware: Firmware | undefined
  /** Doubts about the machine, by who runs before the image. */
  readonly #doubts = new Map<string | null, readonly Gap[]>()
  /** Why nothing can be loaded on it, asked once. */
  readonly #noMachine = once(() => noMachine(this.input))
  /** By the size of the image that has to be found in the map; under 0 where none has to be. */
  readonly #laidOut = new Map<number, { readonly machine: LaidOut; readonly assumptions: Assumption[] }>()

  /** Throws UsageError for a firmware that nobody knows. */
  constructor(input: MachineInput) {
    const { firmware } = input
    this.input = input
    this.firmware = typeof firmware === 'string' ? firmwareNamed(firmware) : firmware
  }

  /**
   * A machine on which nothing is loaded, for stages of your own: `machine.memory`, `machine.firmware`. Throws
   * UsageError when the map cannot be used, or was taken while an image was loaded.
   */
  fork(options: BootOptions = {}): Stage {
    return this.#before(options, null)
  }

  #before(options: BootOptions, bootLoader: string | null): Stage {
    if (this.input.taken === 'stub-entry')
      throw new UsageError('the map was taken at the entry of a stub: which image it holds is not said')
    return this.#begin(0, options, bootLoader)
  }

  /**
   * The firmware loads the image. Throws UsageError when it is no PE file, or when the map cannot be used or
   * does not show where the image lay.
   */
  load(image: PreparedImage, options: BootOptions = {}): StubEntry {
    const { uki } = image
    if (uki === null) throw new UsageError(image.parsed.problems.at(-1)?.what ?? 'not a PE file')
    const stage = this.#begin(uki.pe.optional.SizeOfImage, options, null)
    const gap = this.#noMachine() ?? foreignImage(this.input, uki.pe.coff.Machine)
    if (gap !== null) return new StubEntry(stage, { ended: { kind: 'unknown', gap } })
    return toStubEntry(stage, {
      source: image,
      uki,
      imageBase: this.input.imageBase,
      loadOptions: options.loadOptions ?? null,
    })
  }

  /** A boot loader starts a kernel, without a stub. Throws UsageError as `fork` does. */
  startBootLoader(
    bootLoader: BootLoaderModel,
    cargo: BootLoaderCargo,
    options: BootOptions = {},
  ): HandedOver {
    const stage = this.#before(options, bootLoader.id)
    const gap = this.#noMachine()
    return gap === null
      ? toBootLoaderHandOff(stage, bootLoader, cargo)
      : new HandedOver(stage, { ended: { kind: 'unknown', gap } })
  }

  #begin(
    imageSize: number,
    { settings = {}, assumptions = [], doubts = [] }: BootOptions,
    bootLoader: string | null,
  ): Stage {
    const { input, firmware } = this
    const loader = loaderInTheWay(firmware, settings.shim ?? false, bootLoader)
    const laidOut = this.#layOut(imageSize)
    return laidOut.machine.begin({
      settings,
      assumptions: [
        ...assumptions,
        ...(input.assumptions ?? []),
        ...nobodyNamed(input),
        ...laidOut.assumptions,
      ],
      doubts: [...doubts, ...(input.doubts ?? []), ...this.#doubtsWith(loader)],
    })
  }

  #doubtsWith(loader: string | null): readonly Gap[] {
    const known = this.#doubts.get(loader) ?? machineDoubts(this.input, this.firmware, loader)
    this.#doubts.set(loader, known)
    return known
  }

  #layOut(imageSize: number): { readonly machine: LaidOut; readonly assumptions: Assumption[] } {
    const { input, firmware } = this
    const taken = input.taken ?? 'before-load'
    const key = taken === 'stub-entry' ? imageSize : 0
    const known = this.#laidOut.get(key)
    if (known !== undefined) return known
    const rewound = mapBeforeLoad(input.map, taken, imageSize, input.imageBase)
    const laidOut = {
      machine: new LaidOut({
        map: rewound.map,
        contents: input.contents ?? firmware?.contents ?? 'ovmf',
        firmware,
        pool: input.pool,
      }),
      assumptions: rewound.assumptions.map(what => ({ clause: 'FW-27' as const, what })),
    }
    this.#laidOut.set(key, laidOut)
    return laidOut
  }
}

/**
 * Prepares a machine: memory is laid out when the first boot needs it, and forked from then on. Throws
 * UsageError for a firmware that nobody knows.
 */
export function prepareMachine(machine: MachineInput | PreparedMachine): PreparedMachine {
  return machine instanceof PreparedMachine ? machine : new PreparedMachine(machine)
}
