/** Memory maps of a report: every snapshot of a run, and the neighbourhood of a finding with arrows. */
import { formatSize, hex, intersect, sizeOf } from '../bytes/range.ts'
import type { Finding, MapLine, MapSnapshot, RunReport } from './model.ts'
import { columns, plain, printable, wrap, type TextOptions } from './layout.ts'
import { slotsText } from './sentences.ts'

const TITLES: Readonly<Record<MapSnapshot['point'], string>> = {
  'before-load': 'before the image is loaded',
  'stub-entry': 'at the entry of the stub',
  'hand-off': 'at the hand-off to the kernel',
  arrival: 'when the extracted kernel starts',
}

function rowOf(line: MapLine, facts: RunReport['facts']): string[] {
  const { range, object, at } = line
  const size = formatSize(sizeOf(range))
  const ofKernel = line.object === 'vo' && facts.kernelSlots !== undefined
  const what = ofKernel ? `the first of ${String(facts.kernelSlots.count)} slots` : line.what
  return [
    ' ',
    hex(range.start),
    hex(range.end),
    at === 0 ? object : `${object} + ${hex(at)}`,
    size,
    what === size ? '' : what,
  ]
}

function titleOf(point: MapSnapshot['point'], { kernelSlots }: RunReport['facts']): string {
  const title = TITLES[point]
  return point === 'arrival' && kernelSlots !== undefined ? `${title}, ${slotsText(kernelSlots)}` : title
}

/** The memory in every snapshot of a run, one line per range. */
export function formatMap(report: RunReport, { paint = plain }: TextOptions = {}): string {
  if (report.snapshots.length === 0) return 'no memory map: the run did not begin\n'
  const parts = report.snapshots.map(({ point, lines }) =>
    [
      paint(titleOf(point, report.facts), 'heading'),
      ...columns(
        lines.map(line => rowOf(line, report.facts)),
        [1, 2, 4],
      ),
    ].join('\n'),
  )
  return `${parts.join('\n\n')}\n`
}

/** Maximum number of lines of a neighbourhood. */
const NEAR_MAX = 12

/**
 * The snapshot in which a finding is shown: the hand-off for a breach, otherwise the first one from the
 * stub's entry on in which its object is there, otherwise the last one with anything there.
 */
function layoutSnapshot(finding: Finding, snapshots: readonly MapSnapshot[]): MapSnapshot | undefined {
  const late = snapshots.filter(({ point }) => point !== 'before-load')
  const holds =
    (ofObject: boolean) =>
    ({ lines }: MapSnapshot): boolean =>
      lines.some(line => touches(finding, line) && (!ofObject || line.object === finding.object))
  const handOff = finding.class === 'breach' ? late.filter(({ point }) => point === 'hand-off') : []
  return handOff.find(holds(false)) ?? late.find(holds(true)) ?? late.findLast(holds(false))
}

function touches({ ranges }: Finding, line: MapLine): boolean {
  return ranges.some(one => intersect(one, line.range) !== null)
}

/**
 * The lines around a finding, those that it is about with an arrow; `now` shows what is there at the end of
 * the run, on lines of its own where a row would exceed `width` characters.
 */
export function mapAround(finding: Finding, snapshots: readonly MapSnapshot[], width = 78): string[] {
  const base = layoutSnapshot(finding, snapshots)
  const last = snapshots.at(-1)
  if (base === undefined || last === undefined) return []
  const hit = base.lines.flatMap((line, i) => (touches(finding, line) ? [i] : []))
  const near = base.lines.slice(Math.max(0, Math.min(...hit) - 1), Math.max(...hit) + 2)
  const shown = near.slice(0, NEAR_MAX)
  const rows = columns(
    shown.map(line => [
      touches(finding, line) ? '>' : ' ',
      hex(line.range.start),
      line.at === 0 ? line.object : `${line.object} + ${hex(line.at)}`,
      formatSize(sizeOf(line.range)),
    ]),
    [3],
  )
  const lines = shown.flatMap((line, i) =>
    beside(rows[i] ?? '', last === base ? '' : printable(nowIn(line, last)), width),
  )
  const rest = near.length > shown.length ? [`   and ${String(near.length - shown.length)} more lines`] : []
  return [...lines, `   ${hex(Math.max(...shown.map(line => line.range.end)))}`, ...rest]
}

/** A row with a remark after it, or below it where both together are too wide. */
function beside(row: string, remark: string, width: number): string[] {
  if (remark === '') return [row]
  if (row.length + 2 + remark.length <= width) return [`${row}  ${remark}`]
  return [row, ...wrap(remark, width - 6).map(line => `${' '.repeat(6)}${line}`)]
}

/** `now: kernel 9.0 MiB, initrd 2.0 MiB`, if it changed. */
function nowIn(line: MapLine, last: MapSnapshot): string {
  const bytes = new Map<string, number>()
  for (const { range, object } of last.lines) {
    const common = intersect(range, line.range)
    if (common !== null) bytes.set(object, (bytes.get(object) ?? 0) + sizeOf(common))
  }
  if (bytes.size === 0 || (bytes.size === 1 && bytes.has(line.object))) return ''
  return `now: ${[...bytes].map(([object, size]) => `${object} ${formatSize(size)}`).join(', ')}`
}
