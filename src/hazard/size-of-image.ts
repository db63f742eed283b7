/**
 * Why a section ends past SizeOfImage: its address wrapped, or SizeOfImage was computed from another section.
 * Everything else is HZ-12.
 */
import { alignUp, wrap32 } from '../bytes/units.ts'
import type { PeFile } from '../image/pe.ts'
import type { Placed } from './layout.ts'

/** Upper bound of addresses used by builders: 256 MiB. */
const GIVEN_MAX = 2 ** 28

/**
 * The address without ImageBase that became this section's RVA modulo 2^32; null if it did not come about
 * this way.
 */
export function wrappedFrom({ optional }: PeFile, { start }: Placed): number | null {
  const given = wrap32(start + Number(BigInt.asUintN(32, optional.ImageBase)))
  return start >= optional.SizeOfImage &&
    start >= GIVEN_MAX &&
    given < GIVEN_MAX &&
    BigInt(given) < optional.ImageBase
    ? given
    : null
}

/** The last section of the table, if SizeOfImage is its end and some section ends higher; null otherwise. */
export function lastThatGaveSizeOfImage({ optional }: PeFile, sections: readonly Placed[]): Placed | null {
  const last = sections.at(-1)
  if (last === undefined || last.end > optional.SizeOfImage) return null
  const from = alignUp<number>(last.end, Math.max(1, optional.SectionAlignment))
  return from === optional.SizeOfImage && sections.some(section => section.end > optional.SizeOfImage)
    ? last
    : null
}
