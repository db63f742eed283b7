/** Calls of boot services on every allocator, and small files through every image loader. */
import { rangeAt } from '../../../src/bytes/range.ts'
import { PAGE, phys } from '../../../src/bytes/units.ts'
import { ALLOCATORS, DEFAULT_ALLOCATOR } from '../../../src/firmware/allocators.ts'
import { createFirmware } from '../../../src/firmware/boot-services.ts'
import type { Build } from '../../../src/firmware/build.ts'
import { FIRMWARES, innerLoader } from '../../../src/firmware/firmwares.ts'
import type { MemoryServices } from '../../../src/firmware/memory-services.ts'
import { EFI_MEMORY_SP, type MemoryDescriptor } from '../../../src/image/memory-types.ts'
import { Memory } from '../../../src/memory/memory.ts'
import { Recorder } from '../../../src/memory/recorder.ts'
import { CODE, goodPe } from '../../unit/firmware/loader-bench.ts'
import { descriptor, SMALL_MAP, smallMachine } from '../../unit/firmware/small-machine.ts'
import { smallPe, type SmallPe, type SmallSection } from '../../unit/firmware/small-pe.ts'
import { MIB } from '../../support/bytes.ts'

const TOP = 0x1000000
const LOADER_DATA = 2
const SEARCH = {
  bins: [
    { type: 6, base: 14 * MIB, max: 15 * MIB - 1 },
    { type: 4, base: 13 * MIB, max: 14 * MIB - 1 },
  ],
  defaultMax: 13 * MIB - 1,
}
const GUARD = { PcdHeapGuardPropertyMask: 3, PcdHeapGuardPageType: 0x4n, PcdHeapGuardPoolType: 0x4n }
const BINS_FREE: readonly MemoryDescriptor[] = [
  descriptor(7, 0, 0x800000),
  descriptor(4, 0x800000, 0x801000),
  descriptor(7, 0x801000, 12 * MIB),
  descriptor(7, 12 * MIB, 12.5 * MIB, 0xfn | EFI_MEMORY_SP),
  descriptor(7, 12.5 * MIB, 12.75 * MIB),
  descriptor(7, 13 * MIB, 14 * MIB),
  descriptor(7, 14 * MIB, 15 * MIB),
  descriptor(0, 15 * MIB, TOP),
]

/** Every call that a stage may make, some of them odd. */
function call(
  build: Build,
  map: readonly MemoryDescriptor[] = BINS_FREE,
  allocator: MemoryServices = DEFAULT_ALLOCATOR,
): void {
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  const firmware = createFirmware({
    memory,
    recorder,
    map,
    allocator,
    build,
    contents: 'ovmf',
    assume: () => undefined,
  })
  const taken = [
    firmware.allocatePages({ kind: 'any' }, LOADER_DATA, 2, 'a'),
    firmware.allocatePages({ kind: 'any' }, LOADER_DATA, 0x180, 'large'),
    firmware.allocatePages({ kind: 'any' }, 6, 1, 'in a bin'),
    firmware.allocatePages({ kind: 'any' }, 4, 1, 'in a bin'),
    firmware.allocatePages({ kind: 'max', limit: 5 * MIB + 5 }, LOADER_DATA, 1, 'limited'),
    firmware.allocatePages({ kind: 'address', at: 2 * MIB }, LOADER_DATA, 1, 'there'),
    firmware.allocatePages({ kind: 'address', at: 13 * MIB }, LOADER_DATA, 1, 'in a foreign bin'),
    firmware.allocatePages({ kind: 'address', at: 14 * MIB }, LOADER_DATA, 1, 'in a special bin'),
    firmware.allocatePages({ kind: 'any' }, 15, 1, 'no type'),
    firmware.allocatePages({ kind: 'any' }, LOADER_DATA, 0x20000, 'too much'),
  ]
  const buffers = [1, 40, 3000, 5000].map(size => firmware.allocatePool(LOADER_DATA, size, 'pool'))
  buffers.push(firmware.allocatePool(0x70000000, 8, 'oem'), firmware.allocatePool(15, 8, 'unaccepted'))
  firmware.memoryMap()
  for (const { at } of buffers) if (at !== null) firmware.freePool(at)
  if (taken[0]?.at != null) {
    firmware.setReadOnly?.(rangeAt(taken[0].at, PAGE), true)
    firmware.freePages(taken[0].at, 2)
  }
  firmware.freePages(phys(5 * MIB), 3)
  firmware.exitBootServices()
}

/** Every row's allocator, EDK2's with guard pages, untested memory and entries of the map, too. */
export function callServices(): void {
  for (const allocator of ALLOCATORS) {
    call({ search: SEARCH }, BINS_FREE, allocator)
    call({}, [descriptor(7, 0, 2 * PAGE), descriptor(7, 3 * MIB, 4 * MIB)], allocator)
    if (allocator.edk2 !== undefined) call({ search: SEARCH, guard: GUARD }, BINS_FREE, allocator)
  }
  const few = [descriptor(7, 0x1000, 0x2000), descriptor(0, 3 * MIB, 4 * MIB)]
  call({ untested: [rangeAt(3 * MIB, MIB)] }, few)
  call({ pool: { imageRecord: 'room', mapEntries: { hidden: 62, capacity: 64 } } })
  const zero = smallMachine({ map: [descriptor(7, 0, PAGE)] }).firmware
  zero.allocatePages({ kind: 'any' }, LOADER_DATA, 1, 'page 0')
}

const first: SmallSection = { VirtualAddress: 0x1000, VirtualSize: 0x1000, raw: 0x200 }
const more = (section: SmallSection, pe: SmallPe = {}): SmallPe => goodPe([first, section], pe)
const section = (change: Partial<SmallSection> = {}): SmallSection => ({
  VirtualAddress: 0x2000,
  VirtualSize: 0x400,
  raw: 0x200,
  ...change,
})
/** A directory of relocations at 0x2000 whose one block is what `bytes` says. */
const relocated = (...bytes: number[]): SmallPe =>
  more(section({ name: '.reloc', raw: 0x200, VirtualSize: 0x200, bytes: Uint8Array.from(bytes) }), {
    ImageBase: 0x100000n,
    directories: Array.from({ length: 16 }, (_, i) => (i === 5 ? [0x2000, 0x10] : [0, 0])),
  })
const block = [0, 0x10, 0, 0, 0x10, 0, 0, 0, 0, 0xa0, 0, 0, 0, 0, 0, 0]
/** A debug directory at 0x2000 that does not end in the file. */
const debug = more(section(), {
  directories: Array.from({ length: 16 }, (_, i) => (i === 6 ? [0x2000, 0x10000] : [0, 0])),
})

/** Small files: whole ones first, then each with something odd. */
const FILES: readonly SmallPe[] = [
  goodPe([first]),
  more(section()),
  more(section({ VirtualSize: 0 })),
  more(section({ raw: 0x600, VirtualSize: 0x100 })),
  more(section({ Characteristics: 0x42000040 })),
  more(section({ Characteristics: 0x20000020 })),
  more(section({ VirtualAddress: 0x7800, VirtualSize: 0x1000, raw: 0 })),
  more(section({ VirtualAddress: 0x9000, VirtualSize: 0x100, raw: 0 })),
  more(section({ VirtualAddress: 0x9000 })),
  more(section({ VirtualAddress: 0x200 })),
  more(section({ PointerToRawData: 0x310 })),
  more(section({ VirtualAddress: 0x1800 })),
  goodPe([first], { SectionAlignment: 0x4000, ImageBase: 0x200000n }),
  goodPe([first], { SectionAlignment: 0x10000 }),
  goodPe([first], { SectionAlignment: 0x20 }),
  goodPe([first], { ImageBase: 0x200000n, Characteristics: 0x23 }),
  goodPe([first], { AddressOfEntryPoint: 0x100000 }),
  goodPe([first], { SizeOfImage: 0x2000000 }),
  goodPe([first], { Machine: 0x1c0 }),
  goodPe([first], { Subsystem: 1 }),
  goodPe([first], { NumberOfRvaAndSizes: 17 }),
  goodPe([first], { SizeOfHeaders: 0x10000 }),
  goodPe([first], { fileSize: 0x60 }),
  goodPe([first], { fileSize: 0x480 }),
  goodPe([first], { e_magic: 0 }),
  goodPe([first], {
    directories: Array.from({ length: 16 }, (_, i) => (i === 4 ? [0x400, 0x10000] : [0, 0])),
  }),
  debug,
  relocated(...block),
  relocated(0, 0x10, 0, 0, 0, 0, 0, 0),
  { ...goodPe([{ ...first, Characteristics: CODE }]), fileSize: 0 },
]

/** Every file through every image loader, from a file and from memory, with and without Secure Boot. */
export function loadFiles(): void {
  for (const firmware of FIRMWARES)
    for (const secureBoot of [false, true])
      for (const pe of FILES) {
        const recorder = new Recorder()
        const memory = new Memory(recorder)
        const services = createFirmware({
          memory,
          recorder,
          map: SMALL_MAP,
          allocator: firmware.allocator,
          build: { pool: { imageRecord: 'new-page' } },
          loader: firmware.loader,
          inner: innerLoader(firmware, secureBoot),
          contents: 'ovmf',
          assume: () => undefined,
        })
        const source = smallPe(pe)
        const request = { name: 'uki', ownerOf: () => ({ object: 'uki', at: 0 }) }
        if (secureBoot) {
          if (source.size > 0) memory.put(phys(0x100000), { source, at: 0, length: source.size }, 'file')
          const where = rangeAt(0x100000, Math.max(1, source.size))
          services.loadImage({ ...request, from: { kind: 'memory', range: where } })
        } else {
          const { image } = services.loadImage({ ...request, from: { kind: 'file', source } })
          if (image !== null) services.unloadImage(image)
        }
      }
  const { firmware } = smallMachine()
  firmware.loadImage({
    from: { kind: 'file', source: smallPe(goodPe([first])) },
    name: 'uki',
    ownerOf: () => ({ object: 'uki', at: 0 }),
    pinned: phys(4 * MIB),
  })
}
