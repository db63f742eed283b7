/**
 * A bench for kernels: a machine with a memory map, a kernel that lies in it, and a hand-off made by hand.
 */
import { rangeAt, type Range } from '../../src/bytes/range.ts'
import type { ByteSource } from '../../src/bytes/source.ts'
import { alignUp, byteCount, fileOffset, PAGE, phys } from '../../src/bytes/units.ts'
import { parseBzImage, type BzImage } from '../../src/image/x86/bzimage.ts'
import {
  boot_e820_entry,
  boot_params,
  SETUP_HEADER_AT,
  setup_header,
  setupHeaderAt,
  type SetupHeaderField,
} from '../../src/image/x86/boot-params.ts'
import {
  EfiConventionalMemory,
  EfiLoaderCode,
  EfiLoaderData,
  type MemoryDescriptor,
} from '../../src/image/memory-types.ts'
import { buildKernel } from '../../src/image/synthetic.ts'
import { contentSource } from '../../src/image/content.ts'
import type { KernelShape } from '../../src/kernel/x86/behaviour.ts'
import type { BootServices } from '../../src/firmware/services.ts'
import { kernelEras, kernelModel, type KernelEra } from '../../src/kernel/kernels.ts'
import type { PayloadReader } from '../../src/kernel/payload.ts'
import {
  createMachine,
  Stop,
  type Machine,
  type Notes,
  type Outcome,
  type Settings,
} from '../../src/machine/machine.ts'
import type { HandOff, RegisteredInitrd } from '../../src/machine/model.ts'
import type { MemoryEvent } from '../../src/memory/event.ts'
import { GARBAGE } from '../../src/memory/extent.ts'
import { Memory } from '../../src/memory/memory.ts'
import { Recorder } from '../../src/memory/recorder.ts'
import { plainFirmware } from './plain-firmware.ts'
import { factsOf } from './facts.ts'

export interface Kernel {
  readonly source: ByteSource
  readonly image: BzImage
}

/** A kernel by its name in kernel-facts.ts. */
export function kernelNamed(name: string): Kernel {
  return kernelOf(buildKernel(factsOf(name)))
}

export function kernelOf(source: ByteSource): Kernel {
  const { bzimage } = parseBzImage(source)
  if (bzimage === null) throw new Error('no bzImage')
  return { source, image: bzimage }
}

/** Measured files, oldest first, and what they look like; no file of shape `window` was measured. */
const SAMPLES: Readonly<Record<KernelShape, string>> = {
  'bss-section': 'derived-5.6',
  'window-fixed-entry': 'debian-5.10.223-cloud',
  window: 'debian-5.10.223-cloud',
  tight: 'debian-6.1.170-cloud',
  'tight-3': 'debian-7.2.13-cloud',
}

/** Every era of linux with a kernel whose file looks as those of the era do. */
export function everyEra(): (readonly [era: string, kernel: Kernel])[] {
  return kernelEras.map(({ id, shapes }) => {
    const shape = shapes.at(-1)
    return [id, kernelNamed(shape === undefined ? 'derived-5.7-rc1' : SAMPLES[shape])] as const
  })
}

export function eraNamed(id: string): KernelEra {
  const era = kernelEras.find(row => row.id === id)
  if (era === undefined) throw new Error(`no era ${id}`)
  return era
}

export const descriptor = (
  type: number,
  start: number,
  length: number,
  attribute = 0xfn,
): MemoryDescriptor => ({ type, range: rangeAt(start, length), attribute })
export const free = (start: number, length: number): MemoryDescriptor =>
  descriptor(EfiConventionalMemory, start, length)

/** 512 MiB, with pref_address taken and the image of a UKI at 0x18000000. */
export const SMALL_MAP: readonly MemoryDescriptor[] = [
  free(0x1000, 0x9f000),
  descriptor(4, 0x900000, 0xc00000),
  free(0x1500000, 0x16b00000),
  descriptor(EfiLoaderCode, 0x18000000, 0x4000000),
  free(0x1c000000, 0x2000000),
  descriptor(EfiLoaderData, 0x1e000000, 0x10000),
]
/** The first multiple of 2 MiB in free memory from pref_address on: where a kernel that is moved goes. */
export const FIRST_SLOT = 0x1600000
/** The end of the highest free memory: what is taken from the top ends here. */
export const FREE_END = 0x1e000000
export const BOOT_PARAMS = 0x1e000000
export const COMMAND_LINE = 0x1e002000
export const LOAD_OPTIONS = 0x1e003000
export const POOL = 0x1e004000
/** F of a hand-off whose kernel somebody else puts there. */
const ELSEWHERE = 0

export interface BenchOptions {
  readonly map?: readonly MemoryDescriptor[]
  readonly kaslr?: Settings['kaslr']
  readonly arena?: number | null
  readonly ceiling?: number
  readonly la57?: boolean
}

export interface Bench {
  readonly machine: Machine
  readonly memory: Memory
  readonly recorder: Recorder
  readonly notes: Notes
}

/** The same bench, with some of its boot services replaced. */
export function withServices(on: Bench, change: (firmware: BootServices) => Partial<BootServices>): Bench {
  const { firmware } = on.machine
  return { ...on, machine: { ...on.machine, firmware: { ...firmware, ...change(firmware) } } }
}

/**
 * RAM wherever the map has an entry below the device hole, all of it garbage; what is not free is allocated.
 */
export function bench({
  map = SMALL_MAP,
  kaslr = 'off',
  arena = POOL,
  ceiling,
  la57 = false,
}: BenchOptions = {}): Bench {
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  for (const { type, range } of map) {
    if (type === 11 || range.start === 0xb0000000) continue
    memory.ram(range, GARBAGE)
    if (type !== EfiConventionalMemory) memory.claim(range, `map:${String(type)}`)
  }
  const notes: Notes = { assumptions: [], doubts: [], facts: {} }
  const firmware = plainFirmware(memory, map, arena, ceiling)
  return {
    machine: createMachine(recorder, memory, firmware, { secureBoot: false, kaslr, la57 }, notes),
    memory,
    recorder,
    notes,
  }
}

/**
 * The same firmware with forty more descriptors, of device memory that nobody uses: more than the first
 * buffer of a kernel before 6.1 holds.
 */
export function manyDescriptors(firmware: Bench['machine']['firmware']): Bench['machine']['firmware'] {
  const devices = Array.from({ length: 40 }, (_, i) => descriptor(11, 0xd0000000 + i * 0x200000, 0x100000))
  return { ...firmware, memoryMap: () => [...firmware.memoryMap(), ...devices] }
}

/** An initrd in memory. */
export interface InitrdAt {
  readonly at: number
  readonly size: number
}

export interface HandoverOptions {
  readonly kernel: Kernel
  /** F. */
  readonly image: number
  readonly initrd?: InitrdAt | null
  readonly commandLine?: string | null
  readonly bootParams?: number
  readonly commandLineAt?: number
  /** Header fields to set after the copy. */
  readonly header?: Partial<Record<SetupHeaderField, number | bigint>>
  /** Bytes of boot_params to set, by offset. */
  readonly bytes?: Readonly<Record<number, number>>
}

/**
 * What a handover stub would do: the kernel flat at `image`, the zero page with its header, initrd and
 * command line.
 */
export function handover({ memory, recorder }: Bench, options: HandoverOptions): HandOff {
  const {
    kernel,
    image,
    initrd = null,
    commandLine = 'nokaslr quiet',
    bootParams = BOOT_PARAMS,
    commandLineAt = COMMAND_LINE,
  } = options
  recorder.as('stub', () => {
    if (image !== ELSEWHERE)
      memory.put(phys(image), { source: kernel.source, at: 0, length: kernel.source.size }, 'kernel')
    if (initrd !== null)
      memory.put(
        phys(initrd.at),
        { source: contentSource({ initrd: initrd.size }), at: 0, length: initrd.size },
        'initrd',
      )
    const text = new TextEncoder().encode(`${commandLine ?? ''}\0`)
    memory.patch(phys(commandLineAt), text, 'cmdline')
    memory.zero(rangeAt(bootParams, PAGE), 'boot_params')
    memory.patch(
      phys(bootParams + SETUP_HEADER_AT),
      kernel.source.read(fileOffset(SETUP_HEADER_AT), setup_header.size),
      'boot_params',
      SETUP_HEADER_AT,
    )
    const fields = {
      type_of_loader: 0xff,
      ramdisk_image: (initrd?.at ?? 0) % 2 ** 32,
      ramdisk_size: initrd?.size ?? 0,
      cmd_line_ptr: commandLine === null ? 0 : commandLineAt,
      ...options.header,
    }
    for (const [name, value] of Object.entries(fields)) {
      const field = name as SetupHeaderField
      memory.patch(
        phys(bootParams + setupHeaderAt(field)),
        setup_header.encode(field, value),
        'boot_params',
        setupHeaderAt(field),
      )
    }
    for (const [at, byte] of Object.entries(options.bytes ?? {}))
      memory.patch(phys(bootParams + Number(at)), Uint8Array.of(byte), 'boot_params', Number(at))
  })
  return {
    via: 'efi-handover',
    image: phys(image),
    entry: phys(image + (kernel.image.handover64 ?? 0)),
    bootParams: phys(bootParams),
    payload: { object: 'kernel', source: kernel.source },
    initrdObject: initrd === null ? null : 'initrd',
    cmdlineObject: commandLine === null ? null : 'cmdline',
  }
}

export interface LegacyOptions extends Omit<HandoverOptions, 'image'> {
  /** L. */
  readonly at: number
  readonly via?: 'legacy-32' | 'legacy-64'
  /** RAM in e820; default: what the map has free. */
  readonly ram?: readonly Range[]
}

/**
 * What a loader of the boot protocol would do: everything after the setup block at L, the zero page, e820.
 */
export function legacy(on: Bench, { at, via = 'legacy-64', ram, ...options }: LegacyOptions): HandOff {
  const { memory, recorder, machine } = on
  const { kernel } = options
  const image = at - kernel.image.setupSize
  const from = handover(on, { ...options, image: ELSEWHERE })
  if (from.via !== 'efi-handover') throw new Error('no handover')
  const regions =
    ram ??
    machine.firmware.memoryMap().flatMap(entry => (entry.type === EfiConventionalMemory ? [entry.range] : []))
  recorder.as('loader', () => {
    memory.put(
      phys(at),
      {
        source: kernel.source,
        at: kernel.image.setupSize,
        length: kernel.image.fileSize - kernel.image.setupSize,
      },
      'kernel',
      kernel.image.setupSize,
    )
    memory.patch(
      phys(from.bootParams + boot_params.fields.e820_entries[0]),
      Uint8Array.of(regions.length),
      'boot_params',
      boot_params.fields.e820_entries[0],
    )
    regions.forEach(({ start, end }, i) => {
      const offset = boot_params.fields.e820_table[0] + 20 * i
      memory.patch(
        phys(from.bootParams + offset),
        boot_e820_entry.write({ addr: BigInt(start), size: BigInt(end - start), type: 1 }),
        'boot_params',
        offset,
      )
    })
  })
  return { ...from, via, image: phys(image), entry: phys(at + (via === 'legacy-64' ? 0x200 : 0)) }
}

export interface PeEntryOptions {
  readonly kernel: Kernel
  readonly image: number
  readonly initrd?: InitrdAt | null
  readonly commandLine?: string | null
  /** Does the loader zero what the file does not have? Default: yes. */
  readonly zeroTail?: boolean
  /** Is only the text of LoadOptions known? */
  readonly textOnly?: boolean
}

function utf16(text: string): Uint8Array {
  return new Uint8Array(Uint16Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)).buffer)
}

/** What LoadImage and a stub with LoadFile2 would do. */
export function peEntry({ memory, recorder }: Bench, options: PeEntryOptions): HandOff {
  const {
    kernel,
    image,
    initrd = null,
    commandLine = 'nokaslr quiet',
    zeroTail = true,
    textOnly = false,
  } = options
  const { pe } = kernel.image
  if (pe === null) throw new Error('no PE')
  const size = pe.optional.SizeOfImage
  const pages: Range = rangeAt(image, alignUp(size, PAGE))
  const encoded = utf16(`${commandLine ?? ''}\0`)
  recorder.as('firmware', () => {
    memory.claim(pages, 'kernel')
    memory.put(phys(image), { source: kernel.source, at: 0, length: kernel.source.size }, 'kernel')
    if (zeroTail)
      memory.zero(
        rangeAt(image + kernel.source.size, size - kernel.source.size),
        'kernel',
        kernel.source.size,
      )
    if (initrd !== null)
      memory.put(
        phys(initrd.at),
        { source: contentSource({ initrd: initrd.size }), at: 0, length: initrd.size },
        'initrd',
      )
    if (!textOnly) memory.patch(phys(LOAD_OPTIONS), encoded, 'load-options')
  })
  const offer: RegisteredInitrd | null =
    initrd === null ? null : { at: phys(initrd.at), size: initrd.size, object: 'initrd' }
  const loadOptions =
    commandLine === null
      ? null
      : {
          at: textOnly ? null : phys(LOAD_OPTIONS),
          bytes: byteCount(encoded.length),
          text: commandLine,
          object: 'load-options',
        }
  return {
    via: 'pe-entry',
    entry: phys(image + pe.optional.AddressOfEntryPoint),
    payload: { object: 'kernel', source: kernel.source },
    initrdObject: initrd === null ? null : 'initrd',
    cmdlineObject: commandLine === null ? null : 'cmdline',
    loaded: {
      name: 'kernel',
      base: phys(image),
      size: byteCount(size),
      pages,
      pe,
      entry: phys(image + pe.optional.AddressOfEntryPoint),
      loadOptions,
    },
    initrd: offer,
  }
}

/** Starts a kernel of an era and says how the run ended. With a reader its payload is decompressed. */
export function start(
  { machine }: Bench,
  era: string | KernelEra,
  from: HandOff,
  read: PayloadReader | null = null,
): Outcome {
  try {
    return {
      kind: 'arrived',
      at: kernelModel(typeof era === 'string' ? eraNamed(era) : era, read).start(machine, from),
    }
  } catch (stop) {
    if (stop instanceof Stop) return stop.outcome
    throw stop
  }
}

/** The events of one kind under steps of a clause. */
export function eventsOf<Op extends MemoryEvent['op']>(
  { recorder }: Bench,
  clause: string,
  op: Op,
): (MemoryEvent & { readonly op: Op })[] {
  const found: (MemoryEvent & { readonly op: Op })[] = []
  for (const event of recorder.events) {
    if (event.op === op && event.step !== null && recorder.steps[event.step]?.clause === clause)
      found.push(event as MemoryEvent & { readonly op: Op })
  }
  return found
}

/** Which clauses steps ran under, in order. */
export function clausesOf({ recorder }: Bench): string[] {
  return recorder.steps.map(step => step.clause)
}

export function contractsOf({ recorder }: Bench): { clause: string; kept: boolean }[] {
  return recorder.events.flatMap(event =>
    event.op === 'contract' ? [{ clause: event.clause, kept: event.kept }] : [],
  )
}
