/**
 * Fault injection: boot services that fail on request. A failed call has no effect and returns an error, as
 * the UEFI specification says; it is recorded as step `x-fault`. Only calls made by stages count, not what
 * the firmware allocates for itself.
 */
import { UsageError } from '../bytes/errors.ts'
import { memoryTypeName } from '../image/memory-types.ts'
import type { AnyClauseId } from '../memory/event.ts'
import type { ObjectId } from '../memory/extent.ts'
import type { Recorder } from '../memory/recorder.ts'
import type { ForkableServices } from './boot-services.ts'
import { FAULTY_CALLS, type Fault, type FaultyCall, type ServiceCall } from './service-call.ts'
import { EFI_ERRORS, type EfiError } from './status.ts'

/** The state of fault injection in one boot. */
interface Watched {
  readonly faults: readonly Fault[]
  readonly recorder: Recorder
  /** All calls so far. */
  readonly calls: ServiceCall[]
  /** How often each fault applied. */
  readonly met: number[]
}

/** Throws UsageError for a fault that no call can meet. */
export function checkFaults(faults: readonly Fault[]): void {
  for (const { call, nth = 1, status } of faults) {
    if (call !== undefined && !FAULTY_CALLS.includes(call))
      throw new UsageError(`fault: ${call} is not one of ${FAULTY_CALLS.join(', ')}`)
    if (nth !== 'every' && !(Number.isSafeInteger(nth) && nth >= 1))
      throw new UsageError(`fault: nth: ${String(nth)} is not a number from 1 on, or every`)
    if (status !== undefined && !(status in EFI_ERRORS))
      throw new UsageError(`fault: status: ${status} is not an error that is modelled`)
  }
}

/** Services in which these faults occur. Every call that could fail is appended to `calls`. */
export function withFaults(
  services: ForkableServices,
  faults: readonly Fault[],
  recorder: Recorder,
  calls: ServiceCall[],
): ForkableServices {
  return faulty(services, { faults, recorder, calls, met: faults.map(() => 0) })
}

function faulty(services: ForkableServices, watched: Watched): ForkableServices {
  /** The error that a call returns; null if it does not fail. */
  const failing = (
    call: FaultyCall,
    type: number | null,
    object: ObjectId,
    otherwise: EfiError,
  ): EfiError | null => {
    const made = madeBy(watched, call, type, object)
    const fault = metFault(watched, made)
    watched.calls.push({ ...made, fault })
    if (fault === null) return null
    const status = fault.status ?? otherwise
    const of = type === null ? object : `${memoryTypeName(type)} for ${object}`
    watched.recorder.step('x-fault', `${call}(${of}) fails with ${status}, as asked for`, () => undefined)
    return status
  }
  return {
    ...services,
    calls: watched.calls,
    allocatePages: (where, type, pages, label) => {
      const usual = where.kind === 'address' ? 'EFI_NOT_FOUND' : 'EFI_OUT_OF_RESOURCES'
      const status = failing('AllocatePages', type, label, usual)
      return status === null ? services.allocatePages(where, type, pages, label) : { status, at: null }
    },
    allocatePool: (type, size, label) => {
      const status = failing('AllocatePool', type, label, 'EFI_OUT_OF_RESOURCES')
      return status === null ? services.allocatePool(type, size, label) : { status, at: null }
    },
    loadImage: request => {
      const status = failing('LoadImage', null, request.name, 'EFI_OUT_OF_RESOURCES')
      if (status === null) return services.loadImage(request)
      const why = `LoadImage of ${request.name} fails, as asked for`
      return { status, image: null, clause: 'x-fault', why, message: null }
    },
    fork: to =>
      faulty(services.fork(to), {
        ...watched,
        recorder: to.recorder,
        calls: [...watched.calls],
        met: [...watched.met],
      }),
  }
}

function madeBy(
  { recorder, calls }: Watched,
  call: FaultyCall,
  type: number | null,
  object: ObjectId,
): Omit<ServiceCall, 'fault'> {
  const steps: AnyClauseId[] = []
  for (let step = recorder.current; step !== null;) {
    steps.push(step.clause)
    step = step.parent === null ? null : (recorder.steps[step.parent] ?? null)
  }
  return { nth: calls.length + 1, call, type, object, by: recorder.actor, steps }
}

/** The first fault that this call meets; every fault to which it applies counts it. */
function metFault({ faults, met }: Watched, made: Omit<ServiceCall, 'fault'>): Fault | null {
  let first: Fault | null = null
  for (const [i, fault] of faults.entries()) {
    if (!applies(fault, made)) continue
    const count = (met[i] ?? 0) + 1
    met[i] = count
    const { nth = 1 } = fault
    if (first === null && (nth === 'every' || nth === count)) first = fault
  }
  return first
}

function applies({ call, type, object, by, step }: Fault, made: Omit<ServiceCall, 'fault'>): boolean {
  return (
    (call ?? made.call) === made.call &&
    (type ?? made.type) === made.type &&
    (object ?? made.object) === made.object &&
    (by ?? made.by) === made.by &&
    (step === undefined || made.steps.includes(step))
  )
}
