/** The machine that is booted: a memory map, a recorded profile, or a firmware file, with its quirks. */
import { parseFirmwareFile } from '../boot/firmware-file.ts'
import { machineFromMemmap } from '../boot/memmap-machine.ts'
import { descriptorsOf, type Scenario } from '../boot/scenario.ts'
import { UsageError } from '../bytes/errors.ts'
import { formatSize } from '../bytes/range.ts'
import type { MachineInput } from '../check.ts'
import { firmwareNamed, type Firmware } from '../firmware/firmwares.ts'
import { checkGuard, type HeapGuard } from '../firmware/heap-guard.ts'
import { FIRMWARE_ROWS } from '../firmware/policies.ts'
import {
  PROFILES,
  profileAssumption,
  profileBuild,
  profileMap,
  profileNamed,
  type Profile,
} from '../firmware/profiles.ts'
import { quirkNamed, withSectionsMax, type Quirk } from '../firmware/quirks.ts'
import { readMemmap } from '../image/memmap.ts'
import type { Problem } from '../image/problem.ts'
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
  readonly loader: string | undefined
  /** Names, separated by commas. */
  readonly quirks: string | undefined
}

type Machine = Pick<
  MachineInput,
  'what' | 'map' | 'taken' | 'problems' | 'assumptions' | 'doubts' | 'firmware' | 'build' | 'contents'
>
type Taken = MachineInput['taken']

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
    loader: call.text('loader'),
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

/**
 * Rows that a report need not name: what is taken when nobody says anything, and the release that does the
 * same.
 */
const UNNAMED: readonly string[] = [FIRMWARE_ROWS['edk2-2022.11'].id, FIRMWARE_ROWS['edk2-2020.11'].id]

const profileList = (): string => PROFILES.map(profile => profile.id).join(', ')

/** Why a text gave no map: the last problem, and the first one where that says more. */
function reasonOf(problems: readonly Problem[]): string {
  const [first] = problems
  const last = problems.at(-1)
  return [last, first === last ? undefined : first]
    .flatMap(problem => (problem === undefined ? [] : [problem.what]))
    .join(': ')
}

function fromMemmap(call: Call, path: string, taken: Taken): Machine {
  const parse = readMemmap(call.files.bytes(path))
  const { map, dialect, problems } = parse
  if (map.length === 0) throw new UsageError(`${path}: ${reasonOf(problems)}`)
  call.log.debug('memory map', { file: path, dialect: dialect ?? '', entries: map.length })
  return machineFromMemmap(path, parse, taken)
}

/** What a profile knows of its firmware, whatever the map. */
function firmwareOf(profile: Profile): Pick<Machine, 'build' | 'firmware'> {
  return { build: profileBuild(profile), ...(UNNAMED.includes(profile.row) ? {} : { firmware: profile.row }) }
}

function fromProfile(ram: number, firmware: string): Machine {
  const profile = profileNamed(firmware)
  const assumption = profileAssumption(profile, ram)
  return {
    what: `profile ${profile.id} with ${formatSize(ram)}`,
    map: profileMap(profile, ram),
    ...firmwareOf(profile),
    ...(assumption === null ? {} : { assumptions: [{ clause: 'FW-21', what: assumption }] }),
  }
}

/** What lies below the loader, before quirks. */
function plainMachine(
  call: Call,
  { memmap, map, ram, firmware }: Wanted,
  scenarioPath: string,
  taken: Taken,
): Machine {
  if (firmware !== undefined && isFirmwareFile(firmware)) return fromFirmwareFile(call, firmware, ram)
  if (memmap !== undefined) {
    const machine = fromMemmap(call, memmap, taken)
    return firmware === undefined
      ? machine
      : {
          ...machine,
          what: `${machine.what}, firmware of profile ${firmware}`,
          ...firmwareOf(profileNamed(firmware)),
        }
  }
  if (map !== undefined)
    return {
      what: `memory map of ${scenarioPath}${taken === undefined || taken === 'before-load' ? '' : `, taken at ${taken}`}`,
      map: descriptorsOf(map),
      ...(taken === undefined ? {} : { taken }),
    }
  if (ram !== undefined && firmware !== undefined) return fromProfile(ram, firmware)
  if (ram !== undefined) throw new UsageError(`--ram needs --firmware PROFILE: one of ${profileList()}`)
  if (firmware !== undefined) throw new UsageError('--firmware needs --ram SIZE, such as --ram 512MiB')
  throw new UsageError(
    `on which machine? Give --memmap FILE with its memory map, or --ram SIZE --firmware PROFILE with a profile of ${profileList()}`,
  )
}

/** A firmware of the user's own: its map, or a profile with its RAM or that of the command line. */
function fromFirmwareFile(call: Call, path: string, ram: number | undefined): Machine {
  const file = parseFirmwareFile(call.files.text(path), path)
  const { map, profile, firmware } = file
  if (map !== null && ram !== undefined)
    throw new UsageError(`${path} brings a memory map: --ram does not go with it`)
  const size = ram ?? file.ram
  if (map === null && size === null)
    throw new UsageError(`${path} names a profile without ram: give --ram SIZE`)
  const below =
    map === null
      ? fromProfile(size ?? 0, profile ?? '')
      : { what: 'its own memory map', map: descriptorsOf(map) }
  return withQuirks({ ...below, what: `${file.name} (${path}), ${below.what}`, firmware }, file.quirks)
}

function firmwareObject(firmware: Machine['firmware']): Firmware {
  return typeof firmware === 'object' ? firmware : firmwareNamed(firmware ?? FIRMWARE_ROWS['edk2-2022.11'].id)
}

/** A firmware that is built with guard pages. Throws UsageError when it is not EDK2's allocator. */
function guarded(firmware: Machine['firmware'], guard: HeapGuard): Firmware {
  const base = firmwareObject(firmware)
  return { ...base, build: { ...base.build, guard: checkGuard(guard, base.row) } }
}

/** The machine with its quirks, one after the other (FW-35). */
function withQuirks(machine: Machine, names: readonly string[]): Machine {
  return names.map(quirkNamed).reduce((before: Machine, quirk: Quirk) => {
    const said = { clause: 'FW-35' as const, what: `quirk ${quirk.id}: ${quirk.assumption ?? quirk.what}` }
    return {
      ...before,
      map: quirk.map?.(before.map) ?? before.map,
      ...(quirk.contents === undefined ? {} : { contents: quirk.contents }),
      ...(quirk.firmware === undefined ? {} : { firmware: firmwareNamed(quirk.firmware) }),
      ...(quirk.sectionsMax === undefined
        ? {}
        : { firmware: withSectionsMax(firmwareObject(before.firmware), quirk.sectionsMax) }),
      ...(quirk.guard === undefined ? {} : { firmware: guarded(before.firmware, quirk.guard) }),
      assumptions: [...(before.assumptions ?? []), said],
    }
  }, machine)
}

/** The machine that is wanted, with who loads and its quirks. Throws UsageError. */
export function machineOf(call: Call, wanted: Wanted, scenarioPath: string, taken: Taken): Machine {
  const machine = plainMachine(call, wanted, scenarioPath, taken)
  const loaded =
    wanted.loader === undefined ? machine : { ...machine, firmware: firmwareNamed(wanted.loader) }
  return withQuirks(loaded, wanted.quirks?.split(',') ?? [])
}

/** The map of the machine that the options give; null when they say nothing of one. Throws UsageError. */
export function mapGiven(call: Call): Machine['map'] | null {
  const wanted = { ...givenMachine(call), loader: undefined }
  return (wanted.memmap ?? wanted.ram ?? wanted.firmware) === undefined
    ? null
    : machineOf(call, wanted, '', undefined).map
}
