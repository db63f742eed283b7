import { describe, expect, test } from 'vitest'
import { kernelCandidates, kernelShapes } from '../../../src/boot/identify.ts'
import { erasFor } from '../../../src/releases/version.ts'
import { bytesSource, sparseSource, type ByteSource } from '../../../src/bytes/source.ts'
import { parseBzImage } from '../../../src/image/x86/bzimage.ts'
import { setupHeaderAt } from '../../../src/image/x86/boot-params.ts'
import { KERNEL_FACTS } from '../../../src/image/x86/kernel-facts.ts'
import { buildKernel } from '../../../src/image/synthetic.ts'
import { kernelEras } from '../../../src/kernel/kernels.ts'
import { factsOf } from '../../support/facts.ts'

const idsFor = (version: string): string[] =>
  erasFor(version, kernelEras).map(era => era.id.slice('linux/'.length))

describe('kernel rows by version', () => {
  test.each([
    ['4.19', 'E0a'],
    ['4.19.325', 'E0a'],
    ['5.3.10', 'E0a'],
    ['5.3.11', 'E0'],
    ['5.4', 'E0'],
    ['5.6.19', 'E0'],
    ['5.7-rc1', 'E1'],
    ['5.7-rc2', 'E2a'],
    ['5.7.19', 'E2a'],
    ['5.8-rc1', 'E2f'],
    ['5.8-rc6', 'E2f'],
    ['5.8-rc7', 'E2h'],
    ['5.9.16', 'E2h'],
    ['5.10-rc1', 'E2c'],
    ['5.10.13', 'E2c'],
    ['5.10.145', 'E2c'],
    ['5.10.146', 'E2'],
    ['5.10.223-1', 'E2'],
    ['5.11-rc1', 'E2d'],
    ['5.15.0', 'E2d'],
    ['5.15.70', 'E2d'],
    ['5.15.71', 'E2e'],
    ['5.16', 'E2d'],
    ['5.19.11', 'E2d'],
    ['5.19.17', 'E2e'],
    ['6.0-rc6', 'E2d'],
    ['6.0', 'E2e'],
    ['6.0.19', 'E2e'],
    ['6.1', 'E2b'],
    ['6.1.80', 'E2b'],
    ['6.2', 'E2b'],
    ['6.4.16', 'E2b'],
    ['6.5', 'E2g'],
    ['6.5.13', 'E2g'],
    ['6.1.81', 'E3b'],
    ['6.1.82', 'E3b'],
    ['6.1.83', 'E3d'],
    ['6.1.84', 'E3c'],
    ['6.1.87', 'E3c'],
    ['6.1.88', 'E4a'],
    ['6.1.93', 'E4b'],
    ['6.1.103', 'E4'],
    ['6.1.176', 'E4'],
    ['6.6-rc1', 'E3a'],
    ['6.6.16', 'E3a'],
    ['6.6.17', 'E3'],
    ['6.6.18', 'E4e'],
    ['6.6.22', 'E4e'],
    ['6.6.23', 'E4d'],
    ['6.6.24', 'E4f'],
    ['6.6.32', 'E4f'],
    ['6.6.33', 'E4g'],
    ['6.6.43', 'E4g'],
    ['6.6.44', 'E4h'],
    ['6.6.87', 'E4h'],
    ['6.6.88', 'E4i'],
    ['6.6.123', 'E4i'],
    ['6.7', 'E4c'],
    ['6.7.4', 'E4c'],
    ['6.7.5', 'E4e'],
    ['6.7.10', 'E4e'],
    ['6.7.11', 'E4d'],
    ['6.7.12', 'E4f'],
    ['6.8', 'E4e'],
    ['6.8.1', 'E4e'],
    ['6.8.2', 'E4d'],
    ['6.8.3', 'E4f'],
    ['6.8.12', 'E4f'],
    ['6.9-rc1', 'E4j'],
    ['6.9-rc2', 'E4f'],
    ['6.9.3', 'E4f'],
    ['6.9.4', 'E4g'],
    ['6.9.12', 'E4g'],
    ['6.10', 'E4g'],
    ['6.10.2', 'E4g'],
    ['6.10.14', 'E4h'],
    ['6.11', 'E5a'],
    ['6.12.24', 'E5a'],
    ['6.12.25', 'E5'],
    ['6.12.107', 'E5'],
    ['6.13.12', 'E5a'],
    ['6.14.11', 'E5'],
    ['6.15-rc1', 'E6'],
    ['6.18.3', 'E6'],
    ['7.0', 'E6'],
    ['7.2.13', 'E6'],
    ['7.3-rc7', 'E6'],
    ['7.3', 'E6'],
  ])('linux %s is %s', (version, row) => {
    expect(idsFor(version)).toEqual([row])
  })

  test.each(['4.18.20', '3.10', '7.4-rc1', '8.0'])('linux %s is in no row', version => {
    expect(idsFor(version)).toEqual([])
    expect(kernelCandidates(bytesSource(new Uint8Array(1)), version)).toMatchObject([
      { era: null, certainty: 'none', gap: { clause: 'EP-1' } },
    ])
  })

  test('spans never meet: every release has one row at the most', () => {
    const ends = kernelEras.flatMap(era => era.spans.flatMap(({ from, to }) => [from, to]))
    for (const version of ends) expect([version, idsFor(version).length <= 1]).toEqual([version, true])
  })
})

const kernel = (name: string): ByteSource => buildKernel(factsOf(name))
/** The same file with a field of 16 or 32 bits set; kernel_version 0 takes its version string away. */
function edited(
  source: ByteSource,
  field: 'kernel_version' | 'handover_offset' | 'init_size',
  value: number,
): ByteSource {
  const bytes = Uint8Array.from(
    { length: field === 'kernel_version' ? 2 : 4 },
    (_, i) => Math.floor(value / 256 ** i) & 0xff,
  )
  return sparseSource(source.size, [
    { at: 0, source },
    { at: setupHeaderAt(field), source: bytesSource(bytes) },
  ])
}
const unnamed = (source: ByteSource): (string | undefined)[] =>
  kernelCandidates(edited(source, 'kernel_version', 0)).map(({ era }) => era?.id.slice('linux/'.length))

describe('kernel rows by shape', () => {
  const moving = ['E2a', 'E2f', 'E2h', 'E2c', 'E2', 'E2d', 'E2e', 'E2b', 'E2g']
  const clearing = ['E3a', 'E3', 'E3b', 'E3d', 'E3c']
  test.each([
    ['derived-5.6', ['E0a', 'E0']],
    ['derived-5.7-rc1', moving],
    ['debian-5.10.223', moving],
    [
      'debian-6.1.170',
      ['E4a', 'E4b', 'E4', 'E4c', 'E4e', 'E4d', 'E4j', 'E4f', 'E4g', 'E4h', 'E4i', 'E5a', 'E5'],
    ],
    ['debian-6.12.107', ['E5a', 'E5', 'E6']],
    ['debian-7.3-rc7', ['E5a', 'E5', 'E6']],
  ])('%s without its version string may be any of %j', (name, rows) => {
    expect(unnamed(kernel(name))).toEqual(rows)
    expect(kernelCandidates(edited(kernel(name), 'kernel_version', 0))).toMatchObject(
      rows.map(() => ({ certainty: 'several', version: null })),
    )
  })

  test('an entry after the payload, or none, tells more or less', () => {
    const source = kernel('debian-5.10.223')
    expect(unnamed(edited(source, 'handover_offset', 0x6a8000))).toEqual(clearing)
    expect(unnamed(edited(source, 'handover_offset', 0))).toEqual([...moving, ...clearing])
  })

  test('a shape that no row has is named as such', () => {
    const source = edited(kernel('debian-5.10.223'), 'init_size', 0x1000)
    expect(kernelCandidates(edited(source, 'kernel_version', 0))).toMatchObject([
      { era: null, certainty: 'none' },
    ])
    const { bzimage } = parseBzImage(source)
    expect(bzimage === null ? null : kernelShapes({ ...bzimage, pe: null })).toEqual([])
  })

  test('every row but that of one release candidate has a shape, the shape of its file', () => {
    expect(kernelEras.filter(era => era.shapes.length === 0).map(era => era.id)).toEqual(['linux/E1'])
    for (const { name } of Object.values(KERNEL_FACTS).filter(facts => facts.name !== 'derived-5.7-rc1')) {
      const { bzimage } = parseBzImage(kernel(name))
      const [found] = kernelCandidates(kernel(name))
      expect([
        name,
        bzimage !== null && found?.era?.shapes.some(shape => kernelShapes(bzimage).includes(shape)),
      ]).toEqual([name, true])
    }
  })
})
