/** Small PE files with sections at chosen places, and a kernel file, for the tests of advice. */
import { bytesSource, sparseSource } from '../../../src/bytes/source.ts'
import { BOOT_FLAG, HDRS, SETUP_HEADER_AT, setup_header } from '../../../src/image/x86/boot-params.ts'
import {
  IMAGE_DOS_HEADER,
  IMAGE_FILE_HEADER,
  IMAGE_OPTIONAL_HEADER64,
  IMAGE_SECTION_HEADER,
  parsePe,
  PE32_PLUS_MAGIC,
  type PeFile,
} from '../../../src/image/pe.ts'
import { advise } from '../../../src/hazard/registry.ts'
import { viewUki, type UkiView } from '../../../src/image/uki.ts'

export interface SectionOf {
  readonly name: string
  readonly at: number
  readonly raw?: number | Uint8Array
  /** VirtualSize; default: the raw size. */
  readonly size?: number
}

const ascii = (text: string): number[] => Array.from(text, char => char.charCodeAt(0))

/** A parsed PE32+ with these sections in this order; raw data is zero where no bytes are given. */
export function image(
  sections: readonly SectionOf[],
  { sizeOfImage = 0x4000000, alignment = 0x1000, imageBase = 0n } = {},
): { pe: PeFile; uki: UkiView } {
  const headers = new Uint8Array(0x1000)
  headers.set(IMAGE_DOS_HEADER.write({ e_magic: 0x5a4d, e_lfanew: 0x40 }))
  headers.set(ascii('PE\0\0'), 0x40)
  headers.set(
    IMAGE_FILE_HEADER.write({
      Machine: 0x8664,
      NumberOfSections: sections.length,
      SizeOfOptionalHeader: 112,
    }),
    0x44,
  )
  headers.set(
    IMAGE_OPTIONAL_HEADER64.write({
      Magic: PE32_PLUS_MAGIC,
      ImageBase: imageBase,
      SectionAlignment: alignment,
      FileAlignment: 0x200,
      SizeOfImage: sizeOfImage,
      SizeOfHeaders: 0x1000,
    }),
    0x58,
  )
  const pieces = [{ at: 0, source: bytesSource(headers) }]
  let end = 0x1000
  sections.forEach(({ name, at, raw = 0, size }, i) => {
    const length = typeof raw === 'number' ? raw : raw.length
    const Name = new Uint8Array(8)
    Name.set(ascii(name))
    headers.set(
      IMAGE_SECTION_HEADER.write({
        Name,
        VirtualAddress: at,
        VirtualSize: size ?? length,
        SizeOfRawData: length,
        PointerToRawData: end,
      }),
      0xc8 + 40 * i,
    )
    if (typeof raw !== 'number') pieces.push({ at: end, source: bytesSource(raw) })
    end += length
  })
  const { pe } = parsePe(sparseSource(end, pieces))
  if (pe === null) throw new Error('the test image does not parse')
  return { pe, uki: viewUki(pe) }
}

/** The head of a kernel file that asks for this window; with `sizeOfImage` it is a PE as well. */
export function kernelFile(size: number, init_size: number, sizeOfImage?: number): Uint8Array {
  const bytes = new Uint8Array(size)
  if (sizeOfImage !== undefined) {
    bytes.set(IMAGE_DOS_HEADER.write({ e_magic: 0x5a4d, e_lfanew: 0x40 }))
    bytes.set(ascii('PE\0\0'), 0x40)
    bytes.set(IMAGE_FILE_HEADER.write({ Machine: 0x8664, SizeOfOptionalHeader: 112 }), 0x44)
    bytes.set(
      IMAGE_OPTIONAL_HEADER64.write({
        Magic: PE32_PLUS_MAGIC,
        SectionAlignment: 0x1000,
        SizeOfImage: sizeOfImage,
      }),
      0x58,
    )
  }
  bytes.set(
    setup_header.write({
      boot_flag: BOOT_FLAG,
      jump: 0x6aeb,
      header: HDRS,
      version: 0x20f,
      setup_sects: 4,
      init_size,
      syssize: (size - 2560) / 16,
    }),
    SETUP_HEADER_AT,
  )
  return bytes
}

/** The advice about an image, each as its rule and its object. */
export const idsOf = (sections: readonly SectionOf[], options = {}): string[] =>
  advise(image(sections, options)).map(({ rule, object }) => `${rule} ${String(object)}`)
