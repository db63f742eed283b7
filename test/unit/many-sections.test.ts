import fc from 'fast-check'
import { expect, test } from 'vitest'
import { check } from '../../src/check.ts'
import { formatInspection, inspectSource } from '../../src/cli/inspect.ts'
import { advise } from '../../src/hazard/registry.ts'
import { STUB_FACTS } from '../../src/image/stub-facts.ts'
import { buildKernel, buildPe, stubRecipe, type SectionRecipe } from '../../src/image/synthetic.ts'
import { memoryMap } from '../../src/vitest/builders.ts'
import { runs } from '../support/thorough.ts'
import { image } from './hazard/images.ts'
import { factsOf } from '../support/facts.ts'

const HEADERS = 0x300000
/** As many as a PE file can have. */
const MANY = 0xffff
const SOME = runs(3000)
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
  'a file of %i sections %s is inspected and checked, with a bounded number of findings',
  (count, _, name, at, size, raw, rule, verdict) => {
    const source = crowded(name, count, at, size, raw)
    const inspection = inspectSource('crowd', source)
    expect(inspection.uki?.sections).toHaveLength(count)
    expect(inspection.kernels.length).toBeLessThanOrEqual(16)
    expect(formatInspection(inspection).split('\n').length).toBeGreaterThan(count)
    const { report } = check({ image: { name: 'crowd', source }, machine })
    for (const advice of [inspection.advice, report.advice]) {
      expect(advice.map(finding => finding.rule)).toContain(rule)
      for (const kind of new Set(advice.map(finding => finding.rule)))
        expect(advice.filter(finding => finding.rule === kind).length).toBeLessThanOrEqual(17)
    }
    expect(report.gaps.length).toBeLessThanOrEqual(32)
    expect(report.verdict).toBe(verdict)
  },
  120_000,
)

test('the last finding says how many pairs overlap besides', () => {
  const advice = inspectSource(
    'crowd',
    crowded('.x', SOME, () => 0, 0x1000),
  ).advice
  const more = ((SOME - 6) * (SOME - 7)) / 2 - 16
  expect(advice.map(({ what }) => what).at(-1)).toBe(
    `There are ${String(more)} more findings of this kind in the file.`,
  )
  expect(advice).toHaveLength(17)
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
      const findings = advise(image(named)).filter(({ rule }) => rule === 'sections-overlap')
      const spelt = findings
        .slice(0, 16)
        .map(({ what }) => /^(?:the zero fill of )?(\.\d+), which .* of (\.\d+) \(offsets/.exec(what))
        .map(names => [names?.[2], names?.[1]])
      expect(spelt).toEqual(every.slice(0, 16))
      expect(findings.slice(16).map(({ what }) => what)).toEqual(
        every.length > 16
          ? [`There are ${String(every.length - 16)} more findings of this kind in the file.`]
          : [],
      )
    }),
    { seed: 10 },
  )
})
