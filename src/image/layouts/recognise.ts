/**
 * Recognises the tool that built a unified kernel image by the addresses, order and flags of its sections.
 * Tools with the same layout are all named.
 */
import { hex } from '../../bytes/range.ts'
import { PAGE, wrap32 } from '../../bytes/units.ts'
import { parsePe, type PeFile, type PeSection } from '../pe.ts'
import { viewUki, type UkiSection, type UkiView } from '../uki.ts'
import {
  LAYOUTS,
  roundedUp,
  type ComputedLayout,
  type FixedLayout,
  type Layout,
  type LayoutId,
  type LinuxFlags,
} from './table.ts'

/** A tool with this layout, and the evidence. */
export interface LayoutCandidate {
  readonly id: LayoutId
  readonly title: string
  /** Sentences. */
  readonly evidence: readonly string[]
}

/** certain: one candidate. several: more than one with this layout. unknown: none of the table. */
export interface LayoutFound {
  readonly certainty: 'certain' | 'several' | 'unknown'
  readonly candidates: readonly LayoutCandidate[]
}

/** IMAGE_SCN_CNT_CODE and IMAGE_SCN_MEM_EXECUTE. */
const CNT_CODE = 0x20
const MEM_EXECUTE = 0x20000000

/** Maximum of sections considered: a table can have 65535. */
const ADDED_MAX = 96

/**
 * The tools that may have built this image; null if it has no `.linux` (or `.kernelp` of early thin images).
 * Reads headers only, never throws.
 */
export function recogniseLayout(pe: PeFile, uki: UkiView = viewUki(pe)): LayoutFound | null {
  const linux =
    uki.sections.find(({ section }) => section.name === '.linux') ??
    uki.sections.find(({ section }) => section.name === '.kernelp')
  if (linux === undefined) return null
  const candidates = LAYOUTS.flatMap(layout => {
    const evidence =
      layout.kind === 'fixed' ? fixedEvidence(layout, pe, uki) : computedEvidence(layout, pe, uki, linux)
    return evidence === null ? [] : [{ id: layout.id, title: layout.title, evidence }]
  })
  const found = candidates.length === 1 ? 'certain' : 'several'
  return {
    certainty: candidates.length === 0 ? 'unknown' : found,
    candidates,
  }
}

/** The layout of that id. */
export function layoutNamed(id: LayoutId): Layout | undefined {
  return LAYOUTS.find(layout => layout.id === id)
}

function fixedEvidence({ at, needs }: FixedLayout, pe: PeFile, uki: UkiView): string[] | null {
  const payload = uki.sections
    .filter(one => one.payload && one.section.name !== '.sbat')
    .map(one => one.section)
  if (payload.length < 2 || payload.length > ADDED_MAX) return null
  if (needs?.some(name => !payload.some(one => one.name === name)) === true) return null
  const base = Number(BigInt.asUintN(32, pe.optional.ImageBase))
  const given = (offset: number): boolean =>
    payload.every(({ name, VirtualAddress }) => at[name] === wrap32(VirtualAddress + offset))
  const wrapped = base !== 0 && given(base)
  if (!wrapped && !given(0)) return null
  const places = payload.map(({ name }) => `${name} at ${hex(at[name] ?? 0)}`)
  return [
    `${listed(places)} are the addresses it passes to objcopy.`,
    ...(wrapped ? [`They were given without ImageBase ${hex(pe.optional.ImageBase)} and wrapped.`] : []),
  ]
}

function computedEvidence(
  layout: ComputedLayout,
  pe: PeFile,
  uki: UkiView,
  linux: UkiSection,
): string[] | null {
  const first = uki.sections.findIndex(one => one.payload && one.section.name !== '.sbat')
  const before = pe.sections[first - 1]
  const added = upToProfile(pe.sections.slice(first))
  if (before === undefined || added.length > ADDED_MAX || !inOrder(added, layout.order)) return null
  const { section } = linux
  if (layout.needs?.some(name => !added.some(one => one.name === name)) === true) return null
  if (flagsOf(section) !== layout.linux) return null
  const size = linuxSize(layout, linux)
  if (size === null) return null
  const step = layout.step === 'page' ? PAGE : Math.max(1, pe.optional.SectionAlignment)
  const starts = added.map((one, i) => ({
    at: one.VirtualAddress,
    after: endOf(i === 0 ? before : (added[i - 1] ?? before)),
  }))
  const rounding = layout.rounding.find(rule =>
    starts.every(({ at, after }) => at === roundedUp(after, rule, step)),
  )
  if (rounding === undefined) return null
  const where =
    rounding === 'none'
      ? 'exactly at the end of the one before it'
      : `at the next multiple of ${hex(step)} after the one before it`
  return [
    `${listed(added.map(({ name }) => name))} follow the stub in this order, each ${where}.`,
    `.linux has the flags ${hex(section.Characteristics)}: ${FLAG_WORDS[layout.linux]}.`,
    ...size,
  ]
}

const FLAG_WORDS: Readonly<Record<LinuxFlags, string>> = {
  data: 'read-only data, as set by objcopy',
  code: 'code that is not executable, as written by pefile',
  executable: 'executable code, as set by objcopy on request',
}

const endOf = ({ VirtualAddress, VirtualSize }: PeSection): number => VirtualAddress + VirtualSize

/** Names may repeat after the first `.profile`. */
function upToProfile(sections: readonly PeSection[]): readonly PeSection[] {
  const profile = sections.findIndex(({ name }) => name === '.profile')
  return profile < 0 ? sections : sections.slice(0, profile + 1)
}

function inOrder(sections: readonly PeSection[], order: readonly string[]): boolean {
  let next = 0
  for (const { name } of sections) {
    const named = order.indexOf(name)
    const place = named < 0 ? order.indexOf('*') : named
    if (place < 0) return false
    const again = place === next - 1 && (named < 0 || name === '.dtbauto' || name === '.efifw')
    if (place < next && !again) return false
    next = Math.max(next, place + 1)
  }
  return true
}

function flagsOf({ Characteristics }: PeSection): LinuxFlags {
  if ((Characteristics & CNT_CODE) === 0) return 'data'
  return (Characteristics & MEM_EXECUTE) === 0 ? 'code' : 'executable'
}

/** Evidence from the VirtualSize of `.linux`, or null if it contradicts the layout. */
function linuxSize({ linuxSize: wanted }: ComputedLayout, { section, content }: UkiSection): string[] | null {
  const { VirtualSize, SizeOfRawData } = section
  if (wanted === 'file') return VirtualSize <= SizeOfRawData ? [] : null
  const own = parsePe(content).pe?.optional.SizeOfImage
  return VirtualSize > SizeOfRawData && VirtualSize === own
    ? [`VirtualSize of .linux is ${hex(VirtualSize)}, SizeOfImage of the kernel, not the length of the file.`]
    : null
}

function listed(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`
}
