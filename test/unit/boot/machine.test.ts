import { describe, expect, test } from 'vitest'
import { parseFirmwareFile } from '../../../src/boot/firmware-file.ts'
import { buildMachine, type MachineInput } from '../../../src/boot/machine.ts'
import { UsageError } from '../../../src/bytes/errors.ts'
import { bytesSource, type ByteSource } from '../../../src/bytes/source.ts'
import { check, type CheckInput } from '../../../src/check.ts'
import type { Call } from '../../../src/cli/command.ts'
import { commands } from '../../../src/cli/commands.ts'
import { checkInput } from '../../../src/cli/input.ts'
import { parseCommandLine } from '../../../src/cli/parse.ts'
import { FIRMWARES } from '../../../src/firmware/firmwares.ts'
import { PROFILES, profileMap, profileNamed } from '../../../src/firmware/profiles.ts'
import { QUIRKS } from '../../../src/firmware/quirks.ts'
import { readMemmap } from '../../../src/image/memmap.ts'
import { kernel, memoryMap, scenario, uki, type ScenarioOptions } from '../../../src/vitest/index.ts'
import { shellMap } from '../../support/shell-map.ts'
import { MIB, GIB } from '../../support/bytes.ts'

/** Its stub takes the EFI handover protocol, its kernel decompresses itself in the EFI stub. */
const image = uki({ stub: '257.13', kernel: kernel('6.12.107'), initrd: '20M' })

/** What `stubsim check uki.efi ARGS` gives to check(), with these files beside it. */
async function throughOptions(
  args: readonly string[],
  files: Readonly<Record<string, string>> = {},
): Promise<CheckInput> {
  const request = parseCommandLine(['check', 'uki.efi', ...args], commands)
  if (request.kind !== 'run') return expect.fail('no run')
  const text = (path: string): string => files[path] ?? expect.fail(`no ${path}`)
  const call = {
    ...request.given,
    files: {
      source: (path: string): ByteSource =>
        path === 'uki.efi' ? image : bytesSource(new TextEncoder().encode(text(path))),
      text,
      bytes: (path: string) => new TextEncoder().encode(text(path)),
      folder: () => null,
    },
    log: { debug: () => undefined },
  }
  return checkInput(call as unknown as Call)
}

/** All that a boot depends on and all that came of it, without the name of the image. */
function bootOf(input: CheckInput) {
  const { verdict, outcome, facts, assumptions, gaps, machine, findings } = check(input).report
  return { verdict, outcome, facts, assumptions, gaps, machine, findings }
}

/** One machine through both doors, with the same words. */
async function bothDoors(
  args: readonly string[],
  options: Omit<ScenarioOptions, 'image'>,
  files: Readonly<Record<string, string>> = {},
) {
  const outside = bootOf(await throughOptions(args, files))
  expect({ ...bootOf(scenario({ ...options, image })), args }).toEqual({ ...outside, args })
  return outside
}

const RAM = ['--ram', '512MiB']
const DEFAULT = ['--firmware', 'ovmf-2022.11-q35-4M']

describe('the command line and stubsim/vitest build the same machine', () => {
  test.each(PROFILES.map(({ id }) => id))('from profile %s, at recorded and at scaled sizes', async id => {
    for (const ram of ['512MiB', '1GiB', '8GiB'])
      await bothDoors(['--firmware', id, '--ram', ram], { firmware: id, ram })
  })

  test.each(PROFILES.map(({ id }) => id))('from a map with the firmware of profile %s', async id => {
    const map = profileMap(profileNamed(id), 512 * MIB)
    const files = { 'map.txt': shellMap(map) }
    const outside = bootOf(await throughOptions(['--memmap', 'map.txt', '--firmware', id], files))
    const inside = bootOf(scenario({ image, map, firmware: id }))
    expect(inside.machine.what).toMatch(/^a map of \d+ lines, firmware of profile /)
    // The text says in what form it is, and what that form lacks (FW-3); descriptors say nothing of the kind.
    const alike = ({ machine: { ramBytes }, assumptions, ...rest }: ReturnType<typeof bootOf>) => ({
      ...rest,
      ramBytes,
      assumptions: assumptions.filter(({ clause }) => clause !== 'FW-3'),
    })
    expect(alike(inside)).toEqual(alike(outside))
  })

  test.each(FIRMWARES.map(({ id }) => id))('with image loader %s', async id => {
    await bothDoors([...RAM, ...DEFAULT, '--image-loader', id], { ram: '512M', imageLoader: id })
  })

  test.each(QUIRKS.map(({ id }) => id))('with quirk %s', async id => {
    const given = { ram: '8G', quirks: [id] }
    await bothDoors(['--ram', '8GiB', ...DEFAULT, '--quirk', id], given)
  })

  test('with what was seen of it, and with several quirks in their order', async () => {
    const { facts, assumptions } = await bothDoors(
      [
        ...RAM,
        ...DEFAULT,
        '--quirk',
        'dirty-residue,hole-16m',
        '--image-base',
        '0x10000000',
        '--contents',
        'poison',
      ],
      { quirks: ['dirty-residue', 'hole-16m'], imageBase: '0x10000000', contents: 'poison' },
    )
    expect(facts.imageBase).toBe(0x10000000)
    expect(
      assumptions.filter(({ clause }) => clause === 'FW-35').map(({ what }) => what.split(':')[0]),
    ).toEqual(['quirk dirty-residue', 'quirk hole-16m'])
  })

  test('and so does a scenario file', async () => {
    const stored = {
      schema: 1,
      image: { file: 'uki.efi' },
      machine: { ram: '1GiB', firmware: 'ovmf-2025.02' },
    }
    await bothDoors(
      ['--scenario', 'a.json'],
      { ram: '1G', firmware: 'ovmf-2025.02' },
      { 'a.json': JSON.stringify(stored) },
    )
    const map = [
      ['EfiConventionalMemory', MIB, 400 * MIB],
      ['EfiBootServicesData', 400 * MIB, 512 * MIB],
    ] as const
    const entries = map.map(([type, start, end]) => ({ type, start, end }))
    const spelt = { ...stored, machine: { map: entries }, memmapAt: 'kernel-entry' }
    const outside = bootOf(
      await throughOptions(['--scenario', 'a.json'], { 'a.json': JSON.stringify(spelt) }),
    )
    expect(outside.machine.what).toBe('memory map of a.json, taken at kernel-entry')
    const what = 'memory map of a.json'
    const machine = buildMachine({ map: memoryMap(...map), what, taken: 'kernel-entry' })
    expect(bootOf({ image: { name: 'uki', source: image }, machine })).toEqual(outside)
  })
})

// Recorded boots show these notes (oracle machine-pc/257.13/5.10 and ovmf/2022.11-2M/247.3/5.10).
// stubsim/vitest once built both machines without them and said 0x1c033000 and 0x1e536000.
test('a profile has what no map shows: the record of the image (FW-46), map entries (FW-53)', () => {
  const cloud = uki({ stub: '257.13', kernel: kernel('6.12.107-cloud'), initrd: '20M' })
  const factsOn = (firmware: string) => check(scenario({ image: cloud, firmware })).report.facts
  expect(factsOn('ovmf-2022.11-pc-4M').handOff?.kernelImage).toBe(0x1c032000)
  expect(factsOn('ovmf-2022.11-q35-2M').bootParams).toBe(0x1c03e000)
})

const board = { schema: 1, name: 'a board' }
const boardFile = (more: object) => parseFirmwareFile(JSON.stringify({ ...board, ...more }), 'board.json')

describe('a firmware file', () => {
  const profile = 'ovmf-2022.11-q35-4M'
  const map = [{ type: 'EfiConventionalMemory', start: '1MiB', end: '400MiB' }]

  test('is a machine for library users, too', async () => {
    const files = { 'board.json': JSON.stringify({ ...board, profile, loader: 'patina' }) }
    const outside = bootOf(await throughOptions(['--firmware', 'board.json', '--ram', '1GiB'], files))
    const firmwareFile = boardFile({ profile, loader: 'patina' })
    const machine = buildMachine({ firmwareFile, name: 'board.json', ram: GIB })
    expect(bootOf({ image: { name: 'uki', source: image }, machine })).toEqual(outside)
  })

  test('has either a map or RAM', () => {
    const built = (more: object, ram?: number): MachineInput =>
      buildMachine({ firmwareFile: boardFile(more), name: 'board.json', ram })
    expect(built({ map }).what).toBe('a board (board.json), its own memory map')
    expect(built({ profile, ram: '1GiB' }).map).toEqual(built({ profile }, GIB).map)
    expect(() => built({ map }, GIB)).toThrow('excludes --ram')
    expect(() => built({ profile })).toThrow('names a profile and no RAM')
  })
})

describe('words that mean no machine', () => {
  const profile = { profile: 'ovmf', ram: GIB }
  test.each([
    [() => buildMachine({ profile: 'seabios', ram: GIB }), /unknown firmware profile 'seabios'/],
    [() => buildMachine({ profile: 'ovmf', ram: MIB }), /a profile needs whole MiB/],
    [() => buildMachine({ map: [], profile: 'seabios' }), /unknown firmware profile 'seabios'/],
    [() => buildMachine({ memmap: readMemmap('nothing'), name: 'map.txt' }), /^map\.txt: /],
    [() => buildMachine(profile, { quirks: ['odd'] }), /unknown quirk 'odd'/],
    [() => buildMachine({ profile: 'ovmf', ram: GIB }, { quirks: ['no-low-memory'] }), /more RAM/],
    [() => buildMachine(profile, { imageLoader: 'grub-9' }), /unknown firmware 'grub-9'/],
    [() => buildMachine(profile, { imageBase: 0x10000001 }), /is not a multiple of 0x1000/],
  ])('%# are a UsageError', (build, message) => {
    expect(build).toThrow(UsageError)
    expect(build).toThrow(message)
  })
})
