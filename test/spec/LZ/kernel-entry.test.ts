import { expect, test } from 'vitest'
import { bytesSource } from '../../../src/bytes/source.ts'
import { check } from '../../../src/check.ts'
import { lanzaboote, scenario } from '../../../src/vitest/index.ts'
import { boot, SMALL, WHERE } from '../../support/lanzaboote-runs.ts'

test('LZ-18 and LZ-20: its own loader, its own handle', () => {
  const { report, clauses, under } = boot({})
  expect([clauses.has('LZ-18'), clauses.has('PE-53')]).toEqual([true, true])
  expect(report.facts.handOff).toMatchObject({ entryMethod: 'pe-entry' })
  const entry = SMALL.pe.optional.AddressOfEntryPoint
  expect(Number(report.facts.handOff?.entry) - Number(report.facts.handOff?.kernelImage)).toBe(entry)
  expect(under('LZ-18').some(event => event.op === 'zero')).toBe(true)
})

test('LZ-18 panics when the loader refuses', () => {
  const made = lanzaboote({ kernel: SMALL, initrd: 4096 })
  const { report } = check(
    scenario({ ...made, linux: bytesSource(new Uint8Array(4096)), kernel: '6.12.107', ...WHERE }),
  )
  expect(report.outcome).toMatchObject({
    refusal: { clause: 'LZ-18', message: 'Failed to load the kernel' },
  })
})

test('LZ-19 registers the initrd for LoadFile2 out of its pool', () => {
  const { report } = boot({})
  expect(report.facts.ramdiskSize).toBe(4096)
  expect(report.facts.ramdiskImageFromStub).toBeUndefined()
  expect(report.assumptions.map(({ clause }) => clause)).toContain('LZ-19')
})
