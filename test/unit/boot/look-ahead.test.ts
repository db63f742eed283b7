import { describe, expect, test } from 'vitest'
import { readRecordings, type Recording } from '../../oracle/recording.ts'
import { reportOn } from '../../oracle/simulate.ts'

function named(id: string): Recording {
  const found = readRecordings().find(row => row.id === id)
  if (found === undefined) throw new Error(`no recording ${id}`)
  return found
}

const doubts = (...given: Parameters<typeof reportOn>): string[] =>
  reportOn(...given).gaps.map(gap => gap.clause)

describe('ZO-18 something to boot into', () => {
  test('ZO-18 without .initrd and root= no run is clean, though the stub packs its own archive', () => {
    const bare = named('i6-no-initrd/257.13/6.12')
    expect(reportOn(bare).facts.ramdiskSize).toBe(0x1a0)
    expect(doubts(bare)).toEqual(['ZO-18'])
    expect(reportOn(bare).verdict).toBe('unknown')
    expect(doubts(bare, { '.cmdline': [{ text: 'console=ttyS0 nokaslr root=/dev/vda1' }] })).toEqual([])
  })

  test('ZO-18 an initrd of the image is enough', () => {
    expect(doubts(named('good/257.13/6.12/512'))).toEqual([])
    expect(doubts(named('good/247.3/5.10/512'))).toEqual([])
  })
})

describe('ZO-19 the initrd begins as an archive', () => {
  const good = named('good/247.3/5.10/512')

  test.each([
    '1f8b0800',
    '28b52ffd',
    'fd377a585a00',
    '02214c18',
    '894c5a4f',
    '425a6839',
    '5d000080',
    '303730373032',
  ])('ZO-19 %s is the beginning of an archive', hex => {
    expect(
      doubts(good, { '.initrd': [{ parts: [{ at: 0, content: { hex } }], size: 0x4a7e00, seed: 3 }] }),
    ).toEqual([])
  })

  test('ZO-19 zeros in front are passed over, and what follows them is looked at', () => {
    const behindZeros = (hex: string): string[] =>
      doubts(good, {
        '.initrd': [{ parts: [{ at: 0, content: { hex: `${'00'.repeat(512)}${hex}` } }], size: 0x4a7e00 }],
      })
    expect([behindZeros('303730373031'), behindZeros('6a756e6b6a75')]).toEqual([[], ['ZO-19']])
  })

  test('ZO-19 what begins as nothing known is a doubt', () => {
    expect(
      doubts(good, { '.initrd': [{ parts: [{ at: 0, content: { text: 'junkjunk' } }], size: 0x4a7e00 }] }),
    ).toEqual(['ZO-19'])
  })
})
