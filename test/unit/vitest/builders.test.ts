import { expect, test } from 'vitest'
import { UsageError } from '../../../src/bytes/errors.ts'
import { sizeOf } from '../../../src/bytes/range.ts'
import { parseBzImage } from '../../../src/image/x86/bzimage.ts'
import { KERNEL_FACTS } from '../../../src/image/x86/kernel-facts.ts'
import { parsePe } from '../../../src/image/pe.ts'
import { buildKernel } from '../../../src/image/synthetic.ts'
import { viewUki } from '../../../src/image/uki.ts'
import { bytesOf, kernel, memoryMap, uki, type UkiOptions } from '../../../src/vitest/builders.ts'
import { MIB } from '../../support/bytes.ts'

function sectionsOf(options: UkiOptions): Map<string, { at: number; size: number }> {
  const { pe, problems } = parsePe(uki(options))
  expect(problems).toEqual([])
  if (pe === null) throw new Error('no PE')
  return new Map(
    viewUki(pe)
      .sections.filter(one => one.payload || one.section.name === '.text')
      .map(one => [one.section.name, { at: one.section.VirtualAddress, size: one.section.VirtualSize }]),
  )
}

test('sizes take units', () => {
  expect([9, '9', '0x10', '9K', '9M', '1.5MiB'].map(bytesOf)).toEqual([9, 9, 16, 9216, 9 * MIB, 1.5 * MIB])
  expect(() => bytesOf('nine')).toThrow(UsageError)
})

test('a UKI is packed after its stub page by page, in the order of the table', () => {
  const sections = sectionsOf({ initrd: '1M' })
  const payload = ['.osrel', '.cmdline', '.linux', '.initrd'].map(name => sections.get(name))
  expect(payload.every(section => section !== undefined && section.at % 4096 === 0)).toBe(true)
  const [osrel, cmdline, linux, initrd] = payload
  expect(cmdline?.at).toBe((osrel?.at ?? 0) + 4096)
  expect(linux?.at).toBe((cmdline?.at ?? 0) + 4096)
  expect(initrd?.at).toBe((linux?.at ?? 0) + Math.ceil((linux?.size ?? 0) / 4096) * 4096)
  expect(initrd?.size).toBe(MIB)
})

test('the gap counts from the start of .linux, and addresses can be those of dracut or any', () => {
  const gap = sectionsOf({ gap: '16M' })
  expect((gap.get('.initrd')?.at ?? 0) - (gap.get('.linux')?.at ?? 0)).toBe(16 * MIB)
  const dracut = sectionsOf({ at: 'dracut', gap: '16M', stub: '247.3' })
  expect(['.osrel', '.cmdline', '.linux', '.initrd'].map(name => dracut.get(name)?.at)).toEqual([
    0x20000, 0x30000, 0x2000000, 0x3000000,
  ])
  expect(sectionsOf({ at: { '.linux': '0x40000', '.initrd': '48M' } }).get('.initrd')?.at).toBe(48 * MIB)
})

test('sections can be left out and put in another order', () => {
  expect(
    [...sectionsOf({ initrd: null, cmdline: null }).keys()].filter(
      name => name !== '.text' && name !== '.sbat',
    ),
  ).toEqual(['.osrel', '.linux'])
  expect(
    [...sectionsOf({ order: ['.initrd', '.linux'] }).keys()].filter(
      name => name !== '.text' && name !== '.sbat',
    ),
  ).toEqual(['.initrd', '.linux'])
})

test('every measured kernel can be stretched and cut, and still reads as the same kernel', () => {
  for (const facts of Object.values(KERNEL_FACTS)) {
    const original = parseBzImage(buildKernel(facts))
    for (const size of ['6M', '40M']) {
      const stretched = kernel(facts.name, { size })
      const { bzimage, problems } = parseBzImage(buildKernel(stretched))
      expect([facts.name, problems]).toEqual([facts.name, original.problems])
      expect(Math.abs(stretched.fileSize - bytesOf(size))).toBeLessThan(4096)
      expect(Math.abs(stretched.fileSize - facts.fileSize) % 4096).toBe(0)
      expect(bzimage?.version).toBe(original.bzimage?.version)
      expect(bzimage?.hdr.init_size).toBe(facts.hdr.init_size)
    }
  }
  expect(kernel('6.12.107-cloud', { init_size: '64M' }).hdr.init_size).toBe(64 * MIB)
  expect(kernel('5.7-rc1').name).toBe('derived-5.7-rc1')
  expect(kernel('debian-5.10.223')).toBe(KERNEL_FACTS['debian-5.10.223'])
})

test('names and sizes that mean nothing are a mistake of the caller', () => {
  expect(() => kernel('9.9')).toThrow(/unknown kernel "9.9"; known are debian-5.10.223/)
  expect(() => kernel('5.10.223', { size: 100 })).toThrow(UsageError)
  expect(() => uki({ stub: '1' })).toThrow(/unknown stub "1"; known are 247.3/)
})

test('a memory map is written line by line', () => {
  const map = memoryMap(['EfiConventionalMemory', '1M', '512M'], [0x70000001, '512M', '513M'])
  expect(map.map(({ type, range, attribute }) => [type, range.start, sizeOf(range), attribute])).toEqual([
    [7, MIB, 511 * MIB, 0xfn],
    [0x70000001, 512 * MIB, MIB, 0xfn],
  ])
  expect(() => memoryMap(['EfiNothing', 0, 4096])).toThrow('unknown memory type EfiNothing')
  expect(() => memoryMap(['EfiLoaderData', 0, 4095])).toThrow(UsageError)
  expect(() => memoryMap(['EfiLoaderData', 4096, 4096])).toThrow(UsageError)
})
