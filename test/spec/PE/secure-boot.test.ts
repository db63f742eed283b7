import { expect, test } from 'vitest'
import { buildMachine } from '../../../src/boot/machine.ts'
import type { CheckInput } from '../../../src/check.ts'
import { profileMap, profileNamed } from '../../../src/firmware/profiles.ts'
import { uki, type UkiOptions } from '../../../src/vitest/builders.ts'
import { reportOn, signed } from '../../support/damaged-uki.ts'

const map = profileMap(profileNamed('ovmf-2022.11'), 512 * 2 ** 20)

function said(options: UkiOptions, more: Partial<CheckInput> & { readonly loader?: string } = {}) {
  const { loader, ...input } = more
  const { verdict, gaps, assumptions } = reportOn(signed(uki({ initrd: '3M', ...options })), {
    machine: buildMachine({ map }, { imageLoader: loader }),
    secureBoot: true,
    ...input,
  })
  const ids = (list: readonly { readonly clause: string }[]): string[] =>
    list.map(({ clause }) => clause).filter(clause => /PE-(58|59|60)/.test(clause))
  return { verdict, gaps: ids(gaps), assumed: ids(assumptions) }
}
const OLD = { stub: '247.3', kernel: '5.10.223-cloud', at: 'dracut', gap: '16M' } as const
const NEW = { stub: '257.13' } as const

test('PE-58 a signature is taken to be trusted, and none makes the verdict unknown', () => {
  expect(said(NEW)).toEqual({ verdict: 'clean', gaps: [], assumed: ['PE-58'] })
  expect(said(NEW, { secureBoot: false })).toEqual({ verdict: 'clean', gaps: [], assumed: [] })
  const unsigned = reportOn(uki({ ...NEW, initrd: '3M' }), { secureBoot: true })
  expect([unsigned.verdict, unsigned.gaps.map(({ clause }) => clause)]).toEqual(['unknown', ['PE-58']])
})

test('PE-59 shim is asked about a kernel that goes through LoadImage', () => {
  for (const loader of ['shim-15.8', 'shim-16', undefined])
    expect(said({ stub: '262.1' }, { shim: true, ...(loader === undefined ? {} : { loader }) })).toEqual({
      verdict: 'clean',
      gaps: [],
      assumed: ['PE-58', 'PE-59'],
    })
  expect(said({ stub: '252.39', kernel: '6.1.170-cloud' }, { shim: true }).assumed).toContain('PE-59')
  expect(said(NEW, { shim: true }).assumed).toContain('PE-59')
})

test('PE-60 shim shuts the machine down when the stub did not ask it', () => {
  for (const loader of ['shim-13', 'shim-15.6', 'shim-15.7', 'shim-15.8'])
    expect(said(OLD, { loader })).toMatchObject({ verdict: 'unknown', gaps: ['PE-60'] })
  expect(said(OLD, { shim: true })).toMatchObject({ verdict: 'unknown', gaps: ['PE-60'] })
  expect(said(OLD, { loader: 'shim-16' })).toMatchObject({ verdict: 'clean', gaps: [] })
  expect(said(OLD)).toMatchObject({ verdict: 'clean', gaps: [] })
  expect(said(OLD, { shim: true, secureBoot: false })).toMatchObject({ verdict: 'clean', gaps: [] })
})
