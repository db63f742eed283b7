/**
 * Decodes the x86 filter of xz: the targets of CALL and JMP become relative again. Source: the xz file format
 * 1.1.0, section 5.3.2.
 */

/** CALL is 0xe8, JMP 0xe9, each with an operand of four bytes. */
const isBranch = (byte: number): boolean => (byte & 0xfe) === 0xe8
/**
 * The highest byte of an operand that the filter changes: its target is within 16 MiB in either direction.
 */
const isNear = (byte: number): boolean => byte === 0 || byte === 0xff

/**
 * Which of the three bytes before may have been branches, as a mask (bit 0: the byte before). With these
 * masks an opcode may be one itself;
 * NEAREST says which byte of its operand must then not be that of a near target.
 */
const MAY_BE_BRANCH: readonly boolean[] = [true, true, true, false, true, false, false, false]
const NEAREST: readonly number[] = [0, 1, 2, 2, 3, 3, 3, 3]

/** The relative target; bits changed by an overlapping branch are restored first. */
function relative(absolute: number, next: number, mask: number): number {
  let from = absolute
  for (let round = 0; ; round++) {
    const to = (from - next) | 0
    const bit = 8 * (NEAREST[mask] as number)
    // Twice is enough: the second round undoes what the first has changed
    if (mask === 0 || round > 2 || !isNear((to >>> (24 - bit)) & 255)) return to
    from = to ^ (2 ** (32 - bit) - 1)
  }
}

/** Bytes that are worked on at a time. */
const CHUNK = 2 ** 16
/** The last bytes of a stream cannot contain a branch; until more come, they are held back. */
const HELD_BACK = 4

/** Undoes the filter in a stream that comes piece by piece, whose first byte has address 0. */
export class X86Filter {
  readonly #bytes = new Uint8Array(CHUNK + 2 * HELD_BACK)
  /** Bytes held back, at the beginning of #bytes. */
  #count = 0
  /** Stream position of the first of them. */
  #base = 0
  #mask = 0
  /** Stream position of the last opcode that may have been a branch. */
  #last = -Infinity

  /** `to` receives what is done; its argument is reused. */
  push(piece: Uint8Array, to: (done: Uint8Array) => void): void {
    for (let from = 0; from < piece.length; from += CHUNK) {
      const part = piece.subarray(from, from + CHUNK)
      this.#bytes.set(part, this.#count)
      this.#count += part.length
      const done = this.#undo()
      if (done > 0) to(this.#bytes.subarray(0, done))
      this.#bytes.copyWithin(0, done, this.#count)
      this.#count -= done
      this.#base += done
    }
  }

  /** Passes on what was held back. */
  end(to: (done: Uint8Array) => void): void {
    if (this.#count > 0) to(this.#bytes.subarray(0, this.#count))
    this.#base += this.#count
    this.#count = 0
  }

  /** Returns how many bytes are done. */
  #undo(): number {
    const bytes = this.#bytes
    let mask = this.#mask
    let last = this.#last - this.#base
    let at = 0
    for (; at < this.#count - HELD_BACK; at++) {
      if (!isBranch(bytes[at] as number)) continue
      const distance = at - last
      last = at
      mask = distance > 3 ? 0 : (mask << (distance - 1)) & 7
      const disturbed =
        mask !== 0 &&
        (MAY_BE_BRANCH[mask] !== true || isNear(bytes[at + 4 - (NEAREST[mask] as number)] as number))
      if (disturbed || !isNear(bytes[at + 4] as number)) {
        mask = (mask << 1) | 1
        continue
      }
      const absolute =
        (bytes[at + 1] as number) |
        ((bytes[at + 2] as number) << 8) |
        ((bytes[at + 3] as number) << 16) |
        ((bytes[at + 4] as number) << 24)
      const target = relative(absolute, (this.#base + at + 5) | 0, mask)
      bytes[at + 1] = target
      bytes[at + 2] = target >> 8
      bytes[at + 3] = target >> 16
      bytes[at + 4] = target & 0x1000000 ? 0xff : 0
      at += 4
    }
    this.#mask = mask
    this.#last = last + this.#base
    return at
  }
}
