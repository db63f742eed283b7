/** The stub's own loader of the kernel: pages, then section by section out of `.linux` (chapter ST). */
import { formatRange, hex, rangeAt, rangeOrNull, type Range } from '../../bytes/range.ts'
import { add, alignUp, byteCount, PAGE, pagesOf, phys, type Phys } from '../../bytes/units.ts'
import { memorySource } from '../../firmware/image-loaders/load-image.ts'
import { EfiLoaderCode } from '../../image/memory-types.ts'
import { IMAGE_SECTION_HEADER, parsePe } from '../../image/pe.ts'
import type { ClauseId } from '../../machine/machine.ts'
import type { HandOff } from '../../machine/model.ts'
import type { Booting, Cargo, Kernel } from '../model.ts'
import { handOffTo } from './load-image.ts'
import { doubtOverwritten } from './own-image.ts'
import { pagesOrHalt, statusText } from './patch.ts'
import type { PeInMemory } from './section-table.ts'

/** IMAGE_SCN_CNT_CODE, IMAGE_SCN_MEM_EXECUTE */
const CODE = 0x20000020
/** IMAGE_DLLCHARACTERISTICS_NX_COMPAT */
const NX_COMPAT = 0x100

/** A section header of the kernel, as it lies in `.linux`. */
type Header = NonNullable<ReturnType<typeof IMAGE_SECTION_HEADER.read>>

/** What a check of one section is given: its header, the kernel's headers, and the bytes of `.linux`. */
interface Judged {
  readonly header: Header
  readonly pe: PeInMemory
  readonly fileSize: number
}

/** A condition on a section: what is printed when it is not kept. */
interface SectionCheck {
  readonly kept: (judged: Judged) => boolean
  readonly message: string
}

const OUTSIDE = 'Section would write outside of memory'
const UINT32_MAX = 0xffffffff
const below = (address: number, { SizeOfImage, ImageBase }: PeInMemory): boolean =>
  BigInt(address) - ImageBase <= BigInt(SizeOfImage)
const aboveImageBase: SectionCheck = {
  kept: ({ header, pe }) => BigInt(header.VirtualAddress) >= pe.ImageBase,
  message: OUTSIDE,
}
const rawBelowEnd: SectionCheck = {
  kept: ({ header, pe }) => below(header.VirtualAddress + header.SizeOfRawData, pe),
  message: OUTSIDE,
}
const noOverflow: SectionCheck = {
  kept: ({ header }) => header.VirtualAddress + header.SizeOfRawData <= UINT32_MAX,
  message: 'Invalid PE section, SizeOfRawData + VirtualAddress, overflows',
}
const rawInside: SectionCheck = {
  kept: ({ header, pe }) => header.VirtualAddress + header.SizeOfRawData <= pe.SizeOfImage,
  message: OUTSIDE,
}
const rawInVirtual: SectionCheck = {
  kept: ({ header }) => header.SizeOfRawData <= header.VirtualSize,
  message: 'Invalid PE section, raw data size is greater than virtual size',
}
const noVirtualOverflow: SectionCheck = {
  kept: ({ header }) => header.VirtualAddress + header.VirtualSize <= UINT32_MAX,
  message: 'Invalid PE section, VirtualSize + VirtualAddress overflows',
}
const virtualInside: SectionCheck = {
  kept: ({ header, pe }) => header.VirtualAddress + header.VirtualSize <= pe.SizeOfImage,
  message: 'Section virtual size would write outside of memory',
}
const noFileOverflow: SectionCheck = {
  kept: ({ header }) => header.PointerToRawData + header.SizeOfRawData <= UINT32_MAX,
  message: 'Invalid PE section, PointerToRawData + SizeOfRawData overflows',
}
const rawInFile: SectionCheck = {
  kept: ({ header, fileSize }) => header.PointerToRawData + header.SizeOfRawData <= fileSize,
  message: 'Invalid PE section, raw data extends outside of file',
}

/** How the sections of a kernel are placed and checked. */
export interface SectionRules {
  readonly clause: ClauseId
  readonly checks: readonly SectionCheck[]
  /** Where a section goes: counted from the kernel's ImageBase, or from the pages. */
  readonly origin: 'ImageBase' | 'pages'
}

/** Counted from ImageBase; neither the virtual size nor the file is looked at. */
export const fromImageBase: SectionRules = {
  clause: 'ST-63',
  checks: [aboveImageBase, rawBelowEnd],
  origin: 'ImageBase',
}
/** Counted from ImageBase; the virtual size must end inside, counted from the pages. */
export const fromImageBaseInside: SectionRules = {
  clause: 'ST-64',
  checks: [aboveImageBase, rawBelowEnd, noVirtualOverflow, virtualInside],
  origin: 'ImageBase',
}
/** Counted from the pages; the raw data must lie in the file, in its section and in the image. */
export const rawDataInside: SectionRules = {
  clause: 'ST-65',
  checks: [noOverflow, rawInside, rawInVirtual, noFileOverflow, rawInFile],
  origin: 'pages',
}
/** Counted from the pages; raw data and virtual size must lie in the image. */
export const allInside: SectionRules = {
  clause: 'ST-66',
  checks: [noOverflow, rawInside, rawInVirtual, noVirtualOverflow, virtualInside, noFileOverflow, rawInFile],
  origin: 'pages',
}

/** Pages for the kernel. */
export type PagesRule = (on: Booting, pe: PeInMemory, kernel: Kernel) => Phys

/** Any pages for SizeOfImage. */
export const anyPages: PagesRule = (on, pe, { object }) =>
  on.machine.step('ST-61', 'takes pages for the kernel', () =>
    pagesOrHalt(on, 'ST-61', {
      where: { kind: 'any' },
      type: EfiLoaderCode,
      pages: pagesOf(pe.SizeOfImage),
      label: object,
    }),
  )

/** Pages that begin at a multiple of SectionAlignment, out of a larger piece whose ends are given back. */
export const alignedPages: PagesRule = (on, pe, { object }) =>
  on.machine.step('ST-62', 'takes aligned pages for the kernel', () => {
    const alignment = Number.isInteger(Math.log2(pe.SectionAlignment)) ? pe.SectionAlignment : PAGE
    const pages = pagesOf(pe.SizeOfImage)
    const request = { where: { kind: 'any' }, type: EfiLoaderCode, label: object } as const
    if (alignment <= PAGE) return pagesOrHalt(on, 'ST-62', { ...request, pages })
    const all = pages + alignment / PAGE
    const got = pagesOrHalt(on, 'ST-62', { ...request, pages: all })
    const at = phys(alignUp(got, alignment))
    const head = (at - got) / PAGE
    if (head > 0) on.machine.firmware.freePages(got, head)
    if (all > head + pages) on.machine.firmware.freePages(add(at, pages * PAGE), all - head - pages)
    return at
  })

/** Does the row ask whether the kernel's section table ends inside `.linux`? */
export type TableInFile = 'asked' | 'not asked'

function refuseTableOutside({ machine }: Booting, pe: PeInMemory, kernel: Kernel, asked: TableInFile): void {
  if (
    asked === 'asked' &&
    pe.table + IMAGE_SECTION_HEADER.size * pe.NumberOfSections > kernel.at + kernel.size
  ) {
    machine.refuse(
      'ST-91',
      'EFI_LOAD_ERROR',
      'the section table of the kernel ends behind the end of .linux',
      `Cannot read sections: ${statusText('EFI_LOAD_ERROR')}`,
    )
  }
}

/** What a row says of its own loader. */
export interface InnerLoading {
  readonly pages: PagesRule
  readonly sections: SectionRules
  readonly tableInFile: TableInFile
}

/** Loads the kernel out of `.linux` and enters it under the stub's own handle. */
export function startOwn(
  pe: PeInMemory,
  { pages, sections, tableInFile }: InnerLoading,
): (on: Booting, cargo: Cargo) => HandOff {
  return (on, cargo) => {
    const { machine } = on
    const { kernel } = cargo
    const loaded = machine.step('ST-60', 'loads the kernel itself', () => {
      if (pe.relocations !== 0)
        machine.refuse(
          'ST-60',
          'EFI_LOAD_ERROR',
          'the kernel has base relocations',
          'Inner kernel image contains base relocations, which we do not support.',
        )
      if ((pe.DllCharacteristics & NX_COMPAT) !== 0)
        machine.assume(
          'ST-68',
          'the firmware has no EFI_MEMORY_ATTRIBUTE_PROTOCOL, or lets the stub protect whole pages of code',
        )
      refuseTableOutside(on, pe, kernel, tableInFile)
      const at = pages(on, pe, kernel)
      for (const header of headersOf(on, pe, kernel))
        machine.step(sections.clause, 'places a section of the kernel', () => {
          place(on, sections, { header, pe, fileSize: kernel.size }, kernel, at)
        })
      doubtOverwritten(on)
      return at
    })
    const where = rangeAt(loaded, Math.max(1, pe.SizeOfImage))
    const parsed = parsePe(memorySource(machine.memory, rangeAt(kernel.at, kernel.size))).pe
    if (parsed === null) return machine.gap('ST-60', 'the headers of the kernel cannot be read')
    return handOffTo(
      on,
      {
        name: kernel.object,
        base: loaded,
        size: byteCount(pe.SizeOfImage),
        pages: rangeAt(where.start, pagesOf(pe.SizeOfImage) * PAGE),
        pe: parsed,
        entry: add(loaded, pe.AddressOfEntryPoint),
        loadOptions: null,
      },
      cargo,
    )
  }
}

function headersOf({ machine }: Booting, pe: PeInMemory, kernel: Kernel): Header[] {
  const where = rangeAt(pe.table, IMAGE_SECTION_HEADER.size * pe.NumberOfSections)
  machine.memory.readAs(where, kernel.object, { at: pe.table - kernel.at })
  const bytes = machine.memory.readRaw(where)
  return Array.from({ length: pe.NumberOfSections }, (_, i) =>
    IMAGE_SECTION_HEADER.read(bytes, IMAGE_SECTION_HEADER.size * i),
  ).filter(header => header !== null)
}

/**
 * One section: its raw data is copied, the rest up to its virtual size is zeroed; one without raw data is
 * passed over. What is zeroed is counted from the pages on every row.
 */
function place(on: Booting, rules: SectionRules, judged: Judged, kernel: Kernel, base: Phys): void {
  const { machine } = on
  const { header, pe } = judged
  const { VirtualAddress, VirtualSize, SizeOfRawData, PointerToRawData, Characteristics } = header
  if (header.PointerToRelocations !== 0)
    machine.refuse(
      'ST-60',
      'EFI_LOAD_ERROR',
      'a section of the kernel has relocations',
      'Inner kernel image contains sections with relocations, which we do not support.',
    )
  if (SizeOfRawData === 0) return
  for (const { kept, message } of rules.checks) {
    if (!kept(judged))
      machine.refuse(
        rules.clause,
        'EFI_LOAD_ERROR',
        `the section of the kernel at ${hex(VirtualAddress)} (VirtualSize ${hex(VirtualSize)}, SizeOfRawData ${hex(SizeOfRawData)}; SizeOfImage ${hex(pe.SizeOfImage)}, ImageBase 0x${pe.ImageBase.toString(16)})`,
        message,
      )
  }
  const at = add(base, VirtualAddress - (rules.origin === 'ImageBase' ? Number(pe.ImageBase) : 0))
  machine.memory.copy(at, rangeAt(kernel.at + PointerToRawData, SizeOfRawData))
  zeroRest(
    on,
    rangeOrNull(base + VirtualAddress + SizeOfRawData, (VirtualSize - SizeOfRawData) >>> 0),
    kernel,
    VirtualAddress + SizeOfRawData,
    SizeOfRawData > VirtualSize,
  )
  if (
    (pe.DllCharacteristics & NX_COMPAT) !== 0 &&
    (Characteristics & CODE) !== 0 &&
    (VirtualAddress % PAGE !== 0 || VirtualSize % PAGE !== 0)
  ) {
    machine.doubt(
      'ST-68',
      `the kernel is NX_COMPAT, and its code section at ${hex(VirtualAddress)} does not begin and end at whole pages: whether the firmware protects such pages or refuses is not modelled`,
    )
  }
}

/** Zeroes; a length below zero was taken for one of nearly 4 GiB. */
function zeroRest(
  { machine }: Booting,
  where: Range | null,
  kernel: Kernel,
  offset: number,
  wrapped: boolean,
): void {
  if (where === null) return
  const event = machine.memory.zero(where, kernel.object, offset)
  if (wrapped)
    machine.lost(
      event,
      `the stub zeroes ${formatRange(where)}, because a section has more raw data than VirtualSize: a difference below zero is taken for nearly 4 GiB`,
    )
}
