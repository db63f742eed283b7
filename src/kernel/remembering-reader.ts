/** A reader of payloads that is asked about one file by several eras. By itself, so that it brings no decoders. */
import type { ByteSource } from '../bytes/source.ts'
import type { PayloadRead, PayloadReader } from './payload.ts'

/** The same reader, remembering its last answer. */
export function rememberingReader(read: PayloadReader): PayloadReader {
  let last: { readonly source: ByteSource; readonly answer: PayloadRead } | null = null
  return source => {
    if (last?.source !== source) last = { source, answer: read(source) }
    return last.answer
  }
}
