/** Notes on a section table: sections that overlap in memory or file, and the gap after each. */
import { hex } from '../bytes/range.ts'
import { alignUp } from '../bytes/units.ts'
import type { PeFile, PeSection } from '../image/pe.ts'

interface Span {
  readonly section: PeSection
  readonly start: number
  readonly end: number
}

/** Maximum of overlaps listed per section; a table can have thousands at one address. */
const NOTES_MAX = 4

function spanInMemory(section: PeSection): Span {
  const { VirtualAddress, VirtualSize, SizeOfRawData } = section
  return {
    section,
    start: VirtualAddress,
    end: VirtualAddress + (VirtualSize === 0 ? SizeOfRawData : VirtualSize),
  }
}

function spanInFile(section: PeSection): Span {
  return { section, start: section.PointerToRawData, end: section.PointerToRawData + section.SizeOfRawData }
}

function noteOverlaps(notes: readonly string[][], spans: readonly Span[], place: string): void {
  const sorted = spans.filter(span => span.start < span.end).sort((a, b) => a.start - b.start)
  const note = (on: PeSection, text: string): void => {
    const list = notes[on.index]
    if (list === undefined || list.length > NOTES_MAX) return
    list.push(list.length === NOTES_MAX ? 'and others' : text)
  }
  sorted.forEach((span, i) => {
    for (let j = i + 1, partners = 0; partners <= NOTES_MAX; j++, partners++) {
      const next = sorted[j]
      if (next === undefined || next.start >= span.end) return
      const bytes = hex(Math.min(span.end, next.end) - next.start)
      note(
        span.section,
        `shares ${bytes} bytes of ${place} with #${String(next.section.index)} ${next.section.name}`,
      )
      note(
        next.section,
        `shares ${bytes} bytes of ${place} with #${String(span.section.index)} ${span.section.name}`,
      )
    }
  })
}

/**
 * Notes by index in the section table: overlaps, then the gap after it in memory, then bytes past
 * SizeOfImage.
 */
export function sectionNotes(pe: PeFile): string[][] {
  const notes: string[][] = pe.sections.map(() => [])
  const inMemory = pe.sections.map(spanInMemory)
  noteOverlaps(notes, inMemory, 'memory')
  noteOverlaps(notes, pe.sections.map(spanInFile), 'the file')
  const starts = inMemory.map(span => span.start).sort((a, b) => a - b)
  let next = 0
  for (const { section, start, end } of [...inMemory].sort((a, b) => a.start - b.start)) {
    while ((starts[next] ?? Infinity) <= start) next++
    const used = alignUp<number>(end, Math.max(1, pe.optional.SectionAlignment))
    const gap = (starts[next] ?? 0) - used
    if (gap > 0) notes[section.index]?.push(`gap of ${hex(gap)} after it`)
    if (end > pe.optional.SizeOfImage)
      notes[section.index]?.push(`ends ${hex(end - pe.optional.SizeOfImage)} past SizeOfImage`)
  }
  return notes
}
