/** What happened, in order: steps as a tree with their clauses, the memory events of each below it. */
import { formatRange, hex } from '../bytes/range.ts'
import type { MemoryEvent, Step } from '../memory/event.ts'
import type { Recording } from '../memory/recorder.ts'
import { contentName, describeEvent } from '../hazard/describe.ts'
import { plain, printable, type TextOptions } from './layout.ts'

/** One line per step and event, children indented below their step. */
export function formatTrace(recording: Recording, { paint = plain }: TextOptions = {}): string {
  const lines: string[] = []
  const depths = recording.steps.map((step): number => depthOf(recording, step))
  let next = 0
  const openUntil = (event: number): void => {
    for (; next < recording.steps.length; next++) {
      const step = recording.steps[next]
      if (step === undefined || step.first > event) return
      lines.push(
        `${'  '.repeat(depths[next] ?? 0)}${paint(step.clause, 'heading')}  ${printable(`${step.actor}: ${step.what}`)}`,
      )
    }
  }
  for (let id = 0; id < recording.events.length;) {
    const run = ownMemory(recording, id)
    openUntil(id)
    const event = recording.events[id]
    if (event === undefined) break
    const margin = '  '.repeat(event.step === null ? 0 : (depths[event.step] ?? 0) + 1)
    if (run.length >= RUN_MIN)
      lines.push(
        `${margin}#${String(id)}-#${String(id + run.length - 1)} ${event.actor}: ${String(run.length)} events about memory of the firmware`,
      )
    else
      lines.push(
        ...eventLines(event).map(
          (line, i) => `${margin}${i === 0 ? `#${String(id)} ` : '   '}${printable(line)}`,
        ),
      )
    id += run.length >= RUN_MIN ? run.length : 1
  }
  openUntil(Infinity)
  return lines.length === 0 ? 'nothing happened\n' : `${lines.join('\n')}\n`
}

/** So many events in a row that only say which memory is the firmware's are told in one line. */
const RUN_MIN = 8

function ownMemory({ events }: Recording, from: number): readonly MemoryEvent[] {
  const step = events[from]?.step
  const isOwn = (event: MemoryEvent): boolean =>
    event.step === step &&
    (((event.op === 'claim' || event.op === 'release') && event.label.startsWith('firmware:')) ||
      (event.op === 'make' && event.object.startsWith('firmware:') && event.lost.length === 0))
  const end = events.findIndex((event, id) => id >= from && !isOwn(event))
  return events.slice(from, end === -1 ? undefined : end)
}

function depthOf(recording: Recording, step: Step): number {
  let depth = 0
  for (let parent = step.parent; parent !== null; parent = recording.steps[parent]?.parent ?? null) depth++
  return depth
}

function eventLines(event: MemoryEvent): string[] {
  const actor = event.step === null ? `${event.actor}: ` : ''
  switch (event.op) {
    case 'read':
      return [
        `${actor}${event.as === 'code' ? 'runs' : 'reads'} ${formatRange(event.range)} as ${event.object}${event.at === 0 ? '' : ` + ${hex(event.at)}`}`,
        ...event.deviations.map(
          ({ range, kind, at, found }) =>
            `! ${formatRange(range)} ${kind}: offset ${hex(at)} finds ${contentName(found)}`,
        ),
        ...(event.missing > 0 ? [`! ${hex(event.missing)} bytes of ${event.object} were left out`] : []),
      ]
    case 'contract':
    case 'ram':
    case 'claim':
    case 'release':
      return [actor + describeEvent(event)]
    case 'put':
    case 'patch':
    case 'make':
    case 'zero':
    case 'copy':
      return [
        actor + describeEvent(event),
        ...event.lost.map(
          ({ range, whose }) =>
            `- ${formatRange(range)} was ${whose?.object ?? 'nobody'}${whose === null || whose.at === 0 ? '' : ` + ${hex(whose.at)}`}`,
        ),
        ...event.strayed.map(range => `- ${formatRange(range)} is part of no allocation`),
      ]
  }
}
