/** Slot sectionTable: the image's own header as it lies in memory (chapter ST). */
import { hex, rangeAt } from '../../bytes/range.ts'
import { add } from '../../bytes/units.ts'
import { IMAGE_DOS_HEADER, IMAGE_FILE_HEADER, IMAGE_FILE_MACHINE_AMD64, IMAGE_FILE_MACHINE_I386, IMAGE_SECTION_HEADER, PE32_MAGIC, PE32_PLUS_MAGIC } from '../../image/pe.ts'
import type { ClauseId, Machine } from '../../machine/machine.ts'
import type { Phys } from '../../bytes/units.ts'
import type { Booting, TableEntry } from '../model.ts'
import { statusText, statusTitle } from './patch.ts'

/** IMAGE_FILE_MACHINE_ARM64, IMAGE_FILE_MACHINE_ARMNT, IMAGE_FILE_MACHINE_RISCV64. */
const OTHER_MACHINES = [0xaa64, 0x1c2, 0x5064]
/** Most sections that the capped eras accept. */
const MAX_SECTIONS = 96

/** A PE header in memory; null when "MZ" or the PE signature is missing. */
export interface PeInMemory {
  readonly Machine: number
  readonly NumberOfSections: number
  /** Magic of the optional header. */
  readonly Magic: number
  readonly MajorImageVersion: number
  readonly SizeOfImage: number
  /** Address of the section table. */
  readonly table: Phys
}

/** Reads the headers that lie at an address. */
export function peAt({ memory }: Machine, at: Phys): PeInMemory | null {
  const dosBytes = memory.readRaw(rangeAt(at, IMAGE_DOS_HEADER.size))
  const dos = IMAGE_DOS_HEADER.read(dosBytes)
  if (dos?.e_magic !== 0x5a4d) return null
  const pe = add(at, dos.e_lfanew)
  const bytes = memory.readRaw(rangeAt(pe, 24 + 64))
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const coff = IMAGE_FILE_HEADER.read(bytes, 4)
  if (view.getUint32(0, true) !== 0x4550 || coff === null) return null
  return {
    Machine: coff.Machine,
    NumberOfSections: coff.NumberOfSections,
    Magic: view.getUint16(24, true),
    MajorImageVersion: view.getUint16(24 + 44, true),
    SizeOfImage: view.getUint32(24 + 56, true),
    table: add(pe, 24 + coff.SizeOfOptionalHeader),
  }
}

/** Is it an x86-64 PE by the checks of the later eras? */
export function isOwnMachine(pe: PeInMemory): boolean {
  return pe.Machine === IMAGE_FILE_MACHINE_AMD64 && pe.NumberOfSections > 0 && (pe.Magic === PE32_MAGIC || pe.Magic === PE32_PLUS_MAGIC)
}

function entriesOf({ machine, self }: Booting, pe: PeInMemory): TableEntry[] {
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

/** Any machine that the era knows, at most 96 sections. */
export function tableOfAnyMachine(on: Booting): readonly TableEntry[] {
  return on.machine.step('ST-6', 'reads its section table', () => {
    const pe = peAt(on.machine, on.self.base)
    const known = pe !== null && [IMAGE_FILE_MACHINE_AMD64, IMAGE_FILE_MACHINE_I386, ...OTHER_MACHINES].includes(pe.Machine) && pe.NumberOfSections <= MAX_SECTIONS
    if (known) return entriesOf(on, pe)
    return on.machine.refuse('ST-6', 'EFI_LOAD_ERROR', 'the header of the image is no PE header', `Unable to locate embedded .linux section: ${statusTitle('EFI_LOAD_ERROR')} `)
  })
}

/** Its own machine only, at least one section. The prefix of the message is the era's. */
export function tableOfOwnMachine(clause: ClauseId, message: string): (on: Booting) => readonly TableEntry[] {
  return on => on.machine.step(clause, 'reads its section table', () => {
    const pe = peAt(on.machine, on.self.base)
    if (pe === null || !isOwnMachine(pe)) return on.machine.refuse(clause, 'EFI_LOAD_ERROR', 'the header of the image is no PE header of this machine', `${message}: ${statusText('EFI_LOAD_ERROR')}`)
    if (pe.NumberOfSections > MAX_SECTIONS) return on.machine.gap(clause, `${hex(pe.NumberOfSections)} sections: releases of this era differ in how many they accept`)
    return entriesOf(on, pe)
  })
}
