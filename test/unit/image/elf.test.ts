import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesSource } from '../../../src/bytes/source.ts'
import { parseElf } from '../../../src/image/elf.ts'
import { elfHeaders } from '../../support/packed-kernel.ts'

const headers = elfHeaders(0x1000c43, [
  { p_offset: 0x200000, p_paddr: 0x1000000, p_filesz: 0x1573354, p_memsz: 0x1600000 },
])

test('entry and PT_LOAD segments are read, other segments are not', () => {
  expect(parseElf(bytesSource(headers))).toEqual({
    elf: {
      e_entry: 0x1000c43,
      segments: [
        {
          p_offset: 0x200000,
          p_paddr: 0x1000000,
          p_filesz: 0x1573354,
          p_memsz: 0x1600000,
          p_align: 0x200000,
        },
      ],
      end: 0x200000 + 0x1573354,
    },
    problems: [],
  })
})

test('what is no ELF file, or too short for its headers, is a problem', () => {
  expect(parseElf(bytesSource(headers.subarray(0, 63))).problems).toMatchObject([{ id: 'truncated' }])
  expect(parseElf(bytesSource(headers.subarray(0, 100))).problems).toMatchObject([{ id: 'program-headers' }])
  expect(parseElf(bytesSource(new Uint8Array(64))).problems).toMatchObject([{ id: 'not-elf' }])
})

test('no bytes make it throw', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(headers.length - 1), fc.integer({ min: 0, max: 255 }))), edits => {
      const wrong = Uint8Array.from(headers)
      for (const [at, byte] of edits) wrong[at] = byte
      const { elf, problems } = parseElf(bytesSource(wrong))
      expect(elf === null).toBe(problems.length > 0)
    }),
  )
})
