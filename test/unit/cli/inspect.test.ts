import { describe, expect, test } from 'vitest'
import { UsageError } from '../../../src/bytes/errors.ts'
import { bytesSource, sparseSource } from '../../../src/bytes/source.ts'
import { formatInspection, inspectSource, inspectionToJson } from '../../../src/cli/inspect.ts'
import { sectionNotes } from '../../../src/cli/section-notes.ts'
import { parsePe } from '../../../src/image/pe.ts'
import { STUB_FACTS } from '../../../src/image/stub-facts.ts'
import { buildKernel, buildPe, buildUki, type SectionRecipe } from '../../../src/image/synthetic.ts'
import { uki } from '../../../src/vitest/builders.ts'
import { factsOf } from '../../support/facts.ts'

const kernel = factsOf('debian-5.10.223')
const image = buildUki({
  stub: STUB_FACTS['247.3'],
  sections: [
    { name: '.linux', VirtualAddress: 0x2000000, content: buildKernel(kernel) },
    { name: '.initrd', VirtualAddress: 0x2100000, content: { initrd: 0x100000 } },
  ],
})

describe('inspectSource', () => {
  const inspection = inspectSource('uki.efi', image)

  test('shows sections in table order, with what they share', () => {
    const text = formatInspection(inspection)
    expect(text).toMatch(/^uki\.efi {2}\d/)
    expect(text).toMatch(
      /\n +6 +\.linux +0x2000000 .* kernel\n +shares 0x100000 bytes of memory with #7 \.initrd/,
    )
    expect(text.indexOf('.linux')).toBeLessThan(text.indexOf('.initrd'))
    expect(text).toContain('stub     systemd-stub 247.3-7+deb11u8')
    expect(text).toContain('sections-overlap')
    expect(text).not.toMatch(/ \n/)
  })

  test('shows every field of the setup header, and the geometry', () => {
    const text = formatInspection(inspection)
    for (const field of [
      'init_size 0x3b7a000',
      'pref_address 0x1000000',
      'kernel_alignment 0x200000',
      'handover_offset 0x190',
      'xloadflags 0x3f',
      'kernel_info_offset',
    ])
      expect(text).toContain(field)
    for (const [name, value] of Object.entries(kernel.geometry))
      expect(text).toContain(`${name} 0x${value.toString(16)}`)
    expect(text).toContain('payload   xz at ')
  })

  test('as JSON has hexadecimal strings under upstream names', () => {
    const json = JSON.parse(JSON.stringify(inspectionToJson(inspection))) as {
      pe: { optional: Record<string, string> }
      sections: { name: string; VirtualAddress: string }[]
      kernels: { release: string; hdr: Record<string, string> }[]
    }
    expect(json.pe.optional['AddressOfEntryPoint']).toBe('0x4000')
    expect(json.sections.map(({ name }) => name)).toEqual([
      '.text',
      '.reloc',
      '.data',
      '.dynamic',
      '.rela',
      '.dynsym',
      '.linux',
      '.initrd',
    ])
    expect(json.kernels).toHaveLength(1)
    expect(json.kernels[0]?.hdr['init_size']).toBe('0x3b7a000')
  })

  test('names who may have built it, with what speaks for each', () => {
    const made = inspectSource('uki.efi', uki({ as: 'dracut-050', stub: '247.3' }))
    const text = formatInspection(made)
    expect(text).toContain(
      'built by  one of several with the same layout\n' +
        '  dracut 050 to 059 (dracut-050): .osrel at 0x20000, .cmdline at 0x30000, .linux\n' +
        '  at 0x2000000 and .initrd at 0x3000000 are the addresses it passes to objcopy.\n',
    )
    expect(text).toContain('mkinitcpio v31 to v34 (mkinitcpio-31)')
    expect(inspectionToJson(made)['layout']).toMatchObject({
      certainty: 'several',
      candidates: [{ id: 'dracut-050' }, { id: 'mkinitcpio-31' }, { id: 'test-220' }, { id: 'man-250' }],
    })
    expect(formatInspection(inspectSource('uki.efi', uki({ as: 'ukify-257.3' })))).toContain(
      'built by  certain\n  ukify 257.3 and later',
    )
    expect(formatInspection(inspection)).toContain('built by  unknown: no known tool has this layout')
    expect(formatInspection(inspectSource('vmlinuz', buildKernel(kernel)))).not.toContain('built by')
  })

  test('takes a kernel, as PE file and without', () => {
    const whole = inspectSource('vmlinuz', buildKernel(kernel))
    expect([whole.pe === null, whole.kernels.map(({ object }) => object)]).toEqual([false, ['kernel']])
    const old = sparseSource(0x8000, [
      { at: 0, source: buildKernel(kernel) },
      { at: 0, source: bytesSource(Uint8Array.of(0xea, 5)) },
    ])
    const text = formatInspection(inspectSource('old', old))
    expect(text).toContain('not a PE file: a kernel without an EFI stub')
    expect(text).toContain('entries   handover64 0x4190')
    expect(inspectionToJson(inspectSource('old', old))['pe']).toBeNull()
  })

  test('says what is no kernel in .linux', () => {
    const text = formatInspection(
      inspectSource(
        'x',
        buildUki({
          stub: STUB_FACTS['247.3'],
          sections: [{ name: '.linux', VirtualAddress: 0x20000, content: { zero: 4096 } }],
        }),
      ),
    )
    expect(text).toMatch(/kernel {3}in kernel: not a bzImage\n {2}kernel at 0x202: no HdrS/)
  })

  test('refuses other files by name, place and reason', () => {
    expect(() => inspectSource('x', bytesSource(new Uint8Array(0)))).toThrow(
      new UsageError('x: at 0x0: the file is empty'),
    )
    expect(() => inspectSource('x', bytesSource(new TextEncoder().encode('hello')))).toThrow(
      /^x: at 0x0: the file begins with /,
    )
  })
})

describe('sectionNotes', () => {
  const at = (
    name: string,
    VirtualAddress: number,
    VirtualSize: number,
    PointerToRawData = 0,
    SizeOfRawData = 0,
  ): SectionRecipe => ({
    name,
    VirtualAddress,
    VirtualSize,
    PointerToRawData,
    SizeOfRawData,
    Characteristics: 0,
  })
  const notesOf = (sections: SectionRecipe[], SizeOfImage = 0x100000): string[][] =>
    sectionNotes(
      parsePe(buildPe({ optional: { SectionAlignment: 0x1000, SizeOfImage }, sections, size: 0x100000 }))
        .pe ?? expect.fail('no PE'),
    )

  test('gaps, overlaps and what sticks out', () => {
    expect(
      notesOf([at('.b', 0x3000, 0x10), at('.a', 0x1000, 0x10), at('.c', 0x3008, 0x2000)], 0x4000),
    ).toEqual([
      ['shares 0x8 bytes of memory with #2 .c'],
      ['gap of 0x1000 after it'],
      ['shares 0x8 bytes of memory with #0 .b', 'ends 0x1008 past SizeOfImage'],
    ])
  })

  test('VirtualSize 0 stands for the raw size, and raw data may be shared', () => {
    expect(notesOf([at('.a', 0x1000, 0, 0x2000, 0x200), at('.b', 0x1000, 0x100, 0x2100, 0x200)])).toEqual([
      ['shares 0x100 bytes of memory with #1 .b', 'shares 0x100 bytes of the file with #1 .b'],
      ['shares 0x100 bytes of memory with #0 .a', 'shares 0x100 bytes of the file with #0 .a'],
    ])
  })

  test('a table of many sections on one spot is cut, not left out', () => {
    const notes = notesOf(Array.from({ length: 3000 }, (_, i) => at(`.${String(i)}`, 0x1000, 0x1000)))
    expect(notes[0]).toHaveLength(5)
    expect(notes[0]?.at(-1)).toBe('and others')
    expect(Math.max(...notes.map(list => list.length))).toBe(5)
  })
})
