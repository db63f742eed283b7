/**
 * lanzaboote's data in an image: the stub's version text, and the files that a thin image names instead of
 * embedding them. Source: lanzaboote rust/uefi/stub.
 */
import { decodeText } from '../bytes/text.ts'
import { fileOffset } from '../bytes/units.ts'
import { IDENTITY_SCAN_MAX, type StubVersion } from './sdmagic.ts'
import { THIN_NAMES, type UkiView } from './uki.ts'

const NAME = /lanzastub (\d{1,9}\.\d{1,9}\.\d{1,9})/
/** Maximum length of a path, in bytes. */
const PATH_MAX = 4096
/** SHA-256, in bytes. */
const HASH = 32

/**
 * `lanzastub 1.1.0` in the stub's own sections, or null. Reads at most IDENTITY_SCAN_MAX bytes, never throws.
 */
export function readLanzastubVersion(view: UkiView): StubVersion | null {
  let left = IDENTITY_SCAN_MAX
  for (const { section, content, payload } of view.sections) {
    if (payload) continue
    const length = Math.min(left, content.size)
    left -= length
    const found = NAME.exec(decodeText(content.read(fileOffset(0), length), 'latin1'))
    if (found !== null) return { text: found[0], version: found[1] ?? '', where: section.name }
  }
  return null
}

/** A file on the ESP: the section with its path, the unmodified path, and its expected SHA-256. */
export interface NamedFile {
  readonly section: string
  readonly path: string
  /** Null if the section with the hash is missing or has a wrong length. */
  readonly hash: Uint8Array | null
}

/** Kernel and initrd of a thin image. */
export interface ThinFiles {
  /** Names of the sections: those before 0.4, or those since then. */
  readonly names: keyof typeof THIN_NAMES
  readonly kernel: NamedFile
  readonly initrd: NamedFile
}

/**
 * The files that the image names, by the first section of each name; null if it is not a thin image. Never
 * throws.
 */
export function thinFiles(view: UkiView): ThinFiles | null {
  const first = (name: string) => view.sections.find(({ section }) => section.name === name)?.content
  for (const names of ['early', 'late'] as const) {
    const { kernel, kernelHash, initrd, initrdHash } = THIN_NAMES[names]
    const file = (section: string, hashSection: string): NamedFile | null => {
      const [path, hash] = [first(section), first(hashSection)]
      if (path === undefined || hash === undefined) return null
      return {
        section,
        path: decodeText(path.read(fileOffset(0), PATH_MAX), 'utf-8 after a mark'),
        hash: hash.size === HASH ? hash.read(fileOffset(0), HASH) : null,
      }
    }
    const [one, other] = [file(kernel, kernelHash), file(initrd, initrdHash)]
    if (one !== null && other !== null) return { names, kernel: one, initrd: other }
  }
  return null
}
