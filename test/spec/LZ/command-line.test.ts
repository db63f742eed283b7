import { expect, test } from 'vitest'
import type { LanzabooteOptions } from '../../../src/vitest/index.ts'
import { boot } from '../../support/lanzaboote-runs.ts'

const line = (release: NonNullable<LanzabooteOptions['release']>, more: object) =>
  boot({ release }, { loadOptions: 'quiet nokaslr', ...more }).report.facts.commandLine

test('LZ-13 takes the embedded command line', () => {
  expect(line('0.3.0', {})).toBe('console=ttyS0 nokaslr')
})

test('LZ-14 takes LoadOptions, unless Secure Boot is on', () => {
  expect(line('0.4.1', {})).toBe('quiet nokaslr')
  expect(line('1.1.0', { secureBoot: true })).toBe('console=ttyS0 nokaslr')
  expect(boot({}).report.facts.commandLine).toBe('console=ttyS0 nokaslr')
})

test('LZ-15 and LZ-16: padding since 0.4.2, in a buffer of twice the size', () => {
  expect(boot({ release: '0.4.1', initrd: 0x5001 }).claims('initrd')).toEqual([0x5008])
  const { report, claims } = boot({ release: '0.4.2', initrd: 0x5001 })
  expect(claims('initrd')).toEqual([0x5008, 0xa008])
  expect(report).toMatchObject({ verdict: 'clean', facts: { ramdiskSize: 0x5004, initrdDamage: [] } })
  expect(boot({ release: '0.4.2', initrd: 0x5000 }).claims('initrd')).toEqual([0x5000])
})

test('LZ-17 assumes that there are no companions', () => {
  for (const options of [{ release: '0.4.2' }, { release: '0.4.2', fat: true }, {}] as const)
    expect(boot(options).report.assumptions.map(({ clause }) => clause)).toContain('LZ-17')
  expect(boot({ release: '0.4.1' }).report.assumptions.map(({ clause }) => clause)).not.toContain('LZ-17')
})
