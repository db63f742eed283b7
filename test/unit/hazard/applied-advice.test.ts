/** Every advice that names an address or an edit is taken: its finding goes, and nothing worse comes. */
import { expect, test } from 'vitest'
import { check } from '../../../src/check.ts'
import type { ByteSource } from '../../../src/bytes/source.ts'
import { PAGE } from '../../../src/bytes/units.ts'
import { advise } from '../../../src/hazard/registry.ts'
import { placedSections } from '../../../src/hazard/layout.ts'
import type { Finding } from '../../../src/hazard/hazard.ts'
import { LAYOUTS } from '../../../src/image/layouts/table.ts'
import { STUB_FACTS } from '../../../src/image/stub-facts.ts'
import { viewUki } from '../../../src/image/uki.ts'
import type { Verdict } from '../../../src/report/model.ts'
import { uki, type UkiOptions } from '../../../src/vitest/builders.ts'
import { scenario } from '../../../src/vitest/scenario.ts'
import { image } from './images.ts'
import { applied, peOf } from '../../support/applied-advice.ts'

const STUBS = Object.keys(STUB_FACTS)
const IDS = LAYOUTS.map(({ id }) => id).filter(id => !id.startsWith('lzbt-'))
const OLD = { stub: '247.3', initrd: '512K' } as const

/** Files with something to say about: as the tools make them, and as people break them. */
const FILES: readonly (readonly [string, UkiOptions])[] = [
  ...STUBS.flatMap(stub =>
    IDS.flatMap(as =>
      [false, true]
        .filter(absolute => !absolute || !as.startsWith('ukify-'))
        .map(
          absolute =>
            [
              `${as} over ${stub}${absolute ? ', without ImageBase' : ''}`,
              { stub, as, absolute, initrd: '512K' },
            ] as const,
        ),
    ),
  ),
  ['a kernel of 17 MiB over the initrd', { ...OLD, as: 'dracut-050', linux: '17M' }],
  ['the same, with an initrd that ends higher', { ...OLD, as: 'dracut-050', linux: '17M', initrd: '8M' }],
  ['table order', { ...OLD, order: ['.initrd', '.linux', '.cmdline', '.osrel'] }],
  [
    'everything over everything',
    { ...OLD, at: { '.osrel': 0x5000, '.cmdline': 0x5001, '.linux': 0xc123, '.initrd': 0xd000 } },
  ],
  [
    'odd addresses',
    { stub: '262.1', at: { '.osrel': 0x29001, '.linux': 0x40010, '.initrd': 0x2000123 }, initrd: '512K' },
  ],
]

const advice = (source: ByteSource): readonly Finding[] => {
  const pe = peOf(source)
  return advise({ pe, uki: viewUki(pe) })
}

const RANK: readonly Verdict[] = ['clean', 'unknown', 'refused', 'damage']
const boots = new Map<ByteSource, number>()
function rankOf(source: ByteSource): number {
  const known = boots.get(source) ?? RANK.indexOf(check(scenario({ image: source })).report.verdict)
  boots.set(source, known)
  return known
}

/** The rules of an advice that makes another one true: what a wrapped address hides, for example. */
function worse(before: readonly Finding[], after: readonly Finding[], taken: Finding): readonly string[] {
  const had = new Set(before.map(({ rule }) => rule))
  return after.map(({ rule }) => rule).filter(rule => rule === taken.rule || !had.has(rule))
}

test('every advice about an image of a tool can be taken: it goes, and nothing worse comes', () => {
  const seen = new Set<string>()
  for (const [name, options] of FILES) {
    const source = uki(options)
    const before = advice(source)
    for (const one of before) {
      const after = applied(source, one.fix) ?? expect.fail(`${name}: no edit in: ${one.fix}`)
      expect([name, one.fix, worse(before, advice(after), one)]).toEqual([name, one.fix, []])
      if (!seen.has(`${one.rule} ${options.as ?? name}`))
        expect([name, one.fix, rankOf(after) <= rankOf(source)]).toEqual([name, one.fix, true])
      seen.add(`${one.rule} ${options.as ?? name}`)
    }
  }
  expect(new Set([...seen].map(key => key.split(' ')[0]))).toEqual(
    new Set([
      'no-room-for-init-size',
      'payload-virtual-size-mismatch',
      'rva-wrapped',
      'sbat-merged-over-sdmagic',
      'section-unaligned',
      'sections-overlap',
      'size-of-image-from-last-section',
      'stub-grown-over-payload',
      'table-order-not-by-address',
    ]),
  )
})

test('advised addresses ascend on pages, one section after the other, and a remedied file has none', () => {
  const source = uki({ stub: '252.39', as: 'mkinitcpio-35', initrd: '512K' })
  const unaligned = advice(source).filter(({ rule }) => rule === 'section-unaligned')
  expect(unaligned).toHaveLength(1)
  const [{ fix, what } = expect.fail('no advice')] = unaligned
  expect(what).toBe(
    '.osrel begins at 0x19134, .cmdline at 0x19149, .linux at 0x1915e, .initrd at 0xb4335e: ' +
      'each is not a multiple of a page and not a multiple of SectionAlignment 0x200.',
  )
  expect(fix).toBe(
    'move .osrel to RVA 0x1a000, .cmdline to RVA 0x1b000, .linux to RVA 0x1c000 and .initrd to RVA ' +
      '0xb47000; SizeOfImage is then 0xbc7000 or more',
  )
  const remedied = applied(source, fix) ?? expect.fail('no edit')
  expect(advice(remedied).filter(({ rule }) => rule === 'section-unaligned')).toEqual([])
  const placed = placedSections(viewUki(peOf(remedied))).filter(({ payload }) => payload)
  placed.forEach(({ start }, i) => {
    expect([start % PAGE, start >= (placed[i - 1]?.end ?? 0)]).toEqual([0, true])
  })
})

test('where no addresses below 4 GiB are left, none are advised', () => {
  const high = [
    { name: '.initrd', at: 0xfffff001, raw: 0x800 },
    { name: '.linux', at: 0xfffff002, raw: 0x800 },
  ]
  const said = advise(image(high)).map(({ rule, fix }) => [rule, fix])
  expect(said).toContainEqual(['sections-overlap', 'give the sections addresses that do not overlap'])
  expect(said).toContainEqual([
    'section-unaligned',
    'give the file a SectionAlignment of 0x1000, and every payload section a multiple of it',
  ])
})

test('every fix of a damage or a breach that names a place in the file can be taken', () => {
  const rules = new Set<string>()
  for (const as of ['dracut-060', 'mkinitcpio-36', 'ukify-257.3', 'mkinitcpio-35', 'ukify-253'] as const)
    for (const kernel of ['6.1.170-cloud', '6.12.107-cloud', '7.2.13-cloud', 'derived-5.7-rc1']) {
      const source = uki({ stub: '247.3', as, kernel, initrd: '8M' })
      const { report } = check(scenario({ image: source }))
      for (const one of report.findings) {
        const after = applied(source, one.fix)
        if (after === null) continue
        rules.add(one.rule)
        const { findings, verdict } = check(scenario({ image: after })).report
        expect([
          as,
          kernel,
          one.fix,
          findings.filter(({ rule, object }) => rule === one.rule && object === one.object),
        ]).toEqual([as, kernel, one.fix, []])
        expect(RANK.indexOf(verdict)).toBeLessThanOrEqual(RANK.indexOf(report.verdict))
        expect(worse(advice(source), advice(after), one)).toEqual([])
      }
    }
  expect(rules).toEqual(new Set(['clobbered-object', 'init-window-occupied']))
})
