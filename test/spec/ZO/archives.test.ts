import { expect, test } from 'vitest'
import { archiveFault, ZEROS_MAX } from '../../../src/boot/initrd-archives.ts'
import { range } from '../../../src/bytes/range.ts'
import { bytesSource, sparseSource, type ByteSource, type SparsePiece } from '../../../src/bytes/source.ts'
import { phys } from '../../../src/bytes/units.ts'
import { OPAQUE, ZERO } from '../../../src/memory/extent.ts'
import { Memory } from '../../../src/memory/memory.ts'
import { Recorder } from '../../../src/memory/recorder.ts'
import { STUB_FACTS, type StubName } from '../../../src/image/stub-facts.ts'
import { buildKernel, buildUki } from '../../../src/image/synthetic.ts'
import { kernel } from '../../../src/vitest/builders.ts'
import type { Content } from '../../../src/image/content.ts'
import { reportOn } from '../../support/damaged-uki.ts'

const AT = phys(0x100000)
const ascii = (text: string): Uint8Array => Uint8Array.from(text, one => one.charCodeAt(0))

/** A cpio archive of one file, as `cpio -H newc` writes it, padded to 512 bytes. */
function cpio(name = 'init', body = '#!/bin/sh\n'): Uint8Array {
  const file = (its: string, data: string): string => {
    const numbers = [1, 0o100755, 0, 0, 1, 0, data.length, 0, 0, 0, 0, its.length + 1, 0]
    const head = `070701${numbers.map(n => n.toString(16).padStart(8, '0')).join('')}${its}\0`
    const pad = (text: string): string => text.padEnd(Math.ceil(text.length / 4) * 4, '\0')
    return pad(head) + pad(data)
  }
  const text = file(name, body) + file('TRAILER!!!', '')
  return ascii(text.padEnd(Math.ceil(text.length / 512) * 512, '\0'))
}

function faultOf(source: ByteSource): ReturnType<typeof archiveFault> {
  const memory = new Memory(new Recorder())
  memory.ram(range(0, 2 ** 33), ZERO)
  memory.put(AT, { source, at: 0, length: source.size }, 'initrd')
  return archiveFault(memory, AT, source.size)
}
const of = (size: number, ...pieces: readonly (readonly [number, Uint8Array])[]) =>
  faultOf(
    sparseSource(
      size,
      pieces.map(([at, bytes]): SparsePiece => ({ at, source: bytesSource(bytes) })),
    ),
  )
const ZSTD = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd)
const JUNK = ascii('junk junk junk')

test('ZO-38 archives follow one another, with zeros or without', () => {
  const one = cpio()
  expect(of(one.length, [0, one])).toBeNull()
  expect(of(one.length + 5000, [5000, one])).toBeNull()
  expect(of(3 * one.length + 8, [0, one], [one.length, one], [2 * one.length + 8, one])).toBeNull()
  expect(of(one.length + 4096, [0, one], [one.length + 1000, ZSTD])).toEqual({
    kind: 'compressed',
    at: one.length + 1000,
  })
  expect(of(one.length + 70000, [0, one])).toBeNull()
})

test('ZO-38 a cpio archive begins at a multiple of 4, and so does what follows one', () => {
  const one = cpio()
  for (const odd of [1, 2, 3]) {
    expect(of(one.length + 5000, [4096 + odd, one])).toEqual({ kind: 'unaligned', at: 4096 + odd })
    expect(of(2 * one.length + 8, [0, one], [one.length + odd, one])).toMatchObject({ kind: 'unaligned' })
    expect(of(one.length + 4096, [0, one], [one.length + odd, ZSTD])).toMatchObject({ kind: 'unaligned' })
    // Compressed data after zeros alone may begin anywhere
    expect(of(4096, [1000 + odd, ZSTD])).toEqual({ kind: 'compressed', at: 1000 + odd })
  }
})

test('ZO-38 what stands after zeros or after an archive is looked at', () => {
  const one = cpio()
  expect(of(10000, [5000, JUNK])).toMatchObject({ kind: 'junk', at: 5000 })
  expect(of(3_000_000, [2_500_001, JUNK])).toMatchObject({ kind: 'junk', at: 2_500_001 })
  expect(of(one.length + 5000, [0, one], [one.length + 4321, JUNK])).toMatchObject({
    kind: 'junk',
    at: one.length + 4321,
  })
})

test('ZO-38 zeros alone are no archive, however they came there', () => {
  for (const size of [1, 6, 4096, 4097, 3_000_000]) expect(of(size)).toEqual({ kind: 'no archive' })
  const memory = new Memory(new Recorder())
  memory.ram(range(0, 2 ** 33), ZERO)
  expect(archiveFault(memory, AT, 2 ** 32)).toEqual({ kind: 'no archive' })
})

test('ZO-38 an archive that ends too early', () => {
  const one = cpio()
  for (const length of [109, 110, 111, 112, 120])
    expect(of(length, [0, one]), String(length)).toMatchObject({ kind: 'cut' })
  expect(
    of(cpio('init', 'x'.repeat(100_000)).length - 2000, [0, cpio('init', 'x'.repeat(100_000))]),
  ).toMatchObject({
    kind: 'cut',
  })
  expect(of(7, [0, ascii('070701x')])).toMatchObject({ kind: 'cut' })
})

test('ZO-38 numbers that are none, unknown bytes and compressed data are not followed', () => {
  expect(of(5000, [0, ascii('070701'.padEnd(200, 'z'))])).toBeNull()
  expect(of(5000, [0, ZSTD], [2000, JUNK])).toEqual({ kind: 'compressed', at: 0 })
  const memory = new Memory(new Recorder())
  memory.ram(range(0, 2 ** 24), OPAQUE)
  expect(archiveFault(memory, AT, 4096)).toBeNull()
})

test.each([
  ['gzip', [0x1f, 0x8b], 20],
  ['bzip2', [0x42, 0x5a], 14],
  ['lzma', [0x5d, 0], 18],
  ['xz', [0xfd, 0x37], 32],
  ['zstd', [0x28, 0xb5], 9],
] as const)('ZO-38 fewer bytes than the shortest file of %s has are cut', (_, magic, shortest) => {
  const bytes = Uint8Array.from(magic)
  expect(of(shortest, [0, bytes])).toEqual({ kind: 'compressed', at: 0 })
  expect(of(shortest - 1, [0, bytes])).toEqual({ kind: 'cut', at: 0 })
  expect(of(2, [0, bytes])).toEqual({ kind: 'cut', at: 0 })
})

test('ZO-38 the work is bounded: so many zeros of a file are read, and no more', () => {
  let read = 0
  const zeros = (size: number): ByteSource => ({
    size: size as never,
    read: (_, length) => {
      read += length
      return new Uint8Array(length)
    },
  })
  expect(faultOf(zeros(2 ** 32))).toEqual({ kind: 'too many zeros' })
  expect(read).toBeLessThanOrEqual(ZEROS_MAX)
})

test.each(Object.keys(STUB_FACTS) as StubName[])(
  'ZO-38 an image with such an initrd is not clean (%s)',
  stub => {
    const verdict = (initrd: Content) => {
      const source = buildUki({
        stub: STUB_FACTS[stub],
        sections: [
          { name: '.osrel', VirtualAddress: 0x40000, content: { text: 'ID=test\n' } },
          { name: '.cmdline', VirtualAddress: 0x50000, content: { text: 'console=ttyS0 root=/dev/vda' } },
          {
            name: '.linux',
            VirtualAddress: 0x2000000,
            content: buildKernel(kernel(stub === '247.3' ? '5.10.223-cloud' : '6.12.107-cloud')),
          },
          { name: '.initrd', VirtualAddress: 0x6000000, content: initrd },
        ],
      })
      const report = reportOn(source)
      return [report.verdict, ...report.gaps.map(({ clause }) => clause)]
    }
    expect(verdict({ initrd: 3_000_000 })).toEqual(['clean'])
    expect(verdict({ size: 8, parts: [{ at: 0, content: bytesSource(Uint8Array.of(0x1f, 0x8b)) }] })).toEqual(
      ['unknown', 'ZO-38'],
    )
    expect(verdict({ size: 3_000_000, parts: [{ at: 0, content: bytesSource(cpio()) }] })).toEqual(['clean'])
    expect(verdict({ zero: 3_000_000 })).toEqual(['unknown', 'ZO-38'])
    expect(verdict({ zero: 3 })).toEqual(['unknown', 'ZO-38'])
    expect(verdict({ text: '07' })).toEqual(['unknown', 'ZO-19'])
    expect(verdict({ size: 9000, parts: [{ at: 5000, content: { text: 'junk junk' } }] })).toEqual([
      'unknown',
      'ZO-19',
    ])
  },
)
