import { expect, test } from 'vitest'
import { bytesSource, sliceSource, sparseSource } from '../../../src/bytes/source.ts'
import { PAGE } from '../../../src/bytes/units.ts'
import { KERNEL_FACTS } from '../../../src/image/x86/kernel-facts.ts'
import { readKernelFile } from '../../../src/kernel/x86/file.ts'
import { fileOf } from '../../support/decompressor-runs.ts'
import { bench, kernelNamed } from '../../support/kernel-bench.ts'
import { E2, FACTS_2, FACTS_5 } from '../../support/kernels.ts'

/** The same kernel without the code that tells its edges. */
const stripped = (name: string) => {
  const { source, image } = kernelNamed(name)
  const length = KERNEL_FACTS[name]?.hdr.payload_offset ?? 0
  return sparseSource(source.size, [
    { at: 0, source },
    { at: image.setupSize, source: bytesSource(new Uint8Array(length)) },
    {
      at: image.setupSize + (KERNEL_FACTS[name]?.geometry.relocated ?? 0),
      source: bytesSource(new Uint8Array(0x200)),
    },
  ])
}

test.each(Object.values(KERNEL_FACTS).map(facts => [facts.name, facts.output_len] as const))(
  'ZO-1 %s says how long it is decompressed',
  (name, length) => {
    expect(fileOf(name).outputLength).toBe(length)
  },
)

test('ZO-1 a file that ends before is a doubt, with init_size in its place', () => {
  const on = bench()
  const file = readKernelFile(on.machine, { object: 'kernel', source: sliceSource(E2.source, 0, 0x400000) })
  expect(file.outputLength).toBe(FACTS_2.hdr.init_size)
  expect(on.notes.doubts.map(doubt => doubt.clause)).toContain('ZO-1')
})

test.each(Object.values(KERNEL_FACTS).map(facts => [facts.name, facts.geometry] as const))(
  'ZO-2 the edges of %s are read from its code',
  (name, geometry) => {
    const { bss, ebss, pgtable, end, bootStackEnd } = fileOf(name)
    expect({ bss, ebss, pgtable, end, bootStackEnd }).toEqual({
      bss: geometry._bss,
      ebss: geometry._ebss,
      pgtable: geometry.pgtable,
      end: geometry._end,
      bootStackEnd: geometry.boot_stack_end,
    })
  },
)

test('ZO-2 without that code the PE tells them from 6.7 on', () => {
  const on = bench()
  const file = readKernelFile(on.machine, { object: 'kernel', source: stripped('debian-6.12.107-cloud') })
  const { _bss, pgtable, _end } = FACTS_5.geometry
  // The PE says where .bss ends to the page only
  expect(file).toMatchObject({ bss: _bss, ebss: pgtable, pgtable, end: _end })
  expect(on.notes.doubts).toEqual([])
  expect(on.notes.assumptions.map(assumption => assumption.clause)).toContain('ZO-2')
})

test('ZO-2 page tables begin on the page after .bss; without code, the stack is first in .bss', () => {
  const { source, image } = E2
  const head = source.read(image.setupSize as never, 0x45c).slice()
  for (const pattern of [
    [0x8d, 0xbb],
    [0x48, 0x8d, 0xa3],
  ]) {
    for (let at = 0; at < head.length; at++)
      if (
        pattern.every((byte, i) => head[at + i] === byte) &&
        !(pattern.length === 2 && head[at - 1] === 0x48)
      )
        head.fill(0, at, at + pattern.length)
  }
  const on = bench()
  const file = readKernelFile(on.machine, {
    object: 'kernel',
    source: sparseSource(source.size, [
      { at: 0, source },
      { at: image.setupSize, source: bytesSource(head) },
    ]),
  })
  const { _bss, _ebss, pgtable, _end } = FACTS_2.geometry
  expect(file).toMatchObject({
    bss: _bss,
    ebss: _ebss,
    pgtable,
    end: _end,
    bootStackEnd: _bss + 4 * PAGE,
  })
})

test('ZO-2 without that code an older kernel is a doubt', () => {
  const on = bench()
  const file = readKernelFile(on.machine, { object: 'kernel', source: stripped('debian-5.10.223-cloud') })
  expect(file.bss).toBe(FACTS_2.geometry._bss)
  expect(on.notes.doubts.map(doubt => doubt.clause)).toContain('ZO-2')
})
