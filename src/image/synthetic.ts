/**
 * Builds PE files, kernels, stubs and unified kernel images from plain data, as sparse sources: size is free,
 * and inconsistent fields are written as given.
 */
import { UsageError } from '../bytes/errors.ts'
import { bytesSource, sliceSource, sparseSource, type ByteSource, type SparsePiece } from '../bytes/source.ts'
import { alignUp } from '../bytes/units.ts'
import { contentSource, patternUnder, type Content } from './content.ts'
import { kernelPieces } from './x86/kernel-bytes.ts'
import type { KernelFacts } from './x86/kernel-facts.ts'
import {
  DIRECTORY_BASERELOC,
  DIRECTORY_SECURITY,
  IMAGE_DATA_DIRECTORY,
  IMAGE_DOS_HEADER,
  IMAGE_FILE_HEADER,
  IMAGE_OPTIONAL_HEADER32,
  IMAGE_OPTIONAL_HEADER64,
  IMAGE_SECTION_HEADER,
  NATIVE_MACHINE,
  PE32_MAGIC,
  PE32_PLUS_MAGIC,
} from './pe.ts'
import type { StubFacts } from './stub-facts.ts'

/** A section header to write, and its raw data. Sizes and addresses are not made consistent. */
export interface SectionRecipe {
  readonly name: string
  readonly VirtualAddress: number
  readonly VirtualSize: number
  readonly PointerToRawData: number
  readonly SizeOfRawData: number
  readonly Characteristics: number
  /** Cut to SizeOfRawData, zero after its end. Absent: nothing is written there. */
  readonly content?: Content
}

/** A number; a bigint, or text such as `0x14df90000`, if a 64-bit field does not fit a number. */
export type Wide = number | string | bigint
type OptionalFields = Partial<Record<keyof typeof IMAGE_OPTIONAL_HEADER64.fields, Wide>>

/** A PE file to write. Every header field can be set to anything that fits its width. */
export interface PeRecipe {
  /** Default 0x80. */
  readonly e_lfanew?: number
  readonly format?: 'PE32+' | 'PE32'
  /** Default: number and length of `sections`. */
  readonly coff?: Partial<Record<keyof typeof IMAGE_FILE_HEADER.fields, number>>
  readonly optional: OptionalFields
  /** By index; `NumberOfRvaAndSizes` defaults to 16. */
  readonly directories?: readonly {
    readonly index: number
    readonly VirtualAddress: number
    readonly Size: number
  }[]
  readonly sections: readonly SectionRecipe[]
  /** Bytes outside headers and sections. */
  readonly parts?: readonly { readonly at: number; readonly content: Content }[]
  /** Length of the file; default: the end of the last raw data. A smaller one truncates. */
  readonly size?: number
}

type AnyStruct = {
  readonly name: string
  readonly fields: Readonly<Record<string, readonly [number, unknown]>>
  write(values: never): Uint8Array
}

/** Bits of the fields that take a number. */
const BITS: Readonly<Record<string, number>> = { u8: 8, u16: 16, u32: 32, u64: 64 }

/**
 * Writes numbers into a structure; 64-bit fields take bigint there. Throws UsageError for a number that its
 * field cannot hold; `of` says whose fields they are.
 */
function encode(
  layout: AnyStruct,
  values: Readonly<Record<string, Wide | Uint8Array | undefined>>,
  of = '',
): Uint8Array {
  const typed: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(values)) {
    const kind = layout.fields[name]?.[1]
    if (value === undefined || kind === undefined) continue
    typed[name] =
      value instanceof Uint8Array || typeof kind !== 'string'
        ? value
        : fitting(value, BITS[kind] ?? 0, `${of}${name}`)
  }
  return layout.write(typed as never)
}

function fitting(value: Wide, bits: number, name: string): number | bigint {
  const number = typeof value === 'number' && !Number.isInteger(value) ? -1n : BigInt(value)
  if (number !== BigInt.asUintN(bits, number))
    throw new UsageError(`${name}: ${String(value)} does not fit its ${String(bits)} bits`)
  return bits === 64 ? number : Number(number)
}

function nameBytes(name: string): Uint8Array {
  return Uint8Array.from({ length: 8 }, (_, i) => (i < name.length ? name.charCodeAt(i) & 0xff : 0))
}

function headerPieces(recipe: PeRecipe): SparsePiece[] {
  const at = recipe.e_lfanew ?? 0x80
  const narrow = recipe.format === 'PE32'
  const layout = narrow ? IMAGE_OPTIONAL_HEADER32 : IMAGE_OPTIONAL_HEADER64
  const count = Number(recipe.optional.NumberOfRvaAndSizes ?? 16)
  const length = recipe.coff?.SizeOfOptionalHeader ?? layout.size + 8 * Math.min(count, 16)
  const put = (where: number, bytes: Uint8Array): SparsePiece => ({ at: where, source: bytesSource(bytes) })
  const coff = {
    Machine: NATIVE_MACHINE,
    NumberOfSections: recipe.sections.length,
    SizeOfOptionalHeader: length,
    Characteristics: 0x206,
    ...recipe.coff,
  }
  const optional = {
    Magic: narrow ? PE32_MAGIC : PE32_PLUS_MAGIC,
    NumberOfRvaAndSizes: count,
    ...recipe.optional,
  }
  // First, so that a section that is too large is named before SizeOfImage, which follows from it
  const table = recipe.sections.map((section, i) => {
    const { VirtualSize, VirtualAddress, SizeOfRawData, PointerToRawData, Characteristics } = section
    const header = {
      Name: nameBytes(section.name),
      VirtualSize,
      VirtualAddress,
      SizeOfRawData,
      PointerToRawData,
      Characteristics,
    }
    return put(at + 24 + length + 40 * i, encode(IMAGE_SECTION_HEADER, header, `section ${section.name}: `))
  })
  const pieces = [
    put(0, encode(IMAGE_DOS_HEADER, { e_magic: 0x5a4d, e_lfanew: at })),
    put(at, Uint8Array.from([0x50, 0x45, 0, 0])),
    put(at + 4, encode(IMAGE_FILE_HEADER, coff)),
    { at: at + 24, source: sparseSource(length + 40 * recipe.sections.length, []) },
    put(at + 24, encode(layout, optional)),
  ]
  for (const { index, VirtualAddress, Size } of recipe.directories ?? []) {
    pieces.push(
      put(at + 24 + layout.size + 8 * index, encode(IMAGE_DATA_DIRECTORY, { VirtualAddress, Size })),
    )
  }
  return [...pieces, ...table]
}

/** The file. Later sections override overlapping raw data; the headers override everything. */
export function buildPe(recipe: PeRecipe): ByteSource {
  const headers = headerPieces(recipe)
  const raw = recipe.sections.flatMap(({ PointerToRawData, SizeOfRawData, content }) =>
    content === undefined
      ? []
      : [{ at: PointerToRawData, source: sliceSource(contentSource(content), 0, SizeOfRawData) }],
  )
  const parts = (recipe.parts ?? []).map(part => ({ at: part.at, source: contentSource(part.content) }))
  const ends = [
    ...recipe.sections.map(section => section.PointerToRawData + section.SizeOfRawData),
    ...[...headers, ...parts].map(piece => piece.at + piece.source.size),
  ]
  return sparseSource(recipe.size ?? Math.max(...ends), [...raw, ...parts, ...headers])
}

/**
 * The kernel with these facts: headers, version, payload head and tail, kernel_info and the code with the
 * link addresses; a pattern elsewhere.
 */
export function buildKernel(facts: KernelFacts): ByteSource {
  const { pe } = facts
  const sections = facts.pe.sections.map(
    ([name, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData, Characteristics]) => ({
      name,
      VirtualAddress,
      VirtualSize,
      PointerToRawData,
      SizeOfRawData,
      Characteristics,
    }),
  )
  const headers = headerPieces({
    e_lfanew: pe.e_lfanew,
    coff: { NumberOfSymbols: 1 },
    optional: {
      ...pe.optional,
      MajorLinkerVersion: 2,
      MinorLinkerVersion: 20,
      Subsystem: 10,
      NumberOfRvaAndSizes: 6,
    },
    directories:
      pe.certificates === null
        ? []
        : [{ index: DIRECTORY_SECURITY, VirtualAddress: pe.certificates[0], Size: pe.certificates[1] }],
    sections,
  })
  const [dos, ...rest] = headers
  const blank: SparsePiece = { at: 0, source: sparseSource(0x1e8, []) }
  return patternUnder(facts.fileSize, 1, [
    blank,
    ...(dos === undefined ? [] : [dos]),
    ...kernelPieces(facts),
    ...rest,
  ])
}

/** Sections, entry point and identification of a stub. */
export function stubRecipe(facts: StubFacts): PeRecipe {
  const sections = facts.sections.map(
    ([name, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData, Characteristics], index) => {
      const content = stubContent(facts, name, VirtualSize, index)
      return { name, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData, Characteristics, content }
    },
  )
  const reloc = facts.sections.find(([name]) => name === '.reloc')
  return {
    e_lfanew: facts.e_lfanew,
    coff: {
      Characteristics: facts.Characteristics,
      PointerToSymbolTable: facts.symbolTable?.[0] ?? 0,
      NumberOfSymbols: facts.symbolTable?.[1] ?? 0,
    },
    optional: { ...facts.optional, Subsystem: 10 },
    directories:
      reloc === undefined ? [] : [{ index: DIRECTORY_BASERELOC, VirtualAddress: reloc[1], Size: reloc[2] }],
    sections,
    parts:
      facts.symbolTable === null
        ? []
        : [
            {
              at: facts.symbolTable[0],
              content: { pattern: facts.fileSize - facts.symbolTable[0], seed: 9 },
            },
          ],
    size: facts.fileSize,
  }
}

function stubContent(facts: StubFacts, name: string, size: number, index: number): Content {
  if (name === '.reloc') return { hex: relocationHex(facts) }
  const [holder, at] = facts.identificationAt
  const text = { at, content: { text: facts.identification } }
  return {
    size,
    seed: 40 + index,
    parts: name === holder ? [text, { at: at + facts.identification.length, content: { zero: 1 } }] : [],
  }
}

function relocationHex(facts: StubFacts): string {
  const { page, entries } = facts.relocations
  const hex = (n: number, width: number): string =>
    Array.from({ length: width }, (_, i) =>
      (Math.floor(n / 256 ** i) & 0xff).toString(16).padStart(2, '0'),
    ).join('')
  return hex(page, 4) + hex(8 + 2 * entries.length, 4) + entries.map(entry => hex(entry, 2)).join('')
}

/** The stub alone, as the distribution ships it. */
export function buildStub(facts: StubFacts): ByteSource {
  return buildPe(stubRecipe(facts))
}

/**
 * A section added to a stub. Defaults as laid out by a linker: exact VirtualSize, aligned raw data,
 * consecutive.
 */
export interface AddedSection {
  readonly name: string
  readonly VirtualAddress: number
  readonly content: Content
  readonly VirtualSize?: number
  readonly SizeOfRawData?: number
  readonly PointerToRawData?: number
  readonly Characteristics?: number
}

/** A unified kernel image: a stub and added sections. */
export interface UkiRecipe {
  readonly stub: StubFacts
  /** Appended to the section table in this order. */
  readonly sections: readonly AddedSection[]
  /** Overrides of header fields; SizeOfImage defaults to the end of the highest section. */
  readonly optional?: OptionalFields
  readonly coff?: PeRecipe['coff']
  /** Length of the file; a smaller one truncates. */
  readonly size?: number
}

const READ_ONLY_DATA = 0x40000040

/** An alignment of 0 aligns nothing. */
const alignmentOf = (field: Wide): number => Math.max(1, Number(field))

/** The recipe of a UKI as a PE recipe, before anything is written. */
export function ukiRecipe(recipe: UkiRecipe): PeRecipe {
  const stub = stubRecipe(recipe.stub)
  const fileAlignment = alignmentOf(recipe.optional?.FileAlignment ?? recipe.stub.optional.FileAlignment)
  let next = Math.max(...stub.sections.map(section => section.PointerToRawData + section.SizeOfRawData))
  const added = recipe.sections.map(section => {
    const length = contentSource(section.content).size
    const PointerToRawData = section.PointerToRawData ?? next
    const SizeOfRawData = section.SizeOfRawData ?? alignUp<number>(length, fileAlignment)
    next = Math.max(next, PointerToRawData + SizeOfRawData)
    return {
      VirtualSize: length,
      Characteristics: READ_ONLY_DATA,
      ...section,
      PointerToRawData,
      SizeOfRawData,
    }
  })
  return assemble(recipe.stub, stub, [...stub.sections, ...added], recipe)
}

function assemble(
  facts: StubFacts,
  stub: PeRecipe,
  sections: readonly SectionRecipe[],
  recipe: Pick<UkiRecipe, 'optional' | 'coff' | 'size'>,
): PeRecipe {
  const SectionAlignment = alignmentOf(recipe.optional?.SectionAlignment ?? facts.optional.SectionAlignment)
  const last = Math.max(...sections.map(section => section.PointerToRawData + section.SizeOfRawData))
  const SizeOfImage = Math.max(
    ...sections.map(section =>
      alignUp<number>(section.VirtualAddress + section.VirtualSize, SectionAlignment),
    ),
  )
  const symbols = facts.symbolTable === null ? 0 : facts.fileSize - facts.symbolTable[0]
  return {
    ...stub,
    coff: { ...stub.coff, ...(symbols === 0 ? {} : { PointerToSymbolTable: last }), ...recipe.coff },
    optional: { ...stub.optional, SizeOfImage, ...recipe.optional },
    sections,
    parts: symbols === 0 ? [] : [{ at: last, content: { pattern: symbols, seed: 9 } }],
    size: recipe.size ?? last + symbols,
  }
}

/** The UKI. */
export function buildUki(recipe: UkiRecipe): ByteSource {
  return buildPe(ukiRecipe(recipe))
}

/** A recorded section table row: name, RVA, VirtualSize, PointerToRawData, SizeOfRawData. */
export type LayoutRow = readonly [
  name: string,
  VirtualAddress: Wide,
  VirtualSize: Wide,
  PointerToRawData: Wide,
  SizeOfRawData: Wide,
]

/** A whole recorded section table, rather than one made by rules. */
export interface LayoutRecipe extends Pick<UkiRecipe, 'stub' | 'optional' | 'coff' | 'size'> {
  readonly layout: readonly LayoutRow[]
  /**
   * By section name; the n-th section of a name has the n-th content, the last content is used for the rest.
   */
  readonly contents: Readonly<Record<string, readonly Content[]>>
}

/** The UKI with exactly this section table. The stub's own sections keep their contents. */
export function buildFromLayout(recipe: LayoutRecipe): ByteSource {
  const stub = stubRecipe(recipe.stub)
  const used = new Map<string, number>()
  const sections = recipe.layout.map(
    ([name, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData]) => {
      const nth = used.get(name) ?? 0
      used.set(name, nth + 1)
      const own = nth === 0 ? stub.sections.find(section => section.name === name) : undefined
      const given = recipe.contents[name]
      const content = given?.[nth] ??
        given?.at(-1) ??
        own?.content ?? { pattern: Number(VirtualSize), seed: 60 + nth }
      const numbers = {
        VirtualAddress: Number(VirtualAddress),
        VirtualSize: Number(VirtualSize),
        PointerToRawData: Number(PointerToRawData),
        SizeOfRawData: Number(SizeOfRawData),
      }
      return { name, ...numbers, Characteristics: own?.Characteristics ?? READ_ONLY_DATA, content }
    },
  )
  const SizeOfHeaders = Math.min(...sections.map(section => section.PointerToRawData))
  return buildPe(
    assemble(recipe.stub, stub, sections, { ...recipe, optional: { SizeOfHeaders, ...recipe.optional } }),
  )
}
