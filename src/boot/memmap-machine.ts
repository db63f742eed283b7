/**
 * Turns a user's memory map into a machine: its name, when it was taken, what is assumed and what stays
 * unknown (chapter FW).
 */
import { formatSize, type Range } from '../bytes/range.ts'
import type { LostRow, MemmapParse, OtherMap } from '../image/memmap.ts'
import { sayLost } from '../image/memmap/losses.ts'
import { EfiConventionalMemory, type MemoryDescriptor } from '../image/memory-types.ts'
import type { Assumption, Gap } from '../machine/machine.ts'
import { contradictsItself, pagesInDoubt, withDoubtTaken } from './in-doubt.ts'
import type { MapTaken } from './map-before-load.ts'

/** A machine as `check` takes it. */
export interface MemmapMachine {
  /** `memory map map.txt (uefi-shell, lines 2-3)`, and what else the text contained. */
  readonly what: string
  readonly map: readonly MemoryDescriptor[]
  readonly taken: MapTaken
  readonly problems: readonly {
    readonly file: string
    readonly id: string
    readonly at: number | null
    readonly what: string
  }[]
  readonly assumptions: readonly Assumption[]
  readonly doubts: readonly Gap[]
  /** Memory of which the map does not say whether it is free. */
  readonly inDoubt: readonly Range[]
}

/**
 * `name`: the file's name, for the report. `taken`: when the map was taken; default: implied by its dialect.
 * A map that does not distinguish free memory from the firmware's has a gap, so that no run on it is clean.
 */
export function machineFromMemmap(name: string, parse: MemmapParse, taken?: MapTaken): MemmapMachine {
  const { dialect, kind, lines, lacks, others, takenOff, lost } = parse
  const inDoubt = pagesInDoubt(lost.flatMap(({ at }) => at ?? []))
  const map = contradictsItself(parse.map) ? withDoubtTaken(parse.map, inDoubt, 'taken') : parse.map
  const poor = kind !== 'efi'
  const point = taken ?? (poor ? 'before-load' : parse.taken)
  const where = lines[1] === 0 ? '' : `, lines ${lines.map(String).join('-')}`
  const beside = others.length === 0 ? '' : `; not used: ${others.map(sayOther).join(', ')}`
  const clothes = takenOff.length === 0 ? '' : `; taken off: ${takenOff.join(', ')}`
  const at = point === 'before-load' ? '' : `, taken at ${point}`
  const rich = parse.taken === 'before-load' ? 'FW-3' : 'FW-27'
  return {
    what: `memory map ${name} (${dialect ?? 'unknown form'}${where}${beside}${clothes})${at}`,
    map,
    taken: point,
    problems: [
      ...parse.problems.map(({ id, at, what }) => ({ file: name, id, at, what })),
      ...lost.map(row => ({ file: name, id: 'lost-row', at: null, what: sayLost(row) })),
    ],
    assumptions:
      lacks.length === 0
        ? []
        : [
            {
              clause: poor ? 'FW-28' : rich,
              what: `a map in the form ${dialect ?? 'unknown'} lacks: ${lacks.join('; ')}`,
            },
          ],
    doubts: [...lostDoubts(lost), ...(poor ? [poorDoubt(map)] : [])],
    inDoubt,
  }
}

function poorDoubt(map: readonly MemoryDescriptor[]): Gap {
  return {
    clause: 'FW-28',
    why:
      `the map shows ${formatSize(usable(map))} of usable memory, but not which of it the ` +
      'firmware occupies: top-down allocations are upper bounds, bottom-up allocations are ' +
      'lower bounds',
  }
}

function sayOther({ dialect, line, same }: OtherMap): string {
  return `${dialect} from line ${String(line)}${same === true ? ', the same again' : ''}`
}

/** What is placed on a map with a lost row is placed on another machine (FW-60). */
function lostDoubts(lost: readonly LostRow[]): Gap[] {
  const [first, ...others] = lost
  if (first === undefined) return []
  const more = others.length === 0 ? '' : `, and ${String(others.length)} more of the kind`
  return [{ clause: 'FW-60', why: `the memory map is not whole: ${sayLost(first)}${more}` }]
}

/** Bytes of free memory. */
function usable(map: readonly MemoryDescriptor[]): number {
  return map.reduce(
    (sum, { type, range }) => sum + (type === EfiConventionalMemory ? range.end - range.start : 0),
    0,
  )
}
