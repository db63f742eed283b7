import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import {
  in254,
  in257,
  later,
  laterSections,
  pages,
  params,
  refusal,
  S2,
  S6_257_11,
  section,
  textAt,
  u32,
} from '../../support/stub-era-runs.ts'
import { BASE, INITRD_AT, INITRD_SIZE, runStub, sectionsOf, type StubRun } from '../../support/stub-run.ts'

const S6_256 = 'systemd-stub/S6/256'
const S6_257 = 'systemd-stub/S6/257'
const S6_257_5 = 'systemd-stub/S6/257.5'
const keys = {
  '.pcrsig': section('.pcrsig', 0x4000000, '{}'),
  '.pcrpkey': section('.pcrpkey', 0x4001000, 'KEY'),
  '.ucode': section('.ucode', 0x4002000, '070701ucode'),
}
const partsOf = ({ memory, handOff }: StubRun) =>
  memory.partsOf(handOff?.initrdObject ?? '')?.map(({ object }) => object)

test('ST-19 the initrd is where it lies, or the image without one', () => {
  expect(runStub(S2).notes.facts.ramdiskImageFromStub).toBe(BASE + INITRD_AT)
  const none = runStub(S2, { sections: sectionsOf({ '.initrd': null }) })
  expect(none.notes.facts.ramdiskImageFromStub).toBe(BASE)
  expect(u32(none, params(none) + 0x21c)).toBe(0)
  expect(none.handOff).toMatchObject({ initrdObject: null })
  const empty = runStub(S2, {
    sections: sectionsOf({ '.initrd': section('.initrd', INITRD_AT, 'x', { VirtualSize: 0 }) }),
  })
  expect(empty.notes.facts.ramdiskImageFromStub).toBe(BASE + INITRD_AT)
  expect(empty.handOff).toMatchObject({ initrdObject: null })
})

test('ST-20 the pieces and their order', () => {
  expect(partsOf(in254({ sections: sectionsOf(keys) }))).toEqual([
    'initrd',
    'initrd:joined:padding-0',
    'cpio:.pcrsig',
    'uki:.pcrsig',
    'cpio:.pcrsig',
    'cpio:.pcrpkey',
    'uki:.pcrpkey',
    'cpio:.pcrpkey',
  ])
  const later = partsOf(in257({ sections: [...sectionsOf(keys), section('.profile', 0x4003000, 'ID=main')] }))
  expect(later?.filter(object => object.startsWith('uki:') || object === 'initrd')).toEqual([
    'uki:.ucode',
    'initrd',
    'uki:.pcrsig',
    'uki:.pcrpkey',
    'uki:.osrel',
    'uki:.profile',
  ])
  expect(
    partsOf(runStub(S6_256, { stub: '257.13', sections: sectionsOf({ '.ucode': keys['.ucode'] }) }))?.[0],
  ).toBe('uki:.ucode')
})

test('ST-20 254 joins whatever is added, 257 two pieces or more', () => {
  expect(in254().handOff).toMatchObject({
    initrd: { at: BASE + INITRD_AT, size: INITRD_SIZE, object: 'initrd' },
  })
  expect(pages(in254({ sections: sectionsOf({ '.initrd': null, '.pcrsig': keys['.pcrsig'] }) }))).toEqual([
    ['initrd:joined', 1, 2, 'max ffffffff'],
  ])
  expect(pages(in257({ sections: sectionsOf({ '.initrd': null }) }))).toEqual([])
  expect(in257({ sections: sectionsOf({ '.osrel': null }) }).handOff).toMatchObject({
    initrd: { object: 'initrd' },
  })
})

test('ST-20 .profile is packed before .osrel, and joined after it', () => {
  const run = later('S6/257.11', {
    sections: laterSections({ '.profile': section('.profile', 0x60000, 'ID=p') }),
  })
  expect(
    run.calls
      .flatMap(({ call, label }) => (call === 'pool' && label.startsWith('cpio:') ? [label] : []))
      .filter((label, i, all) => label !== all[i - 1]),
  ).toEqual(['cpio:.profile', 'cpio:.osrel'])
  expect(
    run.memory
      .partsOf('initrd:joined')
      ?.map(({ object }) => object)
      .filter(object => object.startsWith('uki:')),
  ).toEqual(['uki:.osrel', 'uki:.profile'])
})

test('ST-21 a packed section is an archive of exactly these records', () => {
  const run = in257({ sections: sectionsOf({ '.initrd': null }) })
  const offer = run.handOff?.via === 'pe-entry' ? run.handOff.initrd : null
  expect(offer).toMatchObject({ size: 0x1a0, object: 'initrd:joined' })
  const archive = textAt(run, offer?.at ?? 0, 0x1a0)
  expect(archive.slice(0, 120)).toBe(
    '070701000000010000416d0000000000000000000000010000000000000000' +
      `0000000000000000000000000000000000000007${'0'.repeat(8)}.extra\0\0\0\0`,
  )
  expect(archive.slice(120, 248)).toBe(
    '0707010000000200008124000000000000000000000001000000000000002c' +
      `0000000000000000000000000000000000000012${'0'.repeat(8)}.extra/os-release\0`,
  )
  expect(archive.slice(248, 292)).toBe('ID=oracle\nVERSION_ID=1\nPRETTY_NAME="oracle"\n')
  expect(archive.slice(292)).toBe(
    `070701${'0'.repeat(32)}00000001${'0'.repeat(48)}0000000B${'0'.repeat(8)}TRAILER!!!\0\0\0\0`,
  )
  expect(run.memory.readAs(rangeAt(offer?.at ?? 0, 0x1a0), 'initrd:joined', { all: true }).whole).toBe(true)
  expect(
    run.calls.filter(({ label }) => label === 'cpio:.osrel').map(({ call, size }) => [call, size]),
  ).toEqual([
    ['pool', 120],
    ['pool', 292],
    ['free', 0],
    ['pool', 416],
    ['free', 0],
  ])
})

test('ST-22 joined pieces are padded with zeros, whole, and the archives are freed', () => {
  const run = in257()
  const offer = run.handOff?.via === 'pe-entry' ? run.handOff.initrd : null
  expect(offer?.size).toBe(INITRD_SIZE + 3 + 0x1a0)
  expect(
    run.memory.readAs(rangeAt(offer?.at ?? 0, offer?.size ?? 1), 'initrd:joined', { all: true }).whole,
  ).toBe(true)
  expect([...run.memory.readRaw(rangeAt((offer?.at ?? 0) + INITRD_SIZE, 3))]).toEqual([0, 0, 0])
  expect(run.calls.filter(({ call, label }) => call === 'free' && label === 'cpio:.osrel')).toHaveLength(3)
})

test('ST-23 without room below 4 GiB the stub halts', () => {
  expect(refusal(in257({ fullBelow: ['initrd:joined'] }, S6_257))).toMatchObject({
    by: 'stub',
    clause: 'ST-23',
    status: 'EFI_OUT_OF_RESOURCES',
    message: expect.stringContaining('Assertion') as unknown,
  })
  expect(pages(in257({}, S6_257))).toEqual([['initrd:joined', 19, 2, 'max ffffffff']])
})

test('ST-24 without room below 4 GiB any pages do', () => {
  expect(pages(in257({ fullBelow: ['initrd:joined'] }, S6_257_5))).toEqual([['initrd:joined', 19, 2, 'any']])
  expect(refusal(in257({ full: ['initrd:joined'] }))).toMatchObject({ clause: 'ST-24' })
})

test('ST-25 up to 257.10 an image without any piece is a gap', () => {
  const bare = { sections: sectionsOf({ '.initrd': null, '.osrel': null }) }
  expect(in257(bare, S6_257).outcome).toMatchObject({ kind: 'unknown', gap: { clause: 'ST-25' } })
  expect(in257(bare, S6_257_11).handOff).toMatchObject({ initrd: null, initrdObject: null })
})
