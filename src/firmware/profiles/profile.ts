/** What a recorded memory map of a firmware is (chapter FW). */
import type { FirmwareRowId } from '../policies.ts'

/** One firmware build on one machine. */
export interface Profile {
  /** `ovmf-2022.11-q35-4M`. */
  readonly id: string
  readonly version: string
  /** QEMU's machine: decides how much RAM lies below 4 GiB. */
  readonly machine: 'q35' | 'pc'
  /** Size of the flash image. */
  readonly flash: '2M' | '4M'
  readonly row: FirmwareRowId
  /** Where the map comes from. */
  readonly source: string
  /**
   * What was started when the map was taken: a UKI, or a small application on a machine with other devices.
   */
  readonly basis: 'uki' | 'application'
  /** RAM sizes, in MiB, at which boots were recorded; others are scaled. */
  readonly recorded: readonly number[]
  /**
   * Where the firmware notes an image that the started image loads, as recorded boots show it (FW-46); absent
   * where none does.
   */
  readonly imageRecord?: 'room' | 'new-page'
  /**
   * Entries of the map that it does not show when the image starts, and how many there is room for; known
   * where the guest's memory was looked at (FW-53).
   */
  readonly mapEntries?: { readonly hidden: number; readonly capacity: number }
  /**
   * The map with 512 MiB of RAM as `type:start+pages`, hexadecimal, blank between descriptors, in the
   * firmware's order.
   */
  readonly map: readonly string[]
}
