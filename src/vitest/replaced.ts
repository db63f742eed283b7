/** Slots of an era that the caller filled with steps of their own, and whether those ran. */
import type { CheckInput } from '../check.ts'
import { kernelEras, type KernelEra } from '../kernel/kernels.ts'
import { lanzabooteEras } from '../stub/lanzaboote/eras.ts'
import { stubEras } from '../stub/eras.ts'

type AnyFunction = (...given: readonly unknown[]) => unknown
type Slots = Readonly<Record<string, unknown>>

/** The same slots; those that are not the original's are noted when they run. */
function watched(slots: Slots, original: Slots, ran: Map<string, boolean>): Slots {
  return Object.fromEntries(
    Object.entries(slots).map(([name, step]) => {
      if (typeof step !== 'function' || typeof original[name] !== 'function' || step === original[name])
        return [name, step]
      ran.set(name, false)
      const noting: AnyFunction = (...given) => {
        ran.set(name, true)
        return (step as AnyFunction)(...given)
      }
      return [name, noting]
    }),
  )
}

const hasBehaviour = (choice: unknown): choice is { readonly behaviour: unknown } =>
  typeof choice === 'object' && choice !== null && 'behaviour' in choice

/**
 * The input with the replaced slots of its stub and its kernel watched, and a way to ask afterwards which of
 * them never ran. An era is known by its behaviour, which spreading it keeps.
 */
export function watchedInput(input: CheckInput): {
  readonly input: CheckInput
  readonly neverRan: () => readonly string[]
} {
  const { stub, kernel } = input
  const ran = new Map<string, boolean>()
  let watching = input
  if (hasBehaviour(stub)) {
    const original = [...Object.values(stubEras), ...Object.values(lanzabooteEras)].find(
      era => era.behaviour === stub.behaviour,
    )
    if (original !== undefined)
      watching = {
        ...watching,
        stub: watched(stub as unknown as Slots, original as unknown as Slots, ran) as unknown as NonNullable<
          CheckInput['stub']
        >,
      }
  }
  if (hasBehaviour(kernel)) {
    const mine = kernel
    const original = kernelEras.find(era => era.behaviour === mine.behaviour)
    if (original !== undefined)
      watching = {
        ...watching,
        kernel: {
          ...mine,
          slots: watched(
            mine.slots as unknown as Slots,
            original.slots as unknown as Slots,
            ran,
          ) as unknown as KernelEra['slots'],
        },
      }
  }
  return {
    input: watching,
    neverRan: () => [...ran].flatMap(([name, did]) => (did ? [] : [name])),
  }
}
