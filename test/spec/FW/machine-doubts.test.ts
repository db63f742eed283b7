import { expect, test } from 'vitest'
import { buildMachine, type MachineChoices, type MachineWords } from '../../../src/boot/machine.ts'
import { check, type CheckInput } from '../../../src/check.ts'
import { formatMemmap, readMemmap } from '../../../src/image/memmap.ts'
import { profileMap, profileNamed } from '../../../src/firmware/profiles.ts'
import type { MemoryDescriptor } from '../../../src/image/memory-types.ts'
import { kernel, memoryMap, uki, type MapLine } from '../../../src/vitest/builders.ts'
import { buildKernel } from '../../../src/image/synthetic.ts'
import { DIALECTS } from '../../../src/image/memmap/dialects.ts'
import { patchedMachine, reportOn } from '../../support/damaged-uki.ts'

const MiB = 2 ** 20
const GOOD = uki({ stub: '257.13', initrd: '3M' })
const OVMF = profileMap(profileNamed('ovmf-2022.11'), 512 * MiB)

function on(words: MachineWords, choices: MachineChoices = {}, more: Partial<CheckInput> = {}) {
  const { verdict, gaps, outcome } = reportOn(GOOD, { machine: buildMachine(words, choices), ...more })
  return { verdict, clauses: gaps.map(({ clause }) => clause), outcome }
}
const clean = { verdict: 'clean', clauses: [] }

test('FW-57 RAM at 1 MiB is what every machine has', () => {
  const map = (...lines: readonly MapLine[]) => on({ map: memoryMap(...lines) })
  const usual = ['EfiConventionalMemory', '1M', '512M'] as const satisfies MapLine
  expect(map(usual)).toMatchObject(clean)
  expect(map(['EfiBootServicesData', '1M', '2M'], ['EfiConventionalMemory', '2M', '512M'])).toMatchObject(
    clean,
  )
  for (const lines of [
    [['EfiConventionalMemory', '16M', '512M']],
    [['EfiConventionalMemory', '4096M', '5120M']],
    [['EfiConventionalMemory', 2 ** 52 - 2 ** 30, 2 ** 52]],
    [
      ['EfiMemoryMappedIO', '1M', '2M'],
      ['EfiConventionalMemory', '2M', '512M'],
    ],
  ] as MapLine[][])
    expect(map(...lines), JSON.stringify(lines)).toMatchObject({ verdict: 'unknown', clauses: ['FW-57'] })
  expect(map(usual, ['EfiConventionalMemory', 2 ** 47 - 2 ** 30, 2 ** 47])).toMatchObject(clean)
  expect(map(usual, ['EfiConventionalMemory', 2 ** 47 - 2 ** 30, 2 ** 47 + 0x1000])).toMatchObject({
    verdict: 'unknown',
  })
})

test('FW-57 nobody refuses an image on a machine that is none', () => {
  expect(on({ map: memoryMap(['EfiConventionalMemory', '2M', '3M']) })).toMatchObject({
    verdict: 'unknown',
    outcome: { kind: 'refused' },
  })
  expect(on({ map: memoryMap(['EfiConventionalMemory', '1M', '3M']) }).verdict).toBe('refused')
})

/** A map as another program prints it. */
const inForm = (name: string, map: readonly MemoryDescriptor[] = OVMF): MachineWords => {
  const parse = readMemmap(formatMemmap(map, 'uefi-shell'))
  return { memmap: { ...parse, dialect: name as never }, name: 'map.txt' }
}

test('FW-58 a map that a kernel for Arm printed is of no x64 machine', () => {
  expect(on(inForm('linux-arm'))).toMatchObject({ verdict: 'unknown', clauses: ['FW-58'] })
  expect(on(inForm('uefi-shell'))).toMatchObject(clean)
  expect(DIALECTS.map(({ name }) => name)).toContain('linux-arm')
})

test("FW-58 a map that U-Boot printed goes with U-Boot's allocator alone", () => {
  for (const name of ['uboot', 'uboot-efi-mem']) {
    expect(DIALECTS.map(dialect => dialect.name)).toContain(name)
    expect(on(inForm(name))).toMatchObject({ verdict: 'unknown', clauses: ['FW-58'] })
    expect(on(inForm(name), { imageLoader: 'u-boot-2022.01' }).clauses).not.toContain('FW-58')
    expect(on(inForm(name), { imageLoader: 'shim-15.8' }).clauses).toContain('FW-58')
  }
})

test('FW-58 an image for another machine is refused where the machine is one for x64, else unknown', () => {
  const image = patchedMachine(GOOD, 0xaa64)
  const said = (words: MachineWords) => {
    const { verdict, gaps } = reportOn(image, { machine: buildMachine(words) })
    return [verdict, ...gaps.map(({ clause }) => clause)]
  }
  expect(said({ profile: 'ovmf', ram: 512 * MiB })).toEqual(['refused'])
  expect(said({ ...inForm('uefi-shell'), profile: 'ovmf' })).toEqual(['refused'])
  expect(said(inForm('linux'))).toEqual(['refused'])
  expect(said(inForm('linux-arm'))).toEqual(['unknown', 'FW-58', 'FW-58'])
  expect(said(inForm('uboot'))).toEqual(['unknown', 'FW-58', 'FW-58'])
  expect(said(inForm('uefi-shell'))).toEqual(['unknown', 'FW-58'])
  expect(said({ map: OVMF })).toEqual(['unknown', 'FW-58'])
})

test('FW-59 a map from before the loader that is in the way is not enough', () => {
  const late = (words: MachineWords) => ({ ...words, taken: 'before-load' }) as MachineWords
  const profile: MachineWords = { profile: 'ovmf', ram: 512 * MiB }
  for (const imageLoader of ['shim-15.8', 'shim-16', 'grub', 'grub-debian', 'grub-rhboot']) {
    for (const words of [profile, inForm('uefi-shell'), inForm('linux')])
      expect(on(words, { imageLoader }), imageLoader).toMatchObject({
        verdict: 'unknown',
        clauses: ['FW-59'],
      })
    expect(on(late(inForm('uefi-shell')), { imageLoader }).clauses).toEqual([])
    expect(on({ map: OVMF }, { imageLoader }).clauses).toEqual([])
  }
  expect(on(inForm('grub'), { imageLoader: 'grub' })).toMatchObject(clean)
  expect(on(inForm('grub'), { imageLoader: 'shim-15.8' }).clauses).toEqual(['FW-59'])
  expect(on(profile, {}, { shim: true }).clauses).toContain('FW-59')
})

test('FW-59 a boot loader that starts the kernel is in the way, too', () => {
  const said = (bootLoader: string, words: MachineWords): string[] =>
    check({
      image: { name: 'linux', source: buildKernel(kernel('6.12.107-cloud')) },
      machine: buildMachine(words),
      bootLoader,
      commandLine: 'nokaslr root=/dev/vda1',
    }).report.gaps.map(({ clause }) => clause)
  const profile: MachineWords = { profile: 'ovmf', ram: 512 * MiB }
  for (const loader of ['grub/linuxefi', 'grub/efi', 'systemd-boot/257'])
    expect(said(loader, profile), loader).toContain('FW-59')
  for (const loader of ['efi/start-image']) expect(said(loader, profile), loader).not.toContain('FW-59')
  expect(said('grub/efi', inForm('grub'))).not.toContain('FW-59')
  expect(said('systemd-boot/257', inForm('grub'))).toContain('FW-59')
})

test('FW-70 a profile does not show what the EFI shell holds, and a report says so', () => {
  const profile = buildMachine({ profile: 'ovmf-2022.11', ram: 512 * MiB })
  const said = (machine: CheckInput['machine'], more: Partial<CheckInput>): boolean =>
    reportOn(GOOD, { machine, ...more }).assumptions.some(({ clause }) => clause === 'FW-70')
  expect(said(profile, { shell: [] })).toBe(true)
  expect(said(profile, { shell: ['quiet'] })).toBe(true)
  expect(said(profile, {})).toBe(false)
  expect(said(buildMachine({ map: OVMF }), { shell: ['quiet'] })).toBe(false)
})
