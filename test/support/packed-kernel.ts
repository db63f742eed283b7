/**
 * Kernels whose payload really decompresses: the measured kernels with a small stream of our own in the
 * payload's place.
 */
import { bytesSource, sparseSource, type ByteSource } from '../../src/bytes/source.ts'
import { fileOffset } from '../../src/bytes/units.ts'
import { KERNEL_FACTS } from '../../src/image/x86/kernel-facts.ts'
import { readPayload } from '../../src/kernel/payload.ts'
import type { Outcome } from '../../src/machine/machine.ts'
import { bench, handover, kernelNamed, kernelOf, start, type Bench, type Kernel } from './kernel-bench.ts'
import { le } from './bytes.ts'
import { LPA } from './kernels.ts'

export interface SegmentOf {
  readonly p_offset: number
  readonly p_paddr: number
  readonly p_filesz: number
  readonly p_memsz?: number
  readonly p_align?: number
}

/** The first bytes of an ELF64 file: its headers. A PT_NOTE stands before the segments. */
export function elfHeaders(e_entry: number, segments: readonly SegmentOf[]): Uint8Array {
  const row = (
    type: number,
    { p_offset, p_paddr, p_filesz, p_memsz = p_filesz, p_align = 0x200000 }: SegmentOf,
  ): number[] => [
    ...le(type, 4),
    ...le(7, 4),
    ...le(p_offset, 8),
    ...le(0, 8),
    ...le(p_paddr, 8),
    ...le(p_filesz, 8),
    ...le(p_memsz, 8),
    ...le(p_align, 8),
  ]
  const rows = [
    row(4, { p_offset: 0, p_paddr: 0, p_filesz: 0, p_align: 1 }),
    ...segments.map(segment => row(1, segment)),
  ]
  const head = [
    0x7f,
    0x45,
    0x4c,
    0x46,
    2,
    1,
    1,
    ...le(0, 9),
    ...le(2, 2),
    ...le(62, 2),
    ...le(1, 4),
    ...le(e_entry, 8),
    ...le(64, 8),
    ...le(0, 8),
    ...le(0, 4),
    ...le(64, 2),
    ...le(56, 2),
    ...le(rows.length, 2),
    ...le(0, 6),
  ]
  return Uint8Array.from([...head, ...rows.flat()])
}

/** `value` beyond 15 in the way of LZ4. */
const lengthBytes = (value: number): number[] => [
  ...Array<number>(Math.floor(value / 255)).fill(255),
  value % 255,
]
const BLOCK = 8 << 20
const LAST = 8

/**
 * An LZ4 legacy stream of `bytes`, then zeros up to `length`: each block literals, one long match, and last
 * literals.
 */
export function lz4Of(bytes: Uint8Array, length: number): Uint8Array {
  const blocks: number[][] = []
  for (let from = 0; from < length; from += BLOCK) {
    const size = Math.min(BLOCK, length - from)
    const literals = from === 0 ? [...bytes, 0] : [0]
    const match = size - literals.length - LAST
    const start =
      literals.length < 15 ? [(literals.length << 4) | 15] : [0xff, ...lengthBytes(literals.length - 15)]
    const block = [
      ...start,
      ...literals,
      1,
      0,
      ...lengthBytes(match - 19),
      LAST << 4,
      ...Array<number>(LAST).fill(0),
    ]
    blocks.push([...le(block.length, 4), ...block])
  }
  return Uint8Array.from([...le(0x184c2102, 4), ...blocks.flat()])
}

export interface Packed {
  /** The stream; the length of what comes out follows it in the payload. */
  readonly stream: Uint8Array
  readonly length: number
}

/** The named kernel with this payload. */
export function packedKernel(name: string, { stream, length }: Packed): Kernel {
  const facts = KERNEL_FACTS[name]
  if (facts === undefined) throw new Error(`no kernel ${name}`)
  const { source, image } = kernelNamed(name)
  const payload = new Uint8Array(stream.length + 4)
  payload.set(stream)
  payload.set(le(length, 4), stream.length)
  const pieces = [
    { at: 0, source },
    { at: 0x24c, source: bytesSource(Uint8Array.from(le(payload.length, 4))) },
    { at: image.setupSize + facts.hdr.payload_offset, source: bytesSource(payload) },
  ]
  return kernelOf(sparseSource(source.size, pieces))
}

/** LOAD_PHYSICAL_ADDR of all measured kernels. */

/** A small extracted kernel: one segment of a page, entered at `entry` bytes from its start. */
export function smallKernel(
  name: string,
  {
    entry = 0,
    length = 0x4000,
    segments = [{ p_offset: 0x1000, p_paddr: LPA, p_filesz: 0x1000, p_memsz: 0x3000 }],
  }: { readonly entry?: number; readonly length?: number; readonly segments?: readonly SegmentOf[] } = {},
): Kernel {
  return packedKernel(name, { stream: lz4Of(elfHeaders(LPA + entry, segments), length), length })
}

/** The image with the bytes at `at` replaced. */
export function replaced(source: ByteSource, at: number, bytes: Uint8Array | ByteSource): ByteSource {
  return sparseSource(source.size, [
    { at: 0, source },
    { at, source: 'read' in bytes ? bytes : bytesSource(bytes) },
  ])
}

/** Runs a kernel by the EFI handover, with its payload decompressed. */
export function deep(era: string, kernel: Kernel): { on: Bench; outcome: Outcome } {
  const on = bench()
  return { on, outcome: start(on, era, handover(on, { kernel, image: 0x18200000 }), readPayload) }
}

/** The refusal, or how the run ended instead. */
export function refusalOf({ outcome }: { readonly outcome: Outcome }): unknown {
  return outcome.kind === 'refused' ? outcome.refusal : outcome.kind
}

/** The kernel with all bits of one byte of its payload turned round. */
export function flipped(kernel: Kernel, offset: number): Kernel {
  const at = fileOffset((kernel.image.payload?.at ?? 0) + offset)
  const [byte = 0] = kernel.source.read(at, 1)
  return kernelOf(replaced(kernel.source, at, Uint8Array.of(byte ^ 0xff)))
}

/** A kernel that decompresses to far more than init_size has room for, before most of the payload is read. */
export const GREEDY = 0x2400000
export const greedy = (name: string): Kernel =>
  packedKernel(name, {
    stream: lz4Of(elfHeaders(LPA, [{ p_offset: 0x1000, p_paddr: LPA, p_filesz: 0x1000 }]), GREEDY),
    length: GREEDY,
  })
