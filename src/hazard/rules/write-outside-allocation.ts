/** write-outside-allocation: a write outside the writer's allocations. HZ-9. */
import { formatRange, sizeOf, union, type Range } from '../../bytes/range.ts'
import type { Actor, WriteEvent } from '../../memory/event.ts'
import { rule } from '../rule.ts'
import { clauseOf, exactSize, legsOf, some } from '../describe.ts'
import { signsIn } from '../signs.ts'

export const writeOutsideAllocation = rule({
  id: 'write-outside-allocation',
  class: 'breach',
  since: '0.1.0',
  clause: 'HZ-9',
  title: 'Memory was written outside the allocations of the writer',
  visit(recording, report) {
    const groups = new Map<string, WriteEvent[]>()
    for (const event of signsIn(recording).stray) {
      if (strayOf(event).length === 0) continue
      const key = `${event.actor} ${clauseOf(recording, event) ?? ''}`
      groups.set(key, [...(groups.get(key) ?? []), event])
    }
    for (const writes of groups.values()) {
      const ranges = union(writes.flatMap(strayOf))
      const actor = writes[0]?.actor ?? ''
      const owners = [
        ...new Set(
          writes.flatMap(write =>
            write.lost.flatMap(({ whose }) =>
              whose?.object.startsWith('firmware:') === true ? [whose.object] : [],
            ),
          ),
        ),
      ]
      const bytes = ranges.reduce((sum, one) => sum + sizeOf(one), 0)
      report({
        object: owners[0] ?? null,
        ranges,
        offsets: [],
        what:
          `${actor} wrote ${exactSize(bytes)} outside every allocation of its own: ` +
          `${some(ranges.map(formatRange))}.`,
        why:
          owners.length > 0
            ? `the memory belongs to ${some(owners)}`
            : 'this memory is not allocated, so the firmware may hand it out or use it itself',
        fix:
          `allocate ${exactSize(bytes)} more there in the writer, or reserve the room in the ` +
          'image (SizeOfImage, VirtualSize)',
        legs: legsOf(
          recording,
          'overwritten',
          writes.map(write => write.id),
          ranges,
        ),
      })
    }
  },
})

/** These run after boot services ended: free memory is theirs. */
const AFTER_BOOT_SERVICES: ReadonlySet<Actor> = new Set<Actor>(['decompressor', 'kernel'])

/** What an event wrote outside the allocations of its actor. */
function strayOf(event: WriteEvent): Range[] {
  if (event.actor === 'firmware') return []
  const late = AFTER_BOOT_SERVICES.has(event.actor)
  if (event.lost.length === 0 && (late ? event.outside : event.unallocated).length === 0) return []
  const owned = event.lost.filter(
    ({ whose }) =>
      whose?.object.startsWith('firmware:') === true && !(late && whose.object === 'firmware:boot'),
  )
  return union([...(late ? event.outside : event.unallocated), ...owned.map(extent => extent.range)])
}
