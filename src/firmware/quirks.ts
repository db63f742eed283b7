/** Publicly documented quirks of real machines, as changes to a machine (chapter FW). */
import { UsageError } from '../bytes/errors.ts'
import { range, rangeAt } from '../bytes/range.ts'
import { EfiConventionalMemory, EfiReservedMemoryType, type MemoryDescriptor } from '../image/memory-types.ts'
import type { Contents } from './contents.ts'
import type { Firmware } from './firmwares.ts'
import type { HeapGuard } from './edk2/heap-guard.ts'
import type { ImageLoader } from './image-loaders/image-loader.ts'
import { retype } from './memory-map.ts'

/** The effect of a quirk on a machine; absent fields leave it unchanged. */
export interface Quirk {
  /** `no-low-memory`. */
  readonly id: string
  readonly what: string
  /** Its documentation. */
  readonly source: string
  /** Changes the map. Throws UsageError if the quirk does not apply to the machine. */
  readonly map?: (map: readonly MemoryDescriptor[]) => MemoryDescriptor[]
  readonly contents?: Contents
  /** Name of a firmware. */
  readonly firmware?: string
  /** Maximum number of sections of a file. */
  readonly sectionsMax?: number
  /** Guard pages of the build. */
  readonly guard?: HeapGuard
  /** Assumption for the report. */
  readonly assumption?: string
}

const MIB = 2 ** 20
const FOUR_GIB = 2 ** 32

/** Reserves all free memory below 4 GiB (FW-35). */
function withoutLowMemory(map: readonly MemoryDescriptor[]): MemoryDescriptor[] {
  const low = map.filter(({ type, range: where }) => type === EfiConventionalMemory && where.start < FOUR_GIB)
  if (!map.some(({ type, range: where }) => type === EfiConventionalMemory && where.end > FOUR_GIB))
    throw new UsageError('quirk no-low-memory: the machine has no free memory above 4 GiB; give it more RAM')
  return low.reduce<MemoryDescriptor[]>(
    (rest, { range: where }) =>
      retype(rest, range(where.start, Math.min(where.end, FOUR_GIB)), EfiReservedMemoryType),
    [...map],
  )
}

/** Reserves all free memory above 4 GiB (FW-35). */
function withoutHighMemory(map: readonly MemoryDescriptor[]): MemoryDescriptor[] {
  const high = map.filter(({ type, range: where }) => type === EfiConventionalMemory && where.end > FOUR_GIB)
  return high.reduce<MemoryDescriptor[]>(
    (rest, { range: where }) =>
      retype(rest, range(Math.max(where.start, FOUR_GIB), where.end), EfiReservedMemoryType),
    [...map],
  )
}

/** Reserves one MiB at 16 MiB (FW-35). */
function withHole(map: readonly MemoryDescriptor[]): MemoryDescriptor[] {
  return retype(map, rangeAt(16 * MIB, MIB), EfiReservedMemoryType)
}

/** The firmware with a loader that refuses a file with more sections, before its other checks (FW-35). */
export function withSectionsMax(firmware: Firmware, most: number): Firmware {
  const { loader } = firmware
  const check: ImageLoader['check'] = source => {
    const checked = loader.check(source)
    const count = 'clause' in checked ? 0 : checked.pe.sections.length
    return count > most
      ? {
          status: 'EFI_SECURITY_VIOLATION',
          clause: 'FW-35',
          why: `the file has ${String(count)} sections, and this firmware accepts at most ${String(most)}`,
        }
      : checked
  }
  return { ...firmware, loader: { ...loader, check } }
}

/** In the order of listings. */
export const QUIRKS: readonly Quirk[] = [
  {
    id: 'dirty-residue',
    what: 'freed memory keeps its bytes: a kernel finds garbage in an uncleared .bss',
    source: 'linux-kernel mailing list, 2020-04-05, on bss and unified images',
    contents: 'residue',
  },
  {
    id: 'dirty-poison',
    what: 'memory that this boot has not written is unknown, as after a warm reset',
    source: 'linux-kernel mailing list, 2020-04-05, on bss and unified images',
    contents: 'poison',
  },
  {
    id: 'file-size-only',
    what:
      'the firmware allocates pages for the file size, not for SizeOfImage: memory past ' +
      'the file size is not reserved',
    source: 'rust-hypervisor-firmware 82a9a4f4, src/pe.rs',
    firmware: 'rust-hypervisor-firmware',
  },
  {
    id: 'heap-guard',
    what:
      'pages and pools of loader and boot services types have guard pages before and ' +
      'after: allocations are lower and more fragmented',
    source: 'edk2 MdeModulePkg/MdeModulePkg.dec, PcdHeapGuardPropertyMask',
    guard: { PcdHeapGuardPropertyMask: 3, PcdHeapGuardPageType: 0x1en, PcdHeapGuardPoolType: 0x1en },
  },
  {
    id: 'hole-16m',
    what: '16 MiB is not free, so that a kernel cannot be at its preferred address before ExitBootServices',
    source: 'edk2 OvmfPkg/OvmfPkgX64.fdf, MEMFD: firmware volumes are decompressed to 8 MiB and up',
    map: withHole,
  },
  {
    id: 'no-low-memory',
    what: 'no free RAM below 4 GiB: AllocateMaxAddress below 4 GiB fails',
    source: 'systemd issue 35026',
    map: withoutLowMemory,
  },
  {
    id: 'no-high-memory',
    what: 'no allocation above 4 GiB: what does not fit below fails',
    source: 'rhboot/grub2 pull request 30; linux 47226ad4f4cf',
    map: withoutHighMemory,
  },
  {
    id: 'sections-25',
    what:
      'AMI UEFI 2.50 (5.12) refuses a file with more than 25 sections (Access violation), ' +
      'such as a UKI with several profiles',
    source: 'systemd/particleos pull request 44, issue 64',
    sectionsMax: 25,
  },
  {
    id: 'ami-kaslr',
    what: 'AMI UEFI 2.00 and older hangs with physical KASLR: the kernel sets the seed of its slot to 0',
    source: 'kernel bugzilla 218173, Limine issue 530',
    assumption: 'the vendor is AMI with UEFI 2.00 or older: the kernel takes seed 0, and so its lowest slot',
  },
]

/** The quirk of that name. Throws UsageError that lists the names. */
export function quirkNamed(name: string): Quirk {
  const found = QUIRKS.find(quirk => quirk.id === name)
  if (found === undefined)
    throw new UsageError(`unknown quirk '${name}'; known are ${QUIRKS.map(quirk => quirk.id).join(', ')}`)
  return found
}
