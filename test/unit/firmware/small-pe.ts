/** Small PE files with any header one likes, for the firmware's tests. */
import { bytesSource, type ByteSource } from '../../../src/bytes/source.ts'

export interface SmallSection {
  readonly name?: string
  readonly VirtualAddress: number
  readonly VirtualSize: number
  /** Bytes in the file. */
  readonly raw: number
  /** Default: after what the sections before it have. */
  readonly PointerToRawData?: number
  readonly Characteristics?: number
  /** Contents; default: every byte is 0x10 + the section's index. */
  readonly bytes?: Uint8Array
}

export interface SmallPe {
  readonly sections?: readonly SmallSection[]
  readonly pe32?: boolean
  readonly ImageBase?: bigint
  readonly SectionAlignment?: number
  readonly SizeOfImage?: number
  readonly SizeOfHeaders?: number
  readonly AddressOfEntryPoint?: number
  readonly Subsystem?: number
  readonly Machine?: number
  readonly Magic?: number
  readonly Characteristics?: number
  readonly directories?: readonly (readonly [VirtualAddress: number, Size: number])[]
  readonly NumberOfRvaAndSizes?: number
  readonly SizeOfOptionalHeader?: number
  readonly NumberOfSections?: number
  readonly signature?: number
  readonly e_magic?: number
  readonly FileAlignment?: number
  /** Cuts (or lengthens) the file. */
  readonly fileSize?: number
}

export const E_LFANEW = 0x80
export const HEADERS = 0x400

/** The file's bytes: headers of 0x400 bytes at the most, raw data after them. */
export function smallPeBytes(pe: SmallPe = {}): Uint8Array {
  const {
    sections = [{ VirtualAddress: 0x1000, VirtualSize: 0x1000, raw: 0x1000 }],
    pe32 = false,
    directories = Array.from({ length: 16 }, () => [0, 0] as const),
  } = pe
  let next = HEADERS
  const placed = sections.map(section => {
    const at = section.PointerToRawData ?? next
    next = Math.max(next, at + section.raw)
    return { ...section, at }
  })
  const bytes = new Uint8Array(Math.max(next, 0))
  const view = new DataView(bytes.buffer)
  view.setUint16(0, pe.e_magic ?? 0x5a4d, true)
  view.setUint32(60, E_LFANEW, true)
  view.setUint32(E_LFANEW, pe.signature ?? 0x4550, true)
  view.setUint16(E_LFANEW + 4, pe.Machine ?? 0x8664, true)
  view.setUint16(E_LFANEW + 6, pe.NumberOfSections ?? sections.length, true)
  const fixed = pe32 ? 96 : 112
  const optionalSize = fixed + 8 * directories.length
  view.setUint16(E_LFANEW + 20, pe.SizeOfOptionalHeader ?? optionalSize, true)
  view.setUint16(E_LFANEW + 22, pe.Characteristics ?? 0x22, true)
  const at = E_LFANEW + 24
  view.setUint16(at, pe.Magic ?? (pe32 ? 0x10b : 0x20b), true)
  view.setUint32(at + 16, pe.AddressOfEntryPoint ?? 0x1000, true)
  if (pe32) view.setUint32(at + 28, Number(pe.ImageBase ?? 0n), true)
  else view.setBigUint64(at + 24, pe.ImageBase ?? 0n, true)
  view.setUint32(at + 32, pe.SectionAlignment ?? 0x1000, true)
  view.setUint32(at + 36, pe.FileAlignment ?? 0, true)
  view.setUint32(at + 56, pe.SizeOfImage ?? 0x4000, true)
  view.setUint32(at + 60, pe.SizeOfHeaders ?? HEADERS, true)
  view.setUint16(at + 68, pe.Subsystem ?? 10, true)
  view.setUint32(at + fixed - 4, pe.NumberOfRvaAndSizes ?? directories.length, true)
  directories.forEach(([VirtualAddress, Size], i) => {
    view.setUint32(at + fixed + 8 * i, VirtualAddress, true)
    view.setUint32(at + fixed + 8 * i + 4, Size, true)
  })
  placed.forEach((section, i) => {
    const header = at + optionalSize + 40 * i
    bytes.set(new TextEncoder().encode(section.name ?? `.s${String(i)}`), header)
    view.setUint32(header + 8, section.VirtualSize, true)
    view.setUint32(header + 12, section.VirtualAddress, true)
    view.setUint32(header + 16, section.raw, true)
    view.setUint32(header + 20, section.at, true)
    view.setUint32(header + 36, section.Characteristics ?? 0, true)
    bytes.fill(0x10 + i, section.at, section.at + section.raw)
    if (section.bytes !== undefined) bytes.set(section.bytes, section.at)
  })
  return bytes
}

export function smallPe(pe: SmallPe = {}): ByteSource {
  const bytes = smallPeBytes(pe)
  if (pe.fileSize === undefined) return bytesSource(bytes)
  const cut = new Uint8Array(pe.fileSize)
  cut.set(bytes.subarray(0, pe.fileSize))
  return bytesSource(cut)
}
