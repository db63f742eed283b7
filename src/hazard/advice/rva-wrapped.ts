/** rva-wrapped: addresses were given to objcopy without ImageBase, and wrapped below it. HZ-20. */
import { hex } from '../../bytes/range.ts'
import { advisedPlaces } from '../advised-places.ts'
import { some } from '../describe.ts'
import { kernelRooms } from '../kernel-room.ts'
import { placedSections } from '../layout.ts'
import { ADVICE_MAX, advice } from '../rule.ts'
import { wrappedFrom } from '../size-of-image.ts'

export const rvaWrapped = advice({
  id: 'rva-wrapped',
  since: '0.1.0',
  clause: 'HZ-20',
  title: 'Addresses wrapped below ImageBase',
  inspect({ pe, uki }, report) {
    const { ImageBase, SizeOfImage } = pe.optional
    const sections = placedSections(uki)
    const wrapped = sections.flatMap(section => {
      const given = wrappedFrom(pe, section)
      return given === null ? [] : [{ section, given }]
    })
    const [first] = wrapped
    if (first === undefined) return
    const found = wrapped.map(
      ({ section, given }) => `${section.name} at ${hex(section.start)} was given as ${hex(given)}`,
    )
    const givenOf = new Map(wrapped.map(({ section, given }) => [section.index, given]))
    const meant = sections.map(section => {
      const given = givenOf.get(section.index) ?? section.start
      return { ...section, start: given, end: given + section.end - section.start }
    })
    const places = advisedPlaces(pe, meant, undefined, kernelRooms(uki, meant)) ?? []
    const right = wrapped.slice(0, ADVICE_MAX).map(({ section, given }) => {
      const at = places.find(place => place.section.index === section.index)?.at ?? given
      return `${section.name}=${hex(ImageBase + BigInt(at))}`
    })
    report({
      object: first.section.object,
      ranges: [],
      offsets: [],
      what: `${some(found)}: far beyond SizeOfImage ${hex(SizeOfImage)}.`,
      why:
        `the addresses were given without ImageBase ${hex(ImageBase)}; objcopy writes the ` +
        'difference modulo 2^32 and exits with 0, and firmware refuses a section that begins ' +
        'past SizeOfImage with EFI_LOAD_ERROR',
      fix: `add ImageBase to every address: ${right.join(', ')}; or let ukify compute them`,
      legs: [],
    })
  },
})
