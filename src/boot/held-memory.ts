/**
 * Writes into memory that the firmware holds: what it, or who runs on it, reads there is not modelled
 * (chapter FW).
 */
import { formatRange, formatSize, intersect, overlaps, sizeOf, union, type Range } from '../bytes/range.ts'
import { memoryTypeName, type MemoryDescriptor } from '../image/memory-types.ts'
import type { Gap } from '../machine/machine.ts'
import { isWrite, rangesOf, type Actor, type MemoryEvent, type WriteEvent } from '../memory/event.ts'
import type { Recording } from '../memory/recorder.ts'
import { RunMap } from '../memory/run-map.ts'

/** Ranges that one sentence names. */
const NAMED_MAX = 3
/** What the firmware has taken during the boot. */
const TAKEN = 'firmware:'
/** What outlives boot services. */
const KEPT: readonly string[] = ['firmware:runtime', 'firmware:reserved']

/** What actors wrote where the firmware has something, followed event by event; forks with its recording. */
export class HeldMemory {
  #taken = new RunMap<string>()
  #written = new Map<Actor, readonly Range[]>()
  /** Events and steps that were followed. */
  #events = 0
  #steps = 0
  /** The first event of ExitBootServices; Infinity before. */
  #end = Infinity

  /** An independent copy, for a fork of the recording. */
  fork(): HeldMemory {
    const twin = new HeldMemory()
    twin.#taken = this.#taken.fork()
    twin.#written = new Map(this.#written)
    twin.#events = this.#events
    twin.#steps = this.#steps
    twin.#end = this.#end
    return twin
  }

  /** Goes on where it stopped, up to the end of the recording: always the same one, or a fork of it. */
  follow({ events, steps }: Recording): this {
    for (; this.#steps < steps.length; this.#steps++) {
      const step = steps[this.#steps]
      if (step?.clause === 'FW-20') this.#end = Math.min(this.#end, step.first)
    }
    for (; this.#events < events.length; this.#events++) {
      const event = events[this.#events] as MemoryEvent
      if (isWrite(event)) this.#note(event)
      else if ((event.op === 'claim' || event.op === 'release') && event.id < this.#end)
        noteTaken(event, this.#taken)
    }
    return this
  }

  /** One gap for each actor that wrote where the firmware has something. `map` is that before the boot. */
  gaps(map: readonly MemoryDescriptor[]): Gap[] {
    return [...this.#written].map(([actor, ranges]) => gapOf(actor, union(ranges), map))
  }

  #note(event: WriteEvent): void {
    const found = overwritten(event, this.#taken, event.id >= this.#end)
    if (found.length > 0)
      this.#written.set(event.actor, [...(this.#written.get(event.actor) ?? []), ...found])
  }
}

const NONE: readonly never[] = []

/** What an event wrote that the firmware had; nothing for what lays memory out. */
function overwritten(event: WriteEvent, taken: RunMap<string>, over: boolean): readonly Range[] {
  if (event.op === 'occupy') return NONE
  const found: Range[] = []
  for (const { whose, range } of event.lost)
    if (whose?.object.startsWith(TAKEN) === true && (!over || KEPT.includes(whose.object))) found.push(range)
  if (over || event.actor === 'firmware') return found
  for (const where of rangesOf(event))
    for (const { start, end } of taken.runs(where.start, where.end)) found.push({ start, end } as Range)
  return found
}

/** Memory that the firmware takes for itself while the boot goes on: of its pools, what is no buffer. */
function noteTaken(event: Extract<MemoryEvent, { op: 'claim' | 'release' }>, taken: RunMap<string>): void {
  if (event.op === 'release') taken.rewrite(event.ranges, () => null)
  else if (event.label.startsWith(TAKEN)) taken.assign(event.range.start, event.range.end, event.label)
  else taken.clear(event.range.start, event.range.end)
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
