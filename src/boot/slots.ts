/**
 * A kernel that KASLR puts anywhere is simulated in the first slot. What is found there holds for all slots
 * when none of them holds anything that is read later; otherwise the slot decides, and the report says so.
 */
import { hex, intersect, subtract, union, type Range } from '../bytes/range.ts'
import type { Machine } from '../machine/machine.ts'
import type { KernelSlots } from '../machine/model.ts'
import type { MemoryEvent } from '../memory/event.ts'
import type { Recording } from '../memory/recorder.ts'

/** Object name of the extracted kernel. */
const VO = 'vo'

/** Something that is read after the kernel was extracted, where it was before its place was chosen. */
interface Needed {
  readonly range: Range
  readonly object: string
}

function makesKernel(event: MemoryEvent): boolean {
  return event.op === 'claim' ? event.label === VO : event.op === 'make' && event.object === VO
}

/**
 * What is read from the choice on. Memory that was allocated after it lies elsewhere where the kernel is in
 * its place, so it is left out.
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

/** How many slots reach into any of these ranges. */
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

/** Where the slot decides, the run is in doubt, and says how many slots do what. */
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
