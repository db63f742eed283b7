/** Who wrote this stub: the version text that systemd-stub carries, in `.sdmagic` or among its constants. */
import { fileOffset } from '../bytes/units.ts'
import type { UkiView } from './uki.ts'

/** The version text of a stub, and the section that holds it. */
export interface StubVersion {
  readonly text: string
  /** `247.3-7+deb11u8`. */
  readonly version: string
  readonly where: string
}

/** Most that is read of a stub's own sections to find the text, in bytes. */
export const STUB_SCAN_MAX = 512 * 1024

const MAGIC = /#### LoaderInfo: systemd-stub ([^\s#]{1,64}) ####/

/** Looks for `#### LoaderInfo: systemd-stub VERSION ####` in `.sdmagic`, then in the stub's other own sections in table order. */
export function readStubVersion(uki: UkiView): StubVersion | null {
  const own = uki.sections.filter(section => !section.payload)
  const ordered = [...own.filter(({ section }) => section.name === '.sdmagic'), ...own.filter(({ section }) => section.name !== '.sdmagic')]
  let left = STUB_SCAN_MAX
  for (const { section, content } of ordered) {
    const bytes = content.read(fileOffset(0), Math.min(left, content.size))
    left -= bytes.length
    const found = MAGIC.exec(latin1(bytes))
    if (found !== null) return { text: found[0], version: found[1] ?? '', where: section.name }
  }
  return null
}

function latin1(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return text
}
