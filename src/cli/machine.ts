/** Builds the description of a machine (src/boot/machine.ts) from options and scenario. */
import { buildMachine, type MachineChoices, type MachineInput, type MachineWords } from '../boot/machine.ts'
import { descriptorsOf } from '../boot/map-entries.ts'
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

/** The options as given. Throws UsageError where they contradict each other. */
export function givenMachine(call: Call): Wanted {
  const wanted = {
    memmap: call.text('memmap'),
    map: undefined,
    ram: call.quantity('ram'),
    firmware: call.text('firmware'),
    imageLoader: call.text('image-loader'),
    quirks: call.text('quirk'),
  }
  if (wanted.memmap !== undefined && wanted.ram !== undefined)
    throw new UsageError('--memmap describes a whole machine and excludes --ram')
  if (wanted.memmap !== undefined && wanted.firmware !== undefined && isFirmwareFile(wanted.firmware))
    throw new UsageError('--memmap and a firmware file, which has its own map, exclude each other')
  return wanted
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
  const wanted = { ...givenMachine(call), imageLoader: undefined }
  return (wanted.memmap ?? wanted.ram ?? wanted.firmware) === undefined
    ? null
    : (await machineOf(call, wanted, '', undefined)).map
}
