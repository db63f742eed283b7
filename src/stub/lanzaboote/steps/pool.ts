/** Buffers of the stub's run-time library: pool of the image's data type (chapter LZ). */
import { rangeAt } from '../../../bytes/range.ts'
import type { Phys } from '../../../bytes/units.ts'
import { EfiLoaderData } from '../../../image/memory-types.ts'
import type { ClauseId } from '../../../machine/machine.ts'
import type { ObjectId } from '../../../memory/extent.ts'
import type { LanzabooteContext } from '../model.ts'

/** A buffer; the stub panics if there is none. */
export function poolOrPanic(
  { machine }: LanzabooteContext,
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

/** Reallocates a buffer: new pool, the bytes in use are copied, the old pool is freed. */
export function moved(
  ctx: LanzabooteContext,
  clause: ClauseId,
  from: { readonly at: Phys; readonly size: number },
  capacity: number,
  label: ObjectId,
): Phys {
  const at = poolOrPanic(ctx, clause, capacity, label)
  if (from.size > 0) ctx.machine.memory.copy(at, rangeAt(from.at, from.size))
  ctx.machine.firmware.freePool(from.at)
  return at
}

/** New capacity of a buffer that has to hold `needed` bytes: at least twice the old one. */
export const grown = (capacity: number, needed: number): number => Math.max(2 * capacity, needed)
