import { expect, test } from 'vitest'
import { judgeSlots } from '../../../src/boot/slots.ts'
import { profileMap, profileNamed } from '../../../src/firmware/profiles.ts'
import { rangeAt } from '../../../src/bytes/range.ts'
import { phys } from '../../../src/bytes/units.ts'
import { check } from '../../../src/check.ts'
import type { Machine } from '../../../src/machine/machine.ts'
import type { Facts, KernelSlots } from '../../../src/machine/model.ts'
import type { Recording } from '../../../src/memory/recorder.ts'
import { formatMap, formatReport, reportToJson } from '../../../src/report/index.ts'
import { factRows } from '../../../src/report/sentences.ts'
import { verdictSentence } from '../../../src/report/verdict.ts'
import { STUB_FACTS } from '../../../src/image/stub-facts.ts'
import { buildKernel, buildUki } from '../../../src/image/synthetic.ts'
import { factsOf } from '../../support/facts.ts'
import { damagedReport } from '../report/reports.ts'

const MIB = 2 ** 20
/** Ten places of 8 MiB from 16 MiB on, 2 MiB apart. */
const slots: KernelSlots = {
  from: phys(16 * MIB),
  to: phys(42 * MIB),
  count: 10,
  size: 8 * MIB,
  align: 2 * MIB,
  runs: [{ first: 16 * MIB, count: 10 }],
  clause: 'ZO-23',
}

const read = (object: string, start: number, length = 1) => ({
  op: 'read',
  object,
  range: rangeAt(start, length),
})
const claim = (label: string, start: number, length: number) => ({
  op: 'claim',
  label,
  range: rangeAt(start, length),
})

function judged(events: readonly object[], some: KernelSlots = slots): { facts: Facts; gaps: string[] } {
  let facts: Facts = {}
  const gaps: string[] = []
  const machine = {
    observe: (more: Facts) => (facts = { ...facts, ...more }),
    unmodelled: (clause: string, why: string) => gaps.push(`${clause}: ${why}`),
  }
  judgeSlots(machine as unknown as Machine, some, { events, steps: [] } as unknown as Recording)
  return { facts, gaps }
}

test('what no slot reaches, and what is read before the choice, does not matter', () => {
  const chosen = claim('vo', 16 * MIB, 8 * MIB)
  expect(judged([])).toEqual({ facts: {}, gaps: [] })
  expect(judged([read('initrd', 20 * MIB), chosen, read('initrd', 42 * MIB), read('vo', 16 * MIB)])).toEqual({
    facts: {},
    gaps: [],
  })
})

test.each([
  [20 * MIB, 1, 3],
  [24 * MIB, 1, 4],
  [16 * MIB, 1, 1],
  [42 * MIB - 1, 1, 1],
  [26 * MIB, 2 * MIB, 4],
])('a byte that is read later at %i counts the slots over it', (at, length, harmful) => {
  const { facts, gaps } = judged([claim('vo', 16 * MIB, 8 * MIB), read('initrd', at, length)])
  expect(facts.harmfulSlots).toBe(harmful)
  expect(gaps).toEqual([
    `ZO-23: the slot decides: ${String(harmful)} of 10 slots put the kernel over something that is needed ` +
      `later, such as initrd at 0x${at.toString(16)}`,
  ])
})

test('a slot over two things counts once, and where all slots do it nothing is in doubt', () => {
  const chosen = claim('vo', 16 * MIB, 8 * MIB)
  expect(judged([chosen, read('a', 20 * MIB), read('b', 20 * MIB + 5)]).facts.harmfulSlots).toBe(3)
  const narrow = { ...slots, count: 2, runs: [{ first: 16 * MIB, count: 2 }] }
  expect(judged([chosen, read('a', 20 * MIB)], narrow)).toEqual({ facts: { harmfulSlots: 2 }, gaps: [] })
})

test('what is allocated after the choice lies elsewhere where the kernel is in its place', () => {
  const chosen = claim('vo', 16 * MIB, 8 * MIB)
  const later = claim('initrd', 30 * MIB, MIB)
  expect(judged([chosen, later, read('initrd', 30 * MIB, MIB)]).gaps).toEqual([])
})

test('the sentence says how many slots do the damage, where extracting the kernel does it', () => {
  const facts = { kernelSlots: slots, harmfulSlots: 3 }
  const report = damagedReport({ facts })
  const [finding] = report.findings
  if (finding === undefined) expect.fail('no finding')
  const byKernel = {
    ...finding,
    legs: [{ role: 'overwritten', event: 1, actor: 'decompressor', clause: 'ZO-12', range: null, what: '' }],
  } as const
  expect(verdictSentence({ ...report, findings: [byKernel] })).toContain(' (the slot decides: in 3 of 10)')
  const all = { ...facts, harmfulSlots: 10 }
  expect(verdictSentence({ ...report, facts: all, findings: [byKernel] })).not.toContain('slot')
  const byOther = { ...byKernel, legs: byKernel.legs.map(leg => ({ ...leg, clause: 'EP-6' as const })) }
  expect(verdictSentence({ ...report, findings: [byOther] })).not.toContain('slot')
})

test('a report names all places of a kernel at random, and no single one as its place', () => {
  const source = buildUki({
    stub: STUB_FACTS['257.13'],
    sections: [
      { name: '.cmdline', VirtualAddress: 0x30000, content: { text: 'root=/dev/sda1' } },
      { name: '.linux', VirtualAddress: 0x2000000, content: buildKernel(factsOf('debian-6.12.107-cloud')) },
      { name: '.initrd', VirtualAddress: 0x6000000, content: { initrd: 0x10000 } },
    ],
  })
  const machine = { what: 'a machine', map: profileMap(profileNamed('ovmf'), 512 * MIB) }
  const { report } = check({ image: { name: 'u.efi', source }, machine })
  const { kernelSlots } = report.facts
  if (kernelSlots === undefined) expect.fail('no slots')
  const said = `anywhere in 0x${kernelSlots.from.toString(16)}-0x${kernelSlots.to.toString(16)}`
  expect(kernelSlots.count).toBeGreaterThan(1)
  expect(kernelSlots.runs.reduce((sum, run) => sum + run.count, 0)).toBe(kernelSlots.count)
  const json = reportToJson(report) as { outcome: object; facts: object; moments: { lines: object[] }[] }
  expect(json.outcome).toMatchObject({ entry: null, kernel: null, slots: { count: kernelSlots.count } })
  expect(json.facts).toMatchObject({ kernelSlots: { from: `0x${kernelSlots.from.toString(16)}` } })
  expect(json.facts).not.toHaveProperty('decompressedKernel')
  expect(json.moments.at(-1)?.lines).toContainEqual(
    expect.objectContaining({ object: 'vo', what: expect.stringContaining(said) as unknown }),
  )
  expect(formatReport(report).replace(/\s+/g, ' ')).toContain(
    `the extracted kernel starts ${said}, ${String(kernelSlots.count)} slots, with`,
  )
  expect(factRows(report.facts)).toContainEqual([
    'decompressedKernel',
    `${said}, ${String(kernelSlots.count)} slots`,
  ])
  expect(formatMap(report)).toMatch(new RegExp(`\\nwhen the extracted kernel starts, ${said}, .*\\n`))
  expect(formatMap(report)).toContain(`  the first of ${String(kernelSlots.count)} slots\n`)
  const seeded = check({ image: { name: 'u.efi', source }, machine, kaslr: 'seed:7' }).report
  expect(seeded.facts.kernelSlots).toBeUndefined()
  expect(seeded.outcome).toMatchObject({ at: { kernel: seeded.facts.decompressedKernel } })
})
