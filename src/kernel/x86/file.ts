/**
 * Facts that the model reads from the kernel's file: constants built into the running code, independent of
 * memory. Chapters EP and ZO.
 */
import { hex } from '../../bytes/range.ts'
import type { ByteSource } from '../../bytes/source.ts'
import { alignUp, PAGE } from '../../bytes/units.ts'
import { XLF_5LEVEL_ENABLED } from '../../image/x86/boot-params.ts'
import { parseBzImage, type BzImage } from '../../image/x86/bzimage.ts'
import type { Machine } from '../../machine/machine.ts'
import type { Payload } from '../../machine/model.ts'

/**
 * Link-time facts of one kernel. Offsets named with an underscore, payload and code are relative to
 * `startup_32`.
 */
export interface KernelFile {
  /** S: offset of `startup_32` in the file, in bytes. */
  readonly setupSize: number
  /** End of the file's bytes of ZO, from `startup_32`: syssize * 16. */
  readonly codeEnd: number
  readonly payloadOffset: number
  /** ilen, in bytes. */
  readonly payloadLength: number
  /** olen, in bytes: the decompressed kernel and its relocation table. */
  readonly outputLength: number
  readonly bss: number
  readonly ebss: number
  readonly pgtable: number
  readonly end: number
  readonly bootStackEnd: number
  /** LOAD_PHYSICAL_ADDR: the header's pref_address. */
  readonly loadPhysicalAddress: number
  /** CONFIG_PHYSICAL_ALIGN: the header's kernel_alignment. */
  readonly physicalAlign: number
  /** init_size in the file. */
  readonly initSize: number
  /** Is it relocatable? */
  readonly relocatable: boolean
  /** Was it built with five-level paging? */
  readonly fiveLevels: boolean
}

/** End of the running code and data: the file's bytes up to `_bss`, which older files contain as zeros. */
export function codeStop({ codeEnd, bss }: Pick<KernelFile, 'codeEnd' | 'bss'>): number {
  return Math.min(codeEnd, bss)
}

/**
 * From `pgtable` to `_end`: 32 pages and the top-level table. Source: linux@6.12.107
 * arch/x86/include/asm/boot.h BOOT_PGT_SIZE; the same in nine Debian kernels.
 */
export const PGTABLE_SIZE = 0x21000
/**
 * `boot_stack_end` after `_bss`: BOOT_STACK_SIZE, in kernels that have the stack first in .bss. Source:
 * linux@6.12.107 arch/x86/include/asm/boot.h.
 */
export const BOOT_STACK_SIZE = 0x4000

/** How long a kernel file is by its own setup header, in bytes; null when it is no bzImage. */
export function statedLength(source: ByteSource): number | null {
  const { bzimage } = parseBzImage(source)
  return bzimage === null || bzimage.hdr.syssize === 0 ? null : bzimage.setupSize + bzimage.hdr.syssize * 16
}

/**
 * Reads the file that the stub found. Ends the run as unknown if it is not a bzImage with a payload, or has
 * impossible numbers.
 */
export function readKernelFile(machine: Machine, from: Payload): KernelFile {
  const { bzimage, problems } = parseBzImage(from.source)
  if (bzimage === null)
    return machine.gap(
      'EP-1',
      `the kernel file cannot be read: ${problems.map(problem => problem.what).join('; ')}`,
    )
  const { payload, hdr, setupSize } = bzimage
  const against = problems.filter(({ id }) => CONTRADICTIONS.has(id)).map(({ what }) => what)
  if ((payload?.output_len ?? 0) > hdr.init_size)
    against.push(`init_size ${hex(hdr.init_size)} has no room for the kernel that the payload becomes`)
  if (against.length > 0)
    machine.unmodelled('EP-56', `the kernel file contradicts its own headers: ${against.join('; ')}`)
  if (payload === null) return machine.gap('EP-1', 'the setup header has no payload')
  const file: KernelFile = {
    setupSize,
    codeEnd: hdr.syssize * 16,
    payloadOffset: hdr.payload_offset,
    payloadLength: payload.length,
    outputLength: payload.output_len ?? unknownOutput(machine, hdr.init_size),
    ...geometryOf(machine, bzimage),
    loadPhysicalAddress: Number(hdr.pref_address),
    physicalAlign: hdr.kernel_alignment,
    initSize: hdr.init_size,
    relocatable: hdr.relocatable_kernel !== 0,
    fiveLevels: (hdr.xloadflags & XLF_5LEVEL_ENABLED) !== 0,
  }
  return isPossible(file)
    ? file
    : machine.gap('EP-1', 'the kernel file has an impossible pref_address, kernel_alignment or length')
}

/** Problems of a file that its headers do not allow for; a signature past its end is none. */
const CONTRADICTIONS: ReadonlySet<string> = new Set([
  'shorter-than-declared',
  'payload-outside-image',
  'payload-truncated',
  'handover-outside-file',
  'header-truncated',
  'truncated',
])

/** No kernel is linked above this: MAXMEM with four-level paging. */
const ADDRESS_MAX = 2 ** 46

function isPossible({ loadPhysicalAddress, physicalAlign, outputLength, codeEnd }: KernelFile): boolean {
  return (
    codeEnd > 0 &&
    loadPhysicalAddress < ADDRESS_MAX &&
    physicalAlign >= PAGE &&
    Number.isInteger(Math.log2(physicalAlign)) &&
    outputLength > 0
  )
}

function unknownOutput(machine: Machine, initSize: number): number {
  machine.unmodelled(
    'ZO-1',
    'the field with the length of the decompressed kernel is past the end of the file; ' +
      'init_size is used instead',
  )
  return initSize
}

type Edges = Pick<KernelFile, 'bss' | 'ebss' | 'pgtable' | 'end' | 'bootStackEnd'>

/**
 * Bounds of ZO: read from its code; otherwise from its PE headers, whose SizeOfImage ends at `_end` since
 * 6.7; otherwise unknown.
 */
function geometryOf(machine: Machine, image: BzImage): Edges {
  const { geometry, hdr, pe, setupSize } = image
  const fileEnd = alignUp(hdr.syssize * 16, PAGE)
  const { _bss: bss, _ebss: ebss, _end: end } = geometry
  if (bss !== null && ebss !== null && end !== null) {
    const read = {
      bss,
      ebss,
      end,
      pgtable: geometry.pgtable ?? alignUp(ebss, PAGE),
      bootStackEnd: geometry.boot_stack_end ?? bss + BOOT_STACK_SIZE,
    }
    if (inOrder(read)) return read
  }
  const covered = pe?.optional.SectionAlignment === PAGE ? pe.optional.SizeOfImage - setupSize : 0
  const derived = {
    bss: fileEnd,
    ebss: covered - PGTABLE_SIZE,
    pgtable: covered - PGTABLE_SIZE,
    end: covered,
    bootStackEnd: fileEnd + BOOT_STACK_SIZE,
  }
  if (inOrder(derived)) {
    machine.assume(
      'ZO-2',
      `.bss is assumed to reach from the end of the file's bytes to ` +
        `${String(PGTABLE_SIZE)} bytes before the end of SizeOfImage`,
    )
    return derived
  }
  machine.unmodelled(
    'ZO-2',
    "the bounds of the decompressor's .bss are not in any header, and its code does not " +
      'match a known pattern',
  )
  const guess = fileEnd + BOOT_STACK_SIZE
  return { bss: fileEnd, ebss: guess, pgtable: guess, end: guess + PGTABLE_SIZE, bootStackEnd: guess }
}

function inOrder({ bss, ebss, pgtable, end, bootStackEnd }: Edges): boolean {
  return (
    bss > 0 && bss < ebss && ebss <= pgtable && pgtable < end && bss < bootStackEnd && bootStackEnd <= ebss
  )
}
