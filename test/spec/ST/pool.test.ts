import { expect, test } from 'vitest'
import {
  assumed,
  early,
  in254,
  in257,
  later,
  refusal,
  S2,
  section,
  stepsOf,
} from '../../support/stub-era-runs.ts'
import { CMDLINE, runStub, sectionsOf, type StubRun } from '../../support/stub-run.ts'

/** Pool blocks that are never freed, in the order in which they were taken. */
const kept = ({ calls }: StubRun): string[] =>
  calls
    .filter(
      ({ call, at }) => call === 'pool' && !calls.some(other => other.call === 'free' && other.at === at),
    )
    .map(({ label }) => label)
const variableCalls = (row: string) =>
  early(row)
    .calls.filter(({ call, label }) => call !== 'pages' && label === 'stub:SecureBoot')
    .map(({ call }) => call)

/** Type and size of what a row allocates in pool under a label. */
const pool = (run: StubRun, label: string) =>
  run.calls.flatMap(one => (one.call === 'pool' && one.label === label ? [[one.type, one.size]] : []))

test('ST-4 one buffer of 8192 bytes is there when the kernel is entered', () => {
  expect(runStub(S2).calls.filter(({ call }) => call !== 'pages')).toMatchObject([
    { call: 'pool', size: 8192, type: 2 },
  ])
})

test('ST-4 from 239 to 247 the buffer stays', () => {
  for (const row of ['S1/239', 'S1/240', 'S2/242', 'S2'])
    expect(
      runStub(`systemd-stub/${row}`)
        .calls.filter(({ label }) => label === 'stub:SecureBoot')
        .map(({ call }) => call),
      row,
    ).toEqual(['pool'])
})

test('ST-5 the later eras keep no buffer of a variable', () => {
  const run = in254({ sections: sectionsOf({ '.cmdline': null, '.initrd': null }) })
  expect(run.calls.filter(({ label }) => label.includes('SecureBoot'))).toEqual([])
  expect(run.notes.assumptions).toContainEqual({
    clause: 'ST-90',
    what: 'there is no random seed file on the ESP',
  })
})

test('ST-48 254 keeps the path of the folder beside the image', () => {
  expect(kept(in254())).toEqual(['cmdline:utf-16', 'stub:extra.d', 'stub:initrd_loader'])
  expect(kept(in254({ sections: sectionsOf({ '.uname': section('.uname', 0x4000000, '6.12') }) }))).toEqual([
    'stub:uname',
    'cmdline:utf-16',
    'stub:extra.d',
    'stub:initrd_loader',
  ])
})

test('ST-110 the copy of .uname has the bytes before its NUL and a NUL', () => {
  const sizes = (text: string): number[] =>
    in254({ sections: sectionsOf({ '.uname': section('.uname', 0x4000000, text) }) })
      .calls.filter(({ label }) => label === 'stub:uname')
      .map(({ size }) => size)
  expect(['6.12', '6.12\0', '6.12\0\0more'].map(sizes)).toEqual([[5], [5], [5]])
})

test('ST-49 the early eras keep no string', () => {
  expect(kept(runStub(S2))).toEqual(['stub:SecureBoot'])
  expect(stepsOf(runStub(S2))).toContain('ST-49')
})

test('ST-50 257 frees the path of the folder beside the image', () => {
  expect(kept(in257())).toEqual(['cmdline:utf-16', 'stub:initrds', 'stub:initrd_loader'])
})

test('ST-51 257 keeps a list of the pieces, 16 bytes each', () => {
  expect(
    in257()
      .calls.filter(({ label }) => label === 'stub:initrds')
      .map(({ call, size }) => [call, size]),
  ).toEqual([
    ['pool', 16],
    ['pool', 32],
    ['free', 0],
  ])
  expect(in254().calls.map(({ label }) => label)).not.toContain('stub:initrds')
})

test('ST-80 up to 238 and from 248 on the buffer of SecureBoot is freed', () => {
  expect(
    Object.fromEntries(
      ['S0', 'S0/233', 'S1', 'S1/236', 'S2/248', 'S2/249.6', 'S3', 'S4/252', 'S4/252.36', 'S4/253.31'].map(
        row => [row, variableCalls(row).join()],
      ),
    ),
  ).toEqual(
    Object.fromEntries(
      ['S0', 'S0/233', 'S1', 'S1/236', 'S2/248', 'S2/249.6', 'S3', 'S4/252', 'S4/252.36', 'S4/253.31'].map(
        row => [row, 'pool,free'],
      ),
    ),
  )
})

test('ST-84 252 prints strings into large buffers and frees them', () => {
  expect(
    early('S4/252.36')
      .calls.filter(({ call }) => call !== 'load')
      .map(({ call, label, size }) => [call, label, size]),
  ).toEqual([
    ['pool', 'stub:SecureBoot', 8192],
    ['free', 'stub:SecureBoot', 0],
    ['pool', 'cmdline:utf-16', 2 * (CMDLINE.length + 1)],
    ['pool', 'stub:LoaderFirmwareInfo', 472],
    ['free', 'stub:LoaderFirmwareInfo', 0],
    ['pool', 'stub:extra.d', 460],
    ['free', 'stub:extra.d', 0],
    ['pool', 'stub:initrd_loader', 24],
  ])
})

test('ST-87 pool is EfiLoaderData', () => {
  for (const row of ['S2', 'S3', 'S4/252.11', 'S4/252.36', 'S4/253.5', 'S4/253.31'])
    expect(
      new Set(
        early(row)
          .calls.filter(({ call }) => call === 'pool')
          .map(({ type }) => type),
      ),
      row,
    ).toEqual(new Set([2]))
  for (const row of ['S5/254', 'S6/257', 'S8'])
    expect(
      new Set(
        later(row)
          .calls.filter(({ call }) => call === 'pool')
          .map(({ type }) => type),
      ),
      row,
    ).toEqual(new Set([2]))
})

test('ST-88 up to 252.10 and 253.4 pool is EfiBootServicesData, but for what is printed in 252', () => {
  for (const row of ['S4/252', 'S4/252.3', 'S4/252.6', 'S4/253']) {
    expect(pool(early(row), 'cmdline:utf-16'), row).toEqual([[4, 2 * (CMDLINE.length + 1)]])
    expect(pool(early(row), 'stub:initrd_loader'), row).toEqual([[4, 24]])
  }
  expect(pool(early('S4/252.6'), 'stub:extra.d')).toEqual([[2, 460]])
  expect(pool(early('S4/253'), 'stub:extra.d')).toEqual([[4, 60]])
  expect(refusal(early('S4/252.3', { full: ['cmdline:utf-16'] }))).toMatchObject({
    message: expect.stringContaining('AllocatePool(EfiBootServicesData') as string,
  })
})

test('ST-89 253 prints strings into buffers of their size and frees them', () => {
  expect(
    early('S4/253.31')
      .calls.filter(({ label }) => ['stub:LoaderFirmwareInfo', 'stub:extra.d'].includes(label))
      .map(({ call, label, size }) => [call, label, size]),
  ).toEqual([
    ['pool', 'stub:LoaderFirmwareInfo', 72],
    ['free', 'stub:LoaderFirmwareInfo', 0],
    ['pool', 'stub:extra.d', 60],
    ['free', 'stub:extra.d', 0],
  ])
})

test('ST-90 from 253 on a run rests on there being no random seed', () => {
  expect(['S3', 'S4/252.36', 'S4/253'].map(row => assumed(early(row)).includes('ST-90'))).toEqual([
    false,
    false,
    true,
  ])
  for (const row of ['S5/254', 'S6/257', 'S8']) expect(assumed(later(row)), row).toContain('ST-90')
})
