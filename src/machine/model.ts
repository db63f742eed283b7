/**
 * The two ports: the interfaces of a stub and of a kernel. Read this, hand-off.ts and machine.ts to write
 * your own.
 */
import type { LoadedImage } from '../firmware/services.ts'
import type { Arrival, HandOff } from './hand-off.ts'
import type { Machine } from './machine.ts'

export type { LoadedImage, LoadOptions } from '../firmware/services.ts'
export type { EraInfo, VersionSpan } from '../releases/era.ts'
export type {
  Arrival,
  Facts,
  HandOff,
  KernelSlots,
  OffsetSpan,
  Payload,
  RegisteredInitrd,
  SectionFact,
} from './hand-off.ts'

/** A stub: finds the payload in its own loaded image and hands over. */
export interface StubModel {
  readonly id: string
  boot(machine: Machine, self: LoadedImage): HandOff
}

/** A kernel: from its entry point to the first instruction of the extracted kernel. */
export interface KernelModel {
  readonly id: string
  start(machine: Machine, from: HandOff): Arrival
}
