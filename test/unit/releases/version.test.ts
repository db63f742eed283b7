import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import {
  compareVersions,
  erasBetween,
  erasFor,
  inSpan,
  isVersion,
  kernelRelease,
  parseVersion,
} from '../../../src/releases/version.ts'
import { UsageError } from '../../../src/bytes/errors.ts'
import type { EraInfo } from '../../../src/machine/model.ts'

describe('parseVersion', () => {
  test.each([
    ['247.3-7+deb11u8', [247, 3], null, '-7+deb11u8'],
    ['254.26-1~bpo12+1', [254, 26], null, '-1~bpo12+1'],
    ['6.12.107+deb13-cloud-amd64', [6, 12, 107], null, '+deb13-cloud-amd64'],
    ['5.7-rc1', [5, 7], 1, ''],
    ['5.7.0-rc1-amd64', [5, 7, 0], 1, '-amd64'],
    ['257~rc1', [257], 1, ''],
    ['257~rc12-4', [257], 12, '-4'],
    ['v258-rc2', [258], 2, ''],
    ['6.12.0-0.rc1.20240930git.15.fc42', [6, 12, 0], 1, '.20240930git.15.fc42'],
    [' 249 ', [249], null, ''],
  ])('%s', (text, numbers, candidate, suffix) => {
    expect(parseVersion(text)).toEqual({ numbers, candidate, suffix })
  })

  test.each(['', 'rc1', 'systemd 257', 'v', '.5', '5.10.y', '5.x', '257rcx', '99999999999', '5.'.repeat(3)])(
    '%j is not a version',
    text => {
      expect(parseVersion(text)).toBeNull()
      expect(isVersion(text)).toBe(false)
    },
  )
})

describe('kernelRelease', () => {
  test.each([
    [
      '6.1.0-40-amd64 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC Debian 6.1.153-1 (2025-09-20)',
      '6.1.153-1',
      true,
    ],
    [
      '6.12.107+deb13-cloud-amd64 (debian-kernel@lists.debian.org) #1 SMP ' +
        'PREEMPT_DYNAMIC Debian 6.12.107-1 (2026-08-20)',
      '6.12.107-1',
      true,
    ],
    [
      '5.15.0-91-generic (buildd@lcy02) #101-Ubuntu SMP Tue Nov 14 13:30:08 UTC 2023',
      '5.15.0-91-generic',
      false,
    ],
    ['5.7.0-rc1 (me@home) #1 SMP', '5.7.0-rc1', true],
    ['6.12.0 (me@home) #1 SMP', '6.12.0', true],
  ])('%s', (banner, release, exact) => {
    expect(kernelRelease(banner)).toEqual({ release, exact })
  })

  test('is null without a number', () => {
    expect(kernelRelease('')).toBeNull()
    expect(kernelRelease('vmlinuz')).toBeNull()
  })
})

describe('compareVersions', () => {
  const ascending = [
    '242',
    '247.3-7+deb11u8',
    '254.2',
    '254.17',
    '254.26',
    '255-rc1',
    '255',
    '255.10',
    '255.11',
    '257~rc1',
    '257~rc2',
    '257',
    '257.13',
  ]
  const kernels = [
    '5.7-rc1',
    '5.7-rc2',
    '5.7-rc10',
    '5.7',
    '5.7.1',
    '5.10.9',
    '5.10.223',
    '6.1.80',
    '6.1.88',
    '6.1.176',
    '6.2',
    '6.12.107+deb13-cloud-amd64',
    '6.13',
  ]
  test.each([[ascending], [kernels]])('keeps %j in order', list => {
    for (const [i, a] of list.entries()) {
      for (const [j, b] of list.entries())
        expect(Math.sign(compareVersions(a, b)), `${a} ? ${b}`).toBe(Math.sign(i - j))
    }
  })

  test.each([
    ['5.10', '5.10.0'],
    ['257.13', '257.13-1~deb13u1'],
    ['v5.7-rc1', '5.7.0-rc1'],
    ['257~rc1', '257-rc1'],
  ])('%s and %s are one upstream release', (a, b) => {
    expect(compareVersions(a, b)).toBe(0)
  })

  test('refuses what is not a version, by name', () => {
    expect(() => compareVersions('newest', '1')).toThrow(UsageError)
    expect(() => compareVersions('1', 'newest')).toThrow(/"newest"/)
  })

  test('is antisymmetric and transitive', () => {
    const version = fc
      .tuple(fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }), fc.option(fc.nat(2)))
      .map(([numbers, rc]) => numbers.join('.') + (rc === null ? '' : `-rc${String(rc)}`))
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(compareVersions(a, b) + compareVersions(b, a)).toBe(0)
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0)
          expect(compareVersions(a, c)).toBeLessThanOrEqual(0)
      }),
    )
  })
})

describe('spans', () => {
  test('are half-open, and a distribution does not move a release', () => {
    const span = { from: '5.7-rc2', to: '5.11' }
    expect(
      ['5.7-rc1', '5.7-rc2', '5.10.223-1', '5.10.999', '5.11-rc1', '5.11'].map(version =>
        inSpan(version, span),
      ),
    ).toEqual([false, true, true, true, true, false])
    expect(inSpan('whatever', span)).toBe(false)
  })

  test('erasFor finds rows of a table or a list, in order', () => {
    const era = (id: string, ...spans: [string, string][]): EraInfo => ({
      id,
      title: id,
      spans: spans.map(([from, to]) => ({ from, to })),
      commits: [],
      seen: [],
    })
    const table = {
      a: era('a', ['254', '254.17'], ['255', '255.11']),
      b: era('b', ['254.17', '255~rc1'], ['255.11', '256~rc1']),
    }
    expect(erasFor('254.26-1~bpo12+1', table).map(found => found.id)).toEqual(['b'])
    expect(erasFor('255.4-1ubuntu8.4', Object.values(table)).map(found => found.id)).toEqual(['a'])
    expect(erasFor('255-rc1', table)).toEqual([])
    expect(erasFor('240', table)).toEqual([])
  })
})

test('rows between two releases stay on their branches', () => {
  const row = (id: string, ...spans: (readonly [string, string])[]): EraInfo => ({
    id,
    title: id,
    spans: spans.map(([from, to]) => ({ from, to })),
    commits: [],
    seen: [],
  })
  const rows = [
    row('a', ['6.1', '6.1.81']),
    row('b', ['6.6-rc1', '6.6.23']),
    row('c', ['6.1.81', '6.1.93']),
    row('d', ['6.1.93', '6.2-rc1'], ['6.7', '6.8']),
  ]
  expect(erasBetween('6.1.80', '6.1.92', rows).map(({ id }) => id)).toEqual(['a', 'c'])
  expect(erasBetween('6.7', '6.1.93', rows).map(({ id }) => id)).toEqual(['b', 'd'])
  expect(() => erasBetween('x', '6.1', rows)).toThrow(UsageError)
})
