/** The recorded boots are the judge: every address, every verdict. */
import { describe, expect, test } from 'vitest'
import { check } from '../../src/check.ts'
import { recorded, simulated } from './driver.ts'
import { disagreements, isRecordedHarmed } from './judge.ts'
import { isJudged } from './judged.ts'
import { KNOWN_DIFFERENCES, LUCKY, UNSEEN_BYTES } from './known.ts'
import { LAWS } from './laws.ts'
import { rebuild, withWholePayload } from './rebuild.ts'
import { readRecordings } from './recording.ts'
import { isDeep, mapFor, reportOn } from './simulate.ts'

const rows = readRecordings()
const judged = rows.filter(isJudged)

test('every boot of a stub and a kernel in the tables is judged', () => {
  expect(judged.length).toBeGreaterThanOrEqual(234)
  for (const { id } of [...KNOWN_DIFFERENCES, ...LUCKY, ...UNSEEN_BYTES])
    expect(judged.map(row => row.id)).toContain(id)
})

describe('the simulator predicts what was recorded', () => {
  test.each(judged)('$id: $outcome', recording => {
    expect(disagreements(recording, simulated.boot(recording))).toEqual([])
  })
})

test('a stub outside the tables is not guessed at', () => {
  for (const recording of rows.filter(row => row.id.startsWith('good/'))) {
    const input = {
      image: { name: recording.id, source: rebuild(recording) },
      machine: { what: 'recorded map', map: mapFor(recording) },
    }
    expect([recording.id, check({ ...input, stub: '228' }).report.verdict]).toEqual([recording.id, 'unknown'])
  }
})

describe.each([recorded, simulated])('laws of placement, seen at the $name', driver => {
  test.each(LAWS)('$name', law => {
    let held = 0
    for (const recording of judged) {
      const verdict = law.holds(recording, driver.boot(recording).facts)
      if (verdict === null) continue
      expect(verdict, recording.id).toBe('')
      held++
    }
    expect(held).toBeGreaterThanOrEqual(law.atLeast)
  })
})

describe.each(judged.filter(isDeep))('$id', recording => {
  test('is refused with what the kernel printed', () => {
    const { outcome } = reportOn(recording)
    const said = (recording.serial.errors ?? []).flatMap(
      line => /^EFI stub: [A-Z]+: (.*)/.exec(line)?.[1] ?? [],
    )
    expect(said.length).toBeGreaterThan(1)
    expect(
      outcome.kind === 'refused' ? outcome.refusal.message?.split('\n').slice(0, said.length) : outcome.kind,
    ).toEqual(said)
  })

  test('arrives without the flipped byte', () => {
    const { outcome, facts, verdict } = reportOn(recording, { '.linux': [withWholePayload(recording)] })
    expect({ kind: outcome.kind, verdict }).toEqual({ kind: 'arrived', verdict: 'clean' })
    expect(outcome.kind === 'arrived' ? outcome.at.entry - outcome.at.kernel : outcome.kind).toBe(
      recording.vmlinux?.entry_offset,
    )
    expect(facts.payload).toMatchObject({ format: 'zstd', produced: recording.vmlinux?.output_len })
  })
})

test('recall: every harmed boot is flagged, or said to be unknown', () => {
  const silent = judged
    .filter(row => isRecordedHarmed(row) && simulated.boot(row).verdict === 'clean')
    .map(row => row.id)
  expect(silent).toEqual([])
})

test('precision: no boot that went well is flagged, but for those that went well by luck', () => {
  const flagged = judged.filter(
    row => ['damage', 'refused'].includes(simulated.boot(row).verdict ?? '') && !isRecordedHarmed(row),
  )
  expect(flagged.map(row => row.id).sort()).toEqual(LUCKY.map(({ id }) => id).sort())
})
