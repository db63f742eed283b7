import { expect, test } from 'vitest'
import { bytesSource } from '../../../src/bytes/source.ts'
import { phys } from '../../../src/bytes/units.ts'
import { entered, ERAS, gone, handed } from '../../support/efi-stub-runs.ts'
import {
  bench,
  BOOT_PARAMS,
  clausesOf,
  eventsOf,
  handover,
  legacy,
  start,
} from '../../support/kernel-bench.ts'
import { E2, E5, F } from '../../support/kernels.ts'

test.each(ERAS)('EP-1 a whole kernel arrives at both doors: %s', (era, kernel) => {
  expect(handed(era, kernel).outcome.kind).toBe('arrived')
  expect(entered(era, kernel).outcome.kind).toBe('arrived')
})

test('EP-1 overwritten bytes at the entry, or in the code after the payload, leave the run undefined', () => {
  for (const offset of [0x3c00 + 0x200 + 0x190, 0x3c00 + 0xb90000]) {
    const on = bench()
    const from = handover(on, { kernel: E2, image: F })
    gone(on, F + offset)
    expect(start(on, 'linux/E2', from).kind).toBe('undefined')
  }
})

test('EP-1 its first bytes must be whole where nothing in front of the payload runs but the entry', () => {
  const on = bench()
  const from = handover(on, { kernel: E5, image: F })
  gone(on, from.entry, 4)
  expect(start(on, 'linux/E5', from)).toMatchObject({
    kind: 'undefined',
    why: 'the first instructions of the kernel were overwritten',
  })
  const damaged = bench()
  const handedOver = handover(damaged, { kernel: E5, image: F })
  gone(damaged, BOOT_PARAMS + 0x800, 1)
  start(damaged, 'linux/E5', handedOver)
  expect(eventsOf(damaged, 'EP-1', 'read')).toContainEqual(
    expect.objectContaining({
      object: 'boot_params',
      deviations: [expect.objectContaining({ at: 0x800, kind: 'clobbered' })],
    }),
  )
})

test('EP-2 code in front of the payload must be whole in the copy of a loader, too', () => {
  const on = bench()
  const from = legacy(on, { kernel: E2, at: 0x2000000 })
  gone(on, 0x2000000 + 0x300)
  expect(start(on, 'linux/E2', from)).toMatchObject({
    kind: 'undefined',
    why: 'the code in front of the payload was overwritten',
  })
})

test('EP-1 bytes after the declared end of the file do not matter', () => {
  const on = bench()
  const from = handover(on, { kernel: E2, image: F })
  gone(on, F + E2.image.fileSize)
  expect(start(on, 'linux/E2', from).kind).toBe('arrived')
})

test('EP-1 what is no kernel file, has no payload, or begins after its entry is outside the model', () => {
  const on = bench()
  const from = handover(on, { kernel: E2, image: F })
  const junk = bytesSource(new Uint8Array(0x1000))
  expect(start(on, 'linux/E2', { ...from, payload: { object: 'kernel', source: junk } })).toMatchObject({
    kind: 'unknown',
    gap: { clause: 'EP-1' },
  })
  expect(start(on, 'linux/E2', { ...from, entry: phys(F - 1) })).toMatchObject({ kind: 'unknown' })
  const bare = E2.source.read(0 as never, 0x400).slice()
  bare.fill(0, 0x24c, 0x250)
  expect(
    start(on, 'linux/E2', { ...from, payload: { object: 'kernel', source: bytesSource(bare) } }),
  ).toMatchObject({ kind: 'unknown', gap: { why: 'the setup header has no payload' } })
})

test('EP-2 code in front of the payload must be whole where head_64.S runs', () => {
  const on = bench()
  const from = handover(on, { kernel: E2, image: F })
  gone(on, F + 0x3c00 + 0x210)
  expect(start(on, 'linux/E2', from)).toMatchObject({
    kind: 'undefined',
    why: 'the code in front of the payload was overwritten',
  })
})

test('EP-3 code in front of the payload does not matter where the EFI stub decompresses', () => {
  const on = bench()
  const from = handover(on, { kernel: E5, image: F })
  gone(on, F + 0x5000 + 0x210)
  expect(start(on, 'linux/E5', from).kind).toBe('arrived')
  expect(clausesOf(on)).not.toContain('ZO-3')
})
