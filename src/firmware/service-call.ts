/** Boot-service calls as tests describe them: which fail, and which were made. */
import { memoryTypeName } from '../image/memory-types.ts'
import type { Actor, AnyClauseId } from '../memory/event.ts'
import type { ObjectId } from '../memory/extent.ts'
import type { EfiError } from './status.ts'

/** The boot services that can fail. */
export const FAULTY_CALLS = ['AllocatePages', 'AllocatePool', 'LoadImage'] as const
/** One of them. */
export type FaultyCall = (typeof FAULTY_CALLS)[number]

/** One failure: of the calls that match all given fields, the `nth` fails. */
export interface Fault {
  /** Default: any of them. */
  readonly call?: FaultyCall
  /** Memory type of the allocation, as UEFI numbers it. */
  readonly type?: number
  /** What is allocated (`initrd`) or loaded (`kernel`). */
  readonly object?: ObjectId
  /** The caller: `stub`. */
  readonly by?: Actor
  /** A step in which the call is made, itself or one around it: `ST-27`. */
  readonly step?: AnyClauseId
  /** Counted from 1 among these calls. `every`: all of them. Default 1. */
  readonly nth?: number | 'every'
  /** What it returns. Default: EFI_NOT_FOUND for AllocateAddress, otherwise EFI_OUT_OF_RESOURCES. */
  readonly status?: EfiError
}

/** A call that a stage made and that could have failed. */
export interface ServiceCall {
  /** Its number in the boot, from 1: as the only field of a fault it names this call. */
  readonly nth: number
  readonly call: FaultyCall
  /** Memory type of an allocation; null for LoadImage. */
  readonly type: number | null
  readonly object: ObjectId
  readonly by: Actor
  /** The steps that made it, innermost first. */
  readonly steps: readonly AnyClauseId[]
  /** The fault that made it fail; null: it was passed on to the firmware. */
  readonly fault: Fault | null
}

/** One line for a person: `AllocatePages(EfiLoaderData) for initrd, by stub in ST-27 (call 4)`. */
export function sayCall({ nth, call, type, object, by, steps }: ServiceCall): string {
  const of = type === null ? '' : `(${memoryTypeName(type)})`
  const where = steps[0] === undefined ? '' : ` in ${steps[0]}`
  return `${call}${of} for ${object}, by ${by}${where} (call ${String(nth)})`
}
