import { expect, test } from 'vitest'
import { check } from '../../../src/check.ts'
import { KERNEL_FACTS } from '../../../src/image/x86/kernel-facts.ts'
import { lanzabooteEras } from '../../../src/stub/lanzaboote/eras.ts'
import { lanzaboote, scenario, type LanzabooteOptions } from '../../../src/vitest/index.ts'
import { SMALL, WHERE } from '../../support/lanzaboote-runs.ts'

const ids = (options: LanzabooteOptions) => {
  const { report } = check(scenario({ ...lanzaboote({ kernel: SMALL, initrd: 4096, ...options }), ...WHERE }))
  return [report, ...report.alternatives].map(({ stub }) => stub.id).sort()
}

test('LZ-21 reads the text of the stub, and the names of sections where there is none', () => {
  expect(ids({ release: '0.4.2' })).toEqual(['lanzaboote/0.4.2'])
  expect(ids({ release: '0.4.2', fat: true })).toEqual(['lanzaboote/0.4.2/fat'])
  expect(ids({ release: '0.1.0' })).toEqual(['lanzaboote/0.1', 'lanzaboote/0.3'])
  expect(ids({ anonymous: true })).toEqual([
    'lanzaboote/0.4',
    'lanzaboote/0.4.2',
    'lanzaboote/0.4.3',
    'lanzaboote/1.1',
  ])
  const chosen = check(
    scenario({ ...lanzaboote({ kernel: SMALL, initrd: 4096, anonymous: true }), ...WHERE, stub: '0.4.1' }),
  ).report
  expect(chosen.stub).toMatchObject({ id: 'lanzaboote/0.4', certainty: 'given' })
  expect(chosen.alternatives).toEqual([])
})

test('LZ-21: a release that is in no row is unknown', () => {
  const made = lanzaboote({ kernel: SMALL, initrd: 4096 })
  expect(check(scenario({ ...made, ...WHERE, stub: '1.9' })).report).toMatchObject({
    verdict: 'unknown',
    stub: { id: null },
  })
})

test('every row was seen, and boots every kernel that can be started so', () => {
  expect(lanzabooteEras.filter(({ seen }) => seen.length === 0)).toEqual([])
  for (const name of Object.keys(KERNEL_FACTS).filter(one =>
    /debian-(6\.12\.107-cloud|5\.10\.223|6\.1\.170)$/.test(one),
  )) {
    const made = lanzaboote({ release: '0.4.2', fat: true, kernel: name })
    expect([name, check(scenario({ ...made, ...WHERE })).report.verdict]).toEqual([name, 'clean'])
  }
})
