/** What an image loader needs from the firmware it is a part of. */
import type { Range } from '../../bytes/range.ts'
import type { Phys } from '../../bytes/units.ts'
import type { StepText } from '../../memory/event.ts'
import type { Memory } from '../../memory/memory.ts'
import type { AllocateType, Allocation } from '../services.ts'
import type { EfiError } from '../status.ts'

/** Records an assumption: a clause and a sentence. */
export type Assume = (clause: `${'FW' | 'PE'}-${number}`, what: string) => void

/** Runs a function as a step of the recording. */
export type Step = <T>(clause: `${'FW' | 'PE'}-${number}`, what: StepText, body: () => T) => T

export interface LoaderPorts {
  readonly memory: Memory
  readonly step: Step
  readonly assume: Assume
  allocatePages(where: AllocateType, type: number, pages: number, label: string): Allocation
  /** Room for the firmware's record of an image loaded by an image (FW-46). */
  noteImage(): void
  /**
   * Allocates the pages of an image at its observed address; records an assumption if they are not free in
   * the map.
   */
  pinPages(at: Phys, type: number, pages: number, label: string): void
  freePages(at: Phys, pages: number): void
  /** The buffer, or null if there is no memory. */
  allocatePool(type: number, size: number, label: string): Range | null
  freePool(buffer: Range): void
}

/** Why a file was refused. */
export interface LoadRefusal {
  readonly status: EfiError
  readonly clause: `PE-${number}` | 'FW-35'
  readonly why: string
  /** The loader's message; absent if the boot manager prints one. */
  readonly message?: string
}
