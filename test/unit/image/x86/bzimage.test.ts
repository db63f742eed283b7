import { expect, it } from 'vitest'
import { bytesSource, countingSource, sliceSource } from '../../../../src/bytes/source.ts'
import {
  setup_header,
  SETUP_HEADER_AT,
  type SetupHeaderField,
} from '../../../../src/image/x86/boot-params.ts'
import { COMPRESSIONS, PAYLOAD_MAGIC, parseBzImage, type BzImage } from '../../../../src/image/x86/bzimage.ts'
import { KERNEL_FACTS } from '../../../../src/image/x86/kernel-facts.ts'
import { buildKernel } from '../../../../src/image/synthetic.ts'
import { TINY_KERNELS } from '../../../oracle/tiny-kernels.ts'
import type { ByteSource } from '../../../../src/bytes/source.ts'
import { edited, le } from '../../../support/bytes.ts'
import { factsOf } from '../../../support/facts.ts'

const E2 = factsOf('debian-5.10.223-cloud')
const E5 = factsOf('debian-6.12.107')

function parsed(source: ByteSource): BzImage {
  const { bzimage } = parseBzImage(source)
  if (bzimage === null) throw new Error('no bzImage')
  return bzimage
}

/** `source` with other bytes at one place. */
function withField(source: ByteSource, field: SetupHeaderField, value: number): ByteSource {
  const [at, kind] = setup_header.fields[field]
  const width = { u8: 1, u16: 2, u32: 4, u64: 4 }[kind]
  return edited(source, SETUP_HEADER_AT + at, le(value, width))
}
const ids = (source: ByteSource): string[] => parseBzImage(source).problems.map(problem => problem.id)

it.each([...Object.values(KERNEL_FACTS), ...TINY_KERNELS])(
  'reads from $name what its facts say, without a problem',
  of => {
    const source = countingSource(buildKernel(of))
    const b = parsed(source)
    expect(b.problems).toEqual([])
    expect(b.geometry).toEqual(of.geometry)
    expect(b.hdr).toMatchObject(of.hdr)
    expect(b.protocol).toBe(0x20f)
    expect(b.setupSize).toBe((of.hdr.setup_sects + 1) * 512)
    expect(b.fileSize + (of.pe.certificates?.[1] ?? 0)).toBe(of.fileSize)
    expect(b.payload).toMatchObject({
      compression: of.compression,
      length: of.hdr.payload_length,
      output_len: of.output_len,
    })
    expect(b.kernel_info?.setup_type_max).toBe(of.setup_type_max)
    expect(b.version).toBe(of.version)
    expect(b.release).toBe(of.version.split(' ')[0])
    expect(b.handover64).toBe(b.setupSize + 0x200 + of.hdr.handover_offset)
    expect(b.startup64).toBe(b.setupSize + 0x200)
    expect(b.peEntry).toBe(of.pe.optional.AddressOfEntryPoint)
    expect(b.pe?.optional.SizeOfImage).toBe(of.pe.optional.SizeOfImage)
    expect(
      b.pe?.sections.map(s => [
        s.name,
        s.VirtualAddress,
        s.VirtualSize,
        s.PointerToRawData,
        s.SizeOfRawData,
        s.Characteristics,
      ]),
    ).toEqual(of.pe.sections)
    expect(source.bytesRead()).toBeLessThan(8192)
  },
)

it('says what no bzImage is, and why', () => {
  expect(ids(bytesSource(new Uint8Array(0)))).toEqual(['empty'])
  expect(ids(bytesSource(Uint8Array.of(1)))).toEqual(['truncated'])
  expect(ids(bytesSource(new TextEncoder().encode('this is no kernel\n'.repeat(1000))))).toEqual([
    'not-bzimage',
  ])
  expect(parseBzImage(bytesSource(new Uint8Array(0))).problems[0]?.fatal).toBe(true)
})

it('reads no operand past the end of the code before the payload', () => {
  for (let end = 0x200; end < 0x2b0; end++)
    expect([null, E2.geometry.boot_stack_end]).toContain(
      parsed(withField(buildKernel(E2), 'payload_offset', end)).geometry.boot_stack_end,
    )
})

it('takes four setup sectors for none', () => {
  expect(parsed(withField(buildKernel(E2), 'setup_sects', 0)).setupSize).toBe(5 * 512)
})

it('trusts only the fields that the protocol version has', () => {
  const b = parsed(withField(buildKernel(E2), 'version', 0x20a))
  expect(b.hdr.init_size).toBe(E2.hdr.init_size)
  expect(b.hdr.handover_offset).toBe(0)
  expect(b.hdr.xloadflags).toBe(0)
  expect(b.handover64).toBeNull()
  expect(b.startup64).toBeNull()
  expect(b.kernel_info).toBeNull()
  expect(parsed(withField(buildKernel(E2), 'version', 0x203)).hdr).toMatchObject({
    syssize: E2.hdr.syssize & 0xffff,
    kernel_alignment: 0,
    pref_address: 0n,
  })
})

it('trusts no field past the end of the header, which the jump at 0x200 tells', () => {
  const b = parsed(withField(buildKernel(E2), 'jump', 0x5eeb))
  expect(b.hdr.pref_address).toBe(0x1000000n)
  expect(b.hdr.init_size).toBe(0)
})

it('reports a header that the file cuts, reading the rest as zero', () => {
  const cut = sliceSource(buildKernel(E2), 0, 0x250)
  expect(ids(cut)).toContain('header-truncated')
  expect(parsed(cut).hdr.init_size).toBe(0)
})

it('compares the declared length with the real one', () => {
  const half = sliceSource(buildKernel(E2), 0, E2.fileSize / 2)
  expect(ids(half)).toEqual(
    expect.arrayContaining(['shorter-than-declared', 'payload-truncated', 'no-kernel-info']),
  )
  expect(parsed(half).payload?.output_len).toBeNull()
  expect(parsed(half).geometry._ebss).toBeNull()
  expect(parsed(half).geometry._end).toBe(E2.geometry._end)
  expect(ids(edited(buildKernel(E2), 0, [], E2.fileSize + 4096))).toEqual(['longer-than-declared'])
})

it('takes a certificate table after the declared length for what it is', () => {
  expect(ids(buildKernel(factsOf('debian-7.2.13-cloud')))).toEqual([])
})

it('reports a wrong boot_flag and goes on', () => {
  expect(ids(withField(buildKernel(E2), 'boot_flag', 0))).toEqual(['boot-flag'])
})

it('reports a payload that leaves the protected-mode part', () => {
  expect(ids(withField(buildKernel(E2), 'payload_length', 0xffffffff))).toEqual(
    expect.arrayContaining(['payload-outside-image', 'payload-truncated']),
  )
  expect(parsed(withField(buildKernel(E2), 'payload_length', 0)).payload).toBeNull()
  expect(parsed(withField(buildKernel(E2), 'payload_length', 3)).payload?.output_len).toBeNull()
})

it('reports a handover entry outside the file', () => {
  expect(ids(withField(buildKernel(E2), 'handover_offset', 0xfffffff0))).toEqual(['handover-outside-file'])
})

it('offers no handover entry without the flag or the offset', () => {
  expect(parsed(withField(buildKernel(E2), 'xloadflags', 0x37)).handover64).toBeNull()
  expect(parsed(withField(buildKernel(E2), 'handover_offset', 0)).handover64).toBeNull()
})

it.each(COMPRESSIONS)('knows %s by its magic', compression => {
  const b = parsed(edited(buildKernel(E2), 0x3c00 + 0x45c, PAYLOAD_MAGIC[compression]))
  expect(b.payload?.compression).toBe(compression)
})

it('reports a payload without a magic that it knows', () => {
  const source = edited(buildKernel(E2), 0x3c00 + 0x45c, [0, 0, 0, 0])
  expect(ids(source)).toEqual(['unknown-compression'])
  expect(parsed(source).payload?.compression).toBeNull()
})

it('has no version where none is declared, none is printable, or the file has ended', () => {
  expect(parsed(withField(buildKernel(E2), 'kernel_version', 0))).toMatchObject({
    version: null,
    release: null,
  })
  expect(parsed(edited(buildKernel(E2), 0x200 + E2.hdr.kernel_version, [7])).version).toBeNull()
  expect(parsed(sliceSource(buildKernel(E2), 0, 0x300)).version).toBeNull()
})

it('reads a version that no NUL ends for 256 bytes only', () => {
  const long = edited(buildKernel(E2), 0x200 + E2.hdr.kernel_version, new Array<number>(400).fill(0x41))
  expect(parsed(long).version).toBe('A'.repeat(256))
})

it('goes on without PE, and passes the problems of a broken one on', () => {
  expect(parsed(edited(buildKernel(E2), 0, [0xea]))).toMatchObject({
    pe: null,
    peEntry: null,
    problems: [],
  })
  const broken = parsed(edited(buildKernel(E2), 0x82, [0]))
  expect(broken.pe).toBeNull()
  expect(broken.problems).toMatchObject([{ id: 'not-pe', fatal: false }])
})

it('has no geometry where the code is other code', () => {
  const b = parsed(edited(buildKernel(E2), 0x3c00, new Array<number>(0x45c).fill(0x90)))
  expect(b.geometry).toEqual({
    _bss: null,
    _ebss: null,
    pgtable: null,
    _end: null,
    boot_stack_end: null,
    relocated: null,
  })
})

it('takes _bss from the clearing code when the move is not found', () => {
  const b = parsed(edited(buildKernel(E2), 0x3c00 + 0x287, [0x90, 0x90, 0x90]))
  expect(b.geometry._bss).toBe(E2.geometry._bss)
})

it('has neither _bss nor _ebss when both codes are other code', () => {
  const without = edited(buildKernel(E2), 0x3c00 + 0x287, [0x90, 0x90, 0x90])
  expect(parsed(edited(without, 0x3c00 + E2.geometry.relocated, [0x90, 0x90, 0x90])).geometry).toMatchObject({
    _bss: null,
    _ebss: null,
    _end: E2.geometry._end,
    relocated: E2.geometry.relocated,
  })
})

it('has no target for an operand that points below startup_32', () => {
  const b = parsed(edited(buildKernel(E2), 0x3c00 + E2.geometry.relocated + 5, [0, 0, 0, 0x80]))
  expect(b.geometry._ebss).toBe(E2.geometry._ebss)
  expect(b.geometry._bss).toBe(E2.geometry._bss)
  expect(
    parsed(edited(buildKernel(E2), 0x3c00 + E2.geometry.relocated + 12, [0, 0, 0, 0x80])).geometry._ebss,
  ).toBeNull()
})

it('takes _end from SizeOfImage if the PE covers just the decompressor, and reports a mismatch', () => {
  const without = edited(buildKernel(E5), 0x5000 + 0x246, [0x90, 0x90])
  expect(parsed(without).geometry._end).toBe(E5.geometry._end)
  const other = buildKernel({ ...E5, geometry: { ...E5.geometry, _end: E5.geometry._end + 4096 } })
  expect(ids(other)).toEqual(['end-disagrees'])
  expect(parsed(other).geometry._end).toBe(E5.geometry._end + 4096)
})

it('searches the code up to a bound when the header names no payload', () => {
  expect(parsed(withField(buildKernel(E2), 'payload_offset', 0)).geometry._end).toBe(E2.geometry._end)
})
