import { expect, test } from 'vitest'
import { handed } from '../../support/decompressor-runs.ts'
import { bench, eventsOf, SMALL_MAP } from '../../support/kernel-bench.ts'
import { INITRD } from '../../support/kernels.ts'

test('ZO-54 the extracted kernel reads the memory map of the EFI stub, and notices when it is lost', () => {
  const { on } = handed()
  const [read] = eventsOf(on, 'ZO-54', 'read')
  expect(read).toMatchObject({ object: 'efi-stub:memory-map', deviations: [] })
  expect(eventsOf(on, 'EP-18', 'make')).toMatchObject([{ range: { end: read?.range.end } }])
  // The window of the kernel that moves reaches over it
  const arena = 0x2e00000
  const lost = handed({ commandLine: 'nokaslr' }, bench({ arena })).on
  expect(eventsOf(lost, 'ZO-54', 'read').flatMap(({ deviations }) => deviations)).not.toEqual([])
})

const doubts = (on: ReturnType<typeof bench>): string[] => on.notes.doubts.map(({ clause }) => clause)

test('ZO-16 an initrd is read to its last byte', () => {
  const { on } = handed()
  expect(eventsOf(on, 'ZO-16', 'read')).toMatchObject([
    { range: { start: INITRD.at, end: INITRD.at + INITRD.size } },
  ])
})

test('ZO-51 a kernel whose boot loader has no type reads no initrd, and that is a doubt', () => {
  const { on } = handed({ header: { type_of_loader: 0 } })
  expect(eventsOf(on, 'ZO-16', 'read')).toEqual([])
  expect(on.notes.facts.ramdiskImage).toBeUndefined()
  expect(doubts(on)).toContain('ZO-51')
  expect(doubts(handed({ header: { type_of_loader: 0 }, initrd: null }).on)).not.toContain('ZO-51')
  expect(doubts(handed({ header: { type_of_loader: 1 } }).on)).not.toContain('ZO-51')
})

test('ZO-52 initrdmem= counts from 5.8 on, where boot_params has no initrd', () => {
  const told = { commandLine: 'nokaslr initrdmem=0x1000000,8M', initrd: null }
  expect(doubts(handed(told, bench(), 'linux/E2f').on)).toContain('ZO-52')
  expect(doubts(handed(told, bench(), 'linux/E2a').on)).not.toContain('ZO-52')
  expect(doubts(handed({ ...told, initrd: INITRD }).on)).not.toContain('ZO-52')
  expect(doubts(handed({ ...told, commandLine: 'nokaslr initrd=a' }).on)).not.toContain('ZO-52')
})

/** Half of the RAM that the kernel sees: all but page 0 and the firmware's. */
const RAM = SMALL_MAP.reduce(
  (sum, { type, range }) => sum + (type <= 4 || type === 7 ? range.end - range.start : 0),
  0,
)

test('ZO-53 up to 5.9 an initrd of half the memory is a panic, a byte less is not', () => {
  const of = (size: number, era: string) =>
    handed({ initrd: { at: 0x2000000, size } }, bench({ map: SMALL_MAP }), era).outcome
  const half = RAM / 2
  expect(of(half, 'linux/E2h')).toMatchObject({
    kind: 'refused',
    refusal: {
      by: 'kernel',
      clause: 'ZO-53',
      message:
        'Kernel panic - not syncing: initrd too large to handle, ' +
        `disabling initrd (${String(half)} needed, ${String(half)} available)`,
    },
  })
  expect(of(half - 1, 'linux/E2h').kind).toBe('arrived')
  expect(of(half, 'linux/E2c').kind).toBe('arrived')
})

test('ZO-53 mem= takes from the memory', () => {
  const of = (commandLine: string) =>
    handed(
      { commandLine, initrd: { at: 0x2000000, size: 0x4000000 } },
      bench({ map: SMALL_MAP }),
      'linux/E2h',
    ).outcome
  expect(of('nokaslr mem=128M')).toMatchObject({ kind: 'refused', refusal: { clause: 'ZO-53' } })
  expect(of('nokaslr').kind).toBe('arrived')
})
