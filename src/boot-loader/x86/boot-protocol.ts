/**
 * Boot loaders that enter startup_32 themselves: GRUB's relocator, and a virtual machine monitor without
 * firmware. Chapter HO.
 */
import { TEXTS } from '../../messages/texts.ts'
import { rangeAt, rangeOrNull, type Range } from '../../bytes/range.ts'
import { alignDown, alignUp, PAGE, pagesOf, phys, PHYS_END, physOf, type Phys } from '../../bytes/units.ts'
import {
  setup_data,
  SETUP_HEADER_AT,
  setupHeaderEnd,
  XLF_CAN_BE_LOADED_ABOVE_4G,
} from '../../image/x86/boot-params.ts'
import type { BzImage } from '../../image/x86/bzimage.ts'
import { EfiConventionalMemory, EfiLoaderData } from '../../image/memory-types.ts'
import type { Machine } from '../../machine/machine.ts'
import type { HandOff } from '../../machine/model.ts'
import { BOOT_PARAMS, zeroPage } from '../../machine/x86/zero-page.ts'
import type { ClauseId } from '../../memory/event.ts'
import { guestBytes } from '../../memory/guest-struct.ts'
import { HEAP_2_12, takeHeap } from './heap.ts'
import { KERNEL, pagesBelow, payloadOf, putCommandLine, putFile, type BootLoaderPayload } from '../model.ts'
import { makeZeroPage, setCmdlineAndInitrd, putKernel, readKernel, writeE820 } from './boot-params.ts'

/** Lowest address of a fallback. Source: grub@2.12 grub-core/loader/i386/linux.c allocate_pages. */
const LOWEST = 0x1000000
const LOW_MEMORY = 0x9ffff
/** Addresses that QEMU uses. Source: qemu@7.2 hw/i386/x86.c x86_load_linux. */
const DIRECT = { kernel: 0x100000, bootParams: 0x10000, commandLine: 0x20000 } as const
/** Whose the free memory is where no firmware runs. */
const MONITOR = 'loader:monitor'
const GRUB_TYPE = 0x72
const QEMU_TYPE = 0xb0

/** The setup header, with the length the kernel states. */
function headerOf({ hdr }: BzImage): { from: number; to: number } {
  return { from: SETUP_HEADER_AT, to: setupHeaderEnd(hdr) }
}

/** A chunk of init_size bytes, boot services over, then startup_32. */
export function relocator(machine: Machine, payload: BootLoaderPayload): HandOff {
  const kernel = readKernel(machine, 'HO-13', payload.kernel)
  takeHeap(machine, HEAP_2_12)
  return machine.step(
    'HO-13',
    'GRUB allocates a chunk of init_size bytes and starts the kernel by the boot protocol',
    () => {
      const { at, alignment } = chunk(machine, kernel)
      const bootParams = pagesBelow(machine, 'HO-13', LOW_MEMORY, PAGE, BOOT_PARAMS)
      const line = pagesBelow(machine, 'HO-13', LOW_MEMORY, kernel.hdr.cmdline_size + 1, 'cmdline')
      const initrd =
        payload.initrd === null || payload.initrd.size === 0
          ? null
          : rangeOrNull(
              pagesBelow(machine, 'HO-13', kernel.hdr.initrd_addr_max, payload.initrd.size, 'initrd'),
              payload.initrd.size,
            )
      machine.assume('HO-13', 'boot_params and the command line are at the top of low memory')
      const handOff = place(machine, payload, kernel, {
        clause: 'HO-13',
        at,
        bootParams,
        line,
        initrd,
        type: GRUB_TYPE,
      })
      if (alignment !== null) zeroPage(machine.memory, bootParams).hdr.set('kernel_alignment', alignment)
      machine.firmware.exitBootServices()
      return handOff
    },
  )
}

/** pref_address, or the lowest aligned run; with the alignment written to hdr, null for the kernel's own. */
function chunk(machine: Machine, { hdr }: BzImage): { readonly at: Phys; readonly alignment: number | null } {
  const pages = pagesOf(hdr.init_size)
  const take = (at: number): Phys | null =>
    machine.firmware.allocatePages({ kind: 'address', at: phys(at) }, EfiLoaderData, pages, KERNEL).at
  const wanted = take(physOf(hdr.pref_address) ?? PHYS_END)
  if (wanted !== null) return { at: wanted, alignment: null }
  const free = machine.firmware.memoryMap().filter(entry => entry.type === EfiConventionalMemory)
  for (
    let bits = Math.floor(Math.log2(Math.max(hdr.kernel_alignment, PAGE)));
    bits >= hdr.min_alignment;
    bits--
  ) {
    const starts = free
      .map(entry => ({
        at: alignUp<number>(Math.max(entry.range.start, LOWEST), 2 ** bits),
        end: entry.range.end,
      }))
      .filter(({ at, end }) => at + pages * PAGE <= end)
    const got = starts.length === 0 ? null : take(Math.min(...starts.map(({ at }) => at)))
    if (got !== null) return { at: got, alignment: 2 ** (bits - 1) }
  }
  return machine.refuse(
    'HO-13',
    'EFI_OUT_OF_RESOURCES',
    'no aligned chunk of init_size bytes',
    TEXTS['grub/out-of-memory'],
  )
}

/** The RAM of the machine, fixed addresses, startup_32. */
export function direct(machine: Machine, payload: BootLoaderPayload): HandOff {
  const kernel = readKernel(machine, 'HO-14', payload.kernel)
  return machine.step('HO-14', 'the monitor writes kernel, initrd and boot_params into memory', () => {
    for (const { type, range: free } of machine.firmware.memoryMap())
      if (type === EfiConventionalMemory) machine.memory.claim(free, MONITOR)
    const initrd =
      payload.initrd === null || payload.initrd.size === 0
        ? null
        : topOf(machine, highestInitrd(kernel), payload.initrd.size)
    machine.assume(
      'HO-14',
      'the RAM of the map ends where the monitor reserves room for ACPI tables (160 KiB in ' +
        'QEMU), and the setup code keeps boot_params at its own start',
    )
    return place(machine, payload, kernel, {
      clause: 'HO-14',
      at: phys(DIRECT.kernel),
      bootParams: phys(DIRECT.bootParams),
      line: phys(DIRECT.commandLine),
      initrd,
      type: QEMU_TYPE,
    })
  })
}

/**
 * Highest byte of an initrd: a kernel that can be loaded above 4 GiB is assumed to reach all memory below.
 */
function highestInitrd({ hdr }: BzImage): number {
  return (hdr.xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G) === 0 ? hdr.initrd_addr_max : 0xffffffff
}

/** SETUP_RNG_SEED. Source: linux@6.12.107 arch/x86/include/uapi/asm/setup_data.h. */
const SETUP_RNG_SEED = 9
/** Bytes of the seed, and the alignment of a node. Source: qemu@7.2 hw/i386/x86.c x86_load_linux. */
const SEED = { length: 32, align: 16 } as const
const SEED_NODE = 'loader:seed'

/** QEMU 7.2.0: the same, with one node of setup_data after the kernel's bytes. */
export function directWithSeed(machine: Machine, payload: BootLoaderPayload): HandOff {
  const handOff = direct(machine, payload)
  machine.step('HO-18', 'QEMU puts a random seed after the kernel', () => {
    const { setupSize } = readKernel(machine, 'HO-18', payload.kernel)
    const at = phys(DIRECT.kernel + alignUp<number>(payload.kernel.size - setupSize, SEED.align))
    machine.memory.make(rangeAt(at, setup_data.size + SEED.length), SEED_NODE)
    const node = guestBytes(setup_data, { type: SETUP_RNG_SEED, len: SEED.length })
    machine.memory.patch(at, node, SEED_NODE)
    zeroPage(machine.memory, phys(DIRECT.bootParams)).hdr.set('setup_data', at)
  })
  return handOff
}

/** The last whole pages at or below `limit` that are RAM. */
function topOf(machine: Machine, limit: number, size: number): Range {
  const ends = machine.firmware
    .memoryMap()
    .filter(entry => entry.type === EfiConventionalMemory)
    .map(({ range: { start, end } }) => ({ start, at: alignDown(Math.min(end, limit + 1) - size, PAGE) }))
  const fits = ends.filter(({ start, at }) => at >= start).map(({ at }) => at)
  return fits.length === 0
    ? machine.refuse(
        'HO-14',
        'EFI_OUT_OF_RESOURCES',
        'the initrd does not fit into memory',
        TEXTS['qemu/initrd-too-large'],
      )
    : rangeAt(Math.max(...fits), size)
}

interface Places {
  readonly clause: ClauseId
  readonly at: Phys
  readonly bootParams: Phys
  readonly line: Phys
  readonly initrd: Range | null
  readonly type: number
}

function place(
  machine: Machine,
  payload: BootLoaderPayload,
  kernel: BzImage,
  { clause, at, bootParams, line, initrd, type }: Places,
): HandOff {
  putKernel(machine, clause, at, kernel)
  if (initrd !== null && payload.initrd !== null) putFile(machine, initrd.start, payload.initrd, 'initrd')
  const page = makeZeroPage(machine, bootParams, kernel, headerOf(kernel), PAGE)
  putCommandLine(machine, clause, line, payload.commandLine, kernel.hdr.cmdline_size)
  page.hdr.set('type_of_loader', type)
  page.hdr.set('code32_start', at)
  setCmdlineAndInitrd(page, initrd, line)
  writeE820(page, machine.firmware.memoryMap())
  return {
    ...payloadOf(payload),
    via: 'legacy-32',
    image: phys(at - kernel.setupSize),
    entry: at,
    bootParams,
  }
}
