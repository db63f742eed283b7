/** Builds the description of a machine (src/boot/machine.ts) from options and scenario. */
import { buildMachine, type MachineChoices, type MachineInput, type MachineWords } from '../boot/machine.ts'
import { descriptorsOf } from '../boot/map-entries.ts'
import { parseSize } from '../boot/quantity.ts'
import type { MapTaken } from '../boot/map-before-load.ts'
import type { Scenario } from '../boot/scenario.ts'
import { UsageError } from '../bytes/errors.ts'
import { JSON_MAX } from '../bytes/plain-data.ts'
import { PROFILES } from '../firmware/profiles.ts'
import type { MemmapParse } from '../image/memmap.ts'
import type { Call } from './command.ts'

/**
 * The machine on the command line or in the scenario: exactly one of map, RAM with firmware, or firmware
 * file; a profile may also name the firmware of a map.
 */
export interface Wanted {
  readonly memmap: string | undefined
  readonly map: Extract<Scenario['machine'], { map: unknown }>['map'] | undefined
  readonly ram: number | undefined
  readonly firmware: string | undefined
  /** The image loader, if not the profile's. */
  readonly imageLoader: string | undefined
  /** Names, separated by commas. */
  readonly quirks: string | undefined
}

/** Is this value of --firmware a file rather than a profile? */
export function isFirmwareFile(name: string): boolean {
  return name.endsWith('.json')
}

/** The machines of `check` if none is named: each of these sizes with each of these firmwares. */
export const USUAL = {
  ram: [512 * 2 ** 20, 2 * 2 ** 30, 8 * 2 ** 30],
  firmware: ['ovmf-2020.11-q35-4M', 'ovmf-2022.11-q35-4M', 'ovmf-2025.02-q35-4M'],
} as const

/** The options that name a machine; the others only modify it. */
const NAMING = ['memmap', 'ram', 'firmware'] as const

/** Does an option name a machine? */
export function namesMachine(call: Call): boolean {
  return NAMING.some(option => call.has(option))
}

/** The maps in the options; a folder means all files in it. Throws UsageError for an empty folder. */
function memmapsOf(call: Call): readonly string[] {
  return call.texts('memmap').flatMap(path => {
    const files = call.files.folder(path)
    if (files?.length === 0) throw new UsageError(`${path}: there is no file in this folder`)
    return files ?? [path]
  })
}

const orNone = <T>(values: readonly T[]): readonly (T | undefined)[] =>
  values.length === 0 ? [undefined] : values

/**
 * The options as given: a machine for every combination of their values. Throws UsageError where they
 * contradict each other.
 */
export function givenMachines(call: Call): Wanted[] {
  const maps = memmapsOf(call)
  const sizes = call.texts('ram').map(parseSize)
  const firmwares = call.texts('firmware')
  if (maps.length > 0 && sizes.length > 0)
    throw new UsageError('--memmap describes a whole machine and excludes --ram')
  if (maps.length > 0 && firmwares.some(isFirmwareFile))
    throw new UsageError('--memmap and a firmware file, which has its own map, exclude each other')
  const quirks = call.text('quirk')
  return orNone(maps).flatMap(memmap =>
    orNone(sizes).flatMap(ram =>
      orNone(firmwares).flatMap(firmware =>
        orNone(call.texts('image-loader')).map(imageLoader => ({
          memmap,
          map: undefined,
          ram,
          firmware,
          imageLoader,
          quirks,
        })),
      ),
    ),
  )
}

/** The usual machines, with the image loaders and quirks of the options. */
export function usualMachines(call: Call): Wanted[] {
  return givenMachines(call).flatMap(given =>
    USUAL.ram.flatMap(ram => USUAL.firmware.map(firmware => ({ ...given, ram, firmware }))),
  )
}

/** `512MiB`, as `--ram` takes it. */
export function ramName(bytes: number): string {
  return bytes % 2 ** 30 === 0 ? `${String(bytes / 2 ** 30)}GiB` : `${String(bytes / 2 ** 20)}MiB`
}

/** A machine in a few words, as the options name it. */
export function machineName({ memmap, ram, firmware, imageLoader }: Wanted, scenarioPath: string): string {
  const words = [
    ...(memmap === undefined ? [] : [memmap]),
    ...(ram === undefined ? [] : [ramName(ram)]),
    ...(firmware === undefined ? [] : [firmware]),
    ...(imageLoader === undefined ? [] : [imageLoader]),
  ]
  return words.length === 0 ? `machine of ${scenarioPath}` : words.join(' ')
}

const profileList = (): string => PROFILES.map(profile => profile.id).join(', ')

/** A memory map in a file, in any form. */
async function memmapIn(call: Call, path: string): Promise<MemmapParse> {
  const { readMemmap } = await import('../image/memmap.ts')
  const parse = readMemmap(call.files.bytes(path))
  if (parse.map.length > 0)
    call.log.debug('memory map', { file: path, dialect: parse.dialect ?? '', entries: parse.map.length })
  return parse
}

/** A firmware file, and RAM if given on the command line. Throws UsageError if they contradict each other. */
async function firmwareIn(call: Call, path: string, ram: number | undefined): Promise<MachineWords> {
  const { parseFirmwareFile } = await import('../boot/firmware-file.ts')
  const file = parseFirmwareFile(call.files.text(path, JSON_MAX), path)
  if (file.map !== null && ram !== undefined)
    throw new UsageError(`${path} has its own memory map and excludes --ram`)
  if (file.map === null && (ram ?? file.ram) === null)
    throw new UsageError(`${path} names a profile and no RAM: give --ram SIZE`)
  return { firmwareFile: file, name: path, ram }
}

/** The machine of options and scenario. Throws UsageError if they name none. */
async function wordsOf(
  call: Call,
  { memmap, map, ram, firmware }: Wanted,
  scenarioPath: string,
  taken: MapTaken | undefined,
): Promise<MachineWords> {
  if (firmware !== undefined && isFirmwareFile(firmware)) return firmwareIn(call, firmware, ram)
  if (memmap !== undefined)
    return { memmap: await memmapIn(call, memmap), name: memmap, taken, profile: firmware }
  if (map !== undefined) return { map: descriptorsOf(map), what: `memory map of ${scenarioPath}`, taken }
  if (ram !== undefined && firmware !== undefined) return { profile: firmware, ram }
  if (ram !== undefined) throw new UsageError(`--ram needs --firmware PROFILE: one of ${profileList()}`)
  if (firmware !== undefined) throw new UsageError('--firmware needs --ram SIZE, such as --ram 512MiB')
  throw new UsageError(
    'no machine: give --memmap FILE with its memory map, or --ram SIZE --firmware ' +
      `PROFILE with one of the profiles ${profileList()}`,
  )
}

/** The selected machine. Throws UsageError. */
export async function machineOf(
  call: Call,
  wanted: Wanted,
  scenarioPath: string,
  taken: MapTaken | undefined,
  seen: Pick<MachineChoices, 'imageBase' | 'contents'> = {},
): Promise<MachineInput> {
  return buildMachine(await wordsOf(call, wanted, scenarioPath, taken), {
    imageLoader: wanted.imageLoader,
    quirks: wanted.quirks?.split(','),
    ...seen,
  })
}

/** The map of the machine in the options; null if they name none. Throws UsageError. */
export async function mapGiven(call: Call): Promise<MachineInput['map'] | null> {
  const [given] = givenMachines(call)
  return given === undefined || !namesMachine(call)
    ? null
    : (await machineOf(call, { ...given, imageLoader: undefined }, '', undefined)).map
}
