import { expect, test } from 'vitest'
import { changesOf } from '../../../src/releases/change.ts'
import type { History } from '../../../src/releases/history.ts'
import { clausesFor, spansText, spansWhere, type Law } from '../../../src/releases/law.ts'

interface Lamp {
  readonly light: { readonly on: boolean }
  readonly bulb: { readonly watts: number }
}

const change = changesOf<Lamp>()
const history: History<Lamp> = {
  product: 'lamp',
  branches: ['5.9', '5.10-rc1', '6.0-rc1', '6.1-rc1'],
  end: '6.2-rc1',
  base: { light: { on: false }, bulb: { watts: 60 } },
  changes: [
    change('a', 'on', { in: ['5.10.7', '6.0-rc3'], until: ['6.1.2'] }, { light: { on: true } }),
    change('b', 'saves', { in: ['6.0'] }, { bulb: { watts: 11 } }),
  ],
  labels: {},
  seen: {},
}

const law: Law<Lamp> = {
  light: { 'ST-1': ({ light }) => light.on, 'ST-2': ({ light }) => !light.on },
  bulb: { 'ST-3': ({ bulb, light }) => bulb.watts > 40 && light.on },
}

test('clauses that data follow, all of them or those of a record', () => {
  const lit: Lamp = { light: { on: true }, bulb: { watts: 60 } }
  expect(clausesFor(law, lit)).toEqual(['ST-1', 'ST-3'])
  expect(clausesFor(law, lit, 'light')).toEqual(['ST-1'])
  expect(clausesFor(law, history.base, 'bulb')).toEqual([])
  expect(clausesFor({}, lit, 'bulb')).toEqual([])
})

const said = (holds: (lamp: Lamp) => boolean): string => spansText(history, spansWhere(history, holds))

test('spans follow from the data of releases', () => {
  expect(spansWhere(history, ({ light }) => light.on)).toEqual([
    { from: '5.10.7', to: '6.0-rc1' },
    { from: '6.0-rc3', to: '6.1.2' },
  ])
  expect(spansWhere(history, () => true)).toEqual([{ from: '5.9', to: '6.2-rc1' }])
  expect(spansWhere(history, () => false)).toEqual([])
})

test('and are said by releases that exist', () => {
  expect(said(({ light }) => light.on)).toBe('5.10.7 and later 5.10, 6.0-rc3 to 6.1.1')
  expect(said(({ light }) => !light.on)).toBe('5.9 to 5.10.6, 6.0-rc1 to 6.0-rc2, 6.1.2 and later')
  expect(said(() => true)).toBe('5.9 and later')
  expect(said(({ bulb }) => bulb.watts < 40)).toBe('6.0 and later')
  expect(said(({ bulb, light }) => bulb.watts > 40 && light.on)).toBe(
    '5.10.7 and later 5.10, 6.0-rc3 to before 6.0',
  )
})

test.each([
  [{ from: '5.10-rc1', to: '6.0-rc1' }, '5.10'],
  [{ from: '5.10.3', to: '5.10.4' }, '5.10.3'],
  [{ from: '5.9', to: '5.10.1' }, '5.9 to 5.10'],
  [{ from: '6.1-rc1', to: '6.1.1' }, '6.1'],
  [{ from: '5.9', to: '6.1-rc1' }, '5.9 to 6.0'],
])('%j is %s', (span, words) => {
  expect(spansText(history, [span])).toBe(words)
})
