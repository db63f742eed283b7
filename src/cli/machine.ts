/** From options and scenario to the words that a machine is built from (src/boot/machine.ts). */
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
 * What the command line or the scenario says about one machine; exactly one of map, RAM with firmware, and
 * firmware file is whole; a profile may name the firmware of a map, too.
 */
export interface Wanted {
  readonly memmap: string | undefined
  readonly map: Extract<Scenario['machine'], { map: unknown }>['map'] | undefined
  readonly ram: number | undefined
  readonly firmware: string | undefined
  /** Who loads, when that is not the profile's firmware. */
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
    throw new UsageError('--memmap describes a whole machine: --ram does not go with it')
  if (wanted.memmap !== undefined && wanted.firmware !== undefined && isFirmwareFile(wanted.firmware))
    throw new UsageError(
      '--memmap describes a whole machine: a firmware file, which brings its own, does not go with it',
    )
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

/** A firmware file, and RAM where the command line says how much. Throws UsageError where that does not fit. */
async function firmwareIn(call: Call, path: string, ram: number | undefined): Promise<MachineWords> {
  const { parseFirmwareFile } = await import('../boot/firmware-file.ts')
  const file = parseFirmwareFile(call.files.text(path, JSON_MAX), path)
  if (file.map !== null && ram !== undefined)
    throw new UsageError(`${path} brings a memory map: --ram does not go with it`)
  if (file.map === null && (ram ?? file.ram) === null)
    throw new UsageError(`${path} names a profile without ram: give --ram SIZE`)
  return { firmwareFile: file, name: path, ram }
}

/** The words of options and scenario. Throws UsageError where they name no machine. */
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
    `on which machine? Give --memmap FILE with its memory map, or --ram SIZE --firmware PROFILE with a profile of ${profileList()}`,
  )
}

/** The machine that is wanted. Throws UsageError. */
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

/** The map of the machine that the options give; null when they say nothing of one. Throws UsageError. */
export async function mapGiven(call: Call): Promise<MachineInput['map'] | null> {
  const wanted = { ...givenMachine(call), imageLoader: undefined }
  return (wanted.memmap ?? wanted.ram ?? wanted.firmware) === undefined
    ? null
    : (await machineOf(call, wanted, '', undefined)).map
}
