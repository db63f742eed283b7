/**
 * Advised addresses of payload sections: aligned, and without overlaps. The stub's own sections stay where
 * they are. Chapter HZ.
 */
import { hex } from '../bytes/range.ts'
import { alignUp, PAGE } from '../bytes/units.ts'
import type { PeFile } from '../image/pe.ts'
import { sectionOf } from './describe.ts'
import { byStart, type Placed } from './layout.ts'
import { ADVICE_MAX } from './rule.ts'

/** A section and the address advised for it. */
export interface Advised {
  readonly section: Placed
  readonly at: number
}

/**
 * Bytes that a section needs from its start on, where that exceeds its own size; 0: its own size is enough.
 */
export type RoomFor = (section: Placed) => number

/** Addresses of 32 bits end here. */
const LIMIT = 2 ** 32

/** The alignment that is advised, in bytes: the least common multiple of a page and SectionAlignment. */
export function advisedStep({ optional: { SectionAlignment } }: PeFile): number {
  const [a, b]: [number, number] = [PAGE, Math.max(1, SectionAlignment)]
  let [x, y] = [a, b]
  while (y > 0) [x, y] = [y, x % y]
  return (a / x) * b
}

/**
 * The payload sections in order of address: each stays where it is if it can, and otherwise moves to the next
 * free place. The gap after a section is preserved up to `kept` bytes from its start, and widened to `kept`
 * if the next section has to move anyway. Null if the sections do not fit below 4 GiB.
 */
export function advisedPlaces(
  pe: PeFile,
  sections: readonly Placed[],
  room: RoomFor = () => 0,
  kept: RoomFor = () => 0,
): readonly Advised[] | null {
  const step = advisedStep(pe)
  const { fixed, movable } = parted(sections, step)
  const advised: Advised[] = []
  let free = 0
  let passed = 0
  for (const [i, section] of movable.entries()) {
    const length = Math.max(section.end - section.start, room(section))
    let at = section.start
    if (at < free || at % step !== 0) at = alignUp(Math.max(at, free), step)
    while (passed < fixed.length && (fixed[passed]?.end ?? 0) <= at) passed++
    for (let next = passed; next < fixed.length && (fixed[next]?.start ?? 0) < at + length; next++) {
      const end = fixed[next]?.end ?? 0
      if (end > at) at = alignUp(end, step)
    }
    if (at + length > LIMIT) return null
    advised.push({ section, at })
    const before = (movable[i + 1]?.start ?? 0) - section.start
    free = at + Math.max(length, before < length ? kept(section) : Math.min(before, kept(section)))
  }
  return advised
}

/** The stub's own sections, which stay (an aligned .sbat among them, too), and those that can be moved. */
function parted(
  sections: readonly Placed[],
  step: number,
): { readonly fixed: readonly Placed[]; readonly movable: readonly Placed[] } {
  const own = sections.filter(({ payload }) => !payload)
  const end = own.reduce((highest, one) => Math.max(highest, one.end), 0)
  const sbat = sections.find(({ name }) => name === '.sbat')
  const stays =
    sbat !== undefined &&
    sbat.end <= end &&
    sbat.start % step === 0 &&
    own.every(one => one.end <= sbat.start || sbat.end <= one.start)
  const isFixed = (one: Placed): boolean => !one.payload || (stays && one === sbat)
  const ascending = byStart(sections)
  return { fixed: ascending.filter(isFixed), movable: ascending.filter(one => !isFixed(one)) }
}

/** The sections that have to move. */
export function moved(advised: readonly Advised[]): readonly Advised[] {
  return advised.filter(({ section, at }) => section.start !== at)
}

/** SizeOfImage in bytes with the payload at the advised addresses, and `room` after each section. */
export function sizeOfImageWith(
  { optional: { SectionAlignment } }: PeFile,
  sections: readonly Placed[],
  advised: readonly Advised[],
  room: RoomFor = () => 0,
): number {
  let end = 0
  const placed = new Set(advised.map(({ section }) => section))
  for (const section of sections) if (!placed.has(section)) end = Math.max(end, section.end)
  for (const { section, at } of advised)
    end = Math.max(end, at + Math.max(section.end - section.start, room(section)))
  return alignUp<number>(end, Math.max(1, SectionAlignment))
}

/** `.osrel to RVA 0x1a000 and .cmdline to RVA 0x1b000`; of many, the first sixteen and how many more. */
export function placesInWords(advised: readonly Advised[]): string {
  const words = advised
    .slice(0, ADVICE_MAX)
    .map(({ section, at }) => `${sectionOf(section.object)} to RVA ${hex(at)}`)
  const more = advised.length - words.length
  if (more > 0) return `${words.join(', ')}, and ${String(more)} more after these, one after the other`
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`
}

/**
 * `move .initrd to RVA 0xba6000 and .sbat to RVA 0x104e000; SizeOfImage is then 0x104f000 or more`.
 * Null where nothing has to move and SizeOfImage is enough, and where no addresses can be advised.
 */
export function placingFix(
  pe: PeFile,
  sections: readonly Placed[],
  room: RoomFor = () => 0,
  kept: RoomFor = () => 0,
): string | null {
  const advised = advisedPlaces(pe, sections, room, kept)
  if (advised === null) return null
  const moving = moved(advised)
  const size = sizeOfImageWith(pe, sections, advised, room)
  const grows = size > pe.optional.SizeOfImage
  if (moving.length === 0) return grows ? `set SizeOfImage to ${hex(size)} or more` : null
  return (
    `move ${placesInWords(moving)}` +
    (leavesOrder(sections, advised) ? ', and sort the section table by VirtualAddress' : '') +
    (grows ? `; SizeOfImage is then ${hex(size)} or more` : '')
  )
}

/** Is the table sorted by address now, but not with the advised addresses? */
function leavesOrder(sections: readonly Placed[], advised: readonly Advised[]): boolean {
  const at = new Map(advised.map(({ section, at: place }) => [section.index, place]))
  const isSorted = (startOf: (one: Placed) => number): boolean =>
    sections.every((one, i) => i === 0 || startOf(sections[i - 1] ?? one) <= startOf(one))
  return isSorted(({ start }) => start) && !isSorted(({ index, start }) => at.get(index) ?? start)
}
