/** Builds the input of `check`: an image, a machine by RAM size or by map, and any era or model. */
import { buildMachine, type MachineWords } from '../boot/machine.ts'
import type { CheckInput, MachineInput } from '../check.ts'
import { stays } from '../bytes/fixed-source.ts'
import type { ByteSource } from '../bytes/source.ts'
import { UsageError } from '../bytes/errors.ts'
import type { MemoryDescriptor } from '../image/memory-types.ts'
import { bytesOf, uki, type Size, type UkiOptions } from './builders.ts'

/** Options of `scenario`: an image, a machine, and any other input of `check`. */
export interface ScenarioOptions extends Omit<CheckInput, 'image' | 'machine'> {
  /** A file, or options to build one. */
  readonly image: ByteSource | UkiOptions
  /** For the report. Default `uki`. */
  readonly name?: string
  /** RAM of a recorded firmware profile. Default `512M`, unless there is a map. */
  readonly ram?: Size
  /**
   * Name of a recorded profile. Default `ovmf`: the newest that was recorded with UKIs. With a map: the
   * firmware's behaviour besides the map; default EDK2 2022.11.
   */
  readonly firmware?: string
  /** The firmware's map before the image is loaded, instead of RAM and the profile's map. */
  readonly map?: readonly MemoryDescriptor[]
  /**
   * Name of a firmware whose allocator and image loader are used, such as `u-boot-2022.01`. Default: the
   * profile's firmware.
   */
  readonly imageLoader?: string
  /** Names of quirks, such as `no-low-memory`, applied in this order. */
  readonly quirks?: readonly string[]
  /** Load address of the image. Default: the allocator decides. */
  readonly imageBase?: Size
  /** Content of unwritten memory. Default: as the firmware leaves it, which is `ovmf` for every profile. */
  readonly contents?: NonNullable<MachineInput['contents']>
}

/** The input of `check`, with a machine that is not prepared yet. */
export interface ScenarioInput extends CheckInput {
  readonly machine: MachineInput
}

/**
 * The machine, and an image built here, are prepared at the first check: what they are made of must not
 * change afterwards. Throws UsageError for an invalid size, an unknown profile or name, and when both a map
 * and RAM are given.
 */
export function scenario(options: ScenarioOptions): ScenarioInput {
  const {
    image,
    name = 'uki',
    ram,
    firmware,
    map,
    imageBase,
    contents,
    imageLoader,
    quirks,
    ...rest
  } = options
  if (map !== undefined && ram !== undefined) throw new UsageError('a scenario has either a map or RAM')
  const words: MachineWords =
    map === undefined
      ? { profile: firmware ?? 'ovmf', ram: bytesOf(ram ?? '512M') }
      : { map, profile: firmware }
  return {
    ...rest,
    image: { name, source: 'read' in image ? image : stays(uki(image)) },
    machine: stays(
      buildMachine(words, {
        imageLoader,
        quirks,
        contents,
        imageBase: imageBase === undefined ? undefined : bytesOf(imageBase),
      }),
    ),
  }
}
