import { expect, test } from 'vitest'
import { buildMachine, type MachineWords } from '../../../src/boot/machine.ts'
import { contradictsItself, pagesInDoubt, withDoubtTaken } from '../../../src/boot/in-doubt.ts'
import { range } from '../../../src/bytes/range.ts'
import { readMemmap } from '../../../src/image/memmap.ts'
import { memoryMap, uki } from '../../../src/vitest/builders.ts'
import { reportOn } from '../../support/damaged-uki.ts'

const GOOD = uki({ stub: '257.13', initrd: '3M' })
const MAP = memoryMap(
  ['EfiConventionalMemory', 0x1000, 0xa0000],
  ['EfiConventionalMemory', '1M', '256M'],
  ['EfiBootServicesData', '256M', '260M'],
)
const on = (inDoubt: readonly (readonly [number, number])[], map = MAP) => {
  const { verdict, gaps } = reportOn(GOOD, {
    machine: { ...buildMachine({ map }), inDoubt: inDoubt.map(pair => range(...pair)) },
  })
  return [verdict, ...gaps.map(({ clause, why }) => `${clause} ${why}`)]
}
const MiB = 2 ** 20

test('FW-61 whether the answer depends on memory in doubt is run both ways', () => {
  expect(on([])).toEqual(['clean'])
  expect(on([[512 * MiB, 768 * MiB]])).toEqual([
    'unknown',
    expect.stringMatching(
      /^FW-61 whether 256\.0 MiB of memory are free is in doubt \(0x20000000-0x30000000\); addresses depend on it: clean either way, image at 0x2[0-9a-f]+ where it is free, at 0x[0-9a-f]{7} where it is not$/,
    ),
  ])
  expect(on([[1 * MiB, 2 * MiB]])[1]).toContain('the answer does not depend on it: clean either way')
  expect(on([[1 * MiB, 250 * MiB]])[1]).toMatch(/depends on it: clean where it is free .*, refused where/)
})

test('FW-61 nobody refuses an image on such a map', () => {
  const little = memoryMap(['EfiConventionalMemory', '1M', '16M'])
  expect(on([[64 * MiB, 65 * MiB]], little)[0]).toBe('unknown')
  expect(on([], little)[0]).toBe('refused')
})

test('FW-61 rows that lie over each other are no error', () => {
  const text = [
    'Type       Start            End              # Pages          Attributes',
    'Available  0000000000001000-000000000009FFFF 000000000000009F 000000000000000F',
    'Available  0000000000100000-000000001FFFFFFF 000000000001FF00 000000000000000F',
    'BS_Data    0000000010000000-0000000010FFFFFF 0000000000001000 000000000000000F',
    '',
  ].join('\n')
  const parse = readMemmap(text)
  expect(contradictsItself(parse.map)).toBe(true)
  const words: MachineWords = { memmap: parse, name: 'map.txt' }
  const machine = buildMachine(words)
  expect(contradictsItself(machine.map)).toBe(false)
  const { verdict, gaps } = reportOn(GOOD, { machine })
  expect(verdict).toBe('unknown')
  expect(gaps.map(({ clause }) => clause)).toEqual(['FW-61', 'FW-60'])
})

test('FW-61 pages in doubt are cut out of all rows, and nothing else is', () => {
  const pages = pagesInDoubt([range(0x100800, 0x101001), range(0x101000, 0x103000)])
  expect(pages).toEqual([range(0x100000, 0x103000)])
  for (const [how, type] of [
    ['free', 7],
    ['taken', 0],
  ] as const)
    expect(withDoubtTaken(MAP, pages, how).map(one => [one.type, one.range.start, one.range.end])).toEqual([
      [7, 0x1000, 0xa0000],
      [type, 0x100000, 0x103000],
      [7, 0x103000, 0x10000000],
      [4, 0x10000000, 0x10400000],
    ])
})
