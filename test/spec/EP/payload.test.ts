import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { readPayload } from '../../../src/kernel/payload.ts'
import type { Outcome } from '../../../src/machine/machine.ts'
import { gone, handed } from '../../support/efi-stub-runs.ts'
import { bench, clausesOf, eventsOf, handover, peEntry, start } from '../../support/kernel-bench.ts'
import { E2, E5, F } from '../../support/kernels.ts'
import { deep, flipped, refusalOf, smallKernel } from '../../support/packed-kernel.ts'

test('EP-23 the payload is read where it lies; when it was overwritten the run is undefined', () => {
  const { on } = handed('linux/E5', E5)
  expect(eventsOf(on, 'EP-23', 'read')).toMatchObject([
    { range: rangeAt(F + 0x52cc, 0xaed515), at: 0x52cc, deviations: [] },
  ])
  const broken = bench()
  const from = handover(broken, { kernel: E5, image: F })
  gone(broken, F + 0x100000)
  expect(start(broken, 'linux/E5', from)).toMatchObject({
    kind: 'undefined',
    why: 'the compressed kernel was overwritten',
  })
})

test('EP-24 nothing moves and no window is written where the EFI stub decompresses', () => {
  const { on } = handed('linux/E5', E5)
  expect(clausesOf(on)).toContain('EP-24')
  expect(on.notes.facts.compressedImage).toBeUndefined()
  expect(on.recorder.events.filter(event => event.actor === 'decompressor' && event.op !== 'read')).toEqual(
    [],
  )
})

test('EP-36 the EFI stub passes on what its decompressor says and gives up with EFI_LOAD_ERROR', () => {
  const broken = flipped(smallKernel('debian-6.12.107-cloud'), 8)
  const message =
    'Decompression failed: Decoding failed\nFailed to decompress kernel\nefi_stub_entry() failed!'
  for (const era of ['linux/E4', 'linux/E5']) {
    expect(refusalOf(deep(era, broken))).toMatchObject({
      by: 'efi-stub',
      status: 'EFI_LOAD_ERROR',
      clause: 'EP-36',
      message,
    })
    const on = bench()
    expect(
      refusalOf({ outcome: start(on, era, peEntry(on, { kernel: broken, image: F }), readPayload) }),
    ).toMatchObject({ clause: 'EP-36', message })
  }
})

test('EP-40 a firmware that refuses the attributes ends the boot', () => {
  const run = (era: string, kernel: typeof E2, memoryAttributes: 'set' | 'refused'): Outcome => {
    const on = bench()
    return start(
      { ...on, machine: { ...on.machine, firmware: { ...on.machine.firmware, memoryAttributes } } },
      era,
      handover(on, { kernel, image: F }),
    )
  }
  expect(run('linux/E5', E5, 'refused')).toMatchObject({
    kind: 'refused',
    refusal: {
      clause: 'EP-40',
      message: 'Failed to set EFI_MEMORY_RO attribute\nFailed to decompress kernel\nefi_stub_entry() failed!',
    },
  })
  expect([run('linux/E5', E5, 'set').kind, run('linux/E2', E2, 'refused').kind]).toEqual([
    'arrived',
    'arrived',
  ])
})
