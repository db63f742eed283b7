import { expect, test } from 'vitest'
import { phys } from '../../../src/bytes/units.ts'
import { check, type Checked, type CheckInput } from '../../../src/check.ts'
import { STUB_FACTS } from '../../../src/image/stub-facts.ts'
import { buildKernel, buildUki, type AddedSection } from '../../../src/image/synthetic.ts'
import type { MemoryEvent } from '../../../src/memory/event.ts'
import type { Report } from '../../../src/report/model.ts'
import { kernel, memoryMap } from '../../../src/vitest/builders.ts'
import { section } from '../../support/stub-era-runs.ts'
import { CMDLINE, runStub } from '../../support/stub-run.ts'

type ClaimEvent = Extract<MemoryEvent, { readonly op: 'claim' }>

const ADDON = STUB_FACTS['254.26']
const addon = (name: string, ...sections: AddedSection[]) => ({
  name,
  source: buildUki({ stub: ADDON, sections }),
})
const line = addon('a.addon.efi', section('.cmdline', 0x20000, ' quiet '))
const k612 = kernel('6.12.107-cloud')
const ROOM = memoryMap(['EfiConventionalMemory', 0, '640K'], ['EfiConventionalMemory', '1M', '1023M'])

/** A whole boot, on the firmware that is modelled. */
function checked(version: string, addons: CheckInput['addons'], more: readonly AddedSection[] = []): Checked {
  const sections: AddedSection[] = [
    section('.cmdline', 0x50000, CMDLINE),
    { name: '.linux', VirtualAddress: 0x2000000, content: buildKernel(k612) },
    { name: '.initrd', VirtualAddress: 0x3000000, content: { initrd: 0x800000 } },
    ...more,
  ]
  const source = buildUki({
    stub: STUB_FACTS[version.startsWith('25') && Number(version.slice(0, 3)) < 257 ? '254.26' : '262.1'],
    sections,
  })
  return check({
    image: { name: 'uki.efi', source },
    machine: { what: 'a test', map: ROOM, imageBase: phys(0x10000000) },
    stub: version,
    addons,
  })
}

const boot = (...of: Parameters<typeof checked>): Report => checked(...of).report

const passedOver = (report: Report): string[] =>
  report.assumptions
    .filter(({ clause }) => clause === 'ST-95')
    .map(({ what }) => what.replace(/^.*is skipped: /s, ''))

test('ST-95 an add-on appends its line', () => {
  const other = addon('b.addon.efi', section('.cmdline', 0x20000, 'debug'))
  for (const version of ['254', '255', '256.12', '257.13', '262.1'])
    expect(boot(version, [line, other]).facts.commandLine, version).toBe(
      version < '255' ? `${CMDLINE}  quiet  debug` : `${CMDLINE} quiet  debug`,
    )
  expect(boot('253', [line]).facts.commandLine).toBe(CMDLINE)
})

test('ST-95 from 257 on an add-on brings pieces of the initrd', () => {
  const pieces = addon(
    'i.addon.efi',
    { name: '.initrd', VirtualAddress: 0x20000, content: { initrd: 0x3000 } },
    { name: '.ucode', VirtualAddress: 0x30000, content: { initrd: 0x1000 } },
  )
  const size = (version: string, addons: CheckInput['addons']): number =>
    Number(boot(version, addons).facts.ramdiskSize)
  expect([size('257.13', [pieces]), size('262.1', [pieces, pieces])]).toEqual([0x804000, 0x808000])
  expect(boot('257.13', [pieces]).verdict).toBe('clean')
  expect([size('256.12', [pieces]), passedOver(boot('256.12', [pieces]))]).toEqual([
    0x800000,
    ['it has no .cmdline/.dtb section'],
  ])
})

test('ST-111 up to 256 the last section whose name begins so counts, later the first of that name', () => {
  const two = addon(
    't.addon.efi',
    section('.cmdline', 0x20000, 'first'),
    section('.profile', 0x28000, 'ID=x'),
    section('.cmdlin', 0x30000, 'other'),
    section('.cmdline', 0x38000, 'last'),
  )
  expect(boot('256.12', [two]).facts.commandLine).toBe(`${CMDLINE} last`)
  expect(boot('257.13', [two]).facts.commandLine).toBe(`${CMDLINE} first`)
  const late = addon(
    'l.addon.efi',
    section('.profile', 0x20000, 'ID=x'),
    section('.cmdline', 0x28000, 'late'),
  )
  expect(boot('257.13', [late]).facts.commandLine).toBe(`${CMDLINE} late`)
})

test('ST-111 a section without bytes hides the others, before them from 257 on, after them up to 256', () => {
  const empty = (at: number): AddedSection => ({ ...section('.cmdline', at, 'none'), VirtualSize: 0 })
  const before = addon('b.addon.efi', empty(0x20000), section('.cmdline', 0x28000, 'text'))
  const after = addon(
    'a.addon.efi',
    section('.cmdline', 0x20000, 'text'),
    empty(0x28000),
    section('.last', 0x30000, 'so that the image ends past all raw data'),
  )
  const lineOf = (version: string, one: typeof line): unknown => boot(version, [one]).facts.commandLine
  expect(['256.12', '257.13', '262.1'].map(version => lineOf(version, before))).toEqual([
    `${CMDLINE} text`,
    CMDLINE,
    CMDLINE,
  ])
  expect(['256.12', '257.13', '262.1'].map(version => lineOf(version, after))).toEqual([
    CMDLINE,
    `${CMDLINE} text`,
    `${CMDLINE} text`,
  ])
})

test('ST-95 an add-on with a kernel, for another one, or that the firmware refuses is passed over', () => {
  const uki = addon('k.addon.efi', section('.cmdline', 0x20000, 'x'), section('.linux', 0x30000, 'MZ'))
  const foreign = addon('u.addon.efi', section('.cmdline', 0x20000, 'x'), section('.uname', 0x30000, '6.6'))
  const broken = {
    name: 'n.addon.efi',
    source: buildUki({
      stub: ADDON,
      sections: [section('.cmdline', 0x20000, 'x')],
      optional: { SizeOfImage: 0x15000 },
    }),
  }
  const uname = [section('.uname', 0x60000, '6.12')]
  const report = boot('262.1', [uki, foreign, broken], uname)
  expect(report.facts.commandLine).toBe(CMDLINE)
  expect(passedOver(report).map(why => why.replace(/,.*/s, ''))).toEqual([
    'it is a unified kernel image',
    'its .uname differs',
    'the firmware refuses it',
  ])
  expect(
    boot(
      '262.1',
      [addon('s.addon.efi', section('.cmdline', 0x20000, 'x'), section('.uname', 0x30000, '6.12'))],
      uname,
    ).facts.commandLine,
  ).toBe(`${CMDLINE} x`)
})

/** What happened, and where the memory with this label was. */
function eventsAnd(version: string, addons: CheckInput['addons']) {
  const [run] = checked(version, addons).runs
  const events = run?.recording.events ?? []
  const at = (label: string): number =>
    events.find((event): event is ClaimEvent => event.op === 'claim' && event.label === label)?.range.start ??
    -1
  return { events, at }
}

test('ST-95 microcode of a later add-on comes before that of an earlier one', () => {
  const ucode = (name: string, size: number) =>
    addon(name, { name: '.ucode', VirtualAddress: 0x20000, content: { initrd: size } })
  const { events, at } = eventsAnd('262.1', [ucode('a', 0x1000), ucode('b', 0x2000)])
  /** Where each goes in the initrd that is put together. */
  const placed = ['addon:a:.ucode', 'addon:b:.ucode'].map(label =>
    events.flatMap(event =>
      event.op === 'copy' && event.from.start === at(label) ? [event.range.start as number] : [],
    ),
  )
  expect(placed).toEqual([[expect.any(Number)], [expect.any(Number)]])
  expect((placed[0]?.[0] ?? 0) - (placed[1]?.[0] ?? 0)).toBe(0x2000)
})

test('ST-95 every add-on is unloaded, those that are passed over as well', () => {
  const uki = addon('k.addon.efi', section('.cmdline', 0x20000, 'x'), section('.linux', 0x30000, 'MZ'))
  const { events, at } = eventsAnd('262.1', [line, uki])
  const released = events.flatMap(event =>
    event.op === 'release' ? [...event.ranges].map(({ start }) => start) : [],
  )
  for (const { name } of [line, uki]) expect(released, name).toContain(at(`addon:${name}`))
})

test('ST-95 a device tree of an add-on is a doubt from 255 on', () => {
  const tree = addon('d.addon.efi', section('.cmdline', 0x20000, 'x'), section('.dtb', 0x30000, 'dtb'))
  expect(
    ['254', '255', '262.1'].map(version =>
      boot(version, [tree]).gaps.some(({ clause }) => clause === 'ST-47'),
    ),
  ).toEqual([false, true, true])
})

test('ST-96 up to 253 no other file is loaded', () => {
  for (const row of ['S2', 'S3', 'S4/252', 'S4/253.31'])
    expect(
      runStub(`systemd-stub/${row}`, { addons: [line] }).calls.filter(
        ({ call, label }) => call === 'load' && label.startsWith('addon:'),
      ),
      row,
    ).toEqual([])
})
