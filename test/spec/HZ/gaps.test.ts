import { expect, test } from 'vitest'
import { imageOfListing } from '../../../src/boot/listing.ts'
import { hex } from '../../../src/bytes/range.ts'
import { check } from '../../../src/check.ts'
import { profileMap, profileNamed } from '../../../src/firmware/profiles.ts'
import { readListing } from '../../../src/image/objdump.ts'
import { readObserved } from '../../../src/image/observed.ts'
import { STUB_FACTS } from '../../../src/image/stub-facts.ts'
import { buildKernel, buildUki } from '../../../src/image/synthetic.ts'
import { factsOf } from '../../support/facts.ts'

const wholeBoot = () => {
  const kernel = factsOf('debian-5.10.223-cloud')
  const sections = [
    { name: '.cmdline', VirtualAddress: 0x30000, content: { text: 'console=ttyS0 nokaslr' } },
    { name: '.linux', VirtualAddress: 0x2000000, content: buildKernel(kernel) },
    { name: '.initrd', VirtualAddress: 0x6000000, content: { initrd: 0x10000 } },
  ]
  return {
    kernel,
    image: { name: 'uki.efi', source: buildUki({ stub: STUB_FACTS['247.3'], sections }) },
    machine: { what: 'a profile', map: profileMap(profileNamed('ovmf-2022.11-q35'), 512 * 2 ** 20) },
  }
}

test('HZ-18 compares observed places with predicted ones; a difference makes a clean run unknown', () => {
  const { kernel, ...boot } = wholeBoot()
  const { facts, verdict } = check(boot).report
  expect(verdict).toBe('clean')
  const { ramdiskImage = 0, ramdiskSize = 0, decompressedKernel = 0 } = facts
  const moved = decompressedKernel + kernel.hdr.init_size - kernel.geometry._end
  const log = (output: number) =>
    [
      `input_data: 0x${(moved + kernel.hdr.payload_offset).toString(16).padStart(16, '0')}`,
      `input_len: ${hex(kernel.hdr.payload_length)}`,
      `output: ${hex(output)}`,
      `output_len: ${hex(kernel.output_len)}`,
      `kernel_total_size: ${hex(kernel.hdr.init_size - 0x1000)}`,
      `needed_size: ${hex(kernel.hdr.init_size)}`,
      'trampoline_32bit: 0x000000000009d000',
      `[    0.000000] Linux version ${kernel.version}`,
      '[    0.000000] Command line: console=ttyS0 nokaslr',
      `[    0.000000] RAMDISK: [mem ${hex(ramdiskImage)}-${hex(ramdiskImage + ramdiskSize - 1)}]`,
      `  ${output.toString(16).padStart(8, '0')}-0fffffff : Kernel code`,
    ].join('\n')
  const right = check({ ...boot, observed: readObserved(log(decompressedKernel)).facts }).report
  expect(right.observed?.map(({ name, agrees }) => [name, agrees])).toEqual([
    ['input_data', true],
    ['input_len', true],
    ['output', true],
    ['output_len', true],
    ['kernel_total_size', true],
    ['needed_size', true],
    ['trampoline_32bit', true],
    ['release', true],
    ['commandLine', true],
    ['ramdiskStart', true],
    ['ramdiskEnd', true],
    ['kernelCode', true],
  ])
  expect(right).toMatchObject({ verdict: 'clean', gaps: [] })
  const wrong = check({ ...boot, observed: readObserved(log(decompressedKernel + 0x200000)).facts }).report
  expect(
    wrong.observed?.filter(({ agrees }) => agrees === false).map(({ name, line }) => [name, line]),
  ).toEqual([
    ['output', 3],
    ['kernelCode', 11],
  ])
  expect(wrong).toMatchObject({
    verdict: 'unknown',
    gaps: [{ clause: 'HZ-18', why: expect.stringContaining('output, kernelCode') as unknown }],
  })
})

test('HZ-19 puts sections where a listing says, and is never clean on one', () => {
  const { machine } = wholeBoot()
  const kernel = factsOf('debian-5.10.223-cloud')
  const line = (i: number, name: string, size: number, vma: number, at: number): string =>
    `${String(i).padStart(3)} ${name.padEnd(13)} ` +
    `${size.toString(16).padStart(8, '0')}  ${vma.toString(16).padStart(16, '0')}  ` +
    `${vma.toString(16).padStart(16, '0')}  ${at.toString(16).padStart(8, '0')}  2**4`
  const flags = '                  CONTENTS, ALLOC, LOAD, READONLY, DATA'
  const rows = [
    line(0, '.text', 0x7aa0, 0x4000, 0x400),
    '                  CONTENTS, ALLOC, LOAD, READONLY, CODE',
    line(1, '.cmdline', 0x20, 0x30000, 0xbc00),
    flags,
    line(2, '.linux', kernel.fileSize, 0x2000000, 0xbe00),
    flags,
    line(3, '.initrd', 0x10000, 0x6000000, 0x1000000),
    flags,
  ]
  const { listing } = readListing(
    `\nuki.efi:     file format pei-x86-64\n\nSections:\nIdx Name          Size      ` +
      `VMA               LMA               File off  Algn\n${rows.join('\n')}\n`,
  )
  const { report } = check({
    image: { name: 'listing', ...imageOfListing(listing ?? expect.fail('no listing')) },
    machine,
    stub: '247.3',
  })
  expect(report).toMatchObject({
    verdict: 'unknown',
    outcome: { kind: 'arrived' },
    gaps: expect.arrayContaining([expect.objectContaining({ clause: 'HZ-19' })]) as unknown,
  })
  const base = report.facts.imageBase ?? 0
  expect(report.facts.sections?.map(({ name, address, size }) => [name, address - base, size])).toEqual([
    ['.text', 0x4000, 0x7aa0],
    ['.cmdline', 0x30000, 0x20],
    ['.linux', 0x2000000, kernel.fileSize],
    ['.initrd', 0x6000000, 0x10000],
  ])
  expect(report.assumptions.filter(({ clause }) => clause === 'HZ-19').length).toBeGreaterThan(4)
})
