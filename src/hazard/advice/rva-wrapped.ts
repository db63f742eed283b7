/** rva-wrapped: addresses were given to objcopy without ImageBase, and wrapped below it. HZ-20. */
import { hex } from '../../bytes/range.ts'
import { placedSections } from '../layout.ts'
import { advice } from '../rule.ts'
import { some } from '../describe.ts'
import { wrappedFrom } from '../size-of-image.ts'

export const rvaWrapped = advice({
  id: 'rva-wrapped',
  since: '0.1.0',
  clause: 'HZ-20',
  title: 'Addresses wrapped below ImageBase',
  inspect({ pe, uki }, report) {
    const { ImageBase, SizeOfImage } = pe.optional
    const wrapped = placedSections(uki).flatMap(section => {
      const given = wrappedFrom(pe, section)
      return given === null ? [] : [{ section, given }]
    })
    const [first] = wrapped
    if (first === undefined) return
    const found = wrapped.map(
      ({ section, given }) => `${section.name} at ${hex(section.start)} was given as ${hex(given)}`,
    )
    const right = wrapped.map(({ section, given }) => `${section.name}=${hex(ImageBase + BigInt(given))}`)
    report({
      object: first.section.object,
      ranges: [],
      offsets: [],
      what: `${some(found)}: far beyond SizeOfImage ${hex(SizeOfImage)}.`,
      why:
        `the addresses were given without ImageBase ${hex(ImageBase)}; objcopy writes the ` +
        'difference modulo 2^32 and exits with 0, and firmware refuses a section that begins ' +
        'past SizeOfImage with EFI_LOAD_ERROR',
      fix: `add ImageBase to every address: ${some(right)}; ` + 'or let ukify compute them',
      legs: [],
    })
  },
})
