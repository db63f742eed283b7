/**
 * A caching payload reader, for a file that several eras read. In its own module, so that it imports no
 * decoders.
 */
import type { ByteSource } from '../bytes/source.ts'
import type { PayloadRead, PayloadReader } from './payload.ts'

/** The same reader, caching its last result. */
export function rememberingReader(read: PayloadReader): PayloadReader {
  let last: { readonly source: ByteSource; readonly answer: PayloadRead } | null = null
  return source => {
    if (last?.source !== source) last = { source, answer: read(source) }
    return last.answer
  }
}
