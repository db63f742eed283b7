/**
 * Relocation of a loaded image: the ImageBase field and the fixups of directory 5, adjusted in place, so that
 * the bytes keep their owner (chapter PE).
 */
import { hex, rangeAt } from '../../bytes/range.ts'
import { numberIn } from '../../bytes/struct.ts'
import { wrap32, wrap64, type Phys } from '../../bytes/units.ts'
import {
  DIRECTORY_BASERELOC,
  IMAGE_OPTIONAL_HEADER32,
  IMAGE_OPTIONAL_HEADER64,
  PE32_PLUS_MAGIC,
  type PeFile,
} from '../../image/pe.ts'
import type { Memory } from '../../memory/memory.ts'
import type { Assume, LoadRefusal } from './ports.ts'
import { LoadedBytes } from './loaded-bytes.ts'

/** Maximum size of a directory that is applied, in bytes: 65536 fixups and their headers. */
const DIRECTORY_MAX = 2 ** 18

/** Width in bytes and adjustment of each fixup type. Source: pe@2024, base relocation types. */
const FIXUPS: Readonly<Record<number, { readonly bytes: 0 | 2 | 4 | 8; readonly shift: bigint }>> = {
  0: { bytes: 0, shift: 0n },
  1: { bytes: 2, shift: 16n },
  2: { bytes: 2, shift: 0n },
  3: { bytes: 4, shift: 0n },
  10: { bytes: 8, shift: 0n },
}

const bad = (why: string): LoadRefusal => ({ status: 'EFI_LOAD_ERROR', clause: 'PE-20', why })

/** Relocates an image at `base` (PE-19, PE-20). `size`: the image size according to the loader. */
export function relocate(
  memory: Memory,
  pe: PeFile,
  base: Phys,
  size: number,
  name: string,
  assume: Assume,
): LoadRefusal | null {
  const wide = pe.optional.Magic === PE32_PLUS_MAGIC
  const field = wide ? { at: pe.e_lfanew + 24 + 24, width: 8 } : { at: pe.e_lfanew + 24 + 28, width: 4 }
  const adjust = wrap64(BigInt(base) - pe.optional.ImageBase)
  if (adjust !== 0n) {
    const headers = new LoadedBytes(memory, base)
    headers.write(field.at, field.width, BigInt(base))
    headers.store(`${name}:headers`)
  }
  if (pe.optional.NumberOfRvaAndSizes < DIRECTORY_BASERELOC) return null
  const entryAt =
    pe.e_lfanew +
    24 +
    (wide ? IMAGE_OPTIONAL_HEADER64 : IMAGE_OPTIONAL_HEADER32).size +
    8 * DIRECTORY_BASERELOC
  const entry = memory.readRaw(rangeAt(base + entryAt, 8))
  const directory = { start: numberIn(entry.subarray(0, 4)), size: numberIn(entry.subarray(4)) }
  if (directory.size === 0) return null
  const last = wrap32(directory.start + directory.size - 1)
  if (directory.start >= size || last >= size || last < directory.start)
    return bad(
      `the relocation directory at ${hex(directory.start)} of ${hex(directory.size)} bytes ` +
        `lies outside the image of ${hex(size)} bytes`,
    )
  if (adjust === 0n) return null
  if (directory.size > DIRECTORY_MAX) {
    assume(
      'PE-20',
      `${name}: a relocation directory of ${hex(directory.size)} bytes is not applied, the ` +
        'code is assumed to be as in the file',
    )
    return null
  }
  return applyBlocks({ memory, base, size, adjust, name }, directory)
}

/** Little-endian number of `width` bytes at an offset of the relocation data. */
export type Reader = (at: number, width: 2 | 4) => number

/** The target of fixups, and the source of the blocks. */
export interface Fixing {
  readonly memory: Memory
  readonly base: Phys
  readonly size: number
  /** Load address less ImageBase, in 64 bits. */
  readonly adjust: bigint
  readonly name: string
  /** Default: in the loaded image, partly relocated. */
  readonly read?: Reader
  /** Does a block of size 0 end the directory? Otherwise it is an error. */
  readonly zeroBlockEnds?: boolean
}

/** Applies every block of a directory, in one event; stops at the first error. */
export function applyBlocks(
  fixing: Fixing,
  directory: { readonly start: number; readonly size: number },
): LoadRefusal | null {
  const image = new LoadedBytes(fixing.memory, fixing.base)
  const failed = applyTo(image, fixing, directory)
  image.store(fixing.name)
  return failed
}

function applyTo(
  image: LoadedBytes,
  { size, adjust, zeroBlockEnds, read = (at, width) => image.number(at, width) }: Fixing,
  directory: { readonly start: number; readonly size: number },
): LoadRefusal | null {
  const end = directory.start + Math.min(directory.size, DIRECTORY_MAX)
  for (let block = directory.start; block < end - 1;) {
    const page = read(block, 4)
    const length = read(block + 4, 4)
    if (length === 0)
      return zeroBlockEnds === true ? null : bad(`the relocation block at ${hex(block)} has size 0`)
    if (block + length > end)
      return bad(
        `the relocation block at ${hex(block)} of ${hex(length)} bytes ends past the ` +
          `directory's end at ${hex(end)}`,
      )
    if (page >= size)
      return bad(
        `the relocation block at ${hex(block)} is for ${hex(page)}, outside the image of ${hex(size)} bytes`,
      )
    for (let at = block + 8; at < block + length; at += 2) {
      const fixup = read(at, 2)
      const target = page + (fixup & 0xfff)
      if (target >= size)
        return bad(
          `the relocation at ${hex(at)} is for ${hex(target)}, outside the image of ${hex(size)} bytes`,
        )
      const kind = FIXUPS[fixup >> 12]
      if (kind === undefined)
        return {
          status: 'EFI_UNSUPPORTED',
          clause: 'PE-20',
          why: `the relocation at ${hex(at)} has type ${String(fixup >> 12)}`,
        }
      if (kind.bytes === 0) continue
      const by = kind.bytes === 8 ? adjust : (adjust & 0xffffffffn) >> kind.shift
      image.write(target, kind.bytes, image.read(target, kind.bytes) + by)
    }
    block += length
  }
  return null
}
