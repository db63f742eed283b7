/** Every line that is printed in the modelled paths, with its meaning, for `explain`. */
import { MESSAGES } from '../decode/decode.ts'
import { CONSEQUENCES, type KnownLine } from '../messages/consequences.ts'
import { MEANINGS } from '../messages/meanings.ts'
import { TEXTS, type TextId } from '../messages/texts.ts'

/** Error messages of the kernel's decompressors; a text shared by several formats is listed once. */
function payloadLines(): readonly KnownLine[] {
  const formats = new Map<string, Set<string>>()
  for (const [format, kinds] of Object.entries(MESSAGES))
    for (const text of Object.values<string | null>(kinds))
      if (text !== null) formats.set(text, (formats.get(text) ?? new Set()).add(format))
  return [...formats].map(([text, names]) => ({
    text,
    by: 'Linux decompressor',
    clause: 'ZO-25',
    releases: `Linux with a payload in ${[...names].join(', ')}`,
    why: 'The compressed kernel is corrupt: in the file, or because something was written over it.',
    fix: 'Check the image with --deep: it tells a damaged file from a payload that was overwritten.',
  }))
}

/** All of them. */
export function knownLines(): readonly KnownLine[] {
  const printed = Object.entries(TEXTS).map(([id, text]) => ({ text, ...MEANINGS[id as TextId] }))
  return [...printed, ...CONSEQUENCES, ...payloadLines()]
}
