/**
 * Builds the machine to boot from a recorded profile and an amount of RAM, a memory map, or a firmware file,
 * with quirks (chapter FW).
 */
import { UsageError } from '../bytes/errors.ts'
import { formatSize, hex, type Range } from '../bytes/range.ts'
import { PAGE, phys, type Phys } from '../bytes/units.ts'
import type { Build } from '../firmware/build.ts'
import type { Contents } from '../firmware/contents.ts'
import { guardOf } from '../firmware/edk2/edk2.ts'
import type { HeapGuard } from '../firmware/edk2/heap-guard.ts'
import { firmwareNamed, type Firmware } from '../firmware/firmwares.ts'
import { profileAssumption, profileMap, profileNamed } from '../firmware/profiles.ts'
import { quirkNamed, withSectionsMax, type Quirk } from '../firmware/quirks.ts'
import type { MemmapParse } from '../image/memmap.ts'
import type { MemoryDescriptor } from '../image/memory-types.ts'
import type { Problem } from '../image/problem.ts'
import type { Assumption, Gap } from '../machine/machine.ts'
import type { FirmwareFile } from './firmware-file.ts'
import { descriptorsOf } from './map-entries.ts'
import { machineFromMemmap, type MemmapMachine } from './memmap-machine.ts'
import type { MapOrigin } from './machine-doubts.ts'
import type { MapTaken } from './map-before-load.ts'

/** The machine to boot, as `check` takes it. */
export interface MachineInput {
  /** For the report: where the map comes from. */
  readonly what: string
  readonly map: readonly MemoryDescriptor[]
  /** When the map was taken. Default before-load. */
  readonly taken?: MapTaken
  /** The origin of the map; absent if the caller vouches for it. */
  readonly origin?: MapOrigin
  /** Load address of the UKI on the real machine. Default: the allocator decides. */
  readonly imageBase?: Phys
  /** Content of unwritten memory. Default: as the firmware leaves it, `ovmf` if no firmware is named. */
  readonly contents?: Contents
  /** Allocator and image loader: a name (`u-boot-2022.01`) or a firmware row. Default: EDK2 2022.11. */
  readonly firmware?: string | Firmware
  /** The state of the firmware's own pools; absent if the firmware is not named (FW-19, FW-55). */
  readonly pool?: Build['pool']
  readonly problems?: MemmapMachine['problems']
  /** Assumptions of the map itself: a scaled profile, for example. */
  readonly assumptions?: readonly Assumption[]
  /** What the map does not show; no run on it is clean. */
  readonly doubts?: readonly Gap[]
  /** Memory of which the map does not say whether it is free: both ways are run (FW-61). */
  readonly inDoubt?: readonly Range[]
}

interface OnMap {
  /** When the map was taken. Default: as its dialect implies; before-load for a map of descriptors. */
  readonly taken?: MapTaken | undefined
  /** Name of a recorded profile, for everything about its firmware but the map. Default: EDK2 2022.11. */
  readonly profile?: string | undefined
}

/** Which machine: exactly one of these. */
export type MachineWords =
  /**
   * A recorded profile (`ovmf-2022.11-q35-4M`, `ovmf`), scaled to `ram` bytes: whole MiB, 96 MiB to 768 GiB.
   */
  | { readonly profile: string; readonly ram: number }
  /** The result of `readMemmap`, and the name of the text for the report. */
  | (OnMap & { readonly memmap: MemmapParse; readonly name: string })
  /** An inline map. `what` is for the report; default: its number of descriptors. */
  | (OnMap & { readonly map: readonly MemoryDescriptor[]; readonly what?: string | undefined })
  /**
   * The result of `parseFirmwareFile`, and the name of the file for the report. `ram`, in bytes, only if the
   * file names a profile; default: as in the file.
   */
  | { readonly firmwareFile: FirmwareFile; readonly name: string; readonly ram?: number | undefined }

/** Modifications of the machine. */
export interface MachineChoices {
  /**
   * Name of a firmware whose allocator and image loader are used: `u-boot-2022.01`. Default: the profile's
   * firmware, or EDK2 2022.11.
   */
  readonly imageLoader?: string | undefined
  /** Names of quirks, applied in this order (FW-35). */
  readonly quirks?: readonly string[] | undefined
  /**
   * Load address of the UKI on the real machine: a multiple of the page size. Default: the allocator decides.
   */
  readonly imageBase?: number | undefined
  /** Content of unwritten memory. Default: as the firmware leaves it. */
  readonly contents?: Contents | undefined
}

/**
 * Builds the machine for `check`. Command line, scenario files and `stubsim/vitest` all use it, so that one
 * name is one machine. Pure: a file's text is read before.
 *
 * Throws UsageError for an unknown profile, firmware or quirk, for an impossible RAM size or image base, for
 * a text without a map, and for a quirk that does not apply to the machine (FW-21, FW-35).
 */
export function buildMachine(words: MachineWords, choices: MachineChoices = {}): MachineInput {
  const { imageLoader, quirks = [], imageBase, contents } = choices
  const place = placeOf(words)
  const loaded = imageLoader === undefined ? place : { ...place, firmware: firmwareNamed(imageLoader) }
  return {
    ...withQuirks(loaded, quirks),
    ...(imageBase === undefined ? {} : { imageBase: wholePages(imageBase) }),
    ...(contents === undefined ? {} : { contents }),
  }
}

/** What lies below the image loader. */
function placeOf(words: MachineWords): MachineInput {
  if ('firmwareFile' in words) return ofFirmwareFile(words.firmwareFile, words.name, words.ram)
  if ('ram' in words) return ofProfile(words.profile, words.ram)
  const machine = 'memmap' in words ? ofMemmap(words.name, words.memmap, words.taken) : ofMap(words)
  return words.profile === undefined
    ? machine
    : {
        ...machine,
        what: `${machine.what}, firmware of profile ${words.profile}`,
        ...firmwareOf(words.profile),
      }
}

/** Firmwares that a report need not name: the default, and the release that behaves the same. */
const UNNAMED: readonly string[] = ['edk2-2022.11', 'edk2-2020.11']

/** What a profile records about its firmware, independent of the map. */
function firmwareOf(name: string): Pick<MachineInput, 'pool' | 'firmware'> {
  const profile = profileNamed(name)
  return {
    pool: profile.pool,
    ...(UNNAMED.includes(profile.firmware) ? {} : { firmware: profile.firmware }),
  }
}

function ofProfile(name: string, ram: number): MachineInput {
  const profile = profileNamed(name)
  const assumption = profileAssumption(profile, ram)
  return {
    what: `profile ${profile.id} with ${formatSize(ram)}`,
    map: profileMap(profile, ram),
    origin: { kind: 'profile' },
    ...firmwareOf(name),
    ...(assumption === null ? {} : { assumptions: [{ clause: 'FW-21', what: assumption }] }),
  }
}

/** Why a text contains no map: the last problem, and the first one if that is more specific. */
function reasonOf(problems: readonly Problem[]): string {
  const [first] = problems
  const last = problems.at(-1)
  return [last, first === last ? undefined : first]
    .flatMap(problem => (problem === undefined ? [] : [problem.what]))
    .join(': ')
}

function ofMemmap(name: string, parse: MemmapParse, taken: MapTaken | undefined): MachineInput {
  if (parse.map.length === 0) throw new UsageError(`${name}: ${reasonOf(parse.problems)}`)
  return {
    ...machineFromMemmap(name, parse, taken),
    origin: { kind: 'text', dialect: parse.dialect, momentSaid: taken !== undefined },
  }
}

function ofMap({ map, what, taken }: Extract<MachineWords, { readonly map: unknown }>): MachineInput {
  const point = taken === undefined || taken === 'before-load' ? '' : `, taken at ${taken}`
  return {
    what: `${what ?? `a map of ${String(map.length)} lines`}${point}`,
    map,
    ...(taken === undefined ? {} : { taken }),
  }
}

/** A custom firmware: its own map, or a profile with the given RAM or the RAM it names itself. */
function ofFirmwareFile(file: FirmwareFile, name: string, given: number | undefined): MachineInput {
  const { map, profile, firmware } = file
  if (map !== null && given !== undefined)
    throw new UsageError(`${name} has its own memory map and excludes --ram`)
  const ram = given ?? file.ram
  if (map === null && ram === null) throw new UsageError(`${name} names a profile and no RAM`)
  const below =
    map === null
      ? ofProfile(profile ?? '', ram ?? 0)
      : { what: 'its own memory map', map: descriptorsOf(map) }
  return withQuirks({ ...below, what: `${file.name} (${name}), ${below.what}`, firmware }, file.quirks)
}

function wholePages(imageBase: number): Phys {
  if (imageBase % PAGE !== 0)
    throw new UsageError(
      `the image base ${hex(imageBase)} is not a multiple of ${hex(PAGE)}: firmware loads ` +
        'images page-aligned',
    )
  return phys(imageBase)
}

function firmwareObject(firmware: MachineInput['firmware']): Firmware {
  return typeof firmware === 'object' ? firmware : firmwareNamed(firmware ?? 'edk2-2022.11')
}

/** A firmware built with guard pages. Throws UsageError when it is not EDK2's allocator. */
function guarded(firmware: MachineInput['firmware'], guard: HeapGuard): Firmware {
  const base = firmwareObject(firmware)
  return { ...base, build: { ...base.build, guard: guardOf(guard, base.allocator) } }
}

/** The machine with its quirks, applied in order (FW-35). */
function withQuirks(machine: MachineInput, names: readonly string[]): MachineInput {
  return names.map(quirkNamed).reduce((before: MachineInput, quirk: Quirk) => {
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
