import { describe, expect, test } from 'vitest'
import { phys } from '../../../src/bytes/units.ts'
import { formatFinding, formatReport, reportToJson, verdictLine } from '../../../src/report/index.ts'
import type { ComparedFact, Finding, RunReport } from '../../../src/report/model.ts'
import { cleanReport, damagedReport } from './reports.ts'

const FINDING: Finding = {
  rule: 'rva-wrapped',
  class: 'breach',
  clause: 'HZ-9',
  title: 'a title',
  object: null,
  what: 'something happened',
  why: 'because',
  fix: 'do better',
  ranges: [],
  offsets: [],
  legs: [],
}
const OBSERVED: readonly ComparedFact[] = [
  { name: 'output', predicted: '0x1000000', observed: '0x1000000', line: 3, agrees: true },
  { name: 'input_data', predicted: '0x1e000', observed: '0x1f000', line: 7, agrees: false },
  { name: 'ramdiskStart', predicted: null, observed: '0x3000000', line: 9, agrees: null },
]

describe('the payload in the text', () => {
  const line = (margin?: number): string | undefined =>
    formatReport(
      cleanReport({
        facts: {
          payload: {
            format: 'lz4',
            consumed: 1000,
            produced: 4096,
            ...(margin === undefined ? {} : { margin }),
          },
        },
      }),
      { details: true, width: 120 },
    )
      .split('\n')
      .find(text => text.startsWith('  payload'))

  test('decompressed elsewhere there is no margin', () => {
    expect(line()).toBe('  payload  lz4, 1000 bytes decoded to 4096')
  })

  test('in place with room the margin is said', () => {
    expect(line(0x120)).toBe(
      '  payload  lz4, 1000 bytes decoded to 4096, extracted in place with 0x120 to spare',
    )
  })

  test('in place without room it is said how far it is overtaken', () => {
    expect(line(-0x30)).toBe(
      '  payload  lz4, 1000 bytes decoded to 4096, extracted in place: overtakes its input by 0x30',
    )
  })
})

describe('what a real boot said', () => {
  test('every observed fact stands beside its prediction', () => {
    const text = formatReport(cleanReport({ observed: OBSERVED }))
    expect(text.slice(text.indexOf('observed\n')).split('\n').slice(0, 4)).toEqual([
      'observed',
      '  output        predicted 0x1000000  observed 0x1000000 (line 3)  agrees',
      '  input_data    predicted 0x1e000    observed 0x1f000 (line 7)    DISAGREES',
      '  ramdiskStart  predicted nothing    observed 0x3000000 (line 9)',
    ])
  })

  test('nothing observed has no block', () => {
    expect(formatReport(cleanReport({ observed: [] }))).not.toContain('observed')
  })

  test('the JSON has it as it is', () => {
    expect(reportToJson(cleanReport({ observed: OBSERVED }))['observed']).toEqual(OBSERVED)
    expect(reportToJson(cleanReport())).not.toHaveProperty('observed')
  })
})

test('a finding without legs or map has neither block', () => {
  expect(formatFinding(FINDING, [], { width: 40 }).split('\n')).toEqual([
    `breach  rva-wrapped${' '.repeat(17)}HZ-9`,
    '  something happened',
    '',
    '  why   because',
    '  do    do better',
    '  more  stubsim explain rva-wrapped',
    '',
  ])
})

test('a leg without event, actor and clause is left blank there', () => {
  const text = formatFinding({
    ...FINDING,
    legs: [
      { role: 'found', event: null, actor: null, clause: null, range: null, what: 'the header says so' },
    ],
  })
  expect(text.split('\n')[3]).toBe('  found  the header says so')
})

test('the JSON of a leg without range says null', () => {
  const json = reportToJson(
    cleanReport({
      findings: [
        {
          ...FINDING,
          legs: [
            {
              role: 'found',
              event: null,
              actor: null,
              clause: null,
              range: null,
              what: 'the header says so',
            },
          ],
        },
      ],
    }),
  )
  expect(json['findings']).toMatchObject([
    {
      legs: [
        { role: 'found', event: null, actor: null, clause: null, range: null, what: 'the header says so' },
      ],
    },
  ])
})

test('a run without advice has none in its verdict line', () => {
  expect(verdictLine({ ...damagedReport(), advice: undefined } as unknown as RunReport)).toBe(
    'verdict  damage: 1 damage, 1 assumption',
  )
})

test('two damaged stretches of an initrd stand side by side', () => {
  const text = formatReport(
    cleanReport({
      facts: {
        initrdDamage: [
          { from: 0, to: 0x10 },
          { from: 0x20, to: 0x30 },
        ],
        imageBase: phys(0x4000),
      },
    }),
    { details: true },
  )
  expect(text).toContain('  initrdDamage  0x0-0x10, 0x20-0x30\n')
  expect(text).toContain('  imageBase     0x4000\n')
})
