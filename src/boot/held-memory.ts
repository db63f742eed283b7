/**
 * Writes into memory that the firmware holds: what it, or who runs on it, reads there is not modelled
 * (chapter FW).
 */
import { formatRange, formatSize, intersect, overlaps, sizeOf, union, type Range } from '../bytes/range.ts'
import { memoryTypeName, type MemoryDescriptor } from '../image/memory-types.ts'
import type { Gap } from '../machine/machine.ts'
import { isWrite, rangesOf, type Actor, type MemoryEvent } from '../memory/event.ts'
import type { Recording } from '../memory/recorder.ts'
import { RunMap } from '../memory/run-map.ts'

/** Ranges that one sentence names. */
const NAMED_MAX = 3
/** What the firmware has taken during the boot. */
const TAKEN = 'firmware:'
/** What outlives boot services. */
const KEPT: readonly string[] = ['firmware:runtime', 'firmware:reserved']

/** One gap for each actor that wrote where the firmware has something. `map` is that before the boot. */
export function heldMemoryGaps({ events, steps }: Recording, map: readonly MemoryDescriptor[]): Gap[] {
  const end = steps.find(({ clause }) => clause === 'FW-20')?.first ?? Infinity
  const taken = new RunMap<string>()
  const written = new Map<Actor, Range[]>()
  for (const event of events) {
    for (const where of overwritten(event, taken, event.id >= end)) {
      const ranges = written.get(event.actor)
      if (ranges === undefined) written.set(event.actor, [where])
      else ranges.push(where)
    }
    noteTaken(event, taken)
  }
  return [...written].map(([actor, ranges]) => gapOf(actor, union(ranges), map))
}

/** What an event wrote that the firmware had; nothing for what lays memory out. */
function overwritten(event: MemoryEvent, taken: RunMap<string>, over: boolean): Range[] {
  if (!isWrite(event) || event.op === 'occupy') return []
  const lost = event.lost.flatMap(({ whose, range }) =>
    whose?.object.startsWith('firmware:') === true && (!over || KEPT.includes(whose.object)) ? [range] : [],
  )
  if (over || event.actor === 'firmware') return lost
  const inPool = rangesOf(event).flatMap(({ start, end }) =>
    taken.runs(start, end).map(run => ({ start: run.start, end: run.end }) as Range),
  )
  return [...lost, ...inPool]
}

/** Memory that the firmware takes for itself while the boot goes on: of its pools, what is no buffer. */
function noteTaken(event: MemoryEvent, taken: RunMap<string>): void {
  if (event.op !== 'claim' && event.op !== 'release') return
  for (const { start, end } of rangesOf(event))
    if (event.op === 'claim' && event.label.startsWith(TAKEN)) taken.assign(start, end, event.label)
    else taken.clear(start, end)
}

function gapOf(actor: Actor, ranges: readonly Range[], map: readonly MemoryDescriptor[]): Gap {
  const bytes = ranges.reduce((sum, one) => sum + sizeOf(one), 0)
  const pieces = ranges.flatMap(where => typesIn(where, map))
  const named = pieces.slice(0, NAMED_MAX)
  const more = pieces.length - named.length
  return {
    clause: 'FW-56',
    why:
      `the ${actor} wrote ${formatSize(bytes)} of memory that the firmware holds: ` +
      `${named.join(', ')}${more > 0 ? ` and ${String(more)} more` : ''}; what is read ` +
      'there is not modelled',
  }
}

/**
 * `0x1000-0x3000 (EfiBootServicesData)`, one for each type of the map; the pool where the map had it free.
 */
function typesIn(where: Range, map: readonly MemoryDescriptor[]): string[] {
  return map
    .filter(({ range }) => overlaps(range, where))
    .sort((a, b) => a.range.start - b.range.start)
    .map(({ type, range }) => {
      const inside = intersect(where, range) ?? where
      return `${formatRange(inside)} (${type === 7 ? "the firmware's pool" : memoryTypeName(type)})`
    })
}
