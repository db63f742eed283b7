/**
 * Images laid out like the known tools do it, with their own arithmetic: objcopy with addresses, and ukify
 * with pefile.
 */
import { UsageError } from '../bytes/errors.ts'
import { hex } from '../bytes/range.ts'
import { sliceSource, type ByteSource } from '../bytes/source.ts'
import { alignUp, PAGE, wrap32 } from '../bytes/units.ts'
import { contentSource, type Content } from '../image/content.ts'
import type { KernelFacts } from '../image/x86/kernel-facts.ts'
import { layoutNamed } from '../image/layouts/recognise.ts'
import { roundedUp, type ComputedLayout, type FixedLayout, type LayoutId } from '../image/layouts/table.ts'
import type { StubFacts } from '../image/stub-facts.ts'
import { buildKernel, buildPe, stubRecipe, type SectionRecipe } from '../image/synthetic.ts'

/** Input of a tool. */
export interface ToolInput {
  readonly stub: StubFacts
  readonly kernel: KernelFacts
  /** By section name. `.linux` is the kernel unless overridden here. */
  readonly contents: Readonly<Record<string, Content>>
  /** Does not add the stub's ImageBase to the addresses for objcopy. */
  readonly absolute?: boolean
}

/** A section to add, at an address that includes ImageBase. */
interface Addition {
  readonly name: string
  readonly vma: bigint
  readonly content: ByteSource
  readonly VirtualSize?: number
  readonly Characteristics: number
}

const DATA = 0x40000040
/** Characteristics after `--set-section-flags code,readonly`, measured with binutils 2.40. */
const EXECUTABLE = 0x60000020
/** Characteristics that pefile writes for `.linux`. */
const CODE = 0x40000020
/** IMAGE_DLLCHARACTERISTICS_NX_COMPAT. */
const NX_COMPAT = 0x100
/**
 * Bytes that ukify adds to the stub's own SBAT text, and the length of its own text if the stub has none;
 * measured with 257.13.
 */
const SBAT_GROWTH = 0x53
const SBAT_ALONE = 0x9f
/** From this release on `.sbat` of a stub does not end in a NUL, which ukify would cut off. */
const SBAT_WITHOUT_NUL = 257
/** Length of the SBAT text of a stub whose section is padded to its raw data; measured with 262.1. */
const SBAT_PADDED_TEXT = 0xf0
/** IMAGE_SCN_ALIGN_MASK: objcopy clears it. */
const ALIGN_MASK = 0x00f00000
/** Where objcopy puts the PE header. */
const OBJCOPY_LFANEW = 0x80
/** PE signature, COFF header and optional header with sixteen directories, in bytes. */
const PE_HEADERS = 24 + 112 + 16 * 8

/**
 * The image as laid out by that tool. Throws UsageError for a section it does not know, and if the tool
 * itself would fail.
 */
export function builtAs(id: LayoutId, input: ToolInput): ByteSource {
  const layout = layoutNamed(id)
  if (layout === undefined) throw new UsageError(`unknown builder ${JSON.stringify(id)}`)
  if (layout.kind === 'fixed') return objcopy(input, fixedAdditions(layout, input))
  return layout.linux === 'code' ? ukify(layout, input) : objcopy(input, computedAdditions(layout, input))
}

/** The sections to add, in the tool's order; others are a usage error. */
function addedBy(
  { id, order }: { readonly id: LayoutId; readonly order: readonly string[] },
  { contents, kernel }: ToolInput,
): { readonly name: string; readonly content: ByteSource }[] {
  const others = Object.keys(contents).filter(name => !order.includes(name))
  if (others.length > 0 && !order.includes('*'))
    throw new UsageError(`${id} does not add sections ${others.join(', ')}`)
  return order
    .flatMap(name => (name === '*' ? others : [name]))
    .flatMap(name => {
      const content = contents[name] ?? (name === '.linux' ? buildKernel(kernel) : undefined)
      return content === undefined ? [] : [{ name, content: contentSource(content) }]
    })
}

function fixedAdditions({ id, at }: FixedLayout, input: ToolInput): Addition[] {
  const base = input.absolute === true ? 0n : BigInt(input.stub.optional.ImageBase)
  return addedBy({ id, order: Object.keys(at) }, input).map(({ name, content }) => ({
    name,
    vma: base + BigInt(at[name] ?? 0),
    content,
    Characteristics: DATA,
  }))
}

/** Adjacent, from the end of the last section of the stub's table. */
function computedAdditions(layout: ComputedLayout, input: ToolInput): Addition[] {
  const { stub } = input
  const [, VirtualAddress = 0, VirtualSize = 0] = stub.sections.at(-1) ?? []
  const step = layout.step === 'page' ? PAGE : stub.optional.SectionAlignment
  let end = VirtualAddress + VirtualSize
  return addedBy(layout, input).map(({ name, content }) => {
    const at = roundedUp(end, layout.rounding[0], step)
    end = at + content.size
    return {
      name,
      vma: BigInt(stub.optional.ImageBase) + BigInt(at),
      content,
      Characteristics: name === '.linux' && layout.linux === 'executable' ? EXECUTABLE : DATA,
    }
  })
}

/**
 * objcopy: the headers are made anew, the table is sorted by address, SizeOfImage comes from its last
 * section, RVAs keep 32 bits, the symbols stay after the last raw data.
 */
function objcopy({ stub: facts }: ToolInput, additions: readonly Addition[]): ByteSource {
  const stub = stubRecipe(facts)
  const { FileAlignment, SectionAlignment } = facts.optional
  const base = BigInt(facts.optional.ImageBase)
  const own = stub.sections.map(section => ({ vma: base + BigInt(section.VirtualAddress), section }))
  const added = additions.map(addition => ({
    vma: addition.vma,
    section: sectionOf(addition, wrap32(Number(BigInt.asIntN(52, addition.vma - base))), FileAlignment),
  }))
  const sorted = [...own, ...added].sort((a, b) => Number(a.vma > b.vma) - Number(a.vma < b.vma))
  const SizeOfHeaders = alignUp<number>(OBJCOPY_LFANEW + PE_HEADERS + 40 * sorted.length, FileAlignment)
  let raw = SizeOfHeaders
  const sections = sorted.map(({ section }) => {
    const PointerToRawData = raw
    raw += section.SizeOfRawData
    return { ...section, PointerToRawData, Characteristics: (section.Characteristics & ~ALIGN_MASK) >>> 0 }
  })
  const last = sections.at(-1)
  const SizeOfImage =
    last === undefined ? 0 : alignUp<number>(last.VirtualAddress + last.VirtualSize, SectionAlignment)
  const symbols = facts.symbolTable === null ? 0 : facts.fileSize - facts.symbolTable[0]
  return buildPe({
    ...stub,
    e_lfanew: OBJCOPY_LFANEW,
    coff: { ...stub.coff, ...(symbols === 0 ? {} : { PointerToSymbolTable: raw }) },
    optional: { ...stub.optional, SizeOfImage, SizeOfHeaders },
    sections,
    parts: symbols === 0 ? [] : [{ at: raw, content: { pattern: symbols, seed: 9 } }],
    size: raw + symbols,
  })
}

function sectionOf(
  { name, content, Characteristics, VirtualSize }: Omit<Addition, 'vma'>,
  VirtualAddress: number,
  fileAlignment: number,
): SectionRecipe {
  return {
    name,
    VirtualAddress,
    VirtualSize: VirtualSize ?? content.size,
    PointerToRawData: 0,
    SizeOfRawData: alignUp<number>(content.size, fileAlignment),
    Characteristics,
    content,
  }
}

/** ukify with pefile: sections are appended, `.sbat` is replaced in place, symbols are dropped. */
function ukify(layout: ComputedLayout, input: ToolInput): ByteSource {
  const { stub: facts, kernel } = input
  const { FileAlignment, SectionAlignment, SizeOfHeaders, DllCharacteristics } = facts.optional
  const stub = stubRecipe(facts)
  const own = stub.sections.find(section => section.name === '.sbat')
  const sections = stub.sections.map(section =>
    section === own ? mergedSbat(section, facts.optional.MajorImageVersion) : section,
  )
  const contents: ToolInput['contents'] =
    own === undefined ? { '.sbat': { pattern: SBAT_ALONE, seed: 8 }, ...input.contents } : input.contents
  for (const { name, content } of addedBy(layout, { ...input, contents })) {
    const last = sections.at(-1)
    if (last === undefined) continue
    const Characteristics = name === '.linux' ? CODE : DATA
    const VirtualSize =
      name === '.linux' && layout.linuxSize === 'SizeOfImage' ? kernel.pe.optional.SizeOfImage : content.size
    const at = roundedUp(last.VirtualAddress + last.VirtualSize, layout.rounding[0], SectionAlignment)
    const PointerToRawData = Math.max(
      ...sections.map(section => section.PointerToRawData + section.SizeOfRawData),
    )
    sections.push({
      ...sectionOf({ name, content, Characteristics, VirtualSize }, at, FileAlignment),
      PointerToRawData: alignUp<number>(PointerToRawData, FileAlignment),
    })
  }
  checkHeaderRoom(facts, sections.length, alignUp<number>(SizeOfHeaders, FileAlignment))
  const last = sections.at(-1)
  const SizeOfImage =
    last === undefined ? 0 : alignUp<number>(last.VirtualAddress + last.VirtualSize, SectionAlignment)
  // Only from 257.9 on.
  const nx =
    layout.id === 'ukify-257.3' && (kernel.pe.optional.DllCharacteristics & NX_COMPAT) === 0
      ? { DllCharacteristics: DllCharacteristics & ~NX_COMPAT }
      : {}
  const size = Math.max(...sections.map(section => section.PointerToRawData + section.SizeOfRawData))
  return buildPe({
    ...stub,
    coff: { ...stub.coff, PointerToSymbolTable: 0, NumberOfSymbols: 0 },
    optional: { ...stub.optional, ...nx, SizeOfImage },
    sections,
    parts: [],
    size,
  })
}

/** The stub's SBAT text and ukify's own line in its place; NULs after the text are cut off first. */
function mergedSbat(section: SectionRecipe, release: number): SectionRecipe {
  const text =
    section.VirtualSize === section.SizeOfRawData
      ? SBAT_PADDED_TEXT
      : section.VirtualSize - (release < SBAT_WITHOUT_NUL ? 1 : 0)
  const VirtualSize = text + SBAT_GROWTH
  const own =
    section.content === undefined
      ? { pattern: text, seed: 8 }
      : sliceSource(contentSource(section.content), 0, text)
  return {
    ...section,
    VirtualSize,
    content: { size: VirtualSize, parts: [{ at: 0, content: own }], seed: 8 },
  }
}

function checkHeaderRoom(facts: StubFacts, sections: number, sizeOfHeaders: number): void {
  const end = facts.e_lfanew + PE_HEADERS + 40 * sections
  if (end > sizeOfHeaders)
    throw new UsageError(
      `ukify finds not enough header space: ${String(sections)} sections end at ` +
        `${hex(end)}, SizeOfHeaders is ${hex(sizeOfHeaders)}`,
    )
}
