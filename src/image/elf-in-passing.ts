/** The headers of an ELF64 file that arrives as a stream and is not kept. */
import { bytesSource, sparseSource } from '../bytes/source.ts'
import { elf64_hdr, elf64_phdr, parseElf, type ElfParse } from './elf.ts'

/** Bytes [at, at + bytes.length) of the file, zero until they have passed. */
interface Kept {
  readonly at: number
  readonly bytes: Uint8Array
}

/** Keeps the header and the program headers, at most 3.5 MiB, and nothing else. */
export class ElfInPassing {
  readonly #head: Kept = { at: 0, bytes: new Uint8Array(elf64_hdr.size) }
  /** null until the header has passed. */
  #table: Kept | null = null
  #passed = 0

  /** The next bytes of the file. */
  push(piece: Uint8Array): void {
    const before = this.#passed
    this.#passed += piece.length
    keep(this.#head, piece, before)
    if (this.#table === null) {
      if (this.#passed < elf64_hdr.size) return
      this.#table = tableOf(this.#head.bytes)
      // A table that begins inside the header
      keep(this.#table, this.#head.bytes, 0)
    }
    keep(this.#table, piece, before)
  }

  /** As parseElf of all that has passed. */
  parse(): ElfParse {
    const kept = this.#table === null ? [this.#head] : [this.#head, this.#table]
    return parseElf(
      sparseSource(
        this.#passed,
        kept.map(({ at, bytes }) => ({ at, source: bytesSource(bytes) })),
      ),
    )
  }
}

/** Copies what `piece`, the file's bytes from `from` on, has of it. */
function keep({ at, bytes }: Kept, piece: Uint8Array, from: number): void {
  const start = Math.max(at, from)
  const end = Math.min(at + bytes.length, from + piece.length)
  if (start < end) bytes.set(piece.subarray(start - from, end - from), start - at)
}

/** Room for the program headers. */
function tableOf(head: Uint8Array): Kept {
  const hdr = elf64_hdr.read(head)
  return {
    at: Number(hdr?.e_phoff ?? 0),
    bytes: new Uint8Array((hdr?.e_phnum ?? 0) * elf64_phdr.size),
  }
}
