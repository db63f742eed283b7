/**
 * An ELF64 file, as far as needed for loading: entry and PT_LOAD segments. Source: ELF-64 Object File Format
 * 1.5; linux@6.12.107 arch/x86/boot/compressed/misc.c parse_elf.
 */
import { readExactly, type ByteSource } from '../bytes/source.ts'
import { struct } from '../bytes/struct.ts'
import { fileOffset } from '../bytes/units.ts'
import type { Problem } from './problem.ts'

/** The file header. */
export const elf64_hdr = struct('elf64_hdr', 64, {
  e_ident: [0, [16]],
  e_type: [16, 'u16'],
  e_machine: [18, 'u16'],
  e_version: [20, 'u32'],
  e_entry: [24, 'u64'],
  e_phoff: [32, 'u64'],
  e_shoff: [40, 'u64'],
  e_flags: [48, 'u32'],
  e_ehsize: [52, 'u16'],
  e_phentsize: [54, 'u16'],
  e_phnum: [56, 'u16'],
  e_shentsize: [58, 'u16'],
  e_shnum: [60, 'u16'],
  e_shstrndx: [62, 'u16'],
})

/** A program header. */
export const elf64_phdr = struct('elf64_phdr', 56, {
  p_type: [0, 'u32'],
  p_flags: [4, 'u32'],
  p_offset: [8, 'u64'],
  p_vaddr: [16, 'u64'],
  p_paddr: [24, 'u64'],
  p_filesz: [32, 'u64'],
  p_memsz: [40, 'u64'],
  p_align: [48, 'u64'],
})

const PT_LOAD = 1
const MAGIC = [0x7f, 0x45, 0x4c, 0x46] as const

/**
 * One PT_LOAD, under upstream's names. Numbers above 2^53 lose low bits, but no such file fits into memory.
 */
export interface Segment {
  readonly p_offset: number
  readonly p_paddr: number
  readonly p_filesz: number
  readonly p_memsz: number
  readonly p_align: number
}

/** An ELF64 file: its entry point and segments. */
export interface Elf {
  readonly e_entry: number
  /** PT_LOAD headers in the order of the table. */
  readonly segments: readonly Segment[]
  /** End of the file: after the last segment and the last table. A kernel's relocation table begins here. */
  readonly end: number
}

export interface ElfParse {
  readonly elf: Elf | null
  readonly problems: readonly Problem[]
}

/** Reads the headers only. Never throws. */
export function parseElf(source: ByteSource): ElfParse {
  const fail = (id: string, at: number, what: string): ElfParse => ({
    elf: null,
    problems: [{ id, at: fileOffset(at), what, fatal: true }],
  })
  const head = readExactly(source, 0, elf64_hdr.size)
  const hdr = head === null ? null : elf64_hdr.read(head)
  if (head === null || hdr === null) return fail('truncated', source.size, 'shorter than an ELF header')
  if (MAGIC.some((byte, i) => head[i] !== byte)) return fail('not-elf', 0, 'no ELF magic')
  const tableAt = Number(hdr.e_phoff)
  const table = tableAt > source.size ? null : readExactly(source, tableAt, hdr.e_phnum * elf64_phdr.size)
  if (table === null || hdr.e_phentsize !== elf64_phdr.size)
    return fail('program-headers', 32, 'the program headers are not in the file')
  const segments: Segment[] = []
  for (let i = 0; i < hdr.e_phnum; i++) {
    const row = elf64_phdr.read(table, i * elf64_phdr.size)
    if (row?.p_type !== PT_LOAD) continue
    segments.push({
      p_offset: Number(row.p_offset),
      p_paddr: Number(row.p_paddr),
      p_filesz: Number(row.p_filesz),
      p_memsz: Number(row.p_memsz),
      p_align: Number(row.p_align),
    })
  }
  const end = Math.max(
    tableAt + table.length,
    Number(hdr.e_shoff) + hdr.e_shnum * hdr.e_shentsize,
    ...segments.map(({ p_offset, p_filesz }) => p_offset + p_filesz),
  )
  return { elf: { e_entry: Number(hdr.e_entry), segments, end }, problems: [] }
}
