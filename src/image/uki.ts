/**
 * A PE as a unified kernel image: its payload sections and object names, duplicates kept. Source: uapi-group
 * unified_kernel_image.md.
 */
import { partOf } from '../bytes/fixed-source.ts'
import { sliceSource, type ByteSource } from '../bytes/source.ts'
import type { PeFile, PeSection } from './pe.ts'

/** Names of sections with payload for the stub rather than code of the stub. */
export const UKI_SECTION_NAMES = [
  '.linux',
  '.osrel',
  '.cmdline',
  '.initrd',
  '.ucode',
  '.efifw',
  '.splash',
  '.dtb',
  '.dtbauto',
  '.hwids',
  '.uname',
  '.sbat',
  '.pcrsig',
  '.pcrpkey',
  '.profile',
] as const
export type UkiSectionName = (typeof UKI_SECTION_NAMES)[number]

/**
 * Sections of a thin image of lanzaboote: paths of files on the ESP, and their SHA-256; the names before 0.4
 * and since then. Source: lanzaboote rust/uefi/stub/src/thin.rs.
 */
export const THIN_NAMES = {
  early: { kernel: '.kernelp', kernelHash: '.kernelh', initrd: '.initrdp', initrdHash: '.initrdh' },
  late: { kernel: '.linux', kernelHash: '.linuxh', initrd: '.initrd', initrdHash: '.initrdh' },
} as const

/** A section seen as part of a UKI. */
export interface UkiSection {
  readonly section: PeSection
  /**
   * `kernel` (.linux), `initrd`, `cmdline`, `uki:.osrel` …, `stub:.text`; the second of one name ends in
   * `#2`. A thin image's paths are `uki:.linux` and `uki:.initrd`.
   */
  readonly object: string
  readonly payload: boolean
  /** Its bytes in the file: min(VirtualSize, SizeOfRawData), or SizeOfRawData when VirtualSize is 0. */
  readonly content: ByteSource
}

/** All sections of the PE, in table order. */
export interface UkiView {
  readonly pe: PeFile
  readonly sections: readonly UkiSection[]
}

const SHORT: Readonly<Record<string, string>> = {
  '.linux': 'kernel',
  '.initrd': 'initrd',
  '.cmdline': 'cmdline',
}

const views = new WeakMap<PeFile, UkiView>()

/** Names every section of a PE. Chooses nothing: the stub decides which `.linux` is used. */
export function viewUki(pe: PeFile): UkiView {
  const view = views.get(pe) ?? partOf(pe.source, newView(pe))
  views.set(pe, view)
  return view
}

function newView(pe: PeFile): UkiView {
  const seen = new Map<string, number>()
  const has = (name: string): boolean => pe.sections.some(section => section.name === name)
  const thin: readonly string[] = Object.values(THIN_NAMES)
    .filter(({ kernelHash, initrdHash }) => has(kernelHash) && has(initrdHash))
    .flatMap(names => Object.values(names))
  const names: ReadonlySet<string> = new Set([...UKI_SECTION_NAMES, ...thin])
  const sections = pe.sections.map(section => {
    const payload = names.has(section.name)
    const base =
      (thin.includes(section.name) ? undefined : SHORT[section.name]) ??
      `${payload ? 'uki' : 'stub'}:${section.name}`
    const count = (seen.get(base) ?? 0) + 1
    seen.set(base, count)
    const length =
      section.VirtualSize === 0 ? section.SizeOfRawData : Math.min(section.VirtualSize, section.SizeOfRawData)
    return {
      section,
      object: count === 1 ? base : `${base}#${String(count)}`,
      payload,
      content: partOf(pe.source, sliceSource(pe.source, section.PointerToRawData, length)),
    }
  })
  return { pe, sections }
}
