import { expect, test } from 'vitest'
import { rangeAt } from '../../src/bytes/range.ts'
import { phys } from '../../src/bytes/units.ts'
import { buildKernel, type AddedSection } from '../../src/image/synthetic.ts'
import type { Memory } from '../../src/memory/memory.ts'
import {
  BASE,
  CMDLINE,
  INITRD_AT,
  INITRD_SIZE,
  KERNEL_AT,
  kernelFacts,
  OPTIONS,
  runStub,
  sectionsOf,
  withoutInitrdSupport,
  type StubRun,
  type StubSetting,
} from '../support/stub-run.ts'

const S2 = 'systemd-stub/S2'
const S6_254 = 'systemd-stub/S6/254'
const S6_256 = 'systemd-stub/S6/256'
const S6_257 = 'systemd-stub/S6/257'
const S6_257_5 = 'systemd-stub/S6/257.5'
const S6_257_11 = 'systemd-stub/S6/257.11'
const GIB = 2 ** 30

const in254 = (setting: StubSetting = {}): StubRun => runStub(S6_254, { stub: '254.26', ...setting })
const in257 = (setting: StubSetting = {}, row = S6_257_11): StubRun =>
  runStub(row, { stub: '257.13', ...setting })
const oldKernel = buildKernel(withoutInitrdSupport())
/** A run of 254 through the handover protocol. */
const forced = (setting: StubSetting = {}): StubRun =>
  in254({ sections: sectionsOf({}, oldKernel), ...setting })
const { setup_sects, handover_offset } = kernelFacts().hdr
const FILE = kernelFacts().fileSize
const KERNEL_SIZE_IN_MEMORY = kernelFacts().pe.optional.SizeOfImage
const ENTRY = (setup_sects + 1) * 512 + 512 + handover_offset

/** Changes bytes of the kernel file where it lies in the image. */
const edit = (at: number, ...bytes: number[]) => ({
  before: (memory: Memory, base: number) =>
    void memory.patch(phys(base + KERNEL_AT + at), Uint8Array.from(bytes), 'kernel', at),
})
const section = (
  name: string,
  VirtualAddress: number,
  text: string,
  more: Partial<AddedSection> = {},
): AddedSection => ({ name, VirtualAddress, content: { text }, ...more })
const text = ({ memory }: StubRun, at: number, length: number): string =>
  String.fromCharCode(...memory.readRaw(rangeAt(at, length)))
const u32 = ({ memory }: StubRun, at: number): number =>
  new DataView(memory.readRaw(rangeAt(at, 4)).buffer).getUint32(0, true)
const params = (run: StubRun): number => run.notes.facts.bootParams ?? 0
const pages = ({ calls }: StubRun) =>
  calls
    .filter(({ call }) => call === 'pages')
    .map(({ label, size, type, where }) => [label, size, type, where])
const refusal = (run: StubRun) => (run.outcome?.kind === 'refused' ? run.outcome.refusal : run.outcome)
const doubts = (run: StubRun) => run.notes.doubts.map(({ clause }) => clause)
const stepsOf = ({ recorder }: StubRun): string[] => recorder.steps.map(({ clause }) => clause)
const withLoadOptions = (run: StubRun) =>
  run.handOff?.via === 'pe-entry' ? run.handOff.loaded.loadOptions : undefined

test('ST-1 foreign bytes at the entry point end the run as undefined', () => {
  expect(
    runStub(S2, { sections: sectionsOf({ '.osrel': section('.osrel', 0x4008, 'x') }) }).outcome,
  ).toMatchObject({ kind: 'undefined' })
  expect(
    runStub(S2, { sections: sectionsOf({ '.osrel': section('.osrel', 0x4010, 'x') }) }).outcome,
  ).toBeNull()
})

test('ST-1 an entry point outside the sections of the stub is a gap', () => {
  const away: StubSetting = { edit: { AddressOfEntryPoint: 0x30000 } }
  expect(runStub(S2, away).outcome).toMatchObject({ kind: 'unknown', gap: { clause: 'ST-1' } })
})

test('ST-2 foreign bytes elsewhere in the stub are a doubt that names them, and the run goes on', () => {
  const run = runStub(S2, { sections: sectionsOf({ '.osrel': section('.osrel', 0x5000, 'ID=x') }) })
  expect(run.handOff).not.toBeNull()
  expect(run.notes.doubts).toEqual([
    {
      clause: 'ST-2',
      why: 'stub:.text was overwritten at 0x10005000-0x10005004 by uki:.osrel: whether the stub needs these bytes is not modelled',
    },
  ])
  expect(doubts(runStub(S2))).toEqual([])
})

test('ST-3 payload inside a writable section of the stub is overwritten before it is read', () => {
  const run = in257({ sections: sectionsOf({ '.cmdline': section('.cmdline', 0x17000, CMDLINE) }) })
  expect(
    run.recorder.events.filter(event => event.op === 'read' && event.object === 'cmdline'),
  ).toMatchObject([
    {
      deviations: [
        {
          kind: 'clobbered',
          range: rangeAt(BASE + 0x17000, CMDLINE.length),
          found: { whose: { object: 'stub:.data', at: 0 } },
        },
      ],
    },
  ])
  expect(doubts(run)).toEqual(['ST-2', 'ST-17'])
})

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

const header = (at: number, ...bytes: number[]): StubSetting => ({
  before: (memory, base) => void memory.patch(phys(base + at), Uint8Array.from(bytes), 'uki:headers', at),
})
/** Both stubs have e_lfanew 0x80; the machine follows the signature. */
const MACHINE = 0x84

test('ST-6 a header that the early eras do not accept is EFI_LOAD_ERROR', () => {
  const words = {
    clause: 'ST-6',
    status: 'EFI_LOAD_ERROR',
    message: 'Unable to locate embedded .linux section: Load Error ',
  }
  expect(refusal(runStub(S2, header(0, 0)))).toMatchObject(words)
  expect(refusal(runStub(S2, header(0x80, 0)))).toMatchObject(words)
  expect(refusal(runStub(S2, header(MACHINE, 0, 2)))).toMatchObject(words)
  expect(refusal(runStub(S2, header(MACHINE + 2, 97)))).toMatchObject(words)
  expect(refusal(runStub(S2, header(MACHINE, 0x4c, 1)))).toBeNull()
})

test('ST-6 without a section there is nothing to find', () => {
  expect(refusal(runStub(S2, header(MACHINE + 2, 0)))).toMatchObject({ clause: 'ST-31' })
})

test('ST-6 a section table that is no longer its own is read as such', () => {
  const run = runStub(S2, {
    before: (memory, base) => void memory.patch(phys(base + 0x188), new Uint8Array(1), 'somebody'),
  })
  expect(
    run.recorder.events.filter(event => event.op === 'read' && event.object === 'uki:headers'),
  ).toMatchObject([{ deviations: [{ kind: 'clobbered' }] }])
})

const E_LFANEW_254 = 0x40

test('ST-7 a header that the later eras do not accept is EFI_LOAD_ERROR', () => {
  for (const bad of [
    header(0, 0),
    header(E_LFANEW_254 + 4, 0x4c, 1),
    header(E_LFANEW_254 + 6, 0),
    header(E_LFANEW_254 + 24, 1),
  ]) {
    expect(refusal(in254(bad))).toMatchObject({
      clause: 'ST-7',
      status: 'EFI_LOAD_ERROR',
      message: 'Unable to locate embedded .linux section: Load error',
    })
    expect(refusal(in257(bad))).toMatchObject({ message: 'Unable to locate PE section table: Load error' })
  }
  expect(refusal(in254(header(E_LFANEW_254 + 24, 0x0b, 1)))).toBeNull()
})

test('ST-7 the message ends as the release prints a status', () => {
  expect(refusal(runStub('systemd-stub/S3', { stub: '252.39', ...header(MACHINE, 0, 2) }))).toMatchObject({
    clause: 'ST-7',
    message: 'Unable to locate embedded .linux section: Load Error',
  })
})

test('ST-8 the last header whose name begins with the wanted one counts', () => {
  const run = runStub(S2, {
    sections: [
      ...sectionsOf(),
      section('.cmdline', 0x38000, 'second'),
      section('.initrdx', 0x4000000, 'third'),
    ],
  })
  expect(run.notes.facts).toMatchObject({ commandLine: 'second', ramdiskImageFromStub: BASE + 0x4000000 })
  expect(run.handOff).toMatchObject({ cmdlineObject: 'cmdline#2', initrdObject: 'stub:.initrdx' })
})

test('ST-9 the first header of exactly that name counts', () => {
  const run = in257({
    sections: [
      section('.initrdx', 0x1c000, 'zeroth'),
      ...sectionsOf({ '.osrel': null }),
      section('.cmdline', 0x38000, 'second'),
    ],
  })
  expect(withLoadOptions(run)).toMatchObject({ text: CMDLINE })
  expect(run.handOff).toMatchObject({ initrd: { at: BASE + INITRD_AT } })
})

test('ST-10 257 without .linux, or with an empty one, says so', () => {
  const words = { clause: 'ST-10', status: 'EFI_NOT_FOUND', message: 'Image lacks .linux section.' }
  expect(refusal(in257({ sections: sectionsOf({ '.linux': null }) }))).toMatchObject(words)
  expect(
    refusal(
      in257({ sections: sectionsOf({ '.linux': section('.linux', KERNEL_AT, 'x', { VirtualSize: 0 }) }) }),
    ),
  ).toMatchObject(words)
})

const profiles = () => [
  ...sectionsOf({ '.osrel': null }),
  section('.profile', 0x4000000, 'ID=main'),
  section('.profile', 0x4001000, 'ID=other'),
  section('.cmdline', 0x4002000, 'other profile'),
]

test('ST-11 a profile overrides the base', () => {
  expect(withLoadOptions(in257({ sections: profiles() }))).toMatchObject({ text: CMDLINE })
  expect(withLoadOptions(in257({ sections: profiles(), options: '@1' }))).toMatchObject({
    text: 'other profile',
  })
  expect(withLoadOptions(in257({ sections: profiles(), options: '@99999999999' }))).toMatchObject({
    text: '@99999999999',
  })
})

test('ST-11 only profile 0 may be missing', () => {
  expect(refusal(in257({ sections: profiles(), options: '@2' }))).toMatchObject({
    clause: 'ST-11',
    status: 'EFI_NOT_FOUND',
    message: 'Unable to locate embedded per-profile PE sections: Not found',
  })
  expect(withLoadOptions(in257({ options: '@0' }))).toMatchObject({ text: CMDLINE })
})

test('ST-12 without .linux the image itself is checked for a kernel', () => {
  const run = runStub(S2, { sections: sectionsOf({ '.linux': null }) })
  expect(refusal(run)).toMatchObject({
    clause: 'ST-31',
    status: 'EFI_LOAD_ERROR',
    message: 'Execution of embedded linux image failed: Load Error',
  })
})

test('ST-13 254 without .linux says so', () => {
  expect(refusal(in254({ sections: sectionsOf({ '.linux': null }) }))).toMatchObject({
    clause: 'ST-13',
    status: 'EFI_NOT_FOUND',
    message: 'Unable to locate embedded .linux section: Not found',
  })
})

const lineOf = (run: StubRun): string | undefined => run.notes.facts.commandLine

test('ST-14 before 244 Secure Boot rules LoadOptions out even without .cmdline', () => {
  const row = 'systemd-stub/S2/242'
  expect(lineOf(runStub(row, { options: 'quiet' }))).toBe('quiet')
  expect(lineOf(runStub(row, { options: 'quiet', secureBoot: true }))).toBe(CMDLINE)
  expect(
    lineOf(runStub(row, { options: 'quiet', secureBoot: true, sections: sectionsOf({ '.cmdline': null }) })),
  ).toBeUndefined()
})

test('ST-15 LoadOptions replace .cmdline, cut to bytes, unless Secure Boot is on and there is a .cmdline', () => {
  const run = runStub(S2, { options: 'qui\u0165' })
  expect(lineOf(run)).toBe('quie')
  expect(run.handOff).toMatchObject({ cmdlineObject: OPTIONS })
  expect(run.calls).toContainEqual(expect.objectContaining({ call: 'pool', label: OPTIONS, size: 5 }))
  expect(lineOf(runStub(S2, { options: 'quiet', secureBoot: true }))).toBe(CMDLINE)
  expect(
    lineOf(runStub(S2, { options: 'quiet', secureBoot: true, sections: sectionsOf({ '.cmdline': null }) })),
  ).toBe('quiet')
})

test('ST-15 LoadOptions that are empty or begin with a control character are not taken', () => {
  expect(lineOf(runStub(S2, { options: '', optionBytes: 2 }))).toBe(CMDLINE)
  expect(lineOf(runStub(S2, { options: 'q', optionBytes: 0 }))).toBe(CMDLINE)
  expect(lineOf(runStub(S2, { options: '\u001fq' }))).toBe(CMDLINE)
})

test('ST-15 without pool for LoadOptions nothing is known any more', () => {
  expect(runStub(S2, { options: 'quiet', full: [OPTIONS] }).outcome).toMatchObject({
    kind: 'unknown',
    gap: { clause: 'ST-15' },
  })
})

test('ST-16 LoadOptions replace .cmdline as a string', () => {
  expect(withLoadOptions(in254({ options: 'quiet' }))).toMatchObject({ text: 'quiet', bytes: 12 })
  expect(withLoadOptions(in254({ options: '@1 quiet' }))).toMatchObject({ text: '@1 quiet' })
  expect(withLoadOptions(in254({ options: 'quiet', secureBoot: true }))).toMatchObject({ text: CMDLINE })
  expect(
    withLoadOptions(
      in254({ options: 'quiet', secureBoot: true, sections: sectionsOf({ '.cmdline': null }) }),
    ),
  ).toMatchObject({ text: 'quiet' })
  expect(
    withLoadOptions(
      in254({ sections: sectionsOf({ '.cmdline': section('.cmdline', 0x30000, 'caf\u00e9\0junk') }) }),
    ),
  ).toMatchObject({ text: 'caf\u00e9' })
})

test('ST-16 a command line without an end is a gap', () => {
  const long: AddedSection = { name: '.cmdline', VirtualAddress: 0x30000, content: { pattern: 0x100001 } }
  expect(in254({ sections: sectionsOf({ '.cmdline': long }) }).outcome).toMatchObject({
    kind: 'unknown',
    gap: { clause: 'ST-16' },
  })
})

test('ST-17 a profile specifier and one space go first', () => {
  expect(withLoadOptions(in257({ options: '@0  quiet' }))).toMatchObject({ text: 'quiet' })
  expect(withLoadOptions(in257({ options: '@0 ' }))).toMatchObject({ text: CMDLINE })
  expect(withLoadOptions(in257({ options: 'quiet', secureBoot: true }))).toMatchObject({ text: CMDLINE })
})

test('ST-18 the string in pool is UTF-16, has no control characters and no blanks at the end', () => {
  const run = in254({ sections: sectionsOf({ '.cmdline': section('.cmdline', 0x30000, 'a\tb \n') }) })
  const options = withLoadOptions(run)
  expect(options).toMatchObject({ text: 'a b', bytes: 8, object: 'cmdline:utf-16' })
  expect(text(run, options?.at ?? 0, 8)).toBe('a\0 \0b\0\0\0')
  expect(run.calls[0]).toMatchObject({ call: 'pool', size: 2 * (5 + 1), type: 2 })
})

test('ST-18 without pool the stub halts', () => {
  expect(refusal(in254({ full: ['cmdline:utf-16'] }))).toMatchObject({
    clause: 'ST-18',
    status: 'EFI_OUT_OF_RESOURCES',
    message: expect.stringContaining('Assertion') as unknown,
  })
})

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

const keys = {
  '.pcrsig': section('.pcrsig', 0x4000000, '{}'),
  '.pcrpkey': section('.pcrpkey', 0x4001000, 'KEY'),
  '.ucode': section('.ucode', 0x4002000, '070701ucode'),
}
const partsOf = ({ memory, handOff }: StubRun) =>
  memory.partsOf(handOff?.initrdObject ?? '')?.map(({ object }) => object)

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

test('ST-21 a packed section is an archive of exactly these records', () => {
  const run = in257({ sections: sectionsOf({ '.initrd': null }) })
  const offer = run.handOff?.via === 'pe-entry' ? run.handOff.initrd : null
  expect(offer).toMatchObject({ size: 0x1a0, object: 'initrd:joined' })
  const archive = text(run, offer?.at ?? 0, 0x1a0)
  expect(archive.slice(0, 120)).toBe(
    `070701000000010000416d00000000000000000000000100000000000000000000000000000000000000000000000000000007${'0'.repeat(8)}.extra\0\0\0\0`,
  )
  expect(archive.slice(120, 248)).toBe(
    `0707010000000200008124000000000000000000000001000000000000002c0000000000000000000000000000000000000012${'0'.repeat(8)}.extra/os-release\0`,
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

test('ST-26 the early eras never look at the PE header of the kernel', () => {
  expect(runStub(S2, edit(0, 0, 0)).handOff).toMatchObject({ via: 'efi-handover' })
})

test('ST-27 MajorImageVersion chooses the way in', () => {
  expect(in254().handOff?.via).toBe('pe-entry')
  expect(forced().handOff?.via).toBe('efi-handover')
})

test('ST-27 what is no PE of this machine is a bad kernel image', () => {
  const words = { clause: 'ST-27', status: 'EFI_LOAD_ERROR', message: 'Bad kernel image: Load error' }
  expect(
    refusal(
      in254({ sections: sectionsOf({ '.linux': section('.linux', KERNEL_AT, 'no kernel'.repeat(900)) }) }),
    ),
  ).toMatchObject({ ...words, why: '.linux is not a PE file' })
  const machine = kernelFacts().pe.e_lfanew + 4
  expect(refusal(in254(edit(machine, 0x4c, 1)))).toMatchObject({
    ...words,
    why: '.linux is a PE file for another machine',
  })
  expect(refusal(in254(edit(machine + 2, 0, 0)))).toMatchObject({ ...words, why: '.linux is not a PE file' })
})

test('ST-28 the firmware loads VirtualSize bytes of .linux, and damage in them travels', () => {
  const run = in254({
    before: (memory, base) => void memory.make(rangeAt(base + KERNEL_AT + 0x100000, 0x10), 'intruder'),
  })
  expect(run.calls).toContainEqual(expect.objectContaining({ call: 'load', size: FILE }))
  const loaded = run.handOff?.via === 'pe-entry' ? run.handOff.loaded.base : 0
  expect(
    run.memory.readAs(rangeAt(loaded + 0x100000, 0x20), 'kernel', { at: 0x100000 }).deviations,
  ).toMatchObject([{ range: rangeAt(loaded + 0x100000, 0x10), kind: 'clobbered' }])
})

test('ST-28 a refusal of the firmware is passed on', () => {
  expect(refusal(in254({ full: ['load'] }))).toMatchObject({
    by: 'stub',
    clause: 'ST-28',
    status: 'EFI_UNSUPPORTED',
    message: 'Error loading kernel image: Unsupported',
  })
})

test('ST-29 LoadOptions of the kernel are the string, or nothing', () => {
  const run = in254()
  expect(withLoadOptions(run)).toMatchObject({
    at: run.calls[0]?.at,
    bytes: 2 * (CMDLINE.length + 1),
    text: CMDLINE,
  })
  expect(withLoadOptions(in254({ sections: sectionsOf({ '.cmdline': null }) }))).toBeNull()
})

test('ST-30 the initrd waits where it lies', () => {
  const run = in254()
  expect(run.handOff).toMatchObject({
    initrd: { at: BASE + INITRD_AT, size: INITRD_SIZE },
    initrdObject: 'initrd',
  })
  expect(run.calls.at(-1)).toMatchObject({ call: 'pool', size: 24 })
  expect(in254({ sections: sectionsOf({ '.initrd': null }) }).handOff).toMatchObject({
    initrd: null,
    initrdObject: null,
  })
})

test('ST-31 four conditions, one answer', () => {
  for (const bad of [edit(0x1fe, 0), edit(0x202, 0), edit(0x206, 0x0a), edit(0x234, 0)]) {
    expect(refusal(runStub(S2, bad))).toMatchObject({
      clause: 'ST-31',
      status: 'EFI_LOAD_ERROR',
      message: 'Execution of embedded linux image failed: Load Error',
    })
  }
})

test('ST-31 a kernel without a handover entry is entered all the same: a gap', () => {
  expect(runStub(S2, edit(0x236, 3)).outcome).toMatchObject({ kind: 'unknown', gap: { clause: 'ST-31' } })
  expect(runStub(S2, edit(0x264, 0, 0, 0, 0)).outcome).toMatchObject({
    kind: 'unknown',
    gap: { clause: 'ST-31' },
  })
  const protocol211 = {
    before: (memory: Memory, base: number) => {
      edit(0x206, 0x0b).before(memory, base)
      edit(0x236, 0).before(memory, base)
    },
  }
  expect(runStub(S2, protocol211).outcome).toBeNull()
})

test('ST-32 every condition has its message', () => {
  const withEdit = (...change: Parameters<typeof edit>) => refusal(forced(edit(...change)))
  expect(withEdit(0x202, 0)).toMatchObject({
    status: 'EFI_UNSUPPORTED',
    message: 'Unsupported kernel image.',
  })
  expect(withEdit(0x206, 0x0a)).toMatchObject({ message: 'Kernel too old.' })
  expect(withEdit(0x234, 0)).toMatchObject({ message: 'Kernel is not relocatable.' })
  expect(withEdit(0x236, 3)).toMatchObject({ message: 'Kernel does not support EFI handover protocol.' })
  expect(forced(edit(0x264, 0, 0, 0, 0)).outcome).toMatchObject({ kind: 'unknown', gap: { clause: 'ST-32' } })
  const short = sectionsOf({
    '.linux': { name: '.linux', VirtualAddress: KERNEL_AT, content: oldKernel, VirtualSize: 4095 },
  })
  expect(refusal(in254({ sections: short }))).toMatchObject({
    clause: 'ST-32',
    status: 'EFI_LOAD_ERROR',
    message: null,
  })
})

test('ST-33 the kernel runs where it lies', () => {
  const run = runStub(S2)
  expect(run.handOff).toMatchObject({ via: 'efi-handover', image: BASE + KERNEL_AT })
  expect(run.recorder.events.filter(event => event.op === 'copy').map(({ from }) => from.start)).toEqual([
    BASE + 0x30000,
  ])
})

test('ST-34 a kernel whose image is larger than .linux is copied, and its tail is zeroed', () => {
  const run = forced()
  const image = run.handOff?.via === 'efi-handover' ? run.handOff.image : 0
  expect(pages(run)[0]).toEqual(['kernel', KERNEL_SIZE_IN_MEMORY / 0x1000, 1, 'max ffffffff'])
  expect(run.memory.readAs(rangeAt(image, KERNEL_SIZE_IN_MEMORY), 'kernel').whole).toBe(true)
  expect([...run.memory.readRaw(rangeAt(image + FILE, 4))]).toEqual([0, 0, 0, 0])
})

test('ST-34 a kernel whose image fits .linux runs in place, unless it lies too high', () => {
  const roomy = sectionsOf({
    '.linux': {
      name: '.linux',
      VirtualAddress: KERNEL_AT,
      content: oldKernel,
      VirtualSize: KERNEL_SIZE_IN_MEMORY,
    },
    '.initrd': { name: '.initrd', VirtualAddress: 0x7000000, content: { initrd: INITRD_SIZE } },
  })
  expect(in254({ sections: roomy }).handOff).toMatchObject({ image: BASE + KERNEL_AT })
  const high = in254({ sections: roomy, base: 5 * GIB })
  expect(pages(high)[0]).toEqual(['kernel', KERNEL_SIZE_IN_MEMORY / 0x1000, 1, 'max ffffffff'])
  expect(high.recorder.steps.find(({ clause }) => clause === 'ST-34')).toMatchObject({ actor: 'stub' })
})

test('ST-34 without room below 4 GiB the stub halts', () => {
  expect(refusal(forced({ full: ['kernel'] }))).toMatchObject({
    clause: 'ST-34',
    status: 'EFI_OUT_OF_RESOURCES',
  })
})

test('ST-35 the early eras leave an initrd above 4 GiB where it is', () => {
  const run = runStub(S2, { base: 5 * GIB - KERNEL_AT - 0x2000000 })
  expect(stepsOf(run)).toContain('ST-35')
  expect(run.calls.map(({ label }) => label)).not.toContain('initrd')
})

test('ST-36 an initrd that the kernel cannot reach is copied', () => {
  const low = forced({ base: 5 * GIB })
  expect(low.notes.facts.ramdiskImageFromStub).toBe(5 * GIB + INITRD_AT)
  const cannot = forced({
    base: 5 * GIB,
    before: (memory, base) => {
      edit(0x236, 0x3d).before(memory, base)
    },
  })
  expect(pages(cannot)[1]).toEqual(['initrd', Math.ceil(INITRD_SIZE / 0x1000), 2, 'max ffffffff'])
  expect(
    cannot.memory.readAs(rangeAt(cannot.notes.facts.ramdiskImageFromStub ?? 0, INITRD_SIZE), 'initrd', {
      all: true,
    }).whole,
  ).toBe(true)
  expect(
    forced({ sections: sectionsOf({ '.initrd': null }, oldKernel), ...edit(0x236, 0x3d) }).notes.facts
      .ramdiskImageFromStub,
  ).toBe(0)
})

test('ST-37 boot_params: four pages, zeroed, with 119 bytes of the header', () => {
  const run = runStub(S2)
  const at = params(run)
  expect(pages(run)[0]).toEqual(['boot_params', 4, 2, 'max ffffffff'])
  expect(u32(run, at + 0x214)).toBe(BASE + KERNEL_AT + (setup_sects + 1) * 512)
  expect(run.memory.readRaw(rangeAt(at + 0x210, 1))[0]).toBe(0xff)
  expect(u32(run, at + 0x264)).toBe(handover_offset)
  expect(u32(run, at + 0x268)).toBe(0)
  expect(run.memory.readAs(rangeAt(at, 0x4000), 'boot_params').whole).toBe(true)
  const zero = runStub(S2, edit(0x1f1, 0))
  expect(u32(zero, params(zero) + 0x214)).toBe(BASE + KERNEL_AT + 5 * 512)
})

test('ST-37 without pages the stub passes the error on', () => {
  expect(refusal(runStub(S2, { full: ['boot_params'] }))).toMatchObject({
    clause: 'ST-37',
    status: 'EFI_OUT_OF_RESOURCES',
    message: 'Execution of embedded linux image failed: Out of Resources',
  })
})

test('ST-38 boot_params: one page, with as much of the header as it says', () => {
  const run = forced()
  const at = params(run)
  expect(pages(run)[1]).toEqual(['boot_params', 1, 2, 'any'])
  expect(u32(run, at + 0x268)).toBe(kernelFacts().hdr.kernel_info_offset)
  expect(u32(run, at + 0x26c)).toBe(0)
  const low = forced({
    before: (memory, base) => {
      edit(0x236, 0x3d).before(memory, base)
      edit(0x1f1, 0).before(memory, base)
    },
  })
  expect(pages(low).slice(1)).toEqual([
    ['boot_params', 1, 2, 'max ffffffff'],
    ['cmdline', 1, 2, 'max a0000'],
  ])
  expect(low.memory.readRaw(rangeAt(params(low) + 0x1f1, 1))[0]).toBe(4)
})

test('ST-39 the command line and its NUL lie below 640 KiB', () => {
  const run = runStub(S2)
  expect(run.notes.facts.cmdLinePtr).toBe(0x9f000)
  expect(u32(run, params(run) + 0x228)).toBe(0x9f000)
  expect(text(run, 0x9f000, CMDLINE.length + 1)).toBe(`${CMDLINE}\0`)
  expect(run.memory.readAs(rangeAt(0x9f000, CMDLINE.length + 1), 'cmdline').whole).toBe(true)
  const none = runStub(S2, { sections: sectionsOf({ '.cmdline': null }) })
  expect(u32(none, params(none) + 0x228)).toBe(0)
  expect(none.handOff).toMatchObject({ cmdlineObject: null })
  expect(refusal(runStub(S2, { full: ['cmdline'] }))).toMatchObject({
    clause: 'ST-39',
    message: 'Execution of embedded linux image failed: Out of Resources',
  })
  expect(lineOf(runStub(S2, { options: 'q', optionBytes: 3 }))).toBe('q')
})

test('ST-40 the command line of a handover is ASCII of at most cmdline_size characters', () => {
  const run = forced({
    sections: sectionsOf({ '.cmdline': section('.cmdline', 0x30000, 'caf\u00e9 x') }, oldKernel),
  })
  expect(lineOf(run)).toBe('caf\u00e9 x')
  expect(text(run, run.notes.facts.cmdLinePtr ?? 0, 7)).toBe('caf  x\0')
  const short = forced({
    before: (memory, base) => {
      edit(0x238, 3, 0).before(memory, base)
    },
  })
  expect(text(short, short.notes.facts.cmdLinePtr ?? 0, 4)).toBe('con\0')
  const high = forced({ free: [0x1000, 6 * GIB], base: 7 * GIB })
  expect(u32(high, params(high) + 0xc8)).toBe(1)
})

test('ST-41 the early eras pass 32 bits of the initrd', () => {
  const run = runStub(S2, {
    base: 5 * GIB,
    before: (memory, base) => {
      memory.copy(phys(GIB + KERNEL_AT), rangeAt(base + KERNEL_AT, FILE))
    },
  })
  const at = run.calls.find(({ label }) => label === 'boot_params')?.at ?? 0
  expect(u32(run, at + 0x218)).toBe(GIB + INITRD_AT)
  expect(u32(run, at + 0x21c)).toBe(INITRD_SIZE)
  expect(u32(run, at + 0xc0)).toBe(0)
})

test('ST-42 the later eras pass 64 bits of the initrd', () => {
  const run = forced({ base: 5 * GIB })
  expect(u32(run, params(run) + 0x218)).toBe(GIB + INITRD_AT)
  expect(u32(run, params(run) + 0xc0)).toBe(1)
  expect(u32(run, params(run) + 0x21c)).toBe(INITRD_SIZE)
  expect(u32(run, params(run) + 0xc4)).toBe(0)
})

test('ST-43 the jump starts from 32 bits: above 4 GiB it misses the kernel', () => {
  expect(runStub(S2).handOff).toMatchObject({ entry: BASE + KERNEL_AT + ENTRY })
  expect(runStub(S2, { base: 5 * GIB }).outcome).toMatchObject({ kind: 'undefined' })
  const there = runStub(S2, {
    base: 5 * GIB,
    before: (memory, base) => {
      memory.copy(phys(GIB + KERNEL_AT), rangeAt(base + KERNEL_AT, FILE))
    },
  })
  expect(there.handOff).toMatchObject({ entry: GIB + KERNEL_AT + ENTRY })
})

test('ST-44 the jump starts from the whole address', () => {
  const run = forced()
  const image = run.handOff?.via === 'efi-handover' ? run.handOff.image : 0
  expect(run.handOff).toMatchObject({ entry: image + ENTRY })
})

test('ST-45 the kernel is as long as its header says, however short .linux is', () => {
  const cut = sectionsOf({
    '.linux': {
      name: '.linux',
      VirtualAddress: KERNEL_AT,
      content: buildKernel(kernelFacts()),
      VirtualSize: 0x300000,
      SizeOfRawData: 0x300000,
    },
  })
  const run = runStub(S2, { sections: cut })
  expect(run.memory.lengthOf('kernel')).toBe((setup_sects + 1) * 512 + kernelFacts().hdr.syssize * 16)
  expect(run.memory.readAs(rangeAt(BASE + KERNEL_AT, 0x300000), 'kernel', { all: true }).whole).toBe(false)
  expect(runStub(S2, edit(0x1f4, 0, 0, 0, 0)).memory.lengthOf('kernel')).toBe(FILE)
})

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

/** Pool blocks that are never freed, in the order in which they were taken. */
const kept = ({ calls }: StubRun): string[] =>
  calls
    .filter(
      ({ call, at }) => call === 'pool' && !calls.some(other => other.call === 'free' && other.at === at),
    )
    .map(({ label }) => label)

test('ST-48 254 keeps the path of the folder beside the image', () => {
  expect(kept(in254())).toEqual(['cmdline:utf-16', 'stub:extra.d', 'stub:initrd_loader'])
  expect(kept(in254({ sections: sectionsOf({ '.uname': section('.uname', 0x4000000, '6.12') }) }))).toEqual([
    'stub:uname',
    'cmdline:utf-16',
    'stub:extra.d',
    'stub:initrd_loader',
  ])
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
