/** What an image loader needs from the firmware it is a part of. */
import type { Range } from '../../bytes/range.ts'
import type { Phys } from '../../bytes/units.ts'
import type { StepText } from '../../memory/event.ts'
import type { Memory } from '../../memory/memory.ts'
import type { AllocateType, Allocation } from '../services.ts'
import type { EfiError } from '../status.ts'

/** Says what is taken for granted: a clause and a sentence. */
export type Assume = (clause: `${'FW' | 'PE'}-${number}`, what: string) => void

/** Runs something as a step of the recording. */
export type Step = <T>(clause: `${'FW' | 'PE'}-${number}`, what: StepText, body: () => T) => T

export interface LoaderPorts {
  readonly memory: Memory
  readonly step: Step
  readonly assume: Assume
  allocatePages(where: AllocateType, type: number, pages: number, label: string): Allocation
  /** Room for what the firmware notes of an image that an image loads (FW-46). */
  noteImage(): void
  /** Takes the pages for an image whose address was observed; says so when the map has them not free. */
  pinPages(at: Phys, type: number, pages: number, label: string): void
  freePages(at: Phys, pages: number): void
  /** The buffer, or null when there is no memory for it. */
  allocatePool(type: number, size: number, label: string): Range | null
  freePool(buffer: Range): void
}

/** Why a file was turned down. */
export interface LoadRefusal {
  readonly status: EfiError
  readonly clause: `PE-${number}` | 'FW-35'
  readonly why: string
  /** What the loader prints; absent where the boot manager speaks for it. */
  readonly message?: string
}
