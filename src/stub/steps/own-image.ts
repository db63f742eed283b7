/** The stub's own code and data at entry: bytes that were overwritten (chapter ST). */
import { formatRange, range, rangeAt } from '../../bytes/range.ts'
import { add } from '../../bytes/units.ts'
import type { Extent } from '../../memory/extent.ts'
import { type UkiSection, viewUki } from '../../image/uki.ts'
import type { StubContext } from '../model.ts'
import { compareWithBuild } from './known-build.ts'

/** Bytes at the entry point that are certain to run. */
export const ENTRY_BYTES = 16
/** Limit of places reported one by one; a crafted image can overlap in thousands. */
const DOUBTS_MAX = 16
/** Places in which the stub writes its variables over other sections; beyond them the run ends. */
const WRITES_MAX = 65536
/** Characteristics. */
const IMAGE_SCN_MEM_WRITE = 0x80000000

/** Enters the stub, and reports which of its bytes belong to other sections. */
export function ownImage(ctx: StubContext): void {
  const { machine, self } = ctx
  const sections = viewUki(self.pe).sections.filter(({ section }) => section.VirtualSize > 0)
  machine.step('ST-1', 'the stub is entered', () => {
    enter(ctx, sections)
  })
  compareWithBuild(ctx)
  const own = sections.filter(({ payload }) => !payload)
  doubtOverwritten(ctx)
  machine.step('ST-3', 'the stub writes to its own data', () => {
    let places = 0
    for (const one of own) {
      if (one.section.Characteristics < IMAGE_SCN_MEM_WRITE) continue
      for (const { range: where } of [...foreignIn(ctx, one)]) {
        if (places++ === WRITES_MAX)
          return machine.gap(
            'ST-3',
            `the stub's data overlaps other sections in more than ${String(WRITES_MAX)} places`,
          )
        machine.memory.make(where, one.object, where.start - self.base - one.section.VirtualAddress)
      }
    }
  })
}

/** Reports which bytes of the stub's own sections were overwritten. */
export function doubtOverwritten(ctx: StubContext): void {
  const own = viewUki(ctx.self.pe).sections.filter(
    ({ section, payload }) => section.VirtualSize > 0 && !payload,
  )
  ctx.machine.step('ST-2', "the stub's own sections", () => {
    doubtAll(ctx, own)
  })
}

function enter({ machine, self }: StubContext, sections: readonly UkiSection[]): void {
  const at = self.entry - self.base
  const home = sections.find(
    ({ section, payload }) =>
      !payload && section.VirtualAddress <= at && at < section.VirtualAddress + section.VirtualSize,
  )
  if (home === undefined)
    return machine.gap(
      'ST-1',
      `the entry point at ${formatRange(rangeAt(self.entry, ENTRY_BYTES))} is not in any section of the stub`,
    )
  const { VirtualAddress, VirtualSize } = home.section
  const end = Math.min(self.entry + ENTRY_BYTES, self.base + VirtualAddress + VirtualSize)
  machine.enter(
    range(self.entry, end),
    home.object,
    at - VirtualAddress,
    `the first instructions of the stub were overwritten`,
  )
}

function* foreignIn({ machine, self }: StubContext, { section, object }: UkiSection): Generator<Extent> {
  const where = rangeAt(add(self.base, section.VirtualAddress), section.VirtualSize)
  for (const extent of machine.memory.extents(where)) {
    const {
      whose,
      written,
      range: { start },
    } = extent
    const taken = whose === null ? written : !(whose.object === object && whose.at === start - where.start)
    if (taken) yield extent
  }
}

function doubtAll(ctx: StubContext, own: readonly UkiSection[]): void {
  let places = 0
  for (const one of own) {
    for (const extent of foreignIn(ctx, one)) {
      if (places === DOUBTS_MAX) {
        ctx.machine.unmodelled('ST-2', "more of the stub's own sections was overwritten than these places")
        return
      }
      doubt(ctx, one, extent)
      places++
    }
  }
}

function doubt({ machine }: StubContext, one: UkiSection, { range: where, whose }: Extent): void {
  machine.unmodelled(
    'ST-2',
    `${one.object} was ${whose === null ? 'zeroed' : 'overwritten'} at ` +
      `${formatRange(where)}${whose === null ? '' : ` by ${whose.object}`}: whether the ` +
      'stub needs these bytes is not modelled',
  )
}
