import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { readPayload } from '../../../src/kernel/payload.ts'
import { clausesOf, contractsOf, eventsOf } from '../../support/kernel-bench.ts'
import { LPA } from '../../support/kernels.ts'
import {
  deep,
  elfHeaders,
  flipped,
  greedy,
  GREEDY,
  lz4Of,
  packedKernel,
  refusalOf,
  smallKernel,
} from '../../support/packed-kernel.ts'

const NAME_2 = 'debian-5.10.223-cloud'
const NAME_5 = 'debian-6.12.107-cloud'
const headers = elfHeaders(LPA, [{ p_offset: 0x1000, p_paddr: LPA, p_filesz: 0x1000 }])
const zeros = (length: number): Uint8Array =>
  Uint8Array.from([...headers, ...new Uint8Array(length - headers.length)])

test('ZO-25 a payload that decompresses is no reason to stop, and how much there was is a fact', () => {
  const { on, outcome } = deep('linux/E2', smallKernel(NAME_2))
  expect(outcome.kind).toBe('arrived')
  expect(on.notes.facts.payload).toMatchObject({ format: 'lz4', produced: 0x4000 })
  expect(on.notes.doubts).toEqual([])
})

test('ZO-25 a broken stream is refused in the words of its decompressor, and head_64.S halts', () => {
  expect(refusalOf(deep('linux/E2', flipped(smallKernel(NAME_2), 0)))).toBe('arrived')
  expect(refusalOf(deep('linux/E2', flipped(smallKernel(NAME_2), 8)))).toMatchObject({
    by: 'decompressor',
    clause: 'ZO-25',
    message: 'Decoding failed\n -- System halted',
  })
  const gzip = packedKernel(NAME_2, { stream: gzipSync(zeros(0x4000)), length: 0x4000 })
  expect(refusalOf(deep('linux/E2', flipped(gzip, 11)))).toMatchObject({
    clause: 'ZO-25',
    message: 'uncompression error\n -- System halted',
  })
})

test('ZO-25 a checksum that the kernel ignores stops nothing, but what starts is unknown', () => {
  const bytes = Uint8Array.from([...gzipSync(zeros(0x4000))])
  bytes[bytes.length - 8] = (bytes[bytes.length - 8] ?? 0) ^ 1
  const { on, outcome } = deep(
    'linux/E2',
    packedKernel(NAME_2, { stream: bytes.subarray(0, -4), length: 0x4000 }),
  )
  expect(outcome.kind).toBe('arrived')
  expect(on.notes.doubts).toMatchObject([
    {
      clause: 'ZO-25',
      why: 'the CRC-32 differs; the kernel does not check this and starts the output',
    },
  ])
})

test('ZO-25 if nothing can be decompressed, or another length comes out, the verdict is unknown', () => {
  const noMagic = deep(
    'linux/E2',
    packedKernel(NAME_2, { stream: new Uint8Array(64).fill(0x55), length: 0x4000 }),
  )
  expect([noMagic.outcome.kind, noMagic.on.notes.doubts.map(doubt => doubt.clause)]).toEqual([
    'arrived',
    ['ZO-25'],
  ])
  const short = deep(
    'linux/E2',
    packedKernel(NAME_2, {
      stream: Uint8Array.of(
        0x28,
        0xb5,
        0x2f,
        0xfd,
        0,
        0x58,
        1 | ((headers.length * 8) & 0xff),
        (headers.length * 8) >> 8,
        0,
        ...headers,
      ),
      length: 0x4000,
    }),
  )
  expect([short.outcome.kind, short.on.notes.doubts.map(doubt => doubt.clause)]).toEqual([
    'arrived',
    ['ZO-25'],
  ])
  const huge = deep('linux/E2', packedKernel(NAME_2, { stream: lz4Of(headers, 0x4000), length: 0x30000000 }))
  expect(huge.on.notes.doubts.map(doubt => doubt.clause)).toContain('ZO-25')
})

test('ZO-26 without ELF magic the decompressor halts, aloud, and the EFI stub in silence', () => {
  const length = 0x4000
  const stream = lz4Of(Uint8Array.of(1, 2, 3), length)
  expect(refusalOf(deep('linux/E2', packedKernel(NAME_2, { stream, length })))).toMatchObject({
    clause: 'ZO-26',
    message: 'Kernel is not a valid ELF file\n -- System halted',
  })
  expect(refusalOf(deep('linux/E5', packedKernel(NAME_5, { stream, length })))).toMatchObject({
    clause: 'ZO-26',
    message: null,
  })
})

test('ZO-26 a segment that is not aligned to 2 MiB halts the system', () => {
  const segments = [{ p_offset: 0x1000, p_paddr: LPA, p_filesz: 0x1000, p_align: 0x1000 }]
  expect(refusalOf(deep('linux/E2', smallKernel(NAME_2, { segments })))).toMatchObject({
    clause: 'ZO-26',
    message: "Alignment of LOAD segment isn't multiple of 2MB\n -- System halted",
  })
})

test('ZO-26 segments go to p_paddr, also after the decompressed length', () => {
  const segments = [
    { p_offset: 0x1000, p_paddr: LPA, p_filesz: 0x1000 },
    { p_offset: 0x2000, p_paddr: LPA + 0x5000, p_filesz: 0x1000 },
  ]
  const { on } = deep('linux/E2', smallKernel(NAME_2, { segments }))
  expect(eventsOf(on, 'ZO-12', 'make')).toMatchObject([{ range: { start: 0x1600000, end: 0x1606000 } }])
  expect(on.notes.assumptions.map(assumption => assumption.clause)).not.toContain('ZO-12')
})

test('ZO-26 segments elsewhere are a doubt', () => {
  for (const p_paddr of [LPA - 0x200000, LPA + 0x200000]) {
    const { on, outcome } = deep(
      'linux/E2',
      smallKernel(NAME_2, { segments: [{ p_offset: 0x1000, p_paddr, p_filesz: 0x1000 }] }),
    )
    expect([outcome.kind, on.notes.doubts.map(doubt => doubt.clause)]).toEqual(['arrived', ['ZO-26']])
  }
})

test('ZO-27 VO is entered at e_entry, counted from LOAD_PHYSICAL_ADDR', () => {
  for (const [era, name] of [
    ['linux/E2', NAME_2],
    ['linux/E5', NAME_5],
  ] as const) {
    const { on, outcome } = deep(era, smallKernel(name, { entry: 0xc43 }))
    const kernel = on.notes.facts.decompressedKernel ?? 0
    expect(outcome).toMatchObject({ kind: 'arrived', at: { kernel, entry: kernel + 0xc43 } })
    expect(on.notes.assumptions.map(assumption => assumption.clause)).not.toContain('ZO-13')
    expect(on.notes.assumptions.map(assumption => assumption.clause)).not.toContain('EP-20')
  }
})

test('ZO-27 an entry point outside the extracted kernel is a doubt', () => {
  const { on } = deep('linux/E2', smallKernel(NAME_2, { entry: 0x100000 }))
  expect(on.notes.doubts.map(doubt => doubt.clause)).toEqual(['ZO-27'])
})

test('ZO-27 a kernel that needs more memory than its file says leaves the assumption', () => {
  const { on } = deep(
    'linux/E5',
    smallKernel(NAME_5, {
      segments: [{ p_offset: 0x1000, p_paddr: LPA, p_filesz: 0x1000, p_memsz: 0x400000 }],
    }),
  )
  expect(on.notes.assumptions.map(assumption => assumption.clause)).toContain('EP-20')
})

test('ZO-28 output that does not reach its input keeps the margin, and by how much is a fact', () => {
  const { on } = deep('linux/E2', smallKernel(NAME_2))
  expect(contractsOf(on)).toContainEqual({ clause: 'ZO-28', kept: true })
  expect(on.notes.facts.payload?.margin).toBeGreaterThan(0x2180000)
})

test('ZO-28 output that overtakes its input loses the kernel', () => {
  const kernel = greedy(NAME_2)
  const { on, outcome } = deep('linux/E2', kernel)
  expect(outcome).toMatchObject({ kind: 'undefined' })
  expect(contractsOf(on)).toContainEqual({ clause: 'ZO-28', kept: false })
  const { margin = 0 } = on.notes.facts.payload ?? {}
  expect(margin).toBeLessThan(0)
  // What was lost begins in the moved payload where the output was furthest ahead
  const payload = readPayload(kernel.source)
  const { input = -1 } = payload.kind === 'read' ? payload.lead : {}
  const [read] = eventsOf(on, 'ZO-11', 'read')
  const [lost] = eventsOf(on, 'ZO-28', 'contract')
  expect(lost?.range).toEqual(rangeAt((read?.range.start ?? 0) + input, -margin))
})

test('ZO-28 output that ends where unread input begins keeps the margin; one byte more breaks it', () => {
  const run = (length: number): { margin: number; kept: boolean | undefined } => {
    const { on } = deep('linux/E2', packedKernel(NAME_2, { stream: lz4Of(headers, length), length }))
    return {
      margin: on.notes.facts.payload?.margin ?? Infinity,
      kept: contractsOf(on).find(({ clause }) => clause === 'ZO-28')?.kept,
    }
  }
  // A byte more of output is a byte less of margin, but for the bytes that the stream gets longer
  let last = GREEDY
  for (let i = 0, off = run(last).margin; i < 8 && off !== 0; i++, off = run(last).margin) last += off
  expect(run(last)).toEqual({ margin: 0, kept: true })
  expect(run(last + 1)).toEqual({ margin: -1, kept: false })
})

test('ZO-28 the EFI stub extracts elsewhere: no margin is needed', () => {
  const { on, outcome } = deep('linux/E5', greedy(NAME_5))
  expect(outcome.kind).toBe('arrived')
  expect(clausesOf(on)).not.toContain('ZO-28')
  expect(on.notes.facts.payload).toEqual({
    format: 'lz4',
    consumed: expect.any(Number) as number,
    produced: GREEDY,
  })
})
