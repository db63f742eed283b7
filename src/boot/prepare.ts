/**
 * What many boots share, made once: an image that is parsed, a machine that is laid out. Prepared values are
 * never changed; every boot works on a fork of its own.
 */
import { madeOf, stays } from '../bytes/fixed-source.ts'
import { hex } from '../bytes/range.ts'
import type { ByteSource } from '../bytes/source.ts'
import { PHYS_END, type ByteCount, type FileOffset } from '../bytes/units.ts'
import { firmwareNamed, nobodyNamed, type Firmware } from '../firmware/firmwares.ts'
import { recogniseLayout } from '../image/layouts/recognise.ts'
import { parsePe, type PeParse } from '../image/pe.ts'
import { viewUki, type UkiView } from '../image/uki.ts'
import type { BootLoaderCargo, BootLoaderModel } from '../boot-loader/model.ts'
import type { Assumption, Gap, Settings } from '../machine/machine.ts'
import { UsageError } from '../bytes/errors.ts'
import type { MachineInput } from './machine.ts'
import { mapBeforeLoad } from './map-before-load.ts'
import { toBootLoaderHandOff } from './run-boot-loader.ts'
import { toStubEntry, type HandedOver, type StubEntry } from './run.ts'
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
    const { pe } = this.parsed
    return pe === null ? null : viewUki(pe)
  }

  /** Which tool may have laid it out; null when it is no PE file. */
  get builder(): ReturnType<typeof recogniseLayout> | null {
    return madeOf(this, builderOf)
  }
}

function builderOf(image: ByteSource): ReturnType<typeof recogniseLayout> | null {
  const { pe } = parsePe(image)
  return pe === null ? null : recogniseLayout(pe)
}

/** Prepares an image. Nothing is read before it is needed. */
export function prepareImage(source: ByteSource): PreparedImage {
  return source instanceof PreparedImage ? source : new PreparedImage(source)
}

/** An image may have 4 GiB, and so may what its kernel takes from anywhere in it on. */
const IMAGE_ROOM = 2 ** 34

/** A machine whose memory is laid out once, as its firmware leaves it. */
export class PreparedMachine {
  readonly input: MachineInput
  readonly firmware: Firmware | undefined
  /** By the size of the image that has to be found in the map; under 0 where none has to be. */
  readonly #laidOut = new Map<number, { readonly machine: LaidOut; readonly assumptions: Assumption[] }>()

  /** Throws UsageError for a firmware that nobody knows, and for an image base without room above it. */
  constructor(input: MachineInput) {
    const { firmware, imageBase } = input
    if (imageBase !== undefined && imageBase > PHYS_END - IMAGE_ROOM)
      throw new UsageError(
        `the image base ${hex(imageBase)} leaves no room below ${hex(PHYS_END)}, where physical memory ends, for an image and the kernel in it`,
      )
    this.input = input
    this.firmware = typeof firmware === 'string' ? firmwareNamed(firmware) : firmware
  }

  /**
   * A machine on which nothing is loaded, for stages of your own: `machine.memory`, `machine.firmware`. Throws
   * UsageError when the map cannot be used, or was taken while an image was loaded.
   */
  fork(options: BootOptions = {}): Stage {
    if (this.input.taken === 'stub-entry')
      throw new UsageError('the map was taken at the entry of a stub: which image it holds is not said')
    return this.#begin(0, options)
  }

  /**
   * The firmware loads the image. Throws UsageError when it is no PE file, or when the map cannot be used or
   * does not show where the image lay.
   */
  load(image: PreparedImage, options: BootOptions = {}): StubEntry {
    const { uki } = image
    if (uki === null) throw new UsageError(image.parsed.problems.at(-1)?.what ?? 'not a PE file')
    return toStubEntry(this.#begin(uki.pe.optional.SizeOfImage, options), {
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
    return toBootLoaderHandOff(this.fork(options), bootLoader, cargo)
  }

  #begin(imageSize: number, { settings = {}, assumptions = [], doubts = [] }: BootOptions): Stage {
    const { input } = this
    const laidOut = this.#layOut(imageSize)
    return laidOut.machine.begin({
      settings,
      assumptions: [
        ...assumptions,
        ...(input.assumptions ?? []),
        ...nobodyNamed(input),
        ...laidOut.assumptions,
      ],
      doubts: [...doubts, ...(input.doubts ?? [])],
    })
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
