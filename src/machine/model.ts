/**
 * The two ports: what a stub is and what a kernel is. Read this, hand-off.ts and machine.ts to write your own.
 */
import type { LoadedImage } from '../firmware/services.ts'
import type { Arrival, HandOff } from './hand-off.ts'
import type { Machine } from './machine.ts'

export type { LoadedImage, LoadOptions } from '../firmware/services.ts'
export type { Arrival, Facts, HandOff, InitrdOffer, OffsetSpan, Payload, SectionFact } from './hand-off.ts'

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

/** Half-open span of releases: [from, to). A stable release belongs to the span that names it. */
export interface VersionSpan {
  readonly from: string
  readonly to: string
}

/** What every row of an era table says about itself. */
export interface EraInfo {
  /** `systemd-stub/S2`, `linux/E2`. */
  readonly id: string
  /** One line for people. */
  readonly title: string
  /** The releases that behave so. */
  readonly spans: readonly VersionSpan[]
  /** Upstream commits that began it, as upstream abbreviates them. */
  readonly commits: readonly string[]
  /** Versions that were read or booted. */
  readonly seen: readonly string[]
}
