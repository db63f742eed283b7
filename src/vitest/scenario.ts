/**
 * One boot in a few words, as `check` takes it: an image, a machine by RAM size or by map, and whatever era
 * or model is to be tried.
 */
import type { CheckInput, MachineInput } from '../check.ts'
import type { ByteSource } from '../bytes/source.ts'
import { UsageError } from '../bytes/errors.ts'
import { phys } from '../bytes/units.ts'
import { profileAssumption, profileMap, profileNamed } from '../firmware/profiles.ts'
import type { MemoryDescriptor } from '../image/memory-types.ts'
import { bytesOf, uki, type Size, type UkiOptions } from './builders.ts'

/** What `scenario` is given: an image, a machine, and any other input of `check`. */
export interface ScenarioOptions extends Omit<CheckInput, 'image' | 'machine'> {
  /** A file, or how to build one. */
  readonly image: ByteSource | UkiOptions
  /** For the report. Default `uki`. */
  readonly name?: string
  /** RAM under a recorded firmware profile. Default `512M`, unless there is a map. */
  readonly ram?: Size
  /** Name of the profile. Default `ovmf`: the newest that was recorded with UKIs. */
  readonly firmware?: string
  /** The firmware's map before the image is loaded, instead of RAM and profile. */
  readonly map?: readonly MemoryDescriptor[]
  /** Where the firmware puts the image. Default: its allocator decides. */
  readonly imageBase?: Size
  /** What memory holds that nobody wrote. Default `ovmf`. */
  readonly contents?: NonNullable<MachineInput['contents']>
}

/**
 * Throws UsageError for a size, a profile or a name that means nothing, and when both a map and RAM are
 * given.
 */
export function scenario(options: ScenarioOptions): CheckInput {
  const { image, name = 'uki', ram, firmware, map, imageBase, contents, ...rest } = options
  if (map !== undefined && (ram !== undefined || firmware !== undefined))
    throw new UsageError('a scenario has either a map or RAM and firmware')
  const machine =
    map === undefined
      ? profileMachine(bytesOf(ram ?? '512M'), firmware ?? 'ovmf')
      : { what: `a map of ${String(map.length)} lines`, map }
  return {
    ...rest,
    image: { name, source: 'read' in image ? image : uki(image) },
    machine: {
      ...machine,
      ...(imageBase === undefined ? {} : { imageBase: phys(bytesOf(imageBase)) }),
      ...(contents === undefined ? {} : { contents }),
    },
  }
}

function profileMachine(ramBytes: number, firmware: string): MachineInput {
  const profile = profileNamed(firmware)
  const assumption = profileAssumption(profile, ramBytes)
  return {
    what: `profile ${profile.id}`,
    map: profileMap(profile, ramBytes),
    assumptions: assumption === null ? [] : [{ clause: 'FW-21', what: assumption }],
  }
}
