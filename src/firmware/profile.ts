/** The form of a recorded firmware memory map (chapter FW). */
import type { PoolState } from './edk2/pool-state.ts'

/** One firmware build on one machine. */
export interface Profile {
  /** `ovmf-2022.11-q35-4M`. */
  readonly id: string
  readonly version: string
  /** QEMU's machine type: determines the amount of RAM below 4 GiB. */
  readonly machine: 'q35' | 'pc'
  /** Size of the flash image. */
  readonly flash: '2M' | '4M'
  /** Name of the firmware: `edk2-2022.11`. */
  readonly firmware: string
  /** Where the map comes from. */
  readonly source: string
  /**
   * The image started when the map was taken: a UKI, or a small application on a machine with other devices.
   */
  readonly basis: 'uki' | 'application'
  /** RAM sizes, in MiB, at which boots were recorded; others are scaled. */
  readonly recorded: readonly number[]
  /** The state of the firmware's pools when a boot option starts, from recorded boots (FW-19). */
  readonly pool: PoolState | 'unknown'
  /**
   * The map with 512 MiB of RAM as `type:start+pages`, hexadecimal, blank between descriptors, in the
   * firmware's order.
   */
  readonly map: readonly string[]
}
