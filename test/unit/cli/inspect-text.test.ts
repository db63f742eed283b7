/** `inspect` of a text: a map, a log, both; what it is and how whole. */
import { expect, test } from 'vitest'
import {
  formatTextInspection,
  inspectText,
  textInspectionToJson,
  type TextInspection,
} from '../../../src/cli/inspect-text.ts'

const inspect = (text: string): TextInspection => inspectText('a.txt', new TextEncoder().encode(text))
const SHELL = [
  'Available  0000000000000000-000000000009FFFF 00000000000000A0 000000000000000F',
  'BS_Data    0000000000100000-00000000001FFFFF 0000000000000100 000000000000000F',
  'Available  0000000000200000-000000001FFFFFFF 000000000001FE00 000000000000000F',
]
const TOTALS = [
  '  BS_Data   :            256 Pages (1,048,576 Bytes)',
  '  Available :        130,720 Pages (535,429,120 Bytes)',
]

test('a map: rows, RAM, moment, what it was compared with', () => {
  const text = formatTextInspection(inspect([...SHELL, ...TOTALS].join('\n')))
  expect(text).toContain('firmware    UEFI\n')
  expect(text).toMatch(
    /rows +3 read, none known to be lost\n +RAM +511\.6 MiB in all, 510\.6 MiB of it free\n/,
  )
  expect(text).toMatch(
    /taken +before the image was loaded\n +compared +with the totals of each type below the\n? *table/,
  )
})

test('a map of which a row is lost', () => {
  const inspection = inspect([...SHELL.slice(0, 2), ...TOTALS].join('\n'))
  expect(formatTextInspection(inspection)).toMatch(
    /rows +2 read, 1 loss is known\n[^]*lost +rows of type Available: they hold 0xa0 pages, the\n? +total/,
  )
  expect(textInspectionToJson(inspection)).toMatchObject({
    schema: 1,
    firmware: 'UEFI',
    memoryMap: {
      dialect: 'uefi-shell',
      rows: 2,
      lost: [{ row: 'rows of type Available', bytes: '0x1fe00000' }],
    },
    observed: [],
  })
})

test('a log: whose it is, its map, and what the boot said', () => {
  const log = [
    '> [    0.000000] Linux version 5.10.223 (builder) x86_64',
    '> [    0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000000009ffff] usable',
    '> [    0.000000] BIOS-e820: [mem 0x0000000000100000-0x000000001fffffff] usable',
    '> [    0.000000] RAMDISK: [mem 0x1b6cd000-0x1bb74fff]',
  ].join('\n')
  const inspection = inspect(log)
  expect([inspection.firmware, inspection.architecture]).toEqual([
    'no line of UEFI: a BIOS, or the lines are not in this text',
    'x86',
  ])
  expect(inspection.observed.map(({ name }) => name)).toEqual(['release', 'ramdiskStart', 'ramdiskEnd'])
  expect(formatTextInspection(inspection)).toMatch(/taken off +"> \[ {4}0\.000000\] " in front of 2 rows/)
})

test('debug lines of EDK2: images without a name of their own', () => {
  const { observed, memoryMap } = inspect(
    'Loading driver at 0x0007E9A5000 EntryPoint=0x0007E9A96F3 DxeCore.efi\nLoading ' +
      'driver at 0x0001DE3E000 EntryPoint=0x0001DE42000 \n',
  )
  expect([memoryMap, observed]).toEqual([null, [{ name: 'imageBase', value: 0x1de3e000, line: 2 }]])
})

test('any other text is none', () => {
  expect(() => inspect('hello')).toThrow('a.txt: a text without a section table, a memory map')
})
