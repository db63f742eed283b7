/** The reader's side of a finding: how the object was read and what was there instead. Chapter HZ. */
import { formatSize, hex, sizeOf } from '../bytes/range.ts'
import type { Recording } from '../memory/recorder.ts'
import type { Damage } from './damage.ts'
import type { Leg } from './hazard.ts'
import { exactSize, formatOffsets, legsOf } from './describe.ts'

/** `The kernel read 4.7 MiB of initrd at 0x1b261000`; code is not read but about to run. */
export function howItWasRead({ read }: Damage): string {
  const actor = read.actor.startsWith('x-') ? read.actor : `The ${read.actor}`
  const where = `${formatSize(sizeOf(read.range))} of ${read.object} at ${hex(read.range.start)}`
  return read.as === 'code' ? `${actor} was about to run ${where}` : `${actor} read ${where}`
}

/** `268.5 KiB (0x43200 bytes) of it (offsets 0x0-0x43200)`, or `all of it`, and its verb. */
export function damagedPart(damage: Damage, [one, many]: readonly [one: string, many: string]): string {
  if (damage.bytes === sizeOf(damage.read.range)) return `all of it ${one}`
  return (
    `${exactSize(damage.bytes)} of it (offsets ${formatOffsets(damage.offsets)}) ` +
    (damage.bytes === 1 ? one : many)
  )
}

/** The owner of the bytes that the reader found. */
export function foundLegs(recording: Recording, damage: Damage): Leg[] {
  const found = damage.pieces.flatMap(({ deviation }) => deviation.found ?? [])
  return legsOf(
    recording,
    'found',
    [...new Set(found.map(extent => extent.by))].sort((a, b) => a - b),
    found.map(extent => extent.range),
  )
}
