/** What the later eras make of the text of a command line (chapter ST). */

/**
 * Makes a line of a text; null where the stub reads behind the end of its string, because all of it is blank.
 */
export type LineRule = (text: string) => string | null

const spaced = (text: string): string =>
  Array.from(text, character => (character.charCodeAt(0) <= 0x1f ? ' ' : character)).join('')
/** Control characters and DEL are spaces, too. */
const blanks = (text: string): string =>
  Array.from(text, character =>
    character.charCodeAt(0) <= 0x1f || character === '\x7f' ? ' ' : character,
  ).join('')

/** Control characters become spaces. */
export const spacesOnly: LineRule = spaced
/** And spaces at the end go. */
export const cutAtTheEnd: LineRule = text => spaced(text).replace(/ +$/, '')
/**
 * Control characters and DEL become spaces; spaces at both ends go. A line of nothing else is read beyond its
 * end.
 */
export const cutAtBothEndsUnlessBlank: LineRule = text => cutAtBothEnds(text) || null
/** Control characters and DEL become spaces; spaces at both ends go. */
export const cutAtBothEnds: LineRule = text => blanks(text).replace(/^ +| +$/g, '')

/** Bytes of a sequence, by its first byte; null for a byte that begins none. */
function sequence(first: number): { readonly length: number; readonly bits: number } | null {
  if (first < 0x80) return { length: 1, bits: first }
  const length = Math.clz32(~(first << 24))
  return length < 2 || length > 6 ? null : { length, bits: first & (0xff >> (length + 1)) }
}

/**
 * UTF-8 up to the first NUL, as 16-bit characters: what is malformed, cut short or above 0xFFFF is left out.
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
