import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { phys } from '../../../src/bytes/units.ts'
import type { Memory } from '../../../src/memory/memory.ts'
import { peAt, sixDirectories } from '../../../src/stub/steps/section-table.ts'
import type { Pair } from '../../support/image-loader-runs.ts'
import { bench } from '../../support/kernel-bench.ts'
import { smallPeBytes } from '../../unit/firmware/small-pe.ts'
import {
  early,
  editKernel,
  HARDENED,
  in254,
  in257,
  later,
  NOT_HARDENED,
  on61,
  OPTIONAL,
  refusal,
  S2,
  section,
} from '../../support/stub-era-runs.ts'
import { BASE, KERNEL_AT, runStub, sectionsOf, type StubSetting } from '../../support/stub-run.ts'

/** Changes bytes of the header of the image. */
const header = (at: number, ...bytes: number[]): StubSetting => ({
  before: (memory: Memory, base: number) =>
    void memory.patch(phys(base + at), Uint8Array.from(bytes), 'uki:headers', at),
})

/** Both stubs have e_lfanew 0x80; the machine follows the signature. */
const MACHINE = 0x84
const E_LFANEW_254 = 0x40

/** COFF header and optional header of the stubs: 247.3 and 252.39 have e_lfanew 0x80, 262.1 0x40. */
const PE_262 = 0x40
const NUMBER_OF_SECTIONS = 6

/**
 * Moves the PE header of the image to 4, inside the DOS header, e_lfanew included: the field at 0x3c is
 * SectionAlignment there, and says 4.
 */
const insideDos: StubSetting = {
  before: (memory, base) => {
    memory.copy(phys(base + 4), rangeAt(base + PE_262, 0x600))
    memory.patch(phys(base + 0x3c), Uint8Array.of(4, 0, 0, 0), 'uki:headers', 0x3c)
  },
}

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

test('ST-6 a blank follows the status until 248.10 and 249.6', () => {
  const lost = header(0x80, 0)
  expect(['S1', 'S2', 'S2/248', 'S2/249.6'].map(row => refusal(early(row, lost)))).toMatchObject(
    [' ', ' ', ' ', ''].map(end => ({
      clause: 'ST-6',
      message: `Unable to locate embedded .linux section: Load Error${end}`,
    })),
  )
})

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

test('ST-52 from 250 on 96 sections are the most, until the cap went', () => {
  const many = header(0x80 + NUMBER_OF_SECTIONS, 97)
  for (const row of ['S3', 'S4/252', 'S4/252.3', 'S4/253'])
    expect(refusal(early(row, many)), row).toMatchObject({ clause: 'ST-52', status: 'EFI_LOAD_ERROR' })
  for (const row of ['S4/252.36', 'S4/253.31']) expect(refusal(early(row, many)), row).toBeNull()
  const more = header(PE_262 + NUMBER_OF_SECTIONS, 97)
  for (const row of ['S5/254', 'S5/256', 'S6/254', 'S6/256', 'S6/257'])
    expect(refusal(later(row, more)), row).toMatchObject({ clause: 'ST-52' })
  for (const row of ['S6/254.24', 'S6/256.12', 'S6/257.3', 'S7', 'S8'])
    expect(refusal(later(row, more)), row).toBeNull()
})

test('ST-53 e_lfanew below 64 is refused from 257 on', () => {
  expect(refusal(later('S6/256', insideDos))).toBeNull()
  for (const row of ['S6/257', 'S6/257.11', 'S7', 'S8'])
    expect(refusal(later(row, insideDos)), row).toMatchObject({
      clause: 'ST-53',
      status: 'EFI_LOAD_ERROR',
      message: 'Unable to locate PE section table: Load error',
    })
})

test('ST-54 five data directories are too few, for the image and for the kernel', () => {
  const image = header(PE_262 + OPTIONAL + 108, 5)
  const kernel = editKernel(on61.e_lfanew + OPTIONAL + 108, 5)
  for (const row of HARDENED) {
    expect(refusal(later(row, image)), row).toMatchObject({
      clause: 'ST-54',
      message: 'Unable to locate PE section table: Load error',
    })
    expect(refusal(later(row, kernel)), row).toMatchObject({
      clause: 'ST-54',
      message: 'Bad kernel image: Load error',
    })
  }
  for (const row of NOT_HARDENED)
    expect([refusal(later(row, image)), refusal(later(row, kernel))], row).toEqual([null, null])
})

test('ST-55 a section table that leaves the image is refused', () => {
  const many = header(PE_262 + NUMBER_OF_SECTIONS, 0xff, 0xff)
  const small: StubSetting = { ...many, edit: { SizeOfImage: 0x200000 } }
  for (const row of ['S8/259.8', 'S8'])
    expect(refusal(later(row, small)), row).toMatchObject({ clause: 'ST-55', status: 'EFI_LOAD_ERROR' })
  for (const row of ['S7/258.10', 'S8/259.7', 'S8/261.1'])
    expect(refusal(later(row, small)), row).not.toMatchObject({ clause: 'ST-55' })
})

test('ST-82 up to 233 damage of the table in memory does not matter', () => {
  const lost = header(0x80, 0)
  for (const row of ['S0', 'S0/233'])
    expect(early(row, lost).handOff, row).toMatchObject({ image: BASE + KERNEL_AT, initrdObject: 'initrd' })
  expect(refusal(early('S1', lost))).toMatchObject({ clause: 'ST-6' })
  const crowd = Array.from({ length: 95 }, (_, i) => section(`.x${String(i)}`, 0x4000000 + i * 0x1000, 'x'))
  expect(refusal(early('S0', { sections: [...sectionsOf(), ...crowd] }))).toMatchObject({
    clause: 'ST-82',
    status: 'EFI_LOAD_ERROR',
  })
  expect(early('S0').calls.filter(({ label }) => label === 'stub:path')).toMatchObject([
    { call: 'pool', size: 44, type: 2 },
  ])
  expect(early('S1').calls.filter(({ label }) => label === 'stub:path')).toEqual([])
})

test('ST-54 a 32-bit optional header of six directories has 144 bytes', () => {
  const { machine, memory } = bench()
  const read = (count: number) => {
    const directories = Array.from({ length: count }, (_, i) => (i === 5 ? [0x5000, 0x10] : [0, 0]) as Pair)
    memory.patch(phys(0x2000000), smallPeBytes({ pe32: true, directories }), 'x')
    return peAt(machine, phys(0x2000000)) ?? expect.fail('no PE')
  }
  expect(read(6)).toMatchObject({ NumberOfRvaAndSizes: 6, SizeOfOptionalHeader: 144, relocations: 0x10 })
  expect(sixDirectories(read(6), null)).toBeNull()
  expect(sixDirectories(read(5), null)).toMatchObject({ clause: 'ST-54' })
  expect(sixDirectories({ ...read(6), SizeOfOptionalHeader: 143 }, null)).toMatchObject({ clause: 'ST-54' })
})
