import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesSource } from '../../../src/bytes/source.ts'
import { parseElf } from '../../../src/image/elf.ts'
import { ElfInPassing } from '../../../src/image/elf-in-passing.ts'
import { le } from '../../support/bytes.ts'
import { elfHeaders } from '../../support/packed-kernel.ts'

/** A file of `size` bytes with its program headers at `tableAt`. */
function elfWithTable(tableAt: number, size: number): Uint8Array {
  const headers = elfHeaders(0x1000123, [
    { p_offset: 0x1000, p_paddr: 0x1000000, p_filesz: 0x2000 },
    { p_offset: 0x4000, p_paddr: 0x1200000, p_filesz: 0x300, p_memsz: 0x5000 },
  ])
  const out = new Uint8Array(size)
  const put = (bytes: Uint8Array, at: number): void => {
    out.set(bytes.subarray(0, Math.max(0, size - at)), Math.min(at, size))
  }
  put(headers.subarray(64), tableAt)
  // The header is written last: a table may begin inside it
  put(headers.subarray(0, 64), 0)
  put(Uint8Array.from(le(tableAt, 8)), 32)
  return out
}

const passing = (bytes: Uint8Array, cuts: readonly number[]): ElfInPassing => {
  const elf = new ElfInPassing()
  let from = 0
  for (const to of [...cuts.filter(cut => cut < bytes.length), bytes.length].sort((a, b) => a - b)) {
    // A piece of its own, which is gone afterwards
    const piece = bytes.slice(from, to)
    elf.push(piece)
    piece.fill(0xaa)
    from = to
  }
  return elf
}

test('headers that pass are those of the whole file, wherever the table is and however it is cut', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.constantFrom(0, 16, 40, 63, 64, 65, 500), fc.nat({ max: 900 })),
      fc.nat({ max: 1000 }),
      fc.array(fc.nat({ max: 1000 }), { maxLength: 6 }),
      (tableAt, size, cuts) => {
        const bytes = elfWithTable(tableAt, size)
        expect(passing(bytes, cuts).parse()).toEqual(parseElf(bytesSource(bytes)))
      },
    ),
    { numRuns: 500 },
  )
})

test('a whole file is an ELF file with its segments', () => {
  expect(passing(elfWithTable(64, 1000), [10, 100]).parse()).toMatchObject({
    elf: { e_entry: 0x1000123, segments: [{ p_paddr: 0x1000000 }, { p_memsz: 0x5000 }] },
    problems: [],
  })
})

test('nothing, and what is no ELF file', () => {
  expect(new ElfInPassing().parse()).toEqual(parseElf(bytesSource(new Uint8Array(0))))
  const noise = new Uint8Array(300).fill(0xff)
  expect(passing(noise, [64]).parse()).toEqual(parseElf(bytesSource(noise)))
})
