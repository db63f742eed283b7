/**
 * The measured kernels as JSON, the literals that the package ships, and what our parser reads from an image
 * built from them are the same.
 */
import { expect, it } from 'vitest'
import { parseBzImage } from '../../../../src/image/x86/bzimage.ts'
import { KERNEL_FACTS } from '../../../../src/image/x86/kernel-facts.ts'
import { buildKernel } from '../../../../src/image/synthetic.ts'
import { KERNELS, NINE_KERNELS } from '../../../support/kernel-fixtures.ts'

/** What the JSON calls by another name than our parser, or splits up. */
const BOOT_SECTOR = ['ram_size']

/**
 * Two releases carry .bss as zeros and 185 bytes of a section .modinfo after what syssize counts, in front of
 * the certificates.
 */
const LONGER: Readonly<Record<string, number>> = {
  'debian-6.17.13-cloud': 0x6bec0,
  'debian-6.18.15-cloud': 0x6b0c0,
}

it('are the nine that were worked through, and newer ones that were booted', () => {
  expect(NINE_KERNELS.map(({ key, facts }) => `${key ?? ''} ${facts.name}`)).toEqual([
    'A debian-5.10.223',
    'B debian-5.10.223-cloud',
    'C debian-6.1.170',
    'D debian-6.1.170-cloud',
    'E debian-6.12.107',
    'F debian-6.12.107-cloud',
    'G debian-7.2.13',
    'H debian-7.2.13-cloud',
    'I debian-7.3-rc7',
  ])
  expect(KERNELS.filter(({ key }) => key === null).map(({ facts }) => facts.name)).toEqual([
    'debian-6.16.12-cloud',
    'debian-6.17.13-cloud',
    'debian-6.18.15-cloud',
    'debian-6.19.14-cloud',
    'debian-7.0.13-cloud',
    'debian-7.1.13-cloud',
    'debian-7.3.4-cloud',
  ])
})

it.each(NINE_KERNELS)('$facts.name: the literals in src are the measured numbers', ({ facts }) => {
  expect(KERNEL_FACTS[facts.name]).toEqual(facts)
})

it.each(KERNELS)(
  '$facts.name: every header field is read as measured',
  ({ facts, setup_header, coff, optional_header }) => {
    const { bzimage } = parseBzImage(buildKernel(facts))
    if (bzimage?.pe == null) throw new Error('not read')
    const numbers = (from: object, names: readonly string[]): Record<string, number> =>
      Object.fromEntries(names.map(name => [name, Number((from as Record<string, unknown>)[name])]))
    const names = Object.keys(setup_header).filter(name => !BOOT_SECTOR.includes(name))
    expect(names).toHaveLength(38)
    expect(numbers(bzimage.hdr, names)).toEqual(numbers(setup_header, names))
    expect(numbers(bzimage.pe.optional, Object.keys(optional_header))).toEqual(optional_header)
    expect({
      ...numbers(bzimage.pe.coff, Object.keys(coff)),
      sectionTable: bzimage.pe.sectionTable,
    }).toEqual(coff)
    expect(
      bzimage.pe.sections.map(
        ({ name, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData, Characteristics }) => [
          name,
          VirtualAddress,
          VirtualSize,
          PointerToRawData,
          SizeOfRawData,
          Characteristics,
        ],
      ),
    ).toEqual(facts.pe.sections)
    const declared = bzimage.setupSize + facts.hdr.syssize * 16
    expect(bzimage).toMatchObject({ version: facts.version, fileSize: declared })
    expect(bzimage.problems.map(({ id }) => id)).toEqual(facts.name in LONGER ? ['longer-than-declared'] : [])
    expect(facts.fileSize - declared - (facts.pe.certificates?.[1] ?? 0)).toBe(LONGER[facts.name] ?? 0)
  },
)
