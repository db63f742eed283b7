/** `inspect` of a text: the map in it, how complete that is, and what the boot reported. */
import { ramOf } from '../firmware/memory-map.ts'
import { UsageError } from '../bytes/errors.ts'
import { formatSize, hex, sizeOf } from '../bytes/range.ts'
import { readMemmap, type MemmapParse } from '../image/memmap.ts'
import { DIALECTS } from '../image/memmap/dialects.ts'
import { sayLost } from '../image/memmap/losses.ts'
import { textOf } from '../image/paste/letters.ts'
import { EfiConventionalMemory } from '../image/memory-types.ts'
import { readObserved, type Observed } from '../image/observed.ts'
import { labelled, printable } from '../report/layout.ts'

/** Facts in a text about a machine and a boot on it. */
export interface TextInspection {
  readonly name: string
  readonly size: number
  /** null if the text contains none. */
  readonly memoryMap: MemmapParse | null
  readonly firmware: string
  readonly architecture: string
  readonly observed: Observed['facts']
}

const UEFI =
  /\befi: EFI v|\bEFI v\d|EFI stub:|Loading driver at 0x|\befi: mem\d\d|UEFI Interactive Shell|systemd-stub|secureboot:/
const BIOS = /\bSeaBIOS\b|\be820 map has \d+ items/
const KERNEL = /Linux version |BIOS-e820:|Command line:/
const ARCHITECTURES: readonly (readonly [says: RegExp, name: string])[] = [
  [/Linux version [^\n]{0,400}(?:aarch64|arm64)|Booting Linux on physical CPU 0x[0-9a-f]{10} \[/, 'arm64'],
  [/Linux version [^\n]{0,400}riscv/, 'riscv'],
  [/BIOS-e820:|x86_64|x86\/fpu|\bXEN\b|(?:GenuineIntel|AuthenticAMD)/, 'x86'],
]

function firmwareOf(text: string, map: MemmapParse | null): string {
  if (map?.kind === 'efi' || UEFI.test(text)) return 'UEFI'
  if (BIOS.test(text)) return 'BIOS'
  return KERNEL.test(text)
    ? 'no line of UEFI: a BIOS, or the lines are not in this text'
    : 'the text does not tell'
}

function architectureOf(text: string, map: MemmapParse | null): string {
  if (map?.dialect === 'linux-arm') return 'arm64 or riscv'
  return ARCHITECTURES.find(([says]) => says.test(text))?.[1] ?? 'the text does not tell'
}

/** Throws UsageError if the text contains neither a map nor an observed fact. */
export function inspectText(name: string, bytes: Uint8Array): TextInspection {
  const map = readMemmap(bytes)
  const observed = readObserved(bytes)
  const memoryMap = map.map.length === 0 ? null : map
  if (memoryMap === null && observed.facts.length === 0)
    throw new UsageError(
      `${name}: a text without a section table, a memory map or a line of a boot that names a place`,
    )
  const text = textOf(bytes)
  return {
    name,
    size: bytes.length,
    memoryMap,
    firmware: firmwareOf(text, memoryMap),
    architecture: architectureOf(text, memoryMap),
    observed: observed.facts,
  }
}

const KIND = { efi: 'an EFI memory map', e820: 'an e820 table', resources: 'a resource tree' } as const
const MOMENT = {
  'before-load': 'before the image was loaded',
  'exit-boot-services': 'when boot services ended',
} as const

const bytesOf = (map: MemmapParse['map'], type: number): number =>
  map.reduce((sum, row) => (row.type === type ? sum + sizeOf(row.range) : sum), 0)
const ram = ({ map }: MemmapParse): number => ramOf(map).reduce((sum, where) => sum + sizeOf(where), 0)

function mapLines(parse: MemmapParse): string[] {
  const { map, dialect, kind, lines, lost, problems, others, takenOff, compared, taken, lacks } = parse
  const title = DIALECTS.find(({ name }) => name === dialect)?.title ?? 'this program'
  const line = (label: string, text: string): string[] =>
    labelled(label, printable(text), { indent: 2, column: 12, width: 80 })
  const each = (label: string, texts: readonly string[]): string[] =>
    texts.flatMap((text, i) => line(i === 0 ? label : '', text))
  return [
    `memory map  ${kind === null ? 'of an unknown kind' : KIND[kind]}, ` +
      `${dialect ?? 'unknown form'} (${title})`,
    ...line('lines', lines.map(String).join('-')),
    ...line(
      'rows',
      `${String(map.length)} read, ` +
        (lost.length === 0
          ? 'none known to be lost'
          : `${String(lost.length)} ${lost.length === 1 ? 'loss is' : 'losses are'} known`),
    ),
    ...line(
      'RAM',
      `${formatSize(ram(parse))} in all, ${formatSize(bytesOf(map, EfiConventionalMemory))} of it free`,
    ),
    ...line('taken', MOMENT[taken]),
    ...line(
      'compared',
      compared.length === 0
        ? 'with nothing: the text has no totals, ends or sums'
        : `with ${compared.join(', ')}`,
    ),
    ...each('lost', lost.map(sayLost)),
    ...each(
      'problems',
      problems.map(({ what }) => what),
    ),
    ...each(
      'not used',
      others.map(
        other =>
          `${other.dialect} from line ${String(other.line)}${other.same === true ? ', the same again' : ''}`,
      ),
    ),
    ...each('taken off', takenOff),
    ...each('lacks', lacks),
  ]
}

/** For people. */
export function formatTextInspection({
  name,
  size,
  memoryMap,
  firmware,
  architecture,
  observed,
}: TextInspection): string {
  const blocks = [
    [
      `${printable(name)}  ${formatSize(size)} (${String(size)} bytes), a text`,
      `firmware    ${firmware}`,
      `processor   ${architecture}`,
    ],
    memoryMap === null ? ['memory map  none in this text'] : mapLines(memoryMap),
    observed.length === 0
      ? []
      : [
          'what the boot said',
          ...observed.flatMap(({ name: fact, value, line }) =>
            labelled(
              fact,
              `${typeof value === 'number' ? hex(value) : printable(value)} (line ${String(line)})`,
              {
                indent: 2,
                column: 20,
                width: 80,
              },
            ),
          ),
        ],
  ]
  return `${blocks
    .filter(lines => lines.length > 0)
    .map(lines => lines.join('\n'))
    .join('\n\n')}\n`
}

/** Plain data: addresses and sizes as hexadecimal strings. */
export function textInspectionToJson(inspection: TextInspection): Record<string, unknown> {
  const { name, size, memoryMap, firmware, architecture, observed } = inspection
  return {
    schema: 1,
    file: { name, size },
    firmware,
    architecture,
    memoryMap:
      memoryMap === null
        ? null
        : {
            dialect: memoryMap.dialect,
            kind: memoryMap.kind,
            taken: memoryMap.taken,
            lines: memoryMap.lines,
            rows: memoryMap.map.length,
            ram: hex(ram(memoryMap)),
            free: hex(bytesOf(memoryMap.map, EfiConventionalMemory)),
            compared: memoryMap.compared,
            lost: memoryMap.lost.map(({ row, why, at, bytes }) => ({
              row,
              why,
              at: at === null ? null : { start: hex(at.start), end: hex(at.end) },
              bytes: bytes === null ? null : hex(bytes),
            })),
            others: memoryMap.others,
            takenOff: memoryMap.takenOff,
            lacks: memoryMap.lacks,
            problems: memoryMap.problems,
          },
    observed: observed.map(({ name: fact, value, line }) => ({
      name: fact,
      value: typeof value === 'number' ? hex(value) : value,
      line,
    })),
  }
}
