import { describe, expect, test } from 'vitest'
import { exitCode } from '../../../src/cli/for-reports.ts'
import { painter } from '../../../src/cli/color.ts'
import { recordingToJson } from '../../../src/cli/recording-json.ts'
import { range } from '../../../src/bytes/range.ts'
import { bytesSource } from '../../../src/bytes/source.ts'
import { phys } from '../../../src/bytes/units.ts'
import { Memory } from '../../../src/memory/memory.ts'
import { Recorder } from '../../../src/memory/recorder.ts'
import type { Report, RunReport } from '../../../src/report/model.ts'

const breach = { class: 'breach' } as RunReport['findings'][number]
const report = (
  verdict: Report['verdict'],
  findings: RunReport['findings'] = [],
  others: RunReport['findings'] = [],
): Report => ({ verdict, findings, alternatives: [{ findings: others }] }) as unknown as Report

describe('exitCode', () => {
  test.each([
    ['clean', 0],
    ['damage', 1],
    ['refused', 1],
    ['unknown', 3],
  ] as const)('%s is %i', (verdict, code) => {
    expect(exitCode(report(verdict), false)).toBe(code)
    expect(exitCode(report(verdict), true)).toBe(code)
  })

  test('a breach counts when asked to be strict, in any of the runs', () => {
    expect(exitCode(report('clean', [breach]), false)).toBe(0)
    expect(exitCode(report('clean', [breach]), true)).toBe(1)
    expect(exitCode(report('clean', [], [breach]), true)).toBe(1)
    expect(exitCode(report('unknown', [breach]), true)).toBe(1)
  })
})

test('colours are escape sequences, or nothing at all', () => {
  expect(painter(false)('x', 'damage')).toBe('x')
  expect(painter(true)('x', 'damage')).toBe('\u001b[1;31mx\u001b[0m')
})

test('a recording becomes plain data', () => {
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  memory.ram(range(0, 0x10000), { kind: 'fill', byte: 0 })
  recorder.step('PE-7', 'puts', () => {
    memory.put(phys(0x1000), { source: bytesSource(Uint8Array.of(1, 2, 3, 4)), at: 0, length: 4 }, 'a')
    memory.put(phys(0x1002), { source: bytesSource(Uint8Array.of(5)), at: 0, length: 1 }, 'b')
  })
  const { steps, events } = JSON.parse(JSON.stringify(recordingToJson(recorder))) as {
    steps: object[]
    events: { op: string; range?: object; ranges?: object[]; lost?: object[] }[]
  }
  expect(steps).toEqual([
    { id: 0, parent: null, clause: 'PE-7', what: 'puts', actor: 'firmware', first: 1, end: 3 },
  ])
  expect(events.map(({ op, range: where, ranges }) => [op, where ?? ranges])).toEqual([
    ['ram', [{ start: '0x0', end: '0x10000' }]],
    ['put', { start: '0x1000', end: '0x1004' }],
    ['put', { start: '0x1002', end: '0x1003' }],
  ])
  expect(events[2]?.lost).toMatchObject([
    {
      range: { start: '0x1002', end: '0x1003' },
      content: { kind: 'bytes', at: 2 },
      whose: { object: 'a', at: 2 },
    },
  ])
})
