/** Describes events, objects and offsets in a finding. */
import { formatRange, formatSize, hex, overlaps, type Range } from '../bytes/range.ts'
import {
  hullOf,
  offsetAt,
  rangesOf,
  type AnyClauseId,
  type EventId,
  type MemoryEvent,
} from '../memory/event.ts'
import type { Extent, ObjectId } from '../memory/extent.ts'
import type { Recording } from '../memory/recorder.ts'
import type { Leg } from './hazard.ts'
import { signsIn, type ContractEvent } from './signs.ts'

const SECTIONS: Readonly<Record<string, string>> = {
  kernel: '.linux',
  initrd: '.initrd',
  cmdline: '.cmdline',
}

/**
 * The section that an object comes from: `.linux` for `kernel`, `.osrel` for `uki:.osrel`; the object's own
 * name if there is none.
 */
export function sectionOf(object: ObjectId): string {
  const [name = object, copy] = object.split('#')
  const section = SECTIONS[name] ?? (/^(?:uki|stub):\./.test(name) ? name.slice(name.indexOf(':') + 1) : name)
  return copy === undefined ? section : `${section} (number ${copy})`
}

/** Describes the content of an extent. */
export function contentName(extent: Extent | null): string {
  if (extent === null) return 'no RAM'
  if (extent.whose !== null) return extent.whose.object
  if (extent.content.kind === 'fill')
    return extent.content.byte === 0 ? 'zeroes' : `bytes ${hex(extent.content.byte)}`
  return extent.content.kind === 'garbage' ? 'unknown data' : 'stale data'
}

/** `0x0-0x43200, 0x50000-0x50010` or, of many, the first three and how many more. */
export function formatOffsets(offsets: readonly { readonly from: number; readonly to: number }[]): string {
  return some(offsets.map(({ from, to }) => `${hex(from)}-${hex(to)}`))
}

/** The first three of a list, and how many more there are. */
export function some(items: readonly string[]): string {
  return items.length <= 4
    ? items.join(', ')
    : `${items.slice(0, 3).join(', ')} and ${String(items.length - 3)} more`
}

/** `268.5 KiB (0x43200 bytes)`; small counts only once. */
export function exactSize(count: number): string {
  return count < 1024 ? formatSize(count) : `${formatSize(count)} (${hex(count)} bytes)`
}

/**
 * The ranges of an event that touch one of these, for a sentence about these alone; the whole event if none
 * does.
 */
export function placesIn(event: MemoryEvent, within: readonly Range[]): Range[] {
  const ranges = rangesOf(event)
  const touched = ranges.length > 1 ? ranges.filter(one => within.some(other => overlaps(one, other))) : []
  const hull = touched.length > 0 ? null : hullOf(event)
  return hull === null ? touched : [hull]
}

/**
 * Describes an event: `zeroed 0x1000-0x2000 as kernel from its offset 0xb2a200 on`. Of an event with many
 * ranges it names one, or their number.
 */
export function describeEvent(event: MemoryEvent, only?: Range): string {
  const ranges = rangesOf(event)
  const one = ranges.length > 1 ? ranges.find(range => range === only) : ranges[0]
  const hull = hullOf(event)
  const count = hull === null ? '' : `${String(ranges.length)} ranges of ${formatRange(hull)}`
  const where = one === undefined ? count : formatRange(one)
  switch (event.op) {
    case 'copy':
      return `copied ${formatRange(event.from)} to ${where}`
    case 'ram':
      return `RAM ${where}`
    case 'claim':
      return `allocated ${where} as ${event.label}`
    case 'release':
      return `freed ${where} as ${event.label}`
    case 'read':
      return `read ${where} as ${event.object}`
    case 'contract':
      return `${event.clause} ${event.kept ? 'kept' : 'broken'}: ${event.what}`
    case 'put':
      return `loaded ${where}${asObject(event.object, event.at)}`
    case 'patch':
    case 'make':
      return `wrote ${where}${asObject(event.object, event.at)}`
    case 'occupy':
      return one === undefined
        ? `${where} are ${event.object}`
        : `wrote ${where}${asObject(event.object, one.start)}`
    case 'amend':
      return `adjusted ${where} in place`
    case 'zero':
      return `zeroed ${where}${asObject(event.object, event.at)}`
  }
}

function asObject(object: ObjectId | null, at: number): string {
  return object === null ? '' : ` as ${object}${at === 0 ? '' : ` from its offset ${hex(at)} on`}`
}

/** The clause of the step under which an event happened, or null. */
export function clauseOf(recording: Recording, event: MemoryEvent): string | null {
  return event.step === null ? null : (recording.steps[event.step]?.clause ?? null)
}

/** An event, and the part of its range that a leg is about; null if it touched no memory. */
interface Place {
  readonly event: MemoryEvent
  readonly range: Range | null
}

/** A leg; `what` describes the event and its step. */
function legOf(recording: Recording, role: Leg['role'], { event, range }: Place): Leg {
  const step = event.step === null ? undefined : recording.steps[event.step]
  const what = describeEvent(event, range ?? undefined)
  return {
    role,
    event: event.id,
    actor: event.actor,
    clause: step?.clause ?? null,
    range,
    what: step === undefined ? what : `${what}: ${step.what}`,
  }
}

/** Content from before the boot comes first, by address; then event by event. */
function placesOf({ events }: Recording, ids: readonly EventId[], within: readonly Range[]): Place[] {
  const before: Place[] = []
  const later: Place[] = []
  for (const id of ids) {
    const event = events[id]
    if (event === undefined) continue
    const ranges = placesIn(event, within)
    const places = ranges.length === 0 ? [{ event, range: null }] : ranges.map(range => ({ event, range }))
    ;(event.op === 'occupy' ? before : later).push(...places)
  }
  before.sort((a, b) => (a.range?.start ?? 0) - (b.range?.start ?? 0))
  return [...before, ...later]
}

/**
 * Legs for some events, one for each; of an event with many ranges one for each of those that touch `within`.
 * More than `most` are counted in a last leg.
 */
export function legsOf(
  recording: Recording,
  role: Leg['role'],
  ids: readonly EventId[],
  within: readonly Range[],
  most = 6,
): Leg[] {
  const places = placesOf(recording, ids, within)
  const shown = places.length <= most ? places : places.slice(0, most - 1)
  const legs = shown.map(place => legOf(recording, role, place))
  if (shown.length < places.length)
    legs.push({
      role,
      event: null,
      actor: null,
      clause: null,
      range: null,
      what: `and ${String(places.length - shown.length)} more events`,
    })
  return legs
}

/**
 * Address of byte 0 of an object when it was first loaded or made, at `before` or earlier; null if it never
 * was.
 */
export function baseOf(events: readonly MemoryEvent[], object: ObjectId, before: EventId): number | null {
  for (const event of events.slice(0, before)) {
    if ((event.op === 'put' || event.op === 'make') && event.object === object) return 0 - offsetAt(event, 0)
  }
  return null
}

/** End of an object as loaded or written: its length as far as the recording shows it. */
export function reachOf(events: readonly MemoryEvent[], object: ObjectId): number {
  let reach = 0
  for (const event of events) {
    if (
      (event.op === 'put' || event.op === 'make' || event.op === 'patch' || event.op === 'zero') &&
      event.object === object
    )
      reach = Math.max(reach, offsetAt(event, hullOf(event)?.end ?? 0))
  }
  return reach
}

/** The breaches of some contracts whose range touches one of these ranges. */
export function brokenContracts(
  recording: Recording,
  contracts: readonly AnyClauseId[],
  ranges: readonly Range[],
): ContractEvent[] {
  return signsIn(recording).broken.filter(
    ({ clause, range: where }) =>
      contracts.includes(clause) && where !== null && ranges.some(one => overlaps(one, where)),
  )
}
