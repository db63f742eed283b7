/**
 * More of what prints memory maps, imitated from the format strings of each source: hypervisors, other
 * kernels, boot loaders and firmware that is not UEFI. They share no code with the readers.
 */
import { EFI_MEMORY_SP, type MemoryDescriptor } from '../../src/image/memory-types.ts'
import type { Printer } from './memmap-printers.ts'

const hex = (n: number | bigint, width = 1): string => n.toString(16).padStart(width, '0')
const bytesOf = ({ range: { start, end } }: MemoryDescriptor): number => end - start
const unsaid = (row: MemoryDescriptor): MemoryDescriptor => ({ ...row, attribute: 0xfn })
const isSoft = ({ type, attribute }: MemoryDescriptor): boolean =>
  type === 7 && (attribute & EFI_MEMORY_SP) !== 0n

const FREEBSD = [
  'Reserved',
  'LoaderCode',
  'LoaderData',
  'BootServicesCode',
  'BootServicesData',
  'RuntimeServicesCode',
  'RuntimeServicesData',
  'ConventionalMemory',
  'UnusableMemory',
  'ACPIReclaimMemory',
  'ACPIMemoryNVS',
  'MemoryMappedIO',
  'MemoryMappedIOPortSpace',
  'PalCode',
  'PersistentMemory',
]
const FREEBSD_FLAGS: readonly (readonly [bigint, string])[] = [
  [1n, 'UC'],
  [2n, 'WC'],
  [4n, 'WT'],
  [8n, 'WB'],
  [0x10n, 'UCE'],
  [0x1000n, 'WP'],
  [0x2000n, 'RP'],
  [0x4000n, 'XP'],
  [0x8000n, 'NV'],
  [0x10000n, 'MORE_RELIABLE'],
  [0x20000n, 'RO'],
  [2n ** 63n, 'RUNTIME'],
]
const RUST = [
  'RESERVED',
  'LOADER_CODE',
  'LOADER_DATA',
  'BOOT_SERVICES_CODE',
  'BOOT_SERVICES_DATA',
  'RUNTIME_SERVICES_CODE',
  'RUNTIME_SERVICES_DATA',
  'CONVENTIONAL',
  'UNUSABLE',
  'ACPI_RECLAIM',
  'ACPI_NON_VOLATILE',
  'MMIO',
  'MMIO_PORT_SPACE',
  'PAL_CODE',
  'PERSISTENT_MEMORY',
  'UNACCEPTED',
]
const RUST_FLAGS: readonly (readonly [bigint, string])[] = [
  [1n, 'UNCACHEABLE'],
  [2n, 'WRITE_COMBINE'],
  [4n, 'WRITE_THROUGH'],
  [8n, 'WRITE_BACK'],
  [0x10n, 'UNCACHABLE_EXPORTED'],
  [0x1000n, 'WRITE_PROTECT'],
  [0x2000n, 'READ_PROTECT'],
  [0x4000n, 'EXECUTE_PROTECT'],
  [0x8000n, 'NON_VOLATILE'],
  [0x10000n, 'MORE_RELIABLE'],
  [0x20000n, 'READ_ONLY'],
  [0x40000n, 'SPECIAL_PURPOSE'],
  [0x80000n, 'CPU_CRYPTO'],
  [2n ** 63n, 'RUNTIME'],
]
const flagsOf = (row: MemoryDescriptor, names: readonly (readonly [bigint, string])[]): string[] =>
  names.flatMap(([bit, name]) => ((row.attribute & bit) === 0n ? [] : [name]))
const kept = (row: MemoryDescriptor, names: readonly (readonly [bigint, string])[]): MemoryDescriptor => ({
  ...row,
  attribute: names.reduce((sum, [bit]) => sum | (row.attribute & bit), 0n),
})
const UEFI_RS = 'uefi-rs@0.28 uefi-raw/src/table/boot.rs MemoryDescriptor'

function rust(name: string, line: (row: MemoryDescriptor, type: string, flags: string) => string): Printer {
  return {
    name: `Rust uefi, ${name}`,
    dialect: 'rust-uefi',
    source: UEFI_RS,
    log: false,
    print: row => {
      const flags = flagsOf(row, RUST_FLAGS).join(' | ')
      return flags === ''
        ? null
        : {
            line: line(row, RUST[row.type] ?? `MemoryType(${String(row.type)})`, flags),
            says: kept(row, RUST_FLAGS),
          }
    },
  }
}

interface Table {
  readonly name: string
  readonly dialect: Printer['dialect']
  readonly source: string
  readonly types: Readonly<Record<number, string>>
  readonly head?: readonly string[]
  readonly line: (row: MemoryDescriptor, type: string, index: number) => string
}

/** A table of e820's kind. */
function table({ types, line, ...rest }: Table): Printer {
  return {
    ...rest,
    log: false,
    print: (row, index) => {
      const type = types[row.type]
      return type === undefined || isSoft(row) ? null : { line: line(row, type, index), says: unsaid(row) }
    },
  }
}

const NUMBERS = { 7: '1', 0: '2', 9: '3', 10: '4', 8: '5' }
const XEN_WORDS = { 7: 'usable', 0: 'reserved', 9: 'ACPI data', 10: 'ACPI NVS', 8: 'unusable' }

export const MORE_PRINTERS: readonly Printer[] = [
  {
    name: 'Xen, EFI memory map',
    dialect: 'xen-efi',
    source: 'xen@4.17 xen/common/efi/boot.c efi_init_memory',
    log: false,
    head: ['(XEN) EFI memory map:'],
    print: row => ({
      line:
        `(XEN)  ${hex(row.range.start, 13)}-${hex(row.range.end - 1, 13)} ` +
        `type=${String(row.type)} attr=${hex(row.attribute, 16)}`,
      says: row,
    }),
  },
  table({
    name: 'Xen before 4.13, e820',
    dialect: 'xen-e820',
    source: 'xen@4.12 xen/arch/x86/e820.c print_e820_memory_map',
    types: XEN_WORDS,
    head: ['(XEN) Xen-e820 RAM map:'],
    line: ({ range }, word) => `(XEN)  ${hex(range.start, 16)} - ${hex(range.end, 16)} (${word})`,
  }),
  table({
    name: 'Xen from 4.13 on, e820',
    dialect: 'xen-e820',
    source: 'xen@4.17 xen/arch/x86/e820.c print_e820_memory_map',
    types: XEN_WORDS,
    head: ['(XEN) EFI RAM map:'],
    line: ({ range }, word) => `(XEN)  [${hex(range.start, 16)}, ${hex(range.end - 1, 16)}] (${word})`,
  }),
  {
    name: 'ESXi',
    dialect: 'esxi',
    source: 'captures of ESXi 6.7 and 7.0',
    log: false,
    print: (row, i) => ({
      line:
        `<6>MMap[${String(i)}]: 0x${hex(row.range.start)} - 0x${hex(row.range.end - 1)} ` +
        `len=${String(bytesOf(row))}, type=${String(row.type)}, ` +
        `attr=0x${hex(row.attribute)}`,
      says: row,
    }),
  },
  {
    name: 'FreeBSD memmap',
    dialect: 'freebsd-efi',
    source: 'freebsd@14.0 sys/kern/subr_efi_map.c print_efi_map_entry',
    log: false,
    head: ['                   Type     Physical      Virtual   #Pages Attr'],
    print: row => {
      const name = FREEBSD[row.type]
      return name === undefined
        ? null
        : {
            line:
              `${name.padStart(23)} ${hex(row.range.start, 12)} ${hex(0, 12)} ` +
              `${hex(bytesOf(row) / 4096, 8)} ` +
              flagsOf(row, FREEBSD_FLAGS)
                .map(flag => `${flag} `)
                .join(''),
            says: kept(row, FREEBSD_FLAGS),
          }
    },
  },
  table({
    name: 'FreeBSD smap',
    dialect: 'freebsd-smap',
    source: 'freebsd@14.0 stand/i386/libi386/smap.c command_smap',
    types: { 7: '01', 0: '02', 9: '03', 10: '04', 8: '05' },
    line: (row, type) =>
      `SMAP type=${type} base=${hex(row.range.start, 16)} len=${hex(bytesOf(row), 16)} attr=01`,
  }),
  table({
    name: 'OpenBSD machine memory',
    dialect: 'openbsd',
    source: 'openbsd sys/arch/amd64/stand/libsa/memprobe.c dump_biosmem',
    types: NUMBERS,
    line: (row, type, i) =>
      `Region ${String(i)}: type ${type} at 0x${hex(row.range.start)} for ${String(bytesOf(row) / 1024)}KB`,
  }),
  table({
    name: 'Limine',
    dialect: 'limine',
    source: 'limine@5.0 common/mm/pmm.s2.c print_memmap',
    types: {
      7: 'Usable RAM (1)',
      0: 'Reserved (2)',
      9: 'ACPI reclaimable (3)',
      10: 'ACPI NVS (4)',
      8: 'Bad memory (5)',
    },
    line: (row, word) =>
      `[0x${hex(row.range.start)} -> 0x${hex(row.range.end)}] : 0x${hex(bytesOf(row))}  <${word}>`,
  }),
  table({
    name: 'SeaBIOS',
    dialect: 'seabios',
    source: 'seabios@1.16 src/e820map.c dump_map',
    types: { 7: '1 RAM', 0: '2 RESERVED', 9: '3 ACPI', 10: '4 NVS', 8: '5 UNUSABLE' },
    head: ['e820 map has 7 items:'],
    line: (row, word, i) =>
      `  ${String(i)}: ${hex(row.range.start, 16)} - ${hex(row.range.end, 16)} = ${word}`,
  }),
  table({
    name: 'coreboot',
    dialect: 'coreboot',
    source: 'coreboot@4.19 src/lib/bootmem.c bootmem_dump_ranges',
    types: { 7: 'RAM', 0: 'CONFIGURATION TABLES', 9: 'ACPI', 10: 'NVS', 8: 'UNUSABLE' },
    head: ['coreboot memory table:'],
    line: (row, word, i) =>
      `${String(i).padStart(2)}. ${hex(row.range.start, 16)}-${hex(row.range.end - 1, 16)}: ${word}`,
  }),
  rust(
    '{:?}',
    (row, type, flags) =>
      `MemoryDescriptor { ty: ${type}, phys_start: ${String(row.range.start)}, ` +
      `virt_start: 0, page_count: ${String(bytesOf(row) / 4096)}, att: ` +
      `MemoryAttribute(${flags}) }`,
  ),
  rust(
    '{:#?}',
    (row, type, flags) =>
      `MemoryDescriptor {\n    ty: ${type},\n    phys_start: ` +
      `${String(row.range.start)},\n    virt_start: 0,\n    page_count: ` +
      `${String(bytesOf(row) / 4096)},\n    att: MemoryAttribute(\n        ${flags},\n ` +
      `   ),\n}`,
  ),
  table({
    name: 'lsmem',
    dialect: 'lsmem',
    source: 'util-linux@2.38 sys-utils/lsmem.c',
    types: { 7: 'online' },
    head: ['RANGE                                  SIZE  STATE REMOVABLE  BLOCK'],
    line: ({ range }, word) =>
      `0x${hex(range.start, 16)}-0x${hex(range.end - 1, 16)}    2G ${word}       yes   0-15`,
  }),
]
