/** `inspect`: the headers of a file, without a simulation. */
import { inspectListing, inspectSource, type Inspection, type KernelInside } from './inspect-source.ts'
import { formatSize, hex } from '../bytes/range.ts'
import { fileOffset } from '../bytes/units.ts'
import { type LayoutFound } from '../image/layouts/recognise.ts'
import { isListing, LISTING_HEAD } from '../image/objdump.ts'
import { isText } from '../image/paste/letters.ts'
import { type PeFile } from '../image/pe.ts'
import type { Problem } from '../image/problem.ts'
import type { UkiView } from '../image/uki.ts'
import { columns, labelled, printable } from '../report/layout.ts'
import type { Call } from './command.ts'
import { contentLines, profileLines } from './inspect-contents.ts'
import { sectionNotes } from './section-notes.ts'

export { inspectListing, inspectSource, type Inspection } from './inspect-source.ts'

const hexFields = (fields: Readonly<Record<string, number | bigint | Uint8Array>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) =>
      value instanceof Uint8Array ? [] : [[name, hex(value)]],
    ),
  )

function kernelJson({ object, bzimage, problems }: KernelInside): Record<string, unknown> {
  if (bzimage === null) return { object, problems }
  const { hdr, geometry, payload, version, release, setupSize, fileSize, handover64, startup64, peEntry } =
    bzimage
  const offset = (value: number | null): string | null => (value === null ? null : hex(value))
  return {
    object,
    version,
    release,
    setupSize: hex(setupSize),
    fileSize: hex(fileSize),
    entries: { handover64: offset(handover64), startup64: offset(startup64), peEntry: offset(peEntry) },
    payload:
      payload === null
        ? null
        : {
            at: hex(payload.at),
            length: hex(payload.length),
            compression: payload.compression,
            output_len: offset(payload.output_len),
          },
    geometry: Object.fromEntries(
      Object.entries(geometry as unknown as Record<string, number | null>).map(([name, value]) => [
        name,
        offset(value),
      ]),
    ),
    hdr: hexFields(hdr),
    kernel_info: bzimage.kernel_info === null ? null : hexFields(bzimage.kernel_info),
    problems,
  }
}

/** Plain data: header fields as hexadecimal strings under upstream's names. */
export function inspectionToJson({
  name,
  size,
  pe,
  uki,
  stub,
  layout,
  kernels,
  contents,
  profiles,
  problems,
  advice,
  assumptions,
}: Inspection): Record<string, unknown> {
  const notes = pe === null ? [] : sectionNotes(pe)
  return {
    schema: 1,
    file: { name, size },
    pe:
      pe === null
        ? null
        : {
            e_lfanew: hex(pe.e_lfanew),
            coff: hexFields(pe.coff),
            optional: hexFields(pe.optional),
            dataDirectories: pe.dataDirectories.map(hexFields),
          },
    sections: (uki?.sections ?? []).map(({ section, object, payload }) => {
      const { index, name: sectionName, ...fields } = section
      return { index, name: sectionName, object, payload, ...hexFields(fields), notes: notes[index] ?? [] }
    }),
    stub,
    layout,
    kernels: kernels.map(kernelJson),
    contents,
    profiles,
    problems,
    assumptions,
    advice: advice.map(({ rule, clause, object, what, why, fix }) => ({
      rule,
      clause,
      object,
      what,
      why,
      fix,
    })),
  }
}

const WIDTH = 80

function fieldLines(fields: Readonly<Record<string, number | bigint | Uint8Array | null>>): string[] {
  const shown = (value: number | bigint | Uint8Array | null): string => {
    if (value === null) return 'not found'
    return value instanceof Uint8Array ? '' : hex(value)
  }
  const cells = Object.entries(fields).map(([name, value]) => `${name} ${shown(value)}`)
  for (const abreast of [3, 2]) {
    const rows: string[][] = []
    for (let i = 0; i < cells.length; i += abreast) rows.push(cells.slice(i, i + abreast))
    const lines = columns(rows).map(row => `  ${row}`)
    if (lines.every(line => line.length <= WIDTH)) return lines
  }
  return cells.map(cell => `  ${cell}`)
}

function problemLines(name: string, problems: readonly Problem[]): string[] {
  return problems.flatMap(({ id, at, what }) =>
    labelled('', `${name}${at === null ? '' : ` at ${hex(at)}`}: ${what} (${id})`, {
      indent: 2,
      column: 0,
      width: WIDTH,
    }),
  )
}

function kernelLines({ object, bzimage, problems }: KernelInside): string[] {
  if (bzimage === null) return [`kernel   in ${object}: not a bzImage`, ...problemLines(object, problems)]
  const { payload, hdr, geometry, setupSize, fileSize, handover64, startup64, peEntry, pe, protocol } =
    bzimage
  const line = (label: string, text: string): string[] =>
    labelled(label, text, { indent: 2, column: 10, width: 80 })
  const entry = (name: string, at: number | null): string => `${name} ${at === null ? 'none' : hex(at)}`
  return [
    ...labelled('kernel', `${bzimage.version ?? 'no version string'} (object ${object})`, {
      indent: 0,
      column: 9,
      width: WIDTH,
    }),
    ...line(
      'protocol',
      `${String(protocol >> 8)}.${String(protocol & 0xff).padStart(2, '0')}, setup ` +
        `${hex(setupSize)}, declared size ${hex(fileSize)}`,
    ),
    ...line(
      'entries',
      [entry('handover64', handover64), entry('startup_64', startup64), entry('PE', peEntry)].join(', '),
    ),
    ...line(
      'payload',
      payload === null
        ? 'none'
        : `${payload.compression ?? 'unknown compression'} at ${hex(payload.at)}, ` +
            `${hex(payload.length)} bytes, ` +
            (payload.output_len === null
              ? 'decompressed length unknown'
              : `decompressed ${hex(payload.output_len)}`),
    ),
    ...(pe === null
      ? []
      : line(
          'PE',
          `SizeOfImage ${hex(pe.optional.SizeOfImage)}, MajorImageVersion ` +
            `${String(pe.optional.MajorImageVersion)}, SectionAlignment ` +
            hex(pe.optional.SectionAlignment),
        )),
    'setup header',
    ...fieldLines(hdr),
    'decompressor, offsets from startup_32',
    ...fieldLines(geometry as unknown as Record<string, number | null>),
    ...(problems.length === 0 ? [] : [`problems of ${object}`, ...problemLines(object, problems)]),
  ]
}

function peLines(pe: PeFile): string[] {
  const { coff, optional } = pe
  const directories = pe.dataDirectories.flatMap(({ VirtualAddress, Size }, i) =>
    Size === 0 ? [] : [`${String(i)} ${hex(VirtualAddress)}+${hex(Size)}`],
  )
  return [
    'PE header',
    ...fieldLines({ e_lfanew: pe.e_lfanew, ...coff }),
    'optional header',
    ...fieldLines(optional),
    ...labelled('data directories', directories.join(', ') || 'none', {
      indent: 0,
      column: 18,
      width: WIDTH,
    }),
  ]
}

function sectionLines(pe: PeFile, uki: UkiView): string[] {
  const notes = sectionNotes(pe)
  const head = ['#', 'name', 'memory', 'VirtualSize', 'file', 'raw data', 'flags', 'object']
  const rows = uki.sections.map(({ section, object }) => {
    const { index, name, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData, Characteristics } =
      section
    return [
      String(index),
      name,
      hex(VirtualAddress),
      hex(VirtualSize),
      hex(PointerToRawData),
      hex(SizeOfRawData),
      hex(Characteristics),
      object,
    ]
  })
  const [first = '', ...lines] = columns([head, ...rows], [0, 2, 3, 4, 5, 6], ' ')
  return [
    'sections, in table order',
    `  ${first}`,
    ...lines.flatMap((line, i) => [
      `  ${line}`,
      ...(notes[i] ?? []).flatMap(note => labelled('', note, { indent: 6, column: 0, width: WIDTH })),
    ]),
  ]
}

const CERTAINTY: Readonly<Record<LayoutFound['certainty'], string>> = {
  certain: 'certain',
  several: 'one of several with the same layout',
  unknown: 'unknown: no known tool has this layout',
}

function layoutLines({ certainty, candidates }: LayoutFound): string[] {
  const prose = { indent: 2, column: 0, width: 80 }
  return [
    `built by  ${CERTAINTY[certainty]}`,
    ...candidates.flatMap(({ id, title, evidence }) =>
      labelled('', `${title} (${id}): ${evidence.join(' ')}`, prose),
    ),
  ]
}

/** For people. */
export function formatInspection({
  name,
  size,
  pe,
  uki,
  stub,
  layout,
  kernels,
  contents,
  profiles,
  problems,
  advice,
  assumptions,
}: Inspection): string {
  const blocks = [
    [`${printable(name)}  ${formatSize(size)} (${String(size)} bytes)`],
    ...(pe === null || uki === null
      ? [['not a PE file: a kernel without an EFI stub']]
      : [peLines(pe), sectionLines(pe, uki)]),
    stub === null
      ? []
      : labelled('stub', `systemd-stub ${stub.version} (${stub.text} in ${stub.where})`, {
          indent: 0,
          column: 9,
          width: WIDTH,
        }),
    layout === null ? [] : layoutLines(layout),
    contentLines(contents),
    profileLines(profiles),
    ...kernels.map(kernelLines),
    problems.length === 0 ? [] : ['problems', ...problemLines(name, problems)],
    assumptions.length === 0
      ? []
      : [
          'assumed, since a listing does not show it',
          ...assumptions.flatMap(what => labelled('', what, { indent: 2, column: 0, width: 80 })),
        ],
    advice.flatMap(({ rule, what, fix }, i) => [
      ...(i === 0 ? ['advice'] : []),
      ...labelled('', `${rule}: ${what}`, { indent: 2, column: 0, width: 80 }),
      ...labelled('do', fix, { indent: 4, column: 4, width: 80 }),
    ]),
  ]
  return `${blocks
    .filter(lines => lines.length > 0)
    .map(lines => lines.join('\n'))
    .join('\n\n')}\n`
}

/** The command: an image, a section table, a memory map or a log. */
export async function inspect(call: Call): Promise<number> {
  const name = call.operand ?? ''
  const source = call.files.source(name)
  const head = source.read(fileOffset(0), LISTING_HEAD)
  const isJson = call.text('format') === 'json'
  if (head.length > 0 && isText(head) && !isListing(head)) {
    const { formatTextInspection, inspectText, textInspectionToJson } = await import('./inspect-text.ts')
    const inspection = inspectText(name, call.files.bytes(name))
    call.print(
      isJson
        ? `${JSON.stringify(textInspectionToJson(inspection), null, 2)}\n`
        : formatTextInspection(inspection),
    )
    return 0
  }
  const inspection = isListing(head)
    ? inspectListing(name, call.files.bytes(name))
    : inspectSource(name, source)
  call.print(
    isJson ? `${JSON.stringify(inspectionToJson(inspection), null, 2)}\n` : formatInspection(inspection),
  )
  return 0
}
