import { expect, test } from 'vitest'
import {
  bench,
  descriptor,
  free,
  handover,
  kernelNamed,
  peEntry,
  SMALL_MAP,
  start,
} from '../support/kernel-bench.ts'

const E0 = kernelNamed('derived-5.6')
const E5 = kernelNamed('debian-6.12.107-cloud')
const F = 0x18200000

/** What EP-52 says when this kernel is entered with that command line. */
function said(
  era: string,
  commandLine: string,
  kaslr: 'command-line' | 'off' | 'seed:0' = 'command-line',
): string[] {
  const on = bench({ kaslr })
  start(on, `linux/${era}`, peEntry(on, { kernel: E5, image: F, commandLine }))
  return on.notes.doubts.filter(({ clause }) => clause === 'EP-52').map(({ why }) => why)
}

test('EP-52 a region of memmap= that slots reach is named, in releases that go anywhere in spite of it', () => {
  const region = 'memmap=16M!256M'
  expect(said('E4a', region)).toEqual([
    'the kernel may be placed in 0x10000000-0x11000000, which memmap= reserves, and overwrite it',
  ])
  expect(said('E3c', `${region},1M$320M`)).toHaveLength(2)
  expect(said('E4b', region)).toEqual([])
  expect(said('E5', region)).toEqual([])
})

test('EP-52 it is not named where no slot reaches it, or the slot that is taken does not', () => {
  expect(said('E4a', 'memmap=16M!8G')).toEqual([])
  expect(said('E4a', 'memmap=16M!256M nokaslr')).toEqual([])
  expect(said('E4a', 'memmap=16M!256M', 'off')).toEqual([])
  expect(said('E4a', 'memmap=16M!256M', 'seed:0')).toEqual([])
})

test('EP-52 the first slot may be in such a region, too', () => {
  expect(said('E5', 'memmap=16M!24M nokaslr')).toHaveLength(1)
})

test('EP-28 what the window covers after the pages that were taken is named', () => {
  const map = [
    free(0x1000, 0x9f000),
    free(0x800000, 0x2d5e000),
    descriptor(4, 0x355e000, 0x1000000),
    ...SMALL_MAP.slice(3),
  ]
  const from = (era: string): string[] => {
    const on = bench({ map })
    start(
      on,
      `linux/${era}`,
      handover(on, { kernel: E0, image: F, header: { code32_start: F + E0.image.setupSize } }),
    )
    return on.notes.doubts.filter(({ clause }) => clause === 'EP-28').map(({ why }) => why)
  }
  expect(from('E0a')).toEqual([
    'the kernel was moved to 0x800000 and decompresses itself from 0x1000000 on: it does not own 0x355e000-0x3d5e000',
  ])
  expect(from('E0')).toEqual([])
})
