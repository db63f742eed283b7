import { expect, test } from 'vitest'
import { doubts, in254, in257, pages, S2, section } from '../../support/stub-era-runs.ts'
import { runStub, sectionsOf } from '../../support/stub-run.ts'

test('ST-46 the early eras do not look for a device tree', () => {
  expect(
    doubts(runStub(S2, { sections: sectionsOf({ '.dtb': section('.dtb', 0x4000000, 'tree') }) })),
  ).toEqual([])
})

test('ST-47 from 255 on .dtb is copied to pages of its own, and .dtbauto is a doubt', () => {
  const tree = sectionsOf({ '.dtb': section('.dtb', 0x4000000, 'tree') })
  for (const row of ['S5/255', 'S6/256', 'S6/257', 'S8']) {
    const run = runStub(`systemd-stub/${row}`, { stub: '254.26', sections: tree })
    expect(
      pages(run).filter(([label]) => label === 'uki:.dtb'),
      row,
    ).toEqual([['uki:.dtb', 1, 9, 'any']])
    expect(doubts(run), row).toEqual([])
  }
  expect(
    doubts(in257({ sections: sectionsOf({ '.dtbauto': section('.dtbauto', 0x4000000, 'tree') }) })),
  ).toEqual(['ST-47'])
})

test('ST-97 from 250 to 254 .dtb is left alone where the firmware has no device tree', () => {
  const tree = sectionsOf({ '.dtb': section('.dtb', 0x4000000, 'tree') })
  for (const row of ['S3', 'S4/252', 'S4/253.31', 'S5/254', 'S6/254.24']) {
    const run = runStub(`systemd-stub/${row}`, { stub: '254.26', sections: tree })
    expect([pages(run).filter(([label]) => label === 'uki:.dtb'), doubts(run)], row).toEqual([[], []])
    expect(
      run.notes.assumptions.map(({ clause }) => clause),
      row,
    ).toContain('ST-97')
  }
  expect(in254().notes.assumptions.map(({ clause }) => clause)).not.toContain('ST-97')
})
