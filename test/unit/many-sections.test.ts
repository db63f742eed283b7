import fc from 'fast-check'
import { expect, test } from 'vitest'
import { check } from '../../src/check.ts'
import { formatInspection, inspectSource } from '../../src/cli/inspect.ts'
import { advise } from '../../src/hazard/registry.ts'
import { STUB_FACTS } from '../../src/image/stub-facts.ts'
import { buildKernel, buildPe, stubRecipe, type SectionRecipe } from '../../src/image/synthetic.ts'
import { memoryMap } from '../../src/vitest/builders.ts'
import { depth } from '../support/depth.ts'
import { image } from './hazard/images.ts'
import { factsOf } from '../support/facts.ts'

const HEADERS = 0x300000
/** As many as a PE file can have. */
const MANY = depth(0x1fff, 0xffff)
const SOME = depth(600, 3000)
const kernel = buildKernel(factsOf('debian-6.12.107-cloud'))

/** A stub with thousands of further sections. */
function crowded(
  name: string,
  count: number,
  at: (i: number) => number,
  size: number,
  raw = 0,
): ReturnType<typeof buildPe> {
  const stub = stubRecipe(STUB_FACTS['257.13'])
  const own = stub.sections.map(section => ({
    ...section,
    PointerToRawData: section.PointerToRawData + HEADERS,
    VirtualAddress: section.VirtualAddress + HEADERS,
  }))
  const end = HEADERS + 0x100000
  const added = Array.from({ length: count - own.length }, (_, i): SectionRecipe => ({
    name,
    VirtualAddress: 0x800000 + at(i),
    VirtualSize: size,
    PointerToRawData: raw === 0 ? 0 : end,
    SizeOfRawData: raw,
    Characteristics: 0x40000040,
    ...(i === 0 && raw > 0 ? { content: kernel } : {}),
  }))
  const optional = {
    ...stub.optional,
    SizeOfImage: 0x20000000,
    SizeOfHeaders: HEADERS,
    AddressOfEntryPoint: HEADERS + 0xea60,
  }
  return buildPe({
    ...stub,
    optional,
    directories: [],
    sections: [...own, ...added],
    parts: [],
    size: end + raw,
  })
}

const machine = { what: 'a test', map: memoryMap(['EfiConventionalMemory', '1M', '2047M']) }

test.each([
  [MANY, 'on one spot', '.x', () => 0, 0x1000, 0, 'sections-overlap', 'refused'],
  [
    SOME,
    'on one spot, with one payload name',
    '.osrel',
    () => 0,
    0x1000,
    0x200,
    'duplicate-section',
    'refused',
  ],
  [
    SOME,
    'one page apart and long',
    '.x',
    (i: number) => i * 0x1000,
    0xb00000,
    0,
    'sections-overlap',
    'refused',
  ],
  [
    SOME,
    'which are all kernels',
    '.linux',
    (i: number) => i * 0x1000,
    kernel.size,
    kernel.size,
    'duplicate-section',
    'damage',
  ],
  [
    SOME,
    'in descending order',
    '.linux',
    (i: number) => (SOME - i) * 0x1000,
    kernel.size,
    kernel.size,
    'table-order-not-by-address',
    'refused',
  ],
])(
  'a file of %i sections %s is inspected and checked, with one finding of a rule and a bounded list',
  (count, _, name, at, size, raw, rule, verdict) => {
    const source = crowded(name, count, at, size, raw)
    const inspection = inspectSource('crowd', source)
    expect(inspection.uki?.sections).toHaveLength(count)
    expect(inspection.kernels.length).toBeLessThanOrEqual(16)
    expect(formatInspection(inspection).split('\n').length).toBeGreaterThan(count)
    const { report } = check({ image: { name: 'crowd', source }, machine })
    for (const advice of [inspection.advice, report.advice]) {
      expect(advice.map(finding => finding.rule)).toContain(rule)
      expect(new Set(advice.map(finding => finding.rule)).size).toBe(advice.length)
      for (const { what, why, fix } of advice) expect(`${what}${why}${fix}`.length).toBeLessThan(8192)
    }
    expect(report.gaps.length).toBeLessThanOrEqual(32)
    expect(report.verdict).toBe(verdict)
  },
  120_000,
)

test('the finding says how many pairs overlap besides', () => {
  const { advice } = inspectSource(
    'crowd',
    crowded('.x', SOME, () => 0, 0x1000),
  )
  const more = ((SOME - 6) * (SOME - 7)) / 2 - 16
  expect(advice.map(({ what }) => what.split('; ').at(-1))).toEqual([`and ${String(more)} more.`])
})

test('the pairs that overlap are those that comparing every pair finds, in the same order', () => {
  const section = fc.record({
    at: fc.integer({ min: 0x1000, max: 0x1020 }),
    size: fc.integer({ min: 0, max: 0x10 }),
  })
  fc.assert(
    fc.property(fc.array(section, { maxLength: 12 }), sections => {
      const named = sections.map((one, i) => ({ ...one, name: `.${String(i)}` })).filter(one => one.size > 0)
      const every = named.flatMap((loser, i) =>
        named
          .slice(i + 1)
          .filter(winner => winner.at < loser.at + loser.size && loser.at < winner.at + winner.size)
          .map(winner => [loser.name, winner.name]),
      )
      const [finding, ...others] = advise(image(named)).filter(({ rule }) => rule === 'sections-overlap')
      expect(others).toEqual([])
      const list = finding?.what.split('; ') ?? []
      const spelt = list
        .slice(0, 16)
        .map(item => /^(?:the zero fill of )?(\.\d+), which .* of (\.\d+) \(offsets/.exec(item))
        .map(names => [names?.[2], names?.[1]])
      expect(spelt).toEqual(every.slice(0, 16))
      expect(list.slice(16)).toEqual(every.length > 16 ? [`and ${String(every.length - 16)} more.`] : [])
    }),
    { seed: 10 },
  )
})
