/** What to do about an object that was overwritten: numbers that a builder of images can use. Chapter HZ. */
import { hex } from '../bytes/range.ts'
import { isWrite, offsetAt, type Actor, type EventId } from '../memory/event.ts'
import type { ObjectId } from '../memory/extent.ts'
import type { Recording } from '../memory/recorder.ts'
import { eventsOf, type Damage } from './damage.ts'
import { initWindowOccupied } from './rules/init-window-occupied.ts'
import { baseOf, brokenContracts, exactSize, placesIn, reachOf, sectionOf } from './describe.ts'

/**
 * Broken contracts about the init window in which the damage lies; only the decompressor uses the whole
 * window.
 */
export function brokenWindows(
  recording: Recording,
  damage: Damage,
  destroyers: readonly EventId[],
): ReturnType<typeof brokenContracts> {
  return destroyers.some(id => recording.events[id]?.actor === 'decompressor')
    ? brokenContracts(recording, initWindowOccupied.contracts ?? [], damage.ranges)
    : []
}

/** The highest address that the destroying events wrote, or that the decompressor's window claims. */
function endOfHarm(recording: Recording, damage: Damage, destroyers: readonly EventId[]): number {
  const ends = brokenWindows(recording, damage, destroyers).map(contract => contract.range?.end ?? 0)
  for (const id of destroyers) {
    const event = recording.events[id]
    if (event !== undefined) ends.push(...placesIn(event, damage.ranges).map(range => range.end))
  }
  return Math.max(...ends)
}

/** `.initrd must start at or beyond .linux + 0xb6e200`, for damage that some events did. */
export function placementFix(recording: Recording, damage: Damage): string {
  const { events } = recording
  const destroyers = eventsOf(damage.pieces, past => [past.by])
  const first = destroyers.map(id => events[id])[0]
  const victim = damage.part
  if (first === undefined)
    return `hand over the address at which ${damage.object} really lies, and do so before anything is written over it`
  if (!isWrite(first)) return `keep the memory of ${victim} allocated until it was read for the last time`
  const base = baseOf(events, victim, first.id)
  if (
    first.op !== 'copy' &&
    first.op !== 'amend' &&
    first.object !== null &&
    base !== null &&
    isSection(first.object, first.actor) &&
    first.object !== victim
  ) {
    const writer = first.object
    const other = 0 - offsetAt(first, 0)
    const [low, high] = other <= base ? [writer, victim] : [victim, writer]
    const length = reachOf(
      events.slice(0, Math.max(...destroyers) + 1).filter(event => event.actor === 'firmware'),
      low,
    )
    return `give the sections addresses that do not meet: ${sectionOf(high)} must start at or beyond ${sectionOf(low)} + ${hex(length)}; it starts at ${sectionOf(low)} + ${hex(Math.abs(other - base))}`
  }
  return behindKernel(recording, damage, destroyers, victim, base)
}

/** Was it one section that met another? The firmware loads sections, and a running stub writes its own. */
function isSection(writer: ObjectId, actor: Actor): boolean {
  return writer.startsWith('stub:') || actor === 'firmware'
}

function behindKernel(
  recording: Recording,
  damage: Damage,
  destroyers: readonly EventId[],
  victim: string,
  base: number | null,
): string {
  const { events } = recording
  const end = endOfHarm(recording, damage, destroyers)
  const kernel = victim === 'kernel' ? null : baseOf(events, 'kernel', destroyers[0] ?? 0)
  if (kernel === null || base === null || base < kernel) {
    const shift = base === null ? '' : `, that is ${exactSize(end - base)} higher`
    return `keep ${sectionOf(victim)} out of the way: in this memory it would have to start at or beyond ${hex(end)}${shift}`
  }
  return (
    `${sectionOf(victim)} must start at or beyond .linux + ${hex(end - kernel)}; it starts at .linux + ${hex(base - kernel)}. ` +
    'Or start the kernel in memory of its own: with a stub that copies it first, or through its PE entry'
  )
}
