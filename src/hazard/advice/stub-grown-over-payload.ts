/**
 * stub-grown-over-payload: the stub has grown into the fixed addresses that once were far beyond it. HZ-22.
 */
import { hex } from '../../bytes/range.ts'
import { alignUp } from '../../bytes/units.ts'
import { placingFix } from '../advised-places.ts'
import { kernelRooms } from '../kernel-room.ts'
import { placedSections, type Placed } from '../layout.ts'
import { advice } from '../rule.ts'

/**
 * Where recipes with fixed addresses put their first sections. Source: systemd-stub(7), dracut, mkinitcpio.
 */
const FIXED = [0x20000, 0x30000, 0x40000] as const

export const stubGrownOverPayload = advice({
  id: 'stub-grown-over-payload',
  since: '0.1.0',
  clause: 'HZ-22',
  title: 'The stub has grown into the payload',
  inspect({ pe, uki }, report) {
    const sections = placedSections(uki)
    const own = sections.filter(section => !section.payload)
    const met = FIXED.flatMap(at => {
      const payload = sections.find(section => section.payload && section.start === at)
      const stub =
        payload === undefined
          ? undefined
          : own.find(section => section.start < payload.end && payload.start < section.end)
      return payload === undefined || stub === undefined ? [] : [{ payload, stub }]
    })
    const [first] = met
    if (first === undefined) return
    const end = alignUp<number>(
      own.reduce((highest, section) => Math.max(highest, section.end), 0),
      Math.max(1, pe.optional.SectionAlignment),
    )
    const where = met.map(
      ({ payload, stub }) =>
        `${payload.name} at ${hex(payload.start)} lies within ${stub.name} of the stub, ` +
        `${hex(stub.start)}-${hex(stub.end)}`,
    )
    report({
      object: first.stub.object,
      ranges: [],
      offsets: met
        .filter(({ stub }) => stub === first.stub)
        .map(({ payload, stub }) => lostOf(stub, payload)),
      what: `${where.join('; ')}.`,
      why:
        'the addresses 0x20000, 0x30000 and 0x40000 come from recipes written when stubs ' +
        'ended below 0x20000; the section that comes later in the table overwrites the ' +
        'other, unchecked',
      fix:
        `the sections of this stub end at ${hex(end)}: ` +
        (placingFix(pe, sections, undefined, kernelRooms(uki, sections)) ??
          'put every payload section at or beyond that') +
        ', or let ukify compute the addresses',
      legs: [],
    })
  },
})

function lostOf(stub: Placed, payload: Placed): { readonly from: number; readonly to: number } {
  return { from: Math.max(0, payload.start - stub.start), to: Math.min(stub.end, payload.end) - stub.start }
}
