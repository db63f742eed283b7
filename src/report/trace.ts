/** What happened, in order: steps as a tree with their clauses, the memory events of each below it. */
import { formatRange, hex } from '../bytes/range.ts'
import { rangesOf, type MemoryEvent, type Step } from '../memory/event.ts'
import type { Recording } from '../memory/recorder.ts'
import { contentName, describeEvent } from '../hazard/describe.ts'
import { plain, printable, type TextOptions } from './layout.ts'

/** Options of a trace. */
export interface TraceOptions extends TextOptions {
  /** Every range of an event on a line of its own. Default: only their number. */
  readonly all?: boolean
}

/** One line per step and event, children indented below their step. */
export function formatTrace(recording: Recording, { paint = plain, all = false }: TraceOptions = {}): string {
  const lines: string[] = []
  const depths = recording.steps.map((step): number => depthOf(recording, step))
  let next = 0
  const openUntil = (event: number): void => {
    for (; next < recording.steps.length; next++) {
      const step = recording.steps[next]
      if (step === undefined || step.first > event) return
      lines.push(
        `${'  '.repeat(depths[next] ?? 0)}${paint(step.clause, 'heading')}  ` +
          printable(`${step.actor}: ${step.what}`),
      )
    }
  }
  for (const event of recording.events) {
    openUntil(event.id)
    const margin = '  '.repeat(event.step === null ? 0 : (depths[event.step] ?? 0) + 1)
    lines.push(
      ...eventLines(event, all).map(
        (line, i) => `${margin}${i === 0 ? `#${String(event.id)} ` : '   '}${printable(line)}`,
      ),
    )
  }
  openUntil(Infinity)
  return lines.length === 0 ? 'nothing happened\n' : `${lines.join('\n')}\n`
}

function depthOf(recording: Recording, step: Step): number {
  let depth = 0
  for (let parent = step.parent; parent !== null; parent = recording.steps[parent]?.parent ?? null) depth++
  return depth
}

function eventLines(event: MemoryEvent, all: boolean): string[] {
  const actor = event.step === null ? `${event.actor}: ` : ''
  switch (event.op) {
    case 'read':
      return [
        `${actor}${event.as === 'code' ? 'runs' : 'reads'} ${formatRange(event.range)} as ` +
          `${event.object}${event.at === 0 ? '' : ` + ${hex(event.at)}`}`,
        ...event.deviations.map(
          ({ range, kind, at, found }) =>
            `! ${formatRange(range)} ${kind}: offset ${hex(at)} finds ${contentName(found)}`,
        ),
        ...(event.missing > 0 ? [`! ${hex(event.missing)} bytes of ${event.object} were not read`] : []),
      ]
    case 'contract':
    case 'ram':
    case 'claim':
    case 'release':
      return [actor + describeEvent(event), ...rangeLines(event, all)]
    case 'put':
    case 'patch':
    case 'make':
    case 'zero':
    case 'copy':
    case 'occupy':
    case 'amend':
      return [
        actor + describeEvent(event),
        ...rangeLines(event, all),
        ...event.lost.map(
          ({ range, whose }) =>
            `- ${formatRange(range)} was ` +
            `${whose?.object ?? 'unowned'}${whose === null || whose.at === 0 ? '' : ` + ${hex(whose.at)}`}`,
        ),
        ...event.unallocated.map(range => `- ${formatRange(range)} is not part of any allocation`),
      ]
  }
}

function rangeLines(event: MemoryEvent, all: boolean): string[] {
  const ranges = rangesOf(event)
  return all && ranges.length > 1 ? ranges.map(formatRange) : []
}
