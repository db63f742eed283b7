/** Fixes for an overwritten object: numbers for whoever builds the image. Chapter HZ. */
import { hex } from '../bytes/range.ts'
import { alignUp, PAGE } from '../bytes/units.ts'
import { isWrite, offsetAt, type Actor, type EventId } from '../memory/event.ts'
import type { ObjectId } from '../memory/extent.ts'
import type { Recording } from '../memory/recorder.ts'
import { eventsOf, type Damage } from './damage.ts'
import { initWindowOccupied } from './rules/init-window-occupied.ts'
import { baseOf, brokenContracts, exactSize, placesIn, reachOf, sectionOf } from './describe.ts'

/** Broken contracts whose init window contains the damage; only the decompressor uses the whole window. */
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

/** `.initrd must start at or beyond .linux + 0xb6e200`, for damage done by these events. */
export function placementFix(recording: Recording, damage: Damage): string {
  const { events } = recording
  const destroyers = eventsOf(damage.pieces, past => [past.by])
  const first = destroyers.map(id => events[id])[0]
  const victim = damage.part
  if (first === undefined)
    return `hand over the actual address of ${damage.object}, before anything is written over it`
  if (!isWrite(first)) return `keep the memory of ${victim} allocated until its last read`
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
    return (
      `give the sections addresses that do not overlap: ${sectionOf(high)} must start at ` +
      `or beyond ${sectionOf(low)} + ${hex(alignUp<number>(length, PAGE))}, ` +
      `and what follows it after that; it starts at ${sectionOf(low)} + ${hex(Math.abs(other - base))}`
    )
  }
  return pastKernel(recording, damage, destroyers, victim, base)
}

/** Did one section overlap another? The firmware loads sections, and a running stub writes its own. */
function isSection(writer: ObjectId, actor: Actor): boolean {
  return writer.startsWith('stub:') || actor === 'firmware'
}

function pastKernel(
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
    const shift = base === null ? '' : `, ${exactSize(end - base)} higher`
    return (
      `move ${sectionOf(victim)}: in this memory map it would have to start at or beyond ` +
      `${hex(end)}${shift}`
    )
  }
  return (
    `${sectionOf(victim)} must start at or beyond .linux + ${hex(alignUp<number>(end - kernel, PAGE))}, ` +
    `and what follows it after that; it starts at .linux + ${hex(base - kernel)}. ` +
    'Or start the kernel in memory of its own: with a stub that copies it first, or through its PE entry'
  )
}
