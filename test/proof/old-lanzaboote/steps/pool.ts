/** Buffers of the stub's run-time library: pool of the image's data type (chapter LZ). */
import { rangeAt } from '../../../../src/bytes/range.ts'
import type { Phys } from '../../../../src/bytes/units.ts'
import { EfiLoaderData } from '../../../../src/image/memory-types.ts'
import type { ClauseId } from '../../../../src/machine/machine.ts'
import type { ObjectId } from '../../../../src/memory/extent.ts'
import type { LanzaBooting } from '../model.ts'

/** A buffer, or the end: a library that gets no memory panics. */
export function poolOrPanic(
  { machine }: LanzaBooting,
  clause: ClauseId,
  size: number,
  label: ObjectId,
): Phys {
  const got = machine.firmware.allocatePool(EfiLoaderData, size, label)
  return got.status === 'EFI_SUCCESS'
    ? got.at
    : machine.refuse(
        clause,
        got.status,
        `no pool of ${String(size)} bytes for ${label}; the stub panics`,
        `memory allocation of ${String(size)} bytes failed`,
      )
}

/**
 * A buffer of another size in the place of one: new pool, the bytes that count are copied, the old pool is
 * given back.
 */
export function moved(
  on: LanzaBooting,
  clause: ClauseId,
  from: { readonly at: Phys; readonly size: number },
  capacity: number,
  label: ObjectId,
): Phys {
  const at = poolOrPanic(on, clause, capacity, label)
  if (from.size > 0) on.machine.memory.copy(at, rangeAt(from.at, from.size))
  on.machine.firmware.freePool(from.at)
  return at
}

/** How large a buffer becomes that has to hold `needed` bytes: twice as large as it was at the least. */
export const grown = (capacity: number, needed: number): number => Math.max(2 * capacity, needed)
