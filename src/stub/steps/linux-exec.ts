/** The stub's own loader of the kernel: pages, then section by section from `.linux` (chapter ST). */
import { printed, TEXTS } from '../../messages/texts.ts'
import { formatRange, hex, type Range, rangeAt, rangeOrNull } from '../../bytes/range.ts'
import { add, alignUp, byteCount, PAGE, pagesOf, phys, type Phys } from '../../bytes/units.ts'
import { memorySource } from '../../firmware/image-loaders/load-image.ts'
import { EfiLoaderCode } from '../../image/memory-types.ts'
import { IMAGE_SECTION_HEADER, parsePe } from '../../image/pe.ts'
import type { ClauseId } from '../../machine/machine.ts'
import type { HandOff } from '../../machine/model.ts'
import type { OwnLoaderBehaviour } from '../behaviour.ts'
import type { BootPayload, Kernel, StubContext } from '../model.ts'
import { handOffTo } from './load-image.ts'
import { doubtOverwritten } from './own-image.ts'
import { statusText } from './status.ts'
import { xmallocPages } from './xmalloc.ts'
import type { PeInMemory } from './section-table.ts'

/** IMAGE_SCN_CNT_CODE, IMAGE_SCN_MEM_EXECUTE */
const CODE = 0x20000020
/** IMAGE_DLLCHARACTERISTICS_NX_COMPAT */
const NX_COMPAT = 0x100

/** A section header of the kernel, as it lies in `.linux`. */
type Header = NonNullable<ReturnType<typeof IMAGE_SECTION_HEADER.read>>

/** Input of a section check: its header, the kernel's headers, and the bytes of `.linux`. */
interface Judged {
  readonly header: Header
  readonly pe: PeInMemory
  readonly fileSize: number
}

/** A condition on a section, and the message printed when it fails. */
interface SectionCheck {
  readonly kept: (judged: Judged) => boolean
  readonly message: string
}

const OUTSIDE = TEXTS['stub/section-outside']
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
  message: TEXTS['stub/raw-overflow'],
}
const rawInside: SectionCheck = {
  kept: ({ header, pe }) => header.VirtualAddress + header.SizeOfRawData <= pe.SizeOfImage,
  message: OUTSIDE,
}
const rawInVirtual: SectionCheck = {
  kept: ({ header }) => header.SizeOfRawData <= header.VirtualSize,
  message: TEXTS['stub/raw-over-virtual'],
}
const noVirtualOverflow: SectionCheck = {
  kept: ({ header }) => header.VirtualAddress + header.VirtualSize <= UINT32_MAX,
  message: TEXTS['stub/virtual-overflow'],
}
const virtualInside: SectionCheck = {
  kept: ({ header, pe }) => header.VirtualAddress + header.VirtualSize <= pe.SizeOfImage,
  message: TEXTS['stub/virtual-outside'],
}
const noFileOverflow: SectionCheck = {
  kept: ({ header }) => header.PointerToRawData + header.SizeOfRawData <= UINT32_MAX,
  message: TEXTS['stub/file-overflow'],
}
const rawInFile: SectionCheck = {
  kept: ({ header, fileSize }) => header.PointerToRawData + header.SizeOfRawData <= fileSize,
  message: TEXTS['stub/raw-outside-file'],
}

/** Conditions on a section, in the order in which they are checked. */
function checksOf({ origin, checksRawData, checksVirtualSize }: OwnLoaderBehaviour): readonly SectionCheck[] {
  return [
    ...(checksRawData ? [noOverflow] : []),
    ...(origin === 'ImageBase' ? [aboveImageBase, rawBelowEnd] : [rawInside]),
    ...(checksRawData ? [rawInVirtual] : []),
    ...(checksVirtualSize ? [noVirtualOverflow, virtualInside] : []),
    ...(checksRawData ? [noFileOverflow, rawInFile] : []),
  ]
}

/** The clause for placing and checking sections. */
function clauseOf({ origin, checksVirtualSize }: OwnLoaderBehaviour): ClauseId {
  if (origin === 'ImageBase') return checksVirtualSize ? 'ST-64' : 'ST-63'
  return checksVirtualSize ? 'ST-66' : 'ST-65'
}

/** Pages for the kernel. */
type PagesStep = (ctx: StubContext, pe: PeInMemory, kernel: Kernel) => Phys

/** Any pages for SizeOfImage. */
const anyPages: PagesStep = (ctx, pe, { object }) =>
  ctx.machine.step('ST-61', 'xmalloc_pages takes pages for the kernel', () =>
    xmallocPages(ctx, 'ST-61', {
      where: { kind: 'any' },
      type: EfiLoaderCode,
      pages: pagesOf(pe.SizeOfImage),
      label: object,
    }),
  )

/** Pages that begin at a multiple of SectionAlignment, from a larger allocation whose ends are freed. */
const alignedPages: PagesStep = (ctx, pe, { object }) =>
  ctx.machine.step('ST-62', 'xmalloc_aligned_pages takes pages for the kernel', () => {
    const alignment = Number.isInteger(Math.log2(pe.SectionAlignment)) ? pe.SectionAlignment : PAGE
    const pages = pagesOf(pe.SizeOfImage)
    const request = { where: { kind: 'any' }, type: EfiLoaderCode, label: object } as const
    if (alignment <= PAGE) return xmallocPages(ctx, 'ST-62', { ...request, pages })
    const all = pages + alignment / PAGE
    const got = xmallocPages(ctx, 'ST-62', { ...request, pages: all })
    const at = phys(alignUp(got, alignment))
    const head = (at - got) / PAGE
    if (head > 0) ctx.machine.firmware.freePages(got, head)
    if (all > head + pages) ctx.machine.firmware.freePages(add(at, pages * PAGE), all - head - pages)
    return at
  })

/** The kernel's section table ends inside `.linux`. */
function refuseTableOutside({ machine }: StubContext, pe: PeInMemory, kernel: Kernel): void {
  if (pe.table + IMAGE_SECTION_HEADER.size * pe.NumberOfSections > kernel.at + kernel.size) {
    machine.refuse(
      'ST-91',
      'EFI_LOAD_ERROR',
      'the section table of the kernel ends past the end of .linux',
      printed('stub/cannot-read-sections', { status: statusText('EFI_LOAD_ERROR') }),
    )
  }
}

/** Loads the kernel from `.linux` and enters it under the stub's own handle. */
export function linuxExec(
  pe: PeInMemory,
  behaviour: OwnLoaderBehaviour,
): (ctx: StubContext, payload: BootPayload) => HandOff {
  const sections = { clause: clauseOf(behaviour), checks: checksOf(behaviour), origin: behaviour.origin }
  const pages = behaviour.aligned ? alignedPages : anyPages
  return (ctx, payload) => {
    const { machine } = ctx
    const { kernel } = payload
    const loaded = machine.step('ST-60', 'linux_exec loads the kernel itself', () => {
      if (pe.relocations !== 0)
        machine.refuse(
          'ST-60',
          'EFI_LOAD_ERROR',
          'the kernel has base relocations',
          TEXTS['stub/base-relocations'],
        )
      if ((pe.DllCharacteristics & NX_COMPAT) !== 0)
        machine.assume(
          'ST-68',
          'the firmware has no EFI_MEMORY_ATTRIBUTE_PROTOCOL, or lets the stub protect whole pages of code',
        )
      if (behaviour.checksTable) refuseTableOutside(ctx, pe, kernel)
      const at = pages(ctx, pe, kernel)
      for (const header of headersOf(ctx, pe, kernel))
        machine.step(sections.clause, 'linux_exec places a section of the kernel', () => {
          place(ctx, sections, { header, pe, fileSize: kernel.size }, kernel, at)
        })
      doubtOverwritten(ctx)
      return at
    })
    const where = rangeAt(loaded, Math.max(1, pe.SizeOfImage))
    const parsed = parsePe(memorySource(machine.memory, rangeAt(kernel.at, kernel.size))).pe
    if (parsed === null) return machine.gap('ST-60', 'the headers of the kernel cannot be read')
    return handOffTo(
      ctx,
      {
        name: kernel.object,
        base: loaded,
        size: byteCount(pe.SizeOfImage),
        pages: rangeAt(where.start, pagesOf(pe.SizeOfImage) * PAGE),
        pe: parsed,
        entry: add(loaded, pe.AddressOfEntryPoint),
        loadOptions: null,
      },
      payload,
    )
  }
}

function headersOf({ machine }: StubContext, pe: PeInMemory, kernel: Kernel): Header[] {
  const where = rangeAt(pe.table, IMAGE_SECTION_HEADER.size * pe.NumberOfSections)
  machine.memory.readAs(where, kernel.object, { at: pe.table - kernel.at })
  const bytes = machine.memory.readRaw(where)
  return Array.from({ length: pe.NumberOfSections }, (_, i) =>
    IMAGE_SECTION_HEADER.read(bytes, IMAGE_SECTION_HEADER.size * i),
  ).filter(header => header !== null)
}

/** How sections are placed and checked. */
interface SectionRules {
  readonly clause: ClauseId
  readonly checks: readonly SectionCheck[]
  readonly origin: OwnLoaderBehaviour['origin']
}

/**
 * One section: its raw data is copied, the rest up to its virtual size is zeroed; one without raw data is
 * skipped. Zeroing is relative to the pages in every era.
 */
function place(ctx: StubContext, rules: SectionRules, judged: Judged, kernel: Kernel, base: Phys): void {
  const { machine } = ctx
  const { header, pe } = judged
  const { VirtualAddress, VirtualSize, SizeOfRawData, PointerToRawData, Characteristics } = header
  if (header.PointerToRelocations !== 0)
    machine.refuse(
      'ST-60',
      'EFI_LOAD_ERROR',
      'a section of the kernel has relocations',
      TEXTS['stub/section-relocations'],
    )
  if (SizeOfRawData === 0) return
  for (const { kept, message } of rules.checks) {
    if (!kept(judged))
      machine.refuse(
        rules.clause,
        'EFI_LOAD_ERROR',
        `the section of the kernel at ${hex(VirtualAddress)} (VirtualSize ` +
          `${hex(VirtualSize)}, SizeOfRawData ${hex(SizeOfRawData)}; SizeOfImage ` +
          `${hex(pe.SizeOfImage)}, ImageBase 0x${pe.ImageBase.toString(16)})`,
        message,
      )
  }
  const at = add(base, VirtualAddress - (rules.origin === 'ImageBase' ? Number(pe.ImageBase) : 0))
  machine.memory.copy(at, rangeAt(kernel.at + PointerToRawData, SizeOfRawData))
  zeroRest(
    ctx,
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
    machine.unmodelled(
      'ST-68',
      `the kernel is NX_COMPAT, and its code section at ${hex(VirtualAddress)} is not ` +
        'page-aligned at both ends: whether the firmware protects such pages or refuses is ' +
        'not modelled',
    )
  }
}

/** Zeroes; a negative length wraps to nearly 4 GiB. */
function zeroRest(
  { machine }: StubContext,
  where: Range | null,
  kernel: Kernel,
  offset: number,
  wrapped: boolean,
): void {
  if (where === null) return
  const event = machine.memory.zero(where, kernel.object, offset)
  if (wrapped)
    machine.undefinedBehaviour(
      event,
      `the stub zeroes ${formatRange(where)}, because a section has more raw data than ` +
        'VirtualSize: the negative difference wraps to nearly 4 GiB',
    )
}
