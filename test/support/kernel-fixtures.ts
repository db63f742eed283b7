/**
 * Reads the header facts of real kernels in test/fixtures/kernels. Fail-closed: a file that lacks a field, or
 * too few files, is an error.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { COMPRESSIONS, type Compression } from '../../src/image/x86/bzimage.ts'
import type { KernelFacts } from '../../src/image/x86/kernel-facts.ts'

type Group = Readonly<Record<string, number>>

/** A measured kernel. */
export interface KernelFixture {
  /** A to I of the nine that were worked through; null for the others. */
  readonly key: string | null
  readonly facts: KernelFacts
  readonly package: string
  readonly packageVersion: string
  /** Inside the package. */
  readonly path: string
  readonly sha256: string
  /** Name in the recorded boots. */
  readonly recordedAs: string
  readonly setup_header: Group
  readonly coff: Group
  readonly optional_header: Group
  /** Of the nine only. */
  readonly vectors: {
    readonly window: Group
    readonly legacy: Group
    readonly flat: Group
    readonly handoverClear: Group
  } | null
}

type Json = Readonly<Record<string, unknown>>
const FOLDER = new URL('../fixtures/kernels/', import.meta.url)

function number(from: unknown, what: string): number {
  const value = typeof from === 'string' && /^0x[0-9a-f]+$/.test(from) ? Number(from) : NaN
  if (!Number.isSafeInteger(value)) throw new Error(`${what}: ${String(from)} is no hexadecimal number`)
  return value
}

function read(name: string): KernelFixture {
  const json = JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as Json
  const text = (field: string, from: Json = json): string => {
    const value = from[field]
    if (typeof value !== 'string' || value === '') throw new Error(`${name}: no ${field}`)
    return value
  }
  const object = (field: string): Json => {
    const value = json[field]
    if (typeof value !== 'object' || value === null) throw new Error(`${name}: no ${field}`)
    return value as Json
  }
  const group = (field: string): Group =>
    Object.fromEntries(
      Object.entries(object(field)).map(([key, value]) => [key, number(value, `${name} ${field}.${key}`)]),
    )
  const pick = <Key extends string>(from: Group, keys: readonly Key[]): Record<Key, number> => {
    const picked = keys.map(key => {
      const value = from[key]
      if (value === undefined) throw new Error(`${name}: no ${key}`)
      return [key, value] as const
    })
    return Object.fromEntries(picked) as Record<Key, number>
  }
  const rows = (field: string): number[][] =>
    (json[field] as unknown[][]).map(row => row.map(value => number(value, `${name} ${field}`)))
  const sections = (json['sections'] as unknown[][]).map(
    ([title, ...values]): KernelFacts['pe']['sections'][number] => {
      const [address = 0, size = 0, raw = 0, rawSize = 0, flags = 0] = values.map(value =>
        number(value, `${name} sections`),
      )
      return [String(title), address, size, raw, rawSize, flags]
    },
  )
  const [setup_header, optional_header, vmlinux] = [
    group('setup_header'),
    group('optional_header'),
    group('vmlinux'),
  ]
  const compression = COMPRESSIONS.find(
    (one): one is Compression => one === text('compression', object('payload')),
  )
  if (compression === undefined) throw new Error(`${name}: unknown compression`)
  const pe = object('pe')
  const [certificateAt, certificateSize] = (pe['certificates'] as unknown[] | null) ?? []
  const facts: KernelFacts = {
    name: text('name'),
    version: text('version'),
    fileSize: number(json['fileSize'], `${name} fileSize`),
    hdr: pick(setup_header, [
      'setup_sects',
      'syssize',
      'kernel_version',
      'heap_end_ptr',
      'xloadflags',
      'payload_offset',
      'payload_length',
      'init_size',
      'handover_offset',
      'kernel_info_offset',
    ]),
    compression,
    output_len: number(object('payload')['output_len'], `${name} output_len`),
    setup_type_max: number(object('kernel_info')['setup_type_max'], `${name} setup_type_max`),
    geometry: pick(group('geometry'), ['_bss', '_ebss', 'pgtable', '_end', 'boot_stack_end', 'relocated']),
    pe: {
      e_lfanew: number(pe['e_lfanew'], `${name} e_lfanew`),
      linuxMagic: pe['linuxMagic'] === true,
      certificates:
        certificateAt === undefined
          ? null
          : [number(certificateAt, `${name} certificates`), number(certificateSize, `${name} certificates`)],
      compatEntry: number(pe['compatEntry'], `${name} compatEntry`),
      optional: pick(optional_header, [
        'SizeOfCode',
        'SizeOfInitializedData',
        'AddressOfEntryPoint',
        'BaseOfCode',
        'ImageBase',
        'SectionAlignment',
        'FileAlignment',
        'SizeOfImage',
        'SizeOfHeaders',
        'CheckSum',
        'DllCharacteristics',
        'MajorImageVersion',
      ]),
      sections,
    },
    vmlinux: {
      ...pick(vmlinux, ['entry', 'kernel_total_size', 'segmentsEnd', 'relocations']),
      loads: rows('loads').map(([offset = 0, address = 0, size = 0]) => [offset, address, size] as const),
    },
  }
  const key = typeof json['key'] === 'string' ? json['key'] : null
  return {
    key,
    facts,
    package: text('package'),
    packageVersion: text('packageVersion'),
    path: text('path'),
    sha256: text('sha256'),
    recordedAs: text('recordedAs'),
    setup_header,
    coff: group('coff'),
    optional_header,
    vectors:
      key === null
        ? null
        : {
            window: group('window'),
            legacy: group('legacy'),
            flat: group('flat'),
            handoverClear: group('handoverClear'),
          },
  }
}

function readAll(): readonly KernelFixture[] {
  const found = readdirSync(FOLDER)
    .filter(name => name.endsWith('.json'))
    .sort()
    .map(read)
  if (found.length < 16) throw new Error(`only ${String(found.length)} kernels`)
  for (const { facts } of found)
    if (found.filter(one => one.facts.name === facts.name).length !== 1)
      throw new Error(`${facts.name} is there twice`)
  return found
}

/** All measured kernels, by name. */
export const KERNELS = readAll()

/** The nine that were worked through, A to I. */
export const NINE_KERNELS = KERNELS.filter(({ key }) => key !== null).sort((a, b) =>
  (a.key ?? '').localeCompare(b.key ?? ''),
)

/** The kernel that recordings call by this name. Throws when there is none. */
export function recordedKernel(name: string): KernelFixture {
  const found = KERNELS.find(one => one.recordedAs === name)
  if (found === undefined) throw new Error(`no facts of kernel ${name}`)
  return found
}
