import { expect, test } from 'vitest'
import { hex } from '../../../src/bytes/range.ts'
import { bytesSource, countingSource, sliceSource, type ByteSource } from '../../../src/bytes/source.ts'
import { check, type CheckInput } from '../../../src/check.ts'
import { profileMap, profileNamed } from '../../../src/firmware/profiles.ts'
import { parsePe } from '../../../src/image/pe.ts'
import { KERNEL_FACTS } from '../../../src/image/x86/kernel-facts.ts'
import { extraBytes, inPlaceMargin } from '../../../src/kernel/x86/steps/payload.ts'
import { INPUT_MAX, readPayload } from '../../../src/kernel/payload.ts'
import { rememberingReader } from '../../../src/kernel/remembering-reader.ts'
import { uki } from '../../../src/vitest/builders.ts'
import { le } from '../../support/bytes.ts'
import { kernelNamed } from '../../support/kernel-bench.ts'
import { packedKernel, replaced, smallKernel } from '../../support/packed-kernel.ts'

const small = smallKernel('debian-5.10.223-cloud')

test('a payload that cannot be read says why', () => {
  expect(readPayload(bytesSource(new Uint8Array(10)))).toEqual({
    kind: 'not-read',
    why: 'it is not a bzImage',
  })
  const { source } = kernelNamed('debian-5.10.223-cloud')
  expect(readPayload(replaced(source, 0x24c, new Uint8Array(4)))).toMatchObject({
    kind: 'not-read',
    why: 'the setup header has no payload',
  })
  expect(readPayload(replaced(source, 0x24c, Uint8Array.of(0, 0, 0, 0x20)))).toMatchObject({
    kind: 'not-read',
  })
})

test('a file that ends inside its payload is a payload that ends early', () => {
  const at = small.image.payload?.at ?? 0
  expect(readPayload(sliceSource(small.source, 0, at + 40))).toMatchObject({
    kind: 'read',
    failure: { error: 'data corrupted' },
  })
})

test('what may come out is bounded by what the kernel states and by the length of its payload', () => {
  const { at = 0, length = 0 } = small.image.payload ?? {}
  const size = (bytes: number): Uint8Array => Uint8Array.from(le(bytes, 4))
  const longer = replaced(small.source, at + length - 4, size(0x1ff00000))
  const whyNot = (source: ByteSource): unknown => {
    const counting = countingSource(source)
    const read = readPayload(counting)
    // Nothing was decompressed: headers alone were read
    expect(counting.bytesRead()).toBeLessThan(0x10000)
    return read
  }
  expect(whyNot(longer)).toEqual({
    kind: 'not-read',
    why:
      'the payload says that 0x1ff00000 bytes come out, more than init_size, ' +
      hex(small.image.hdr.init_size),
  })
  expect(whyNot(replaced(longer, 0x260, size(0x20000000)))).toEqual({
    kind: 'not-read',
    why: 'the payload says that 0x1ff00000 bytes come out, more than 64 times its own length',
  })
})

test('17 KB that become 64 MiB cost what comes out, and once', () => {
  // Blocks that repeat one byte 2^17 times, in a frame that may look back 2^27 bytes
  const blocks = Array.from({ length: 512 }, (_, i) => [
    ...le(((2 ** 17) << 3) | 2 | (i === 511 ? 1 : 0), 3),
    i & 255,
  ])
  const stream = Uint8Array.from([
    0x28,
    0xb5,
    0x2f,
    0xfd,
    0,
    17 << 3,
    ...blocks.flat(),
    ...Array<number>(15_000).fill(0),
  ])
  const { source } = packedKernel('debian-5.10.223-cloud', { stream, length: 2 ** 26 })
  const read = readPayload(replaced(source, 0x260, Uint8Array.from(le(2 ** 26, 4))))
  expect(read).toMatchObject({ kind: 'read', format: 'zstd', produced: 2 ** 26, elf: null })
  expect(read.kind === 'read' && read.held <= 65 * 2 ** 20).toBe(true)
})

test('a window that is larger than what is held is not looked through', () => {
  const stream = new Uint8Array(3 * 2 ** 20)
  stream.set([0x28, 0xb5, 0x2f, 0xfd, 0, 18 << 3, 1, 0, 0])
  const { source } = packedKernel('debian-5.10.223-cloud', { stream, length: 150 * 2 ** 20 })
  expect(readPayload(replaced(source, 0x260, Uint8Array.from(le(150 * 2 ** 20, 4))))).toEqual({
    kind: 'not-read',
    why: 'at 0x4 it needs a window of 268435456 bytes, more than the 134217728 that are held',
  })
})

test('no measured kernel says that more comes out of it than these bounds allow', () => {
  for (const { name, output_len, hdr } of Object.values(KERNEL_FACTS)) {
    expect([name, output_len <= hdr.init_size]).toEqual([name, true])
    expect([name, output_len <= 16 * hdr.payload_length]).toEqual([name, true])
  }
})

test('the worst moment is the one at which the output is farthest ahead', () => {
  const read = readPayload(small.source)
  expect(read).toMatchObject({ kind: 'read', produced: 0x4000, failure: null, elf: { e_entry: 0x1000000 } })
  if (read.kind !== 'read') throw new Error('not read')
  expect(read.lead.bytes).toBe(read.lead.output - read.lead.input)
  expect(inPlaceMargin({ payloadOffset: 0x100 }, { start: 0x1000000, moved: 0x1003000 }, read.lead)).toBe(
    0x3100 - read.lead.bytes,
  )
})

test("the kernel's own reserve is that of the measured kernels", () => {
  expect(extraBytes(KERNEL_FACTS['debian-5.10.223-cloud']?.output_len ?? 0)).toBe(0x4cb8b)
  expect(extraBytes(KERNEL_FACTS['debian-6.12.107-cloud']?.output_len ?? 0)).toBe(0x56e80)
})

test('one file is read once, however often it is asked for', () => {
  let count = 0
  const reader = rememberingReader(source => {
    count++
    return readPayload(source)
  })
  expect(reader(small.source)).toBe(reader(small.source))
  reader(kernelNamed('debian-5.10.223-cloud').source)
  expect(count).toBe(2)
})

/** A UKI with this kernel in it. */
function ukiWith(name: string, kernel: ByteSource): ByteSource {
  const image = uki({ stub: '257.13', kernel: name })
  const linux = parsePe(image).pe?.sections.find(section => section.name === '.linux')
  return replaced(image, linux?.PointerToRawData ?? 0, kernel)
}

const input = (source: ByteSource, more: Partial<CheckInput>): CheckInput => ({
  image: { name: 'test.efi', source },
  machine: { what: 'test machine', map: profileMap(profileNamed('ovmf-2022.11'), 2 ** 29) },
  kaslr: 'off',
  ...more,
})

test('check decompresses what the stub found only when asked to, and then knows more', () => {
  const image = ukiWith('6.12.107-cloud', smallKernel('debian-6.12.107-cloud', { entry: 0xc43 }).source)
  const shallow = check(input(image, {})).report
  const { report } = check(input(image, { deep: true }))
  const taken = (of: typeof report): string[] =>
    of.assumptions
      .map(assumption => assumption.clause)
      .filter(clause => ['EP-20', 'ZO-12', 'ZO-13'].includes(clause))
  expect([shallow.verdict, report.verdict]).toEqual(['clean', 'clean'])
  expect([taken(shallow), taken(report)]).toEqual([['EP-20', 'ZO-12', 'ZO-13'], []])
  expect(shallow.facts.payload).toBeUndefined()
  expect(report.facts.payload).toMatchObject({ format: 'lz4', produced: 0x4000 })
  expect(report.outcome).toMatchObject({
    kind: 'arrived',
    at: { entry: (report.facts.decompressedKernel ?? 0) + 0xc43 },
  })
})

test('check refuses a payload that does not decompress, when asked to look', () => {
  const kernel = smallKernel('debian-6.12.107-cloud')
  const broken = replaced(kernel.source, (kernel.image.payload?.at ?? 0) + 8, Uint8Array.of(0))
  expect(check(input(ukiWith('6.12.107-cloud', broken), {})).report.verdict).toBe('clean')
  expect(check(input(ukiWith('6.12.107-cloud', broken), { deep: true })).report).toMatchObject({
    verdict: 'refused',
    outcome: { refusal: { by: 'efi-stub', status: 'EFI_LOAD_ERROR' } },
  })
})

test('a payload of the greatest length is read, of one byte more is not', () => {
  const why = (length: number): string => {
    const read = readPayload(replaced(small.source, 0x24c, Uint8Array.from(le(length, 4))))
    return read.kind === 'not-read' ? read.why : read.kind
  }
  expect(why(INPUT_MAX + 1)).toBe('the payload is longer than any kernel can have')
  expect(why(INPUT_MAX)).not.toBe('the payload is longer than any kernel can have')
})
