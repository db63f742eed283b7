import { describe, expect, test } from 'vitest'
import { check } from '../../../src/check.ts'
import type { Call } from '../../../src/cli/command.ts'
import { checkInput } from '../../../src/cli/input.ts'
import { formatProfiles, profiles, profilesToJson } from '../../../src/cli/profiles.ts'
import { profileMap, profileNamed } from '../../../src/firmware/profiles.ts'
import { QUIRKS } from '../../../src/firmware/quirks.ts'
import { FIRMWARES } from '../../../src/firmware/firmwares.ts'
import { KERNEL_FACTS } from '../../../src/image/x86/kernel-facts.ts'
import { STUB_FACTS } from '../../../src/image/stub-facts.ts'
import { buildKernel, buildUki } from '../../../src/image/synthetic.ts'
import { rebuild } from '../../oracle/rebuild.ts'
import { readRecordings } from '../../oracle/recording.ts'
import { shellMap } from '../../support/shell-map.ts'
import { MIB } from '../../support/bytes.ts'

const ukiOf = (stub: keyof typeof STUB_FACTS, kernel: string) =>
  buildUki({
    stub: STUB_FACTS[stub],
    sections: [
      { name: '.cmdline', VirtualAddress: 0x30000, content: { text: 'console=ttyS0 nokaslr' } },
      {
        name: '.linux',
        VirtualAddress: 0x2000000,
        content: buildKernel(KERNEL_FACTS[kernel] ?? expect.fail('no such kernel')),
      },
      { name: '.initrd', VirtualAddress: 0x6000000, content: { initrd: 0x10000 } },
    ],
  })
const image = ukiOf('247.3', 'debian-5.10.223-cloud')
/** Its kernel decompresses itself in the EFI stub. */
const NEWER = ukiOf('257.13', 'debian-6.12.107-cloud')
const shellListing = shellMap(profileMap(profileNamed('ovmf-2022.11-pc-4M'), 512 * MIB))

function callOf(
  texts: Readonly<Record<string, string>>,
  ram?: number,
  file: object = {},
  source = image,
): Call {
  const given = (name: string): string | undefined =>
    name === 'ram' && ram !== undefined ? String(ram) : texts[name]
  const call = {
    operand: 'uki.efi',
    operands: ['uki.efi'],
    files: {
      source: () => source,
      text: () => JSON.stringify(file),
      bytes: () => new TextEncoder().encode(shellListing),
      folder: () => null,
    },
    log: { debug: () => undefined },
    has: (name: string) => given(name) !== undefined,
    text: given,
    texts: (name: string) => [given(name)].filter(value => value !== undefined),
    quantity: () => undefined,
    print: () => undefined,
  }
  return call as unknown as Call
}

const reportOf = async (
  texts: Readonly<Record<string, string>>,
  ram?: number,
  file?: object,
  source = image,
) => check(await checkInput(callOf(texts, ram, file, source))).report
const profile = { firmware: 'ovmf-2022.11-q35' }

describe('the machine', () => {
  test('names its firmware in the report when somebody asked for it', async () => {
    const plain = await reportOf(profile, 512 * MIB)
    expect(plain.machine.what).toBe('profile ovmf-2022.11-q35-4M with 512.0 MiB')
    const uBoot = await reportOf({ ...profile, 'image-loader': 'u-boot-2022.01' }, 512 * MIB)
    expect(uBoot.machine.what).toBe('profile ovmf-2022.11-q35-4M with 512.0 MiB, firmware u-boot-2022.01')
    const shim = await reportOf({ ...profile, 'image-loader': 'shim-13' }, 512 * MIB)
    expect(Number(plain.facts.imageBase) - Number(shim.facts.imageBase)).toBe(0x1000)
    expect((await reportOf({ firmware: 'ovmf-2025.02' }, 512 * MIB)).machine.what).toMatch(
      /, firmware edk2-2025\.02$/,
    )
  })

  test('EDK2 2022.11 by name boots as it does by default', async () => {
    const plain = await reportOf(profile, 512 * MIB)
    const named = await reportOf({ ...profile, 'image-loader': 'edk2-2022.11' }, 512 * MIB)
    expect([named.verdict, named.facts, named.findings]).toEqual([plain.verdict, plain.facts, plain.findings])
  })

  test('every firmware brings the boot to a verdict', async () => {
    for (const { id } of FIRMWARES) {
      const { verdict, outcome } = await reportOf({ ...profile, 'image-loader': id }, 512 * MIB)
      expect([id, verdict === 'refused' || outcome.kind !== 'refused']).toEqual([id, true])
    }
    const audk = await reportOf({ ...profile, 'image-loader': 'audk-strict' }, 512 * MIB)
    expect(audk.outcome).toMatchObject({ kind: 'refused', refusal: { clause: 'PE-48' } })
  })

  test('has quirks, which the report names', async () => {
    const { assumptions } = await reportOf({ ...profile, quirk: 'hole-16m,dirty-poison' }, 512 * MIB)
    expect(
      assumptions.filter(({ clause }) => clause === 'FW-35').map(({ what }) => what.split(':')[0]),
    ).toEqual(['quirk hole-16m', 'quirk dirty-poison'])
    expect(assumptions.some(({ what }) => what.startsWith('the content of memory that this boot'))).toBe(true)
    await expect(reportOf({ ...profile, quirk: 'no-low-memory' }, 512 * MIB)).rejects.toThrow(/more RAM/)
    await expect(reportOf({ ...profile, quirk: 'odd' }, 512 * MIB)).rejects.toThrow(/unknown quirk 'odd'/)
  })

  test('is a map of its own with the firmware of a profile, which knows what no map shows', async () => {
    const loading = rebuild(
      readRecordings().find(({ id }) => id === 'machine-pc/257.13/5.10') ?? expect.fail('no such recording'),
    )
    const pc = { firmware: 'ovmf-2022.11-pc' }
    const mapped = await reportOf({ memmap: 'map.txt', ...pc }, undefined, {}, loading)
    const whole = await reportOf(pc, 512 * MIB, {}, loading)
    const alone = await reportOf({ memmap: 'map.txt' }, undefined, {}, loading)
    expect(mapped.machine.what).toMatch(/, firmware of profile ovmf-2022\.11-pc$/)
    expect(mapped.facts).toEqual(whole.facts)
    expect(Number(alone.facts.bootParams) - Number(mapped.facts.bootParams)).toBe(0x1000)
    await expect(reportOf({ memmap: 'map.txt', firmware: 'seabios' })).rejects.toThrow(
      "unknown firmware profile 'seabios'",
    )
    await expect(reportOf({ memmap: 'map.txt' }, MIB)).rejects.toThrow('excludes --ram')
  })

  test('comes from a firmware file, with its map or with a profile', async () => {
    const map = [{ type: 'EfiConventionalMemory', start: '1MiB', end: '400MiB' }]
    const own = await reportOf({ firmware: 'board.json' }, undefined, {
      schema: 1,
      name: 'a board',
      map,
      loader: 'patina',
      quirks: ['dirty-residue'],
    })
    expect(own.machine).toMatchObject({
      what: 'a board (board.json), its own memory map, firmware patina',
      ramBytes: 399 * MIB,
    })
    const scaled = await reportOf({ firmware: 'board.json' }, undefined, {
      schema: 1,
      name: 'a board',
      profile: 'ovmf-2022.11-q35-4M',
      ram: '1GiB',
    })
    expect(scaled.machine.what).toMatch(
      /^a board \(board\.json\), profile ovmf-2022\.11-q35-4M with 1\.0 GiB, firmware edk2-2022\.11$/,
    )
    await expect(
      reportOf({ firmware: 'board.json' }, MIB, { schema: 1, name: 'a board', map }),
    ).rejects.toThrow('excludes --ram')
    await expect(
      reportOf({ firmware: 'board.json' }, undefined, {
        schema: 1,
        name: 'a board',
        profile: 'ovmf-2022.11-q35-4M',
      }),
    ).rejects.toThrow('give --ram SIZE')
    await expect(reportOf({ firmware: 'board.json', memmap: 'map.txt' })).rejects.toThrow(
      '--memmap and a firmware file',
    )
  })

  test('a firmware file states the final map, and what becomes of code that the kernel makes', async () => {
    const board = { schema: 1, name: 'a board', profile: 'ovmf-2022.11-q35-4M' }
    expect(await reportOf({ firmware: 'board.json' }, 512 * MIB, { ...board, addedOnExit: 2 })).toMatchObject(
      { verdict: 'clean', outcome: { kind: 'arrived' } },
    )
    const grown = await reportOf({ firmware: 'board.json' }, 512 * MIB, { ...board, addedOnExit: 200 })
    expect(grown.outcome).toMatchObject({
      kind: 'refused',
      refusal: { clause: 'EP-18', status: 'EFI_BUFFER_TOO_SMALL' },
    })
    const attributes = async (memoryAttributes: string) =>
      (await reportOf({ firmware: 'board.json' }, 512 * MIB, { ...board, memoryAttributes }, NEWER)).outcome
    expect(await attributes('refused')).toMatchObject({ kind: 'refused', refusal: { clause: 'EP-40' } })
    expect(await attributes('set')).toMatchObject({ kind: 'arrived' })
    await expect(attributes('perhaps')).rejects.toThrow('memoryAttributes: is neither set nor refused')
    await expect(
      reportOf({ firmware: 'board.json' }, 512 * MIB, { ...board, addedOnExit: -1 }),
    ).rejects.toThrow('addedOnExit: is not a number of descriptors')
  })
})

test('profiles lists profiles, firmwares and quirks with their sources', () => {
  const text = formatProfiles()
  for (const wanted of [
    'ovmf-2022.11-q35-4M',
    'recorded with',
    'u-boot-2022.01',
    '(allocator u-boot)',
    'no-low-memory',
    'systemd issue 35026',
  ])
    expect(text).toContain(wanted)
  expect(text).not.toMatch(/ \n/)
  const parts: string[] = []
  const call = { text: () => 'json', print: (part: string) => parts.push(part) } as unknown as Call
  expect(profiles(call)).toBe(0)
  expect(JSON.parse(parts.join(''))).toEqual(JSON.parse(JSON.stringify(profilesToJson())))
  expect(profilesToJson()).toMatchObject({
    schema: 1,
    quirks: [
      { id: 'dirty-residue', contents: 'residue' },
      {},
      { firmware: 'rust-hypervisor-firmware' },
      ...QUIRKS.slice(3).map(({ id, source }) => ({ id, source })),
    ],
  })
})
