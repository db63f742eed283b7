/**
 * State shared by many boots, made once: a parsed image, a machine with its memory laid out. Prepared values
 * never change; every boot works on its own fork.
 */
import { madeOf, stays } from '../bytes/fixed-source.ts'
import { hex, sizeOf } from '../bytes/range.ts'
import type { ByteSource } from '../bytes/source.ts'
import { PHYS_END, type ByteCount, type FileOffset } from '../bytes/units.ts'
import { checkFaults } from '../firmware/faults.ts'
import type { Fault } from '../firmware/service-call.ts'
import { ramOf } from '../firmware/memory-map.ts'
import { firmwareNamed, nobodyNamed, type Firmware } from '../firmware/firmwares.ts'
import { recogniseLayout } from '../image/layouts/recognise.ts'
import { parsePe, type PeParse } from '../image/pe.ts'
import { viewUki, type UkiView } from '../image/uki.ts'
import type { BootLoaderPayload, BootLoaderModel } from '../boot-loader/model.ts'
import type { Assumption, Gap, Settings } from '../machine/machine.ts'
import { once } from '../bytes/once.ts'
import { UsageError } from '../bytes/errors.ts'
import type { MachineInput } from './machine.ts'
import { foreignImage, loaderInTheWay, machineDoubts, noMachine, shellAssumption } from './machine-doubts.ts'
import { mapBeforeLoad } from './map-before-load.ts'
import { toBootLoaderHandOff } from './run-boot-loader.ts'
import { HandedOver, StubEntry, toStubEntry } from './run.ts'
import { LaidOut, type RunContext } from './run-context.ts'
import { withoutFirmware } from './without-firmware.ts'

/** Per-boot input of a prepared machine. */
export interface BootOptions {
  /** Absent settings have the defaults of the table. */
  readonly settings?: Partial<Settings>
  /** LoadOptions of the boot entry. Default: none. */
  readonly loadOptions?: string | null
  /** Assumptions about the image, and gaps that make the verdict unknown. Default: none. */
  readonly assumptions?: readonly Assumption[]
  readonly doubts?: readonly Gap[]
  /** Boot services that fail; with a list, empty or not, the run has its `calls`. Default: none fail. */
  readonly faults?: readonly Fault[] | undefined
}

/**
 * An image whose headers are parsed once for any number of boots and candidates. It is also a source and can
 * be passed wherever its bytes can; the bytes must not change afterwards.
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

  /** The PE headers, or null, and their problems. */
  get parsed(): PeParse {
    return parsePe(this)
  }

  /** The sections by their UKI names; null if it is not a PE file. */
  get uki(): UkiView | null {
    const { pe } = this.parsed
    return pe === null ? null : viewUki(pe)
  }

  /** The tools that may have laid it out; null if it is not a PE file. */
  get builder(): ReturnType<typeof recogniseLayout> | null {
    return madeOf(this, builderOf)
  }
}

function builderOf(image: ByteSource): ReturnType<typeof recogniseLayout> | null {
  const { pe } = parsePe(image)
  return pe === null ? null : recogniseLayout(pe)
}

/** Prepares an image. Nothing is read before it is needed. A source that never changes is prepared once. */
export function prepareImage(source: ByteSource): PreparedImage {
  return source instanceof PreparedImage ? source : madeOf(source, newImage)
}

const newImage = (source: ByteSource): PreparedImage => new PreparedImage(source)

/** An image may have 4 GiB, and so may what its kernel takes from anywhere in it on. */
const IMAGE_ROOM = 2 ** 34

/** A machine with its memory laid out once, as the firmware leaves it. */
export class PreparedMachine {
  readonly input: MachineInput
  readonly firmware: Firmware | undefined
  /** Doubts about the machine, by who runs before the image. */
  readonly #doubts = new Map<string | null, readonly Gap[]>()
  /** Why nothing can be loaded on it, asked once. */
  readonly #noMachine = once(() => noMachine(this.input))
  /** Keyed by the size of the image to find in the map; 0 if none has to be found. */
  readonly #laidOut = new Map<number, { readonly machine: LaidOut; readonly assumptions: Assumption[] }>()
  #ramBytes: number | null = null
  /** The image that was loaded last: boots of it with the same options start there. */
  #loaded: {
    readonly image: PreparedImage
    readonly options: BootOptions
    readonly entry: StubEntry
  } | null = null

  /** Throws UsageError for an unknown firmware, and for an image base without room above it. */
  constructor(input: MachineInput) {
    const { firmware, imageBase } = input
    if (imageBase !== undefined && imageBase > PHYS_END - IMAGE_ROOM)
      throw new UsageError(
        `the image base ${hex(imageBase)} leaves no room below ${hex(PHYS_END)}, where ` +
          'physical memory ends, for an image and the kernel in it',
      )
    this.input = input
    this.firmware = typeof firmware === 'string' ? firmwareNamed(firmware) : firmware
  }

  /** Bytes of RAM. Throws UsageError when the map cannot be used. */
  get ramBytes(): number {
    this.#ramBytes ??= ramOf(this.input.map).reduce((sum, where) => sum + sizeOf(where), 0)
    return this.#ramBytes
  }

  /**
   * A machine with nothing loaded, for stages of your own: `machine.memory`, `machine.firmware`. Throws
   * UsageError when the map cannot be used, or was taken while an image was loaded.
   */
  fork(options: BootOptions = {}): RunContext {
    return this.#before(options, null)
  }

  #before(options: BootOptions, bootLoader: string | null): RunContext {
    if (this.input.taken === 'stub-entry')
      throw new UsageError('the map was taken at the entry of a stub, but no image was given')
    return this.#begin(0, options, bootLoader)
  }

  /**
   * The firmware loads the image. Throws UsageError when it is not a PE file, or when the map cannot be used
   * or does not show where the image was.
   */
  load(image: PreparedImage, options: BootOptions = {}): StubEntry {
    const { uki } = image
    if (uki === null) throw new UsageError(image.parsed.problems.at(-1)?.what ?? 'not a PE file')
    const last = this.#loaded
    if (last?.image === image && areAlike(last.options, options)) return last.entry
    const ctx = this.#begin(uki.pe.optional.SizeOfImage, options, null)
    const gap = this.#noMachine() ?? foreignImage(this.input, uki.pe.coff.Machine)
    if (gap !== null) return new StubEntry(ctx, { ended: { kind: 'unknown', gap } })
    const entry = toStubEntry(ctx, {
      source: image,
      uki,
      imageBase: this.input.imageBase,
      loadOptions: options.loadOptions ?? null,
    })
    this.#loaded = { image, options, entry }
    return entry
  }

  /** A boot loader starts a kernel, without a stub. Throws UsageError as `fork` does. */
  startBootLoader(
    bootLoader: BootLoaderModel,
    payload: BootLoaderPayload,
    options: BootOptions = {},
  ): HandedOver {
    const { input } = this
    const alone = bootLoader.withoutFirmware === true ? withoutFirmware(input) : input
    if (alone !== input) return new PreparedMachine(alone).startBootLoader(bootLoader, payload, options)
    const ctx = this.#before(options, bootLoader.id)
    const gap = this.#noMachine()
    return gap === null
      ? toBootLoaderHandOff(ctx, bootLoader, payload)
      : new HandedOver(ctx, { ended: { kind: 'unknown', gap } })
  }

  #begin(
    imageSize: number,
    { settings = {}, assumptions = [], doubts = [], faults }: BootOptions,
    bootLoader: string | null,
  ): RunContext {
    const { input, firmware } = this
    if (faults !== undefined) checkFaults(faults)
    const loader = loaderInTheWay(firmware, settings.shim ?? false, bootLoader)
    const laidOut = this.#layOut(imageSize)
    return laidOut.machine.begin({
      settings,
      assumptions: [
        ...assumptions,
        ...(input.assumptions ?? []),
        ...nobodyNamed(input),
        ...laidOut.assumptions,
        ...shellAssumption(input, settings.shell),
      ],
      doubts: [...doubts, ...(input.doubts ?? []), ...this.#doubtsWith(loader)],
      faults,
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

/** Are both options equal? Settings are compared one by one, lists entry by entry. */
function areAlike(one: BootOptions, other: BootOptions): boolean {
  const { settings = {}, assumptions = [], doubts = [], loadOptions = null } = one
  const { settings: settings2 = {}, assumptions: assumptions2 = [], doubts: doubts2 = [] } = other
  return (
    loadOptions === (other.loadOptions ?? null) &&
    one.faults === other.faults &&
    haveSame(Object.entries(settings).flat(), Object.entries(settings2).flat()) &&
    haveSame(assumptions, assumptions2) &&
    haveSame(doubts, doubts2)
  )
}

function haveSame(some: readonly unknown[], others: readonly unknown[]): boolean {
  return some.length === others.length && some.every((one, i) => one === others[i])
}

/**
 * Prepares a machine: memory is laid out for the first boot and forked afterwards. Throws UsageError for an
 * unknown firmware.
 */
export function prepareMachine(machine: MachineInput | PreparedMachine): PreparedMachine {
  return machine instanceof PreparedMachine ? machine : madeOf(machine, newMachine)
}

const newMachine = (input: MachineInput): PreparedMachine => new PreparedMachine(input)
