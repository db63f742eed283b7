/**
 * KASLR can put the kernel into any of its slots; the run simulates the first. Its result holds for all of
 * them unless some slots overlap memory that is read later: then the slot decides, and the report says so.
 */
import { hex, intersect, subtract, union, type Range } from '../bytes/range.ts'
import type { Machine } from '../machine/machine.ts'
import type { KernelSlots } from '../machine/model.ts'
import type { MemoryEvent } from '../memory/event.ts'
import type { Recording } from '../memory/recorder.ts'

/** Object name of the extracted kernel. */
const VO = 'vo'

/** Memory in use before the slot was chosen, and read after the kernel was extracted. */
interface Needed {
  readonly range: Range
  readonly object: string
}

function makesKernel(event: MemoryEvent): boolean {
  return event.op === 'claim' ? event.label === VO : event.op === 'make' && event.object === VO
}

/**
 * The ranges read after the slot was chosen. Memory allocated after that is left out: with the kernel in
 * another slot it would be allocated elsewhere.
 */
function neededLater({ events }: Recording): Needed[] {
  const chosen = events.findIndex(makesKernel)
  if (chosen < 0) return []
  const later = events.slice(chosen + 1)
  const allocated = union(later.flatMap(event => (event.op === 'claim' ? [event.range] : [])))
  return later.flatMap(event => {
    if (event.op !== 'read' || event.object === VO) return []
    return allocated
      .reduce<Range[]>((parts, hole) => parts.flatMap(part => subtract(part, hole)), [event.range])
      .map(range => ({ range, object: event.object }))
  })
}

/** The number of slots that overlap any of these ranges. */
function slotsIn({ runs, align, size }: KernelSlots, needed: readonly Needed[]): number {
  let hits = 0
  for (const { first, count } of runs) {
    const spans = needed.flatMap(({ range: { start, end } }) => {
      const from = Math.max(0, Math.floor((start - size - first) / align) + 1)
      const to = Math.min(count, Math.ceil((end - first) / align))
      return from < to ? [{ from, to }] : []
    })
    let done = 0
    for (const { from, to } of spans.sort((a, b) => a.from - b.from)) {
      hits += Math.max(0, to - Math.max(from, done))
      done = Math.max(done, to)
    }
  }
  return hits
}

/** Makes the verdict unknown if some slots, but not all, overlap memory that is read later. */
export function judgeSlots(machine: Machine, slots: KernelSlots | undefined, recording: Recording): void {
  if (slots === undefined) return
  const { runs, align, size, count, clause } = slots
  const reaches = ({ range }: Needed): boolean =>
    runs.some(
      run =>
        intersect(range, { start: run.first, end: run.first + (run.count - 1) * align + size } as Range) !==
        null,
    )
  const needed = neededLater(recording).filter(reaches)
  const [first] = needed
  const harmful = slotsIn(slots, needed)
  if (first === undefined || harmful === 0) return
  machine.observe({ harmfulSlots: harmful })
  if (harmful < count)
    machine.unmodelled(
      clause,
      `the slot decides: ${String(harmful)} of ${String(count)} slots put the kernel over something ` +
        `that is needed later, such as ${first.object} at ${hex(first.range.start)}`,
    )
}
