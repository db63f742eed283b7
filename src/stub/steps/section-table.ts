/** Slot sectionTable: the image's own header in memory (chapter ST). */
import { toInteger } from '../../bytes/int.ts'
import { hex, rangeAt } from '../../bytes/range.ts'
import { add } from '../../bytes/units.ts'
import { EfiLoaderData } from '../../image/memory-types.ts'
import {
  IMAGE_DOS_HEADER,
  IMAGE_FILE_HEADER,
  IMAGE_FILE_MACHINE_AMD64,
  IMAGE_FILE_MACHINE_I386,
  IMAGE_SECTION_HEADER,
  PE32_MAGIC,
  PE32_PLUS_MAGIC,
} from '../../image/pe.ts'
import type { ClauseId, Machine } from '../../machine/machine.ts'
import type { Phys } from '../../bytes/units.ts'
import type { SectionTableBehaviour, StubBehaviour } from '../behaviour.ts'
import type { StubContext, TableEntry } from '../model.ts'
import { statusIn } from './status.ts'

/** IMAGE_FILE_MACHINE_ARM64, IMAGE_FILE_MACHINE_ARMNT, IMAGE_FILE_MACHINE_RISCV64. */
const OTHER_MACHINES = [0xaa64, 0x1c2, 0x5064]
/** PE machine types, by what a release accepts. */
const MACHINES = {
  'x64 and ia32': [IMAGE_FILE_MACHINE_AMD64, IMAGE_FILE_MACHINE_I386],
  'any known': [IMAGE_FILE_MACHINE_AMD64, IMAGE_FILE_MACHINE_I386, ...OTHER_MACHINES],
  own: [IMAGE_FILE_MACHINE_AMD64],
} as const satisfies Record<SectionTableBehaviour['machines'], readonly number[]>
const knows = (machines: SectionTableBehaviour['machines'], machine: number): boolean =>
  (MACHINES[machines] as readonly number[]).includes(machine)

/** A PE header in memory; null when "MZ" or the PE signature is missing. */
export interface PeInMemory {
  readonly Machine: number
  readonly NumberOfSections: number
  /** Magic of the optional header. */
  readonly Magic: number
  readonly MajorImageVersion: number
  readonly SizeOfImage: number
  readonly e_lfanew: number
  readonly SizeOfOptionalHeader: number
  readonly AddressOfEntryPoint: number
  readonly ImageBase: bigint
  readonly SectionAlignment: number
  readonly DllCharacteristics: number
  readonly NumberOfRvaAndSizes: number
  /** Size of the base relocation directory; 0 where there is none. */
  readonly relocations: number
  /** Address of the section table. */
  readonly table: Phys
}

/** Index of the base relocations among the data directories. */
const BASERELOC = 5
/** sizeof(struct IMAGE_OPTIONAL_HEADER64) with room for six directories. */
const OPTIONAL_HEADER = 112 + 8 * (BASERELOC + 1)

/** Reads the headers that lie at an address. */
export function peAt({ memory }: Machine, at: Phys): PeInMemory | null {
  const dosBytes = memory.readRaw(rangeAt(at, IMAGE_DOS_HEADER.size))
  const dos = IMAGE_DOS_HEADER.read(dosBytes)
  if (dos?.e_magic !== 0x5a4d) return null
  const pe = add(at, dos.e_lfanew)
  const bytes = memory.readRaw(rangeAt(pe, 24 + OPTIONAL_HEADER))
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const coff = IMAGE_FILE_HEADER.read(bytes, 4)
  if (view.getUint32(0, true) !== 0x4550 || coff === null) return null
  const Magic = view.getUint16(24, true)
  const narrow = Magic === PE32_MAGIC ? 16 : 0
  const NumberOfRvaAndSizes = view.getUint32(24 + 108 - narrow, true)
  return {
    Machine: coff.Machine,
    NumberOfSections: coff.NumberOfSections,
    SizeOfOptionalHeader: coff.SizeOfOptionalHeader,
    Magic,
    MajorImageVersion: view.getUint16(24 + 44, true),
    SizeOfImage: view.getUint32(24 + 56, true),
    e_lfanew: dos.e_lfanew,
    AddressOfEntryPoint: view.getUint32(24 + 16, true),
    ImageBase: toInteger(narrow === 0 ? bytes.subarray(24 + 24, 24 + 32) : bytes.subarray(24 + 28, 24 + 32)),
    SectionAlignment: view.getUint32(24 + 32, true),
    DllCharacteristics: view.getUint16(24 + 70, true),
    NumberOfRvaAndSizes,
    relocations:
      NumberOfRvaAndSizes > BASERELOC ? view.getUint32(24 + 112 - narrow + 8 * BASERELOC + 4, true) : 0,
    table: add(pe, 24 + coff.SizeOfOptionalHeader),
  }
}

/** Is it an x86-64 PE by the checks of the later eras? */
export function isOwnMachine(pe: PeInMemory): boolean {
  return (
    pe.Machine === IMAGE_FILE_MACHINE_AMD64 &&
    pe.NumberOfSections > 0 &&
    (pe.Magic === PE32_MAGIC || pe.Magic === PE32_PLUS_MAGIC)
  )
}

function entriesOf({ machine, self }: StubContext, pe: PeInMemory): TableEntry[] {
  const bytes = IMAGE_SECTION_HEADER.size * pe.NumberOfSections
  if (bytes === 0) return []
  const where = rangeAt(pe.table, bytes)
  machine.memory.readAs(where, `${self.name}:headers`, { at: pe.table - self.base })
  const table = machine.memory.readRaw(where)
  const entries: TableEntry[] = []
  for (let index = 0; index < pe.NumberOfSections; index++) {
    const header = IMAGE_SECTION_HEADER.read(table, IMAGE_SECTION_HEADER.size * index)
    if (header === null) continue
    const nul = header.Name.indexOf(0)
    const name = String.fromCharCode(...(nul < 0 ? header.Name : header.Name.subarray(0, nul)))
    entries.push({ index, name, VirtualSize: header.VirtualSize, VirtualAddress: header.VirtualAddress })
  }
  return entries
}

/**
 * A further condition on a header: the clause under which it fails, or null. `size`: bytes of the loaded
 * image, or of `.linux`; null where the release does not check.
 */
export type HeaderCheck = (
  pe: PeInMemory,
  imageSize: number | null,
) => { readonly clause: ClauseId; readonly why: string } | null

/** No more sections than the cap. */
const atMost =
  (most: number): HeaderCheck =>
  ({ NumberOfSections }) =>
    NumberOfSections > most
      ? { clause: 'ST-52', why: `${String(NumberOfSections)} sections are more than ${String(most)}` }
      : null

/** The PE header does not lie inside the DOS header. */
export const peBehindDos: HeaderCheck = ({ e_lfanew }) =>
  e_lfanew < IMAGE_DOS_HEADER.size
    ? { clause: 'ST-53', why: `e_lfanew ${hex(e_lfanew)} points into the DOS header` }
    : null

/** The optional header reaches to the directory of base relocations. */
export const sixDirectories: HeaderCheck = ({ SizeOfOptionalHeader, NumberOfRvaAndSizes, Magic }) =>
  SizeOfOptionalHeader < OPTIONAL_HEADER - (Magic === PE32_MAGIC ? 16 : 0) || NumberOfRvaAndSizes <= BASERELOC
    ? { clause: 'ST-54', why: 'the optional header ends before its sixth data directory' }
    : null

/** Headers and section table end inside the image. */
export const tableInImage: HeaderCheck = (
  { e_lfanew, SizeOfOptionalHeader, NumberOfSections },
  imageSize,
) => {
  const end = e_lfanew + 24 + SizeOfOptionalHeader + IMAGE_SECTION_HEADER.size * NumberOfSections
  return imageSize !== null && end > imageSize
    ? { clause: 'ST-55', why: `the section table ends at ${hex(end)}, past the end of the image` }
    : null
}

/** sizeof(struct PeFileHeader), with room for sixteen directories. */
const PE_FILE_HEADER = 24 + 112 + 8 * 16

/** The PE header of a kernel ends inside `.linux`. */
export const headerInFile: HeaderCheck = ({ e_lfanew }, fileSize) =>
  fileSize !== null && e_lfanew + PE_FILE_HEADER > fileSize
    ? { clause: 'ST-91', why: `its PE header at ${hex(e_lfanew)} ends past the end of the section` }
    : null

/** The first condition that fails. */
export function brokenCheck(
  checks: readonly HeaderCheck[],
  pe: PeInMemory,
  imageSize: number | null,
): ReturnType<HeaderCheck> {
  for (const check of checks) {
    const broken = check(pe, imageSize)
    if (broken !== null) return broken
  }
  return null
}

/** Conditions beyond those of every release, in the order in which they are checked. */
function checksOf(table: SectionTableBehaviour): readonly HeaderCheck[] {
  return [
    ...(table.headerAfterDos ? [peBehindDos] : []),
    ...(table.maxSections === null ? [] : [atMost(table.maxSections)]),
    ...(table.sixDirectories ? [sixDirectories] : []),
    ...(table.insideImage ? [tableInImage] : []),
  ]
}

/** Where the section table is read from, and the checks of its headers. */
export function readSectionTable(
  table: SectionTableBehaviour,
  messages: StubBehaviour['messages'],
): (ctx: StubContext) => readonly TableEntry[] {
  const refused = `${table.message}: ${statusIn(messages, 'EFI_LOAD_ERROR')}${table.messageEnd}`
  if (table.source === 'file') return ctx => tableOnDisk(ctx, table, refused)
  if (table.machines !== 'own') return ctx => tableOfAnyMachine(ctx, table, refused)
  const checks = checksOf(table)
  return ctx => tableOfOwnMachine(ctx, checks, refused)
}

const fewEnough = ({ maxSections }: SectionTableBehaviour, sections: number): boolean =>
  maxSections === null || sections <= maxSections

/** Any machine that the release knows, and at most its maximum of sections. */
function tableOfAnyMachine(
  ctx: StubContext,
  table: SectionTableBehaviour,
  refused: string,
): readonly TableEntry[] {
  return ctx.machine.step('ST-6', 'pe_memory_locate_sections reads the section table', () => {
    const pe = peAt(ctx.machine, ctx.self.base)
    const known = pe !== null && knows(table.machines, pe.Machine) && fewEnough(table, pe.NumberOfSections)
    if (known) return entriesOf(ctx, pe)
    return ctx.machine.refuse('ST-6', 'EFI_LOAD_ERROR', 'the header of the image is not a PE header', refused)
  })
}

/** Its own machine only, at least one section. */
function tableOfOwnMachine(
  ctx: StubContext,
  checks: readonly HeaderCheck[],
  refused: string,
): readonly TableEntry[] {
  return ctx.machine.step('ST-7', 'verify_pe checks the headers, and the section table is read', () => {
    const pe = peAt(ctx.machine, ctx.self.base)
    if (pe === null || !isOwnMachine(pe))
      return ctx.machine.refuse(
        'ST-7',
        'EFI_LOAD_ERROR',
        'the header of the image is not a PE header for this machine',
        refused,
      )
    const broken = brokenCheck(checks, pe, ctx.self.size)
    if (broken !== null) return ctx.machine.refuse(broken.clause, 'EFI_LOAD_ERROR', broken.why, refused)
    return entriesOf(ctx, pe)
  })
}

/** `\EFI\BOOT\BOOTX64.EFI` and its NUL, in UTF-16. */
const IMAGE_PATH = 44

/** From the file on disk, not from memory. */
function tableOnDisk(ctx: StubContext, table: SectionTableBehaviour, refused: string): readonly TableEntry[] {
  return ctx.machine.step('ST-82', 'pefile_locate_sections reads the section table in the file', () => {
    ctx.machine.assume(
      'ST-82',
      'the image was started as \\EFI\\BOOT\\BOOTX64.EFI from a file system that the stub ' +
        'can read, and the file there is the one that was loaded',
    )
    ctx.machine.firmware.allocatePool(EfiLoaderData, IMAGE_PATH, 'stub:path')
    const { coff, sections } = ctx.self.pe
    if (knows(table.machines, coff.Machine) && fewEnough(table, coff.NumberOfSections)) return sections
    return ctx.machine.refuse('ST-82', 'EFI_LOAD_ERROR', 'the header of the file is not a PE header', refused)
  })
}
