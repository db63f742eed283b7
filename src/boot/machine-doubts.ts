/**
 * What a machine's map cannot be believed in: RAM that every x64 firmware needs, another architecture or
 * firmware, a loader that had not started yet (chapter FW).
 */
import { contains, hex, rangeAt } from '../bytes/range.ts'
import { PAGE } from '../bytes/units.ts'
import type { Firmware } from '../firmware/firmwares.ts'
import { ramOf } from '../firmware/memory-map.ts'
import type { MemmapDialect } from '../image/memmap.ts'
import { IMAGE_FILE_MACHINE_I386, NATIVE_MACHINE } from '../image/pe.ts'
import type { Assumption, Gap } from '../machine/machine.ts'
import type { MemoryDescriptor } from '../image/memory-types.ts'
import type { MapTaken } from './map-before-load.ts'

/** Where a map comes from, as far as that decides what it may be used for. */
export type MapOrigin =
  | { readonly kind: 'profile' }
  | {
      readonly kind: 'text'
      readonly dialect: MemmapDialect | null
      /** Was the time of capture stated? */
      readonly momentSaid: boolean
    }

/** What is doubted of a machine. */
interface Doubted {
  readonly map: readonly MemoryDescriptor[]
  readonly taken?: MapTaken
  readonly origin?: MapOrigin
  readonly imageBase?: number
  readonly pool?: unknown
}

/** Memory of every PC: its RAM above the first MiB begins here. */
const FIRST_MIB = 0x100000
/** Half of what four levels of page tables map: all that is mapped one to one. */
const FOUR_LEVELS = 2 ** 47

/** Forms that a program for Arm prints, that one for x86 prints, and that U-Boot prints. */
const ARM: readonly (MemmapDialect | null)[] = ['linux-arm']
const X86: readonly (MemmapDialect | null)[] = ['linux', 'e820', 'boot-params', 'kexec', 'sysfs-memmap']
const U_BOOT: readonly (MemmapDialect | null)[] = ['uboot', 'uboot-efi-mem']
const GRUB: readonly (MemmapDialect | null)[] = ['grub', 'grub-lsmmap']

const dialectOf = ({ origin }: Doubted): MemmapDialect | null =>
  origin?.kind === 'text' ? origin.dialect : null

/** The program that runs before the image or the kernel and holds memory; null if none is known. */
export function loaderInTheWay(
  firmware: Firmware | undefined,
  shim: boolean,
  bootLoader: string | null,
): string | null {
  const by = bootLoader ?? firmware?.id ?? ''
  if (by.startsWith('systemd-boot/')) return 'systemd-boot'
  if (by.startsWith('grub')) return 'GRUB'
  return shim || by.startsWith('shim') ? 'shim' : null
}

/** Doubts about the machine, whatever image is booted on it. `loader`: who runs before the image. */
export function machineDoubts(input: Doubted, firmware: Firmware | undefined, loader: string | null): Gap[] {
  return [...ramDoubts(input), ...printerDoubts(input, firmware), ...momentDoubts(input, loader)]
}

function ramDoubts(machine: Doubted): Gap[] {
  const { map } = machine
  if (noMachine(machine) !== null) return []
  if (ramOf(map).some(one => contains(one, rangeAt(FIRST_MIB, PAGE)))) return []
  return [
    {
      clause: 'FW-57',
      why:
        `the map has no RAM at ${hex(FIRST_MIB)}, where every x64 machine has some: it ` +
        'is not whole, or not of such a machine',
    },
  ]
}

function printerDoubts(input: Doubted, firmware: Firmware | undefined): Gap[] {
  const dialect = dialectOf(input)
  if (ARM.includes(dialect))
    return [
      { clause: 'FW-58', why: 'the map was printed by a kernel for Arm, and this firmware is one for x64' },
    ]
  if (U_BOOT.includes(dialect) && firmware?.allocator.id !== 'u-boot')
    return [
      {
        clause: 'FW-58',
        why:
          'the map was printed by U-Boot, and memory is allocated as EDK2 does it: name ' +
          'the firmware with --image-loader',
      },
    ]
  return []
}

function momentDoubts({ origin, taken }: Doubted, loader: string | null): Gap[] {
  if (loader === null || origin === undefined) return []
  const fits =
    origin.kind === 'text' && (origin.momentSaid || (loader === 'GRUB' && GRUB.includes(origin.dialect)))
  if (fits) return []
  const what =
    origin.kind === 'profile'
      ? `the profile is that of a machine on which no ${loader} runs`
      : `the map is not known to be from when ${loader} ` +
        `ran${taken === undefined || taken === 'before-load' ? '' : ', and takes back what it held'}`
  return [
    {
      clause: 'FW-59',
      why:
        `${what}: what ${loader} holds is not in it. Give a map taken while it runs, and ` +
        'say so with --memmap-at before-load',
    },
  ]
}

/** The EFI shell holds memory, too, while it starts the image; a profile shows nothing of it. */
export function shellAssumption(
  { origin }: Pick<Doubted, 'origin'>,
  shell: readonly string[] | undefined,
): Assumption[] {
  if (shell === undefined || origin?.kind !== 'profile') return []
  return [
    {
      clause: 'FW-70',
      what:
        'what the EFI shell holds while it starts the image is not in the profile, which was recorded ' +
        'without it: with its pages and pool, top-down allocations are lower',
    },
  ]
}

/** Is the machine known to be one for x64? */
function isX64(input: Doubted): boolean {
  const { origin, pool } = input
  return origin?.kind === 'profile' || pool !== undefined || X86.includes(dialectOf(input))
}

/** Why nothing can be loaded on this machine; null where something can. */
export function noMachine({ map, imageBase = 0 }: Doubted): Gap | null {
  const end = ramOf(map).reduce((most, one) => Math.max(most, one.end), 0)
  if (end <= FOUR_LEVELS && imageBase < FOUR_LEVELS) return null
  const what = end > FOUR_LEVELS ? `the map has RAM up to ${hex(end)}` : `the image base is ${hex(imageBase)}`
  return {
    clause: 'FW-57',
    why: `${what}, which firmware with four levels of page tables does not reach`,
  }
}

/**
 * Why an image for another architecture is not refused: that of the machine is unknown. Null if it is known.
 */
export function foreignImage(input: Doubted, machine: number): Gap | null {
  return machine === NATIVE_MACHINE || machine === IMAGE_FILE_MACHINE_I386 || isX64(input)
    ? null
    : {
        clause: 'FW-58',
        why:
          `an image for machine ${hex(machine)}, and nothing says that the map is that of ` +
          'an x64 machine: firmware for other machines is not modelled',
      }
}
