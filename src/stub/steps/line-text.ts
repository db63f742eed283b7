/** How the stub processes the text of a command line (chapter ST). */
import type { CommandLineBehaviour } from '../behaviour.ts'

/** Processes a line; null if the stub reads past the end of its string because the line is blank. */
export type LineRule = (text: string) => string | null

/** Characters that a release replaces with spaces. */
const SPACES: Readonly<Record<CommandLineBehaviour['spaces'], (code: number) => boolean>> = {
  none: () => false,
  'all but printable ASCII': code => code <= 0x1f || code >= 0x7f,
  controls: code => code <= 0x1f,
  'controls and DEL': code => code <= 0x1f || code === 0x7f,
}

/** The replacement for one character. */
export function written(code: number, { spaces }: Pick<CommandLineBehaviour, 'spaces'>): number {
  return SPACES[spaces](code) ? 0x20 : code
}

const trimmed = (text: string, where: CommandLineBehaviour['trimmed']): string => {
  if (where === 'nowhere') return text
  return text.replace(where === 'end' ? / +$/ : /^ +| +$/g, '')
}

/** How a release processes a line: characters become spaces, and spaces at the ends are trimmed. */
export function lineRule(line: CommandLineBehaviour): LineRule {
  return text => {
    const isSpace = SPACES[line.spaces]
    const spaced = Array.from(text, one => (isSpace(one.charCodeAt(0)) ? ' ' : one)).join('')
    const made = trimmed(spaced, line.trimmed)
    return made === '' && line.readsPastBlanks ? null : made
  }
}

/** Bytes of a sequence, by its first byte; null for a byte that begins none. */
function sequence(first: number): { readonly length: number; readonly bits: number } | null {
  if (first < 0x80) return { length: 1, bits: first }
  const length = Math.clz32(~(first << 24))
  return length < 2 || length > 6 ? null : { length, bits: first & (0xff >> (length + 1)) }
}

/**
 * UTF-8 up to the first NUL, as 16-bit characters: malformed, truncated and above-0xFFFF sequences are
 * dropped.
 */
export function utf8Text(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length && bytes[at] !== 0;) {
    const read = sequence(bytes[at] ?? 0)
    const tail = read === null ? [] : [...bytes.subarray(at + 1, at + read.length)]
    if (read !== null && tail.length === read.length - 1 && tail.every(byte => (byte & 0xc0) === 0x80)) {
      const code = tail.reduce((sum, byte) => sum * 64 + (byte & 0x3f), read.bits)
      if (code <= 0xffff && (code < 0xd800 || code > 0xdfff)) text += String.fromCharCode(code)
    }
    at += read?.length ?? 1
  }
  return text
}
