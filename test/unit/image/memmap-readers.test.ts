import { describe, expect, test } from 'vitest'
import { readMemmap } from '../../../src/image/memmap.ts'
import { DIALECTS } from '../../../src/image/memmap/dialects.ts'
import type { Block } from '../../../src/image/memmap/model.ts'
import { EFI_MEMORY_RUNTIME, EFI_MEMORY_SP } from '../../../src/image/memory-types.ts'
import { row } from '../../support/descriptors.ts'

const whats = (text: string): string[] => readMemmap(text).problems.map(({ what }) => what)

function blockOf(name: string, ...texts: string[]): Block {
  const dialect = DIALECTS.find(one => one.name === name) ?? expect.fail(name)
  return dialect.read(texts.map((text, i) => ({ text, at: i + 1 })))
}

describe('a reader by itself', () => {
  test.each(DIALECTS.map(({ name }) => name))('%s makes no row of no line', name => {
    expect(blockOf(name)).toMatchObject({ placed: [], last: 0 })
  })

  test('a resource tree skips what is no part of it', () => {
    expect(
      blockOf(
        'iomem',
        'hello',
        '00100000-001fffff : System RAM',
        '  00140000-0014ffff : Kernel code',
        '00200000-0020ffff : RAM buffer',
      ),
    ).toEqual({
      placed: [{ row: { type: 7, start: 0x100000n, end: 0x200000n, attribute: 0xfn, loose: true }, line: 2 }],
      problems: [],
      last: 4,
    })
  })

  test('a line of an e820 list without a label cannot be read', () => {
    expect(blockOf('e820', 'hello')).toMatchObject({
      placed: [],
      problems: [{ what: 'line 1 cannot be read as e820: hello' }],
      last: 1,
    })
  })

  test('a dump may begin with a star, which repeats nothing', () => {
    const head = blockOf('boot-params', '*', '00000202  48 64 72 53  |HdrS|')
    expect(head).toEqual({ placed: [], problems: [], last: 2 })
  })

  test('bytes of a dump after the page are not of the page', () => {
    expect(
      blockOf(
        'boot-params',
        '00000202  48 64 72 53  |HdrS|',
        '00001001  01 02  |..|',
        '00000202  00 00 00 00  |....|',
      ),
    ).toEqual({ placed: [], problems: [], last: 3 })
  })
})

describe('GRUB', () => {
  test('a type by number is that number, a type by another name is none', () => {
    expect(readMemmap('Unk 0e    0000000000100000-00000000001fffff 00000100      1MiB UC')).toMatchObject({
      dialect: 'grub',
      map: [row(14, 0x100000, 0x200000, 1n)],
      problems: [],
    })
    expect(whats('heap-mem  0000000000100000-00000000001fffff 00000100      1MiB UC')[0]).toMatch(
      /^line 1 cannot be read as grub: heap-mem /,
    )
  })

  test('lsmmap names six kinds of memory; a word that it does not print is a row that is lost', () => {
    const kinds = [
      'available RAM',
      'ACPI reclaimable RAM',
      'ACPI non-volatile storage RAM',
      'faulty RAM',
      'persistent RAM',
      'RAM holding coreboot tables',
      'verf\u00fcgbarer RAM',
    ]
    const text = kinds
      .map((kind, i) => `base_addr = 0x${(0x100000 * (i + 1)).toString(16)}, length = 0x100000, ${kind}`)
      .join('\n')
    const { map, lost } = readMemmap(text)
    expect(map.map(({ type }) => type)).toEqual([7, 9, 10, 8, 14, 0])
    expect(lost[0]?.row).toMatch(/^line 7 cannot be read as grub-lsmmap/)
  })
})

describe('U-Boot', () => {
  test('a map without attributes has none', () => {
    expect(readMemmap('CONVENTIONAL     0000000000100000-0000000000200000')).toMatchObject({
      dialect: 'uboot',
      map: [row(7, 0x100000, 0x200000, 0n)],
      problems: [],
    })
  })

  test('a row that is cut, or of a type that nobody prints, is named', () => {
    expect(
      blockOf(
        'uboot',
        'CONVENTIONAL 0000000000100000',
        'HEAP MEMORY 0000000000100000-0000000000200000 WB',
      ).problems.map(({ what }) => what),
    ).toEqual([
      'line 1 cannot be read as uboot: CONVENTIONAL 0000000000100000',
      'line 2 cannot be read as uboot: HEAP MEMORY 0000000000100000-0000000000200000 WB',
    ])
  })

  test('an r in front of the attributes is the runtime bit', () => {
    expect(readMemmap(' 0  6:RT-data       0000100000  0000000000  0000001000  rf').map).toEqual([
      row(6, 0x100000, 0x101000, 0xfn | EFI_MEMORY_RUNTIME),
    ])
  })
})

describe('the kernel’s files', () => {
  test('soft-reserved memory is free memory with the special purpose bit', () => {
    expect(readMemmap('00100000-001fffff : Soft Reserved').map).toEqual([
      row(7, 0x100000, 0x200000, 0xfn | EFI_MEMORY_SP),
    ])
  })

  test('the first page is the kernel’s own reservation, another one is not', () => {
    expect(
      readMemmap('00000000-00000fff : Reserved\n00001000-00001fff : Reserved\n00002000-00002fff : PCI Bus')
        .map,
    ).toEqual([row(7, 0, 0x1000), row(0, 0x1000, 0x2000)])
  })
})
