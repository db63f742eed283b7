/**
 * What prints memory maps, imitated from the format strings of each source: one printer per dialect and era,
 * for round trips. They share no code with the readers.
 */
import type { MemmapDialect } from '../../src/image/memmap.ts'
import { EFI_MEMORY_SP, type MemoryDescriptor } from '../../src/image/memory-types.ts'
import { MORE_PRINTERS } from './memmap-printers-more.ts'

/** A row as it was and as the text can say it. */
interface Printed {
  readonly line: string
  /** What a reader can know of the row; null where the text has no row for it. */
  readonly says: MemoryDescriptor | null
}

export interface Printer {
  readonly name: string
  readonly dialect: MemmapDialect
  /** Source of the format. */
  readonly source: string
  /** A kernel's log: other lines may stand between, loggers put things in front. */
  readonly log: boolean
  readonly head?: readonly string[]
  readonly tail?: readonly string[]
  /** null for a row that this program cannot have in its map. */
  readonly print: (row: MemoryDescriptor, index: number) => Printed | null
  /** Order of the lines: sysfs entries come as the shell's glob sorts them. */
  readonly sorted?: boolean
}

const hex = (n: number | bigint, width = 1): string => n.toString(16).padStart(width, '0')
const HEX = (n: number | bigint, width = 1): string => hex(n, width).toUpperCase()
const bytesOf = ({ range: { start, end } }: MemoryDescriptor): number => end - start
const pagesOf = (row: MemoryDescriptor): number => bytesOf(row) / 4096
const megabytes = (row: MemoryDescriptor): string => `(${String(Math.floor(pagesOf(row) / 256))}MB)`
const UNSAID = 0xfn

const BITS = {
  UC: 1n,
  WC: 2n,
  WT: 4n,
  WB: 8n,
  UCE: 0x10n,
  WP: 0x1000n,
  RP: 0x2000n,
  XP: 0x4000n,
  NV: 0x8000n,
  MR: 0x10000n,
  RO: 0x20000n,
  SP: 0x40000n,
  CC: 0x80000n,
  HP: 0x100000n,
  RUN: 2n ** 63n,
} as const
type Bit = keyof typeof BITS

const NAMES_13 = [
  'Reserved',
  'Loader Code',
  'Loader Data',
  'Boot Code',
  'Boot Data',
  'Runtime Code',
  'Runtime Data',
  'Conventional',
  'Unusable',
  'ACPI Reclaim',
  'ACPI Mem NVS',
  'MMIO',
  'MMIO Port',
  'PAL Code',
  'Persistent',
]
const NAMES_20 = [
  'Reserved',
  'Loader Code',
  'Loader Data',
  'Boot Code',
  'Boot Data',
  'Runtime Code',
  'Runtime Data',
  'Conventional Memory',
  'Unusable Memory',
  'ACPI Reclaim Memory',
  'ACPI Memory NVS',
  'Memory Mapped I/O',
  'MMIO Port Space',
  'PAL Code',
]
const FIELDS_9: readonly Bit[] = ['RUN', 'XP', 'RP', 'WP', 'UCE', 'WB', 'WT', 'WC', 'UC']
const FIELDS_12: readonly Bit[] = ['RUN', 'MR', 'NV', 'XP', 'RP', 'WP', 'RO', 'UCE', 'WB', 'WT', 'WC', 'UC']
const FIELDS_14: readonly Bit[] = [
  'RUN',
  'MR',
  'CC',
  'SP',
  'NV',
  'XP',
  'RP',
  'WP',
  'RO',
  'UCE',
  'WB',
  'WT',
  'WC',
  'UC',
]
const FIELDS_15: readonly Bit[] = ['RUN', 'HP', ...FIELDS_14.slice(1)]

/** The row of page 0, boot services data that is write-back, in what the kernel prints after its map. */
const FIRST_PAGE: MemoryDescriptor = { type: 4, range: { start: 0, end: 4096 } as never, attribute: 15n }

/**
 * efi_md_typeattr_format: the name padded, then every flag in its field, or the number where a bit has none.
 */
function typeAttributes(
  { type, attribute }: MemoryDescriptor,
  names: readonly string[],
  width: number,
  fields: readonly Bit[],
): string {
  const name = names[type]?.padEnd(width) ?? `type=${String(type)}`
  const known = fields.reduce((sum, bit) => sum | BITS[bit], 0n)
  if ((attribute & ~known) !== 0n) return `[${name}|attr=0x${hex(attribute, 16)}]`
  const cells = fields.map(bit =>
    ((attribute & BITS[bit]) === 0n ? '' : bit).padStart(bit === 'RUN' || bit === 'UCE' ? 3 : 2),
  )
  return `[${name}|${cells.join('|')}]`
}

interface LinuxEra {
  readonly name: string
  readonly source: string
  readonly names: readonly string[]
  readonly width: number
  readonly fields: readonly Bit[]
  readonly bracket: ')' | ']'
}

const index2 = (index: number): string => String(index).padStart(2, '0')

function linux({ name, source, names, width, fields, bracket }: LinuxEra): Printer {
  return {
    name,
    dialect: 'linux',
    source,
    log: true,
    head: [
      'efi: EFI v2.70 by EDK II',
      'efi: ACPI=0xc00000 ACPI 2.0=0xc00014',
      'efi: Remove mem06: MMIO range=[0xffc00000-0xffffffff] (4MB) from e820 map',
      'efi: Not removing mem07: MMIO range=[0xfed00000-0xfed00fff] (4KB) from e820 map',
    ],
    tail: [
      'efi: EFI runtime memory map:',
      `efi: mem00: ${typeAttributes(FIRST_PAGE, names, width, fields)} ` +
        'range=[0x0000000000000000-0x0000000000000fff] (0MB)',
    ],
    print: (row, index) => ({
      line:
        `efi: mem${index2(index)}: ${typeAttributes(row, names, width, fields)} ` +
        `range=[0x${hex(row.range.start, 16)}-` +
        `0x${hex(row.range.end - (bracket === ']' ? 1 : 0), 16)}${bracket} ` +
        megabytes(row),
      says: row,
    }),
  }
}

const linuxOld = (prefix: string): Printer => ({
  name: `linux 2.6 to 3.18, ${prefix}`,
  dialect: 'linux',
  source: 'linux arch/x86/platform/efi/efi.c print_efi_memmap',
  log: true,
  print: (row, index) => ({
    line:
      `${prefix}: mem${index2(index)}: type=${String(row.type)}, ` +
      `attr=0x${hex(row.attribute)}, ` +
      `range=[0x${hex(row.range.start, 16)}-0x${hex(row.range.end, 16)}) ` +
      megabytes(row),
    says: row,
  }),
})

const linuxArm: Printer = {
  name: 'linux 6.12 on arm64',
  dialect: 'linux-arm',
  source: 'linux@6.12.107 drivers/firmware/efi/efi-init.c reserve_regions',
  log: true,
  head: ['efi: Processing EFI memory map:'],
  print: row => ({
    line:
      `efi:   0x${hex(row.range.start, 12)}-0x${hex(row.range.end - 1, 12)} ` +
      typeAttributes(row, [...NAMES_13, 'Unaccepted'], 12, FIELDS_15),
    says: row,
  }),
}

/** Types that an e820 table has, as UEFI types. Kept rows say no attributes. */
const E820: Readonly<Record<number, number>> = { 7: 1, 0: 2, 9: 3, 10: 4, 8: 5, 14: 7 }
const unsaid = (row: MemoryDescriptor): MemoryDescriptor => ({ ...row, attribute: UNSAID })
const soft = (row: MemoryDescriptor): MemoryDescriptor => ({ ...row, attribute: UNSAID | EFI_MEMORY_SP })
const isSoft = ({ type, attribute }: MemoryDescriptor): boolean =>
  type === 7 && (attribute & EFI_MEMORY_SP) !== 0n

function e820(
  name: string,
  source: string,
  words: Readonly<Record<number, string>>,
  softWord: string | null,
  line: (row: MemoryDescriptor, word: string) => string,
): Printer {
  return {
    name,
    dialect: 'e820',
    source,
    log: true,
    head: ['BIOS-provided physical RAM map:'],
    tail: [
      'e820: update [mem 0x00000000-0x00000fff] usable ==> reserved',
      'e820: remove [mem 0x000a0000-0x000fffff] usable',
    ],
    print: row => {
      if (isSoft(row)) return softWord === null ? null : { line: line(row, softWord), says: soft(row) }
      const word = words[E820[row.type] ?? 0]
      return word === undefined ? null : { line: line(row, word), says: unsaid(row) }
    },
  }
}

const mem = ({ range: { start, end } }: MemoryDescriptor): string =>
  `[mem 0x${hex(start, 16)}-0x${hex(end - 1, 16)}]`
const WORDS_5_10 = {
  1: 'usable',
  2: 'reserved',
  3: 'ACPI data',
  4: 'ACPI NVS',
  5: 'unusable',
  7: 'persistent (type 7)',
}
const WORDS_7_1 = {
  1: ' System RAM',
  2: ' device reserved',
  3: ' ACPI data',
  4: ' ACPI NVS',
  5: ' unusable',
  7: ' persistent RAM (type 7)',
}

const E820_PRINTERS: readonly Printer[] = [
  e820(
    'e820 of 3.5 to 6.19',
    'linux@5.10.223 arch/x86/kernel/e820.c e820__print_table; 6.19.6 alike',
    WORDS_5_10,
    'soft reserved',
    (row, word) => `BIOS-e820: ${mem(row)} ${word}`,
  ),
  e820(
    'e820 of 7.1',
    'linux@7.1.8 arch/x86/kernel/e820.c e820__print_table',
    WORDS_7_1,
    ' soft reserved',
    (row, word) =>
      (row.range.start > 0 ? `BIOS-e820: [gap 0x${hex(0, 16)}-0x${hex(row.range.start - 1, 16)}]\n` : '') +
      `BIOS-e820: ${mem(row)} ${word}`,
  ),
  e820(
    'e820 before 3.5',
    'linux arch/x86/kernel/e820.c e820_print_map',
    { 1: '(usable)', 2: '(reserved)', 3: '(ACPI data)', 4: '(ACPI NVS)', 5: '(unusable)' },
    null,
    ({ range: { start, end } }, word) => ` BIOS-e820: ${hex(start, 16)} - ${hex(end, 16)} ${word}`,
  ),
]

const RESOURCES: Readonly<Record<number, string>> = {
  7: 'System RAM',
  0: 'Reserved',
  9: 'ACPI Tables',
  10: 'ACPI Non-volatile Storage',
  8: 'Unusable memory',
  14: 'Persistent Memory',
}
const resourceOf = (
  row: MemoryDescriptor,
): { readonly word: string; readonly says: MemoryDescriptor } | null => {
  if (isSoft(row)) return { word: 'Soft Reserved', says: soft(row) }
  const word = RESOURCES[row.type]
  return word === undefined ? null : { word, says: unsaid(row) }
}

const iomem: Printer = {
  name: '/proc/iomem',
  dialect: 'iomem',
  source: 'linux kernel/resource.c r_show',
  log: false,
  print: row => {
    const resource = resourceOf(row)
    if (resource === null || row.range.start === 0) return null
    const { start, end } = row.range
    const child =
      resource.word === 'System RAM' ? `\n  ${hex(start, 8)}-${hex(end - 1, 8)} : Kernel code` : ''
    return { line: `${hex(start, 8)}-${hex(end - 1, 8)} : ${resource.word}${child}`, says: resource.says }
  },
}

const sysfs: Printer = {
  name: '/sys/firmware/memmap',
  dialect: 'sysfs-memmap',
  source: 'linux drivers/firmware/memmap.c start_show, end_show, type_show',
  log: false,
  sorted: true,
  print: (row, index) => {
    const resource = resourceOf(row)
    const field = (name: string, value: string): string =>
      `/sys/firmware/memmap/${String(index)}/${name}:${value}`
    return resource === null
      ? null
      : {
          line: [
            field('end', `0x${hex(row.range.end - 1)}`),
            field('start', `0x${hex(row.range.start)}`),
            field('type', resource.word),
          ].join('\n'),
          says: resource.says,
        }
  },
}

const SHELL = [
  'Reserved',
  'LoaderCode',
  'LoaderData',
  'BS_Code',
  'BS_Data',
  'RT_Code',
  'RT_Data',
  'Available',
  'Unusable',
  'ACPI_Recl',
  'ACPI_NVS',
  'MMIO',
  'MMIO_Port',
  'PalCode',
  'Persistent',
  'Unaccepted',
]
const SFO = [
  'Reserved',
  'LoaderCode',
  'LoaderData',
  'BootServiceCode',
  'BootServiceData',
  'RuntimeCode',
  'RuntimeData',
  'Available',
  'UnusableMemory',
  'ACPIReclaimMemory',
  'ACPIMemoryNVS',
  'MemoryMappedIO',
  'MemoryMappedIOPortSpace',
  'PalCode',
  'Persistent',
  'Unaccepted',
]
const MEMMAP_C = 'edk2@stable202502 ShellPkg/Library/UefiShellDebug1CommandsLib/MemMap.c, .uni'

const SHELL_PRINTERS: readonly Printer[] = [
  {
    name: 'UEFI shell',
    dialect: 'uefi-shell',
    source: MEMMAP_C,
    log: false,
    head: ['Type       Start            End              # Pages          Attributes'],
    tail: [
      ' ',
      '  PalCode   :              0 Pages (0 Bytes)',
      '  7000000A  :              0 Pages (0 Bytes)',
      '              -------------- ',
      'Total Memory: 511 MB (536,305,664 Bytes)',
    ],
    print: row => ({
      line:
        `${SHELL[row.type]?.padEnd(10) ?? `${HEX(row.type, 8)}  `} ` +
        `${HEX(row.range.start, 16)}-${HEX(row.range.end - 1, 16)} ` +
        `${HEX(pagesOf(row), 16)} ${HEX(row.attribute, 16)}`,
      says: row,
    }),
  },
  {
    name: 'UEFI shell -sfo',
    dialect: 'uefi-shell-sfo',
    source: MEMMAP_C,
    log: false,
    head: ['ShellCommand,"memmap"'],
    tail: ['MemoryMapSummary,"268959744","0","0","0"'],
    print: row =>
      SFO[row.type] === undefined
        ? { line: '', says: null }
        : {
            line:
              `MemoryMap,"${SFO[row.type] ?? ''}","${HEX(row.range.start)}",` +
              `"${HEX(row.range.end - 1)}","${HEX(pagesOf(row))}","${HEX(row.attribute)}"`,
            says: row,
          },
  },
]

const GRUB = [
  'reserved',
  'ldr-code',
  'ldr-data',
  'BS-code ',
  'BS-data ',
  'RT-code ',
  'RT-data ',
  'conv-mem',
  'unusable',
  'ACPI-rec',
  'ACPI-nvs',
  'MMIO    ',
  'IO-ports',
  'PAL-code',
  'persist ',
]
const GRUB_FLAGS: readonly (readonly [Bit, string])[] = [
  ['RUN', 'RT'],
  ['UC', 'UC'],
  ['WC', 'WC'],
  ['WT', 'WT'],
  ['WB', 'WB'],
  ['UCE', 'UCE'],
  ['WP', 'WP'],
  ['RP', 'RP'],
  ['XP', 'XP'],
  ['NV', 'NV'],
  ['MR', 'MR'],
  ['RO', 'RO'],
]
const keep = (row: MemoryDescriptor, bits: readonly Bit[]): MemoryDescriptor => ({
  ...row,
  attribute: row.attribute & bits.reduce((sum, bit) => sum | BITS[bit], 0n),
})

/** The largest unit of which the size is a whole number. */
function grubSize(bytes: number): string {
  const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB']
  let size = BigInt(bytes) >> 10n
  let unit = 0
  while (size % 1024n === 0n && unit < 5) {
    size >>= 10n
    unit++
  }
  return `${String(size).padStart(6)}${units[unit] ?? ''}`
}

const GRUB_PRINTERS: readonly Printer[] = [
  {
    name: 'GRUB lsefimmap',
    dialect: 'grub',
    source: 'grub@2.06, 2.12, 2.14 grub-core/commands/efi/lsefimmap.c',
    log: false,
    head: ['Type      Physical start  - end             #Pages        Size Attributes'],
    print: row => ({
      line:
        `${GRUB[row.type] ?? `Unk ${hex(row.type, 2)}  `}  ` +
        `${hex(row.range.start, 16)}-${hex(row.range.end - 1, 16)} ` +
        `${hex(pagesOf(row), 8)} ` +
        grubSize(bytesOf(row)) +
        GRUB_FLAGS.flatMap(([bit, word]) => ((row.attribute & BITS[bit]) === 0n ? [] : [` ${word}`])).join(
          '',
        ),
      says: keep(
        row,
        GRUB_FLAGS.map(([bit]) => bit),
      ),
    }),
  },
  {
    name: 'GRUB lsmmap',
    dialect: 'grub-lsmmap',
    source: 'grub@2.12 grub-core/commands/lsmmap.c',
    log: false,
    print: row => {
      const words: Readonly<Record<number, string>> = {
        7: 'available RAM',
        0: 'reserved RAM',
        9: 'ACPI reclaimable RAM',
        10: 'ACPI non-volatile storage RAM',
        8: 'faulty RAM (BadRAM)',
        14: 'persistent RAM',
        13: 'RAM holding firmware code',
        11: 'type = 0x14',
      }
      const word = words[row.type]
      return word === undefined
        ? null
        : {
            line: `base_addr = 0x${hex(row.range.start)}, length = 0x${hex(bytesOf(row))}, ${word}`,
            says: { ...unsaid(row), type: [11, 13].includes(row.type) ? 0 : row.type },
          }
    },
  },
]

const UBOOT = [
  'RESERVED',
  'LOADER CODE',
  'LOADER DATA',
  'BOOT CODE',
  'BOOT DATA',
  'RUNTIME CODE',
  'RUNTIME DATA',
  'CONVENTIONAL',
  'UNUSABLE MEM',
  'ACPI RECLAIM MEM',
  'ACPI NVS',
  'IO',
  'IO PORT',
  'PAL',
  'PERSISTENT',
]
const UBOOT_FLAGS: readonly (readonly [Bit, string])[] = [
  ['UC', 'UC'],
  ['WC', 'WC'],
  ['WT', 'WT'],
  ['WB', 'WB'],
  ['UCE', 'UCE'],
  ['WP', 'WP'],
  ['RP', 'RP'],
  ['XP', 'WP'],
  ['NV', 'NV'],
  ['MR', 'REL'],
  ['RO', 'RO'],
  ['SP', 'SP'],
  ['RUN', 'RT'],
]
const UBOOT_MEM = [
  'reserved',
  'loader_code',
  'loader_data',
  'bs_code',
  'bs_data',
  'rt_code',
  'rt_data',
  'conv',
  'unusable',
  'acpi_reclaim',
  'acpi_nvs',
  'io',
  'io_port',
  'pal_code',
]

const UBOOT_PRINTERS: readonly Printer[] = [
  {
    name: 'U-Boot efidebug memmap',
    dialect: 'uboot',
    source: 'u-boot@2021.01, 2023.01, 2025.01 cmd/efidebug.c do_efi_show_memmap',
    log: false,
    head: [
      'Type             Start            End              Attributes',
      '================ ================ ================ ==========',
    ],
    print: row => {
      const name = UBOOT[row.type]
      const flags = UBOOT_FLAGS.flatMap(([bit, word]) => ((row.attribute & BITS[bit]) === 0n ? [] : [word]))
      const kept = keep(
        row,
        UBOOT_FLAGS.map(([bit]) => bit),
      )
      const execute =
        (kept.attribute & BITS.XP) === 0n ? kept.attribute : (kept.attribute & ~BITS.XP) | BITS.WP
      return name === undefined
        ? null
        : {
            line:
              `${name.padEnd(16)} ${hex(row.range.start, 16)}-${hex(row.range.end, 16)}` +
              (flags.length === 0 ? '' : ` ${flags.join('|')}`),
            says: { ...kept, attribute: execute },
          }
    },
  },
  {
    name: 'U-Boot efi mem',
    dialect: 'uboot-efi-mem',
    source: 'u-boot@2023.01 cmd/efi.c efi_print_mem_table',
    log: false,
    head: [' #  Type              Physical     Virtual        Size  Attributes'],
    tail: ['', 'Attributes key:', ' f: uncached, write-coalescing, write-through, write-back'],
    print: (row, index) => {
      const name = UBOOT_MEM[row.type]
      const gap =
        `    ${'<gap>'.padEnd(14)}  ${hex(0, 10)}  ${''.padStart(10)}  ` + `${hex(row.range.start, 10)}\n`
      const runtime = (row.attribute & BITS.RUN) !== 0n
      return name === undefined
        ? null
        : {
            line:
              `${row.range.start > 0 ? gap : ''}${String(index).padStart(2)}  ` +
              `${hex(row.type)}:${name.padEnd(12)}  ${hex(row.range.start, 10)}  ${hex(0, 10)} ` +
              ` ${hex(bytesOf(row), 10)}  ` +
              `${runtime ? 'r' : ''}${hex(row.attribute & ~BITS.RUN)}`,
            says: row,
          }
    },
  },
]

const KEXEC_RANGES: Readonly<Record<number, number>> = { 7: 0, 0: 1, 9: 2, 10: 3, 14: 6 }
const KEXEC_PRINTERS: readonly Printer[] = [
  {
    name: 'kexec_file_load of the kernel',
    dialect: 'kexec',
    source: 'linux@6.12.107 arch/x86/kernel/kexec-bzimage64.c setup_boot_parameters',
    log: true,
    head: ['kexec-bzImage64: Loaded purgatory at 0x1e000000', 'kexec-bzImage64: E820 memmap:'],
    print: row => {
      const type = isSoft(row) ? 0xefffffff : E820[row.type]
      return type === undefined
        ? null
        : {
            line:
              `kexec-bzImage64: ${hex(row.range.start, 16)}-${hex(row.range.end - 1, 16)} ` +
              `(${String(type | 0)})`,
            says: isSoft(row) ? soft(row) : unsaid(row),
          }
    },
  },
  {
    name: 'kexec-tools',
    dialect: 'kexec',
    source: 'kexec-tools@2.0.32 kexec/kexec.c dbgprint_mem_range',
    log: false,
    head: ['Try gzip decompression.', 'MEMORY RANGES'],
    tail: ['bzImage is relocatable', 'CRASH MEMORY RANGES', '0000000000001000-0000000000001fff (0)'],
    print: row => {
      const type = isSoft(row) ? undefined : KEXEC_RANGES[row.type]
      return type === undefined
        ? null
        : {
            line: `${hex(row.range.start, 16)}-${hex(row.range.end - 1, 16)} (${String(type)})`,
            says: unsaid(row),
          }
    },
  },
]

const OWN_PRINTERS: readonly Printer[] = [
  {
    name: 'probe',
    dialect: 'raw',
    source: 'the probe of the recorded boots',
    log: false,
    print: row => ({
      line: `MAP ${hex(row.type)} ${hex(row.range.start)}-${hex(row.range.end - 1)} ${hex(row.attribute)}`,
      says: row,
    }),
  },
  {
    name: 'compact',
    dialect: 'compact',
    source: 'the recorded boots',
    log: false,
    print: row => ({
      line: `${hex(row.type)}:${hex(row.range.start)}+${hex(pagesOf(row))}`,
      says: unsaid(row),
    }),
  },
]

/** Every dialect that is printed line by line, in all its eras. */
export const PRINTERS: readonly Printer[] = [
  linuxOld('EFI'),
  linuxOld('efi'),
  linux({
    name: 'linux 3.19 to 4.1',
    source: 'linux drivers/firmware/efi/efi.c efi_md_typeattr_format',
    names: NAMES_20,
    width: 19,
    fields: FIELDS_9,
    bracket: ')',
  }),
  linux({
    name: 'linux 4.2 and later',
    source: 'linux drivers/firmware/efi/efi.c efi_md_typeattr_format',
    names: NAMES_20,
    width: 19,
    fields: FIELDS_12,
    bracket: ')',
  }),
  linux({
    name: 'linux 4.19',
    source: 'linux drivers/firmware/efi/efi.c efi_md_typeattr_format',
    names: NAMES_13,
    width: 12,
    fields: FIELDS_12,
    bracket: ']',
  }),
  linux({
    name: 'linux 5.10',
    source: 'linux@5.10.223 drivers/firmware/efi/efi.c efi_md_typeattr_format',
    names: NAMES_13,
    width: 12,
    fields: FIELDS_14,
    bracket: ']',
  }),
  linux({
    name: 'linux 6.1',
    source: 'linux@6.1.170 drivers/firmware/efi/efi.c efi_md_typeattr_format',
    names: NAMES_13,
    width: 12,
    fields: FIELDS_15,
    bracket: ']',
  }),
  linux({
    name: 'linux 6.12 to 7.1',
    source: 'linux@7.1.8 drivers/firmware/efi/efi.c efi_md_typeattr_format',
    names: [...NAMES_13, 'Unaccepted'],
    width: 12,
    fields: FIELDS_15,
    bracket: ']',
  }),
  linuxArm,
  ...E820_PRINTERS,
  iomem,
  sysfs,
  ...SHELL_PRINTERS,
  ...GRUB_PRINTERS,
  ...UBOOT_PRINTERS,
  ...KEXEC_PRINTERS,
  ...MORE_PRINTERS,
  ...OWN_PRINTERS,
]

/**
 * What loggers and consoles put around the lines of a kernel. Source: linux kernel/printk, systemd journalctl
 * output modes, dmesg(1).
 */
export const WRAPPERS: Readonly<Record<string, (line: string, i: number) => string>> = {
  bare: line => line,
  dmesg: (line, i) => `[    0.${String(i).padStart(6, '0')}] ${line}`,
  'dmesg -T': line => `[Sun Nov 22 10:00:00 2026] ${line}`,
  'dmesg -r': (line, i) => `<6>[    0.${String(i).padStart(6, '0')}] ${line}`,
  'dmesg with callers': line => `[    0.000000] [    T0] ${line}`,
  'console with callers': line => `[    0.000000][    T0] ${line}\r`,
  syslog: line => `Nov  2 10:00:00 some-host kernel: [    0.000000] ${line}`,
  'rsyslog, ISO time': line => `2026-11-22T10:00:00.123456+00:00 some-host kernel: [    0.000000] ${line}`,
  journalctl: line => `Nov 22 10:00:00 some-host kernel: ${line}`,
  'journalctl -o short-iso': line => `2026-11-22T10:00:00+0000 some-host kernel: ${line}`,
  'journalctl -o short-monotonic': line => `[    0.000000] some-host kernel: ${line}`,
  'serial with escapes': line => `\x1b[0m${line}\x1b[K\r\r`,
  'dmesg -x': line => `kern  :info  : [    0.000000] ${line}`,
  'dmesg -H': line => `[  +0.000000] ${line}`,
  'journalctl in French': line => `d\u00e9c. 12 10:49:44 some-host kernel: ${line}`,
  'journalctl of a unit, short-full': line => `Thu 2026-12-10 10:49:44 UTC some-host init.scope[1]: ${line}`,
  'journalctl -o short-delta': line => `[    0.000000 <    0.000000 >] some-host kernel: ${line}`,
  'RFC 5424': line => `<6>1 2026-12-12T10:49:44.123456Z some-host kernel - - - ${line}`,
  'a mail, quoted twice': line => `> >   ${line}`,
  'grep -n': (line, i) => `some/dmesg.txt:${String(i + 1)}:[    0.000000] ${line}`,
  'a numbered list': (line, i) => ` ${String(i + 1)}. ${line}`,
  'an added line of a diff': line => `+${line}`,
  'a list of strings': line => `  "${line.replaceAll('"', '\\"')}",`,
  'a cell of a wiki table': line => `| | ${line}`,
  HTML: line =>
    '<tr><td class="l">' +
    line.replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('[', '&#91;') +
    '</td></tr>',
  'blanks that do not break': line => line.replaceAll(' ', '\u00a0'),
  'dashes of an editor': line => line.replace(/([0-9a-f]{4})-(?=[0-9a-f]{4}|0x)/g, '$1\u2013'),
  'brackets escaped': line => line.replace(/[[\]|_]/g, '\\$&'),
}

/** The zero page of a kernel with these rows in its e820 table; rows beyond 128 do not fit. */
export function zeroPage(rows: readonly MemoryDescriptor[]): {
  readonly page: Uint8Array
  readonly says: readonly MemoryDescriptor[]
} {
  const page = new Uint8Array(4096)
  const view = new DataView(page.buffer)
  page.set(new TextEncoder().encode('HdrS'), 0x202)
  const fit = rows
    .flatMap(row => {
      const type = isSoft(row) ? 0xefffffff : E820[row.type]
      return type === undefined ? [] : [{ row, type }]
    })
    .slice(0, 128)
  page[0x1e8] = fit.length
  fit.forEach(({ row, type }, i) => {
    view.setBigUint64(0x2d0 + 20 * i, BigInt(row.range.start), true)
    view.setBigUint64(0x2d8 + 20 * i, BigInt(bytesOf(row)), true)
    view.setUint32(0x2e0 + 20 * i, type, true)
  })
  return { page, says: fit.map(({ row }) => (isSoft(row) ? soft(row) : unsaid(row))) }
}

/** How people dump it. */
export const DUMPS: Readonly<Record<string, (page: Uint8Array) => string>> = {
  'hexdump -C': page => {
    const lines = rowsOf(page).map(({ at, pairs }) => ({
      at,
      text: `${pairs.slice(0, 8).join(' ')}  ${pairs.slice(8).join(' ')}`,
    }))
    const shown = lines.flatMap(({ at, text }, i) => {
      if (i === 0 || text !== lines[i - 1]?.text) return [`${hex(at, 8)}  ${text}  |................|`]
      return text === lines[i - 2]?.text ? [] : ['*']
    })
    return [...shown, '00001000'].join('\n')
  },
  xxd: page =>
    rowsOf(page)
      .map(
        ({ at, pairs }) =>
          `${hex(at, 8)}: ${(pairs.join('').match(/.{4}/g) ?? []).join(' ')}  ................`,
      )
      .join('\n'),
  'od -A x -t x1': page =>
    [...rowsOf(page).map(({ at, pairs }) => `${hex(at, 6)} ${pairs.join(' ')}`), '001000'].join('\n'),
  hexdump: page =>
    [
      ...rowsOf(page).map(
        ({ at, pairs }) =>
          `${hex(at, 7)} ` +
          Array.from({ length: 8 }, (_, i) => `${pairs[2 * i + 1] ?? ''}${pairs[2 * i] ?? ''}`).join(' '),
      ),
      '0001000',
    ].join('\n'),
}

function rowsOf(page: Uint8Array): { readonly at: number; readonly pairs: string[] }[] {
  return Array.from({ length: page.length / 16 }, (_, i) => ({
    at: 16 * i,
    pairs: Array.from(page.subarray(16 * i, 16 * i + 16), byte => hex(byte, 2)),
  }))
}
