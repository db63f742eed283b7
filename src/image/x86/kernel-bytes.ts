/**
 * The bytes of a synthetic bzImage that are read: setup header, version, payload ends, kernel_info, and code
 * with the link addresses.
 */
import { bytesSource, sparseSource, type SparsePiece } from '../../bytes/source.ts'
import { BOOT_FLAG, HDRS, kernel_info, LTOP, SETUP_HEADER_AT, setup_header } from './boot-params.ts'
import { PAYLOAD_MAGIC } from './bzimage.ts'
import type { KernelFacts } from './kernel-facts.ts'

/** LINUX_PE_MAGIC, at 0x38 of kernels from 6.12 on. */
const LINUX_PE_MAGIC = [0xcd, 0x23, 0x82, 0x81]

/** Equal in every kernel measured. */
const COMMON_HDR = {
  root_flags: 1,
  vid_mode: 0xffff,
  boot_flag: BOOT_FLAG,
  jump: 0x6aeb,
  header: HDRS,
  version: 0x20f,
  start_sys_seg: 0x1000,
  loadflags: 1,
  setup_move_size: 0x8000,
  code32_start: 0x100000,
  initrd_addr_max: 0x7fffffff,
  kernel_alignment: 0x200000,
  relocatable_kernel: 1,
  min_alignment: 21,
  cmdline_size: 2047,
  pref_address: 0x1000000n,
} as const

function le32(n: number): number[] {
  return [n & 0xff, (n >>> 8) & 0xff, (n >>> 16) & 0xff, (n >>> 24) & 0xff]
}

/** Bytes at an offset of the file. */
function put(at: number, bytes: Iterable<number>): SparsePiece {
  return { at, source: bytesSource(Uint8Array.from(bytes)) }
}

function ascii(text: string): number[] {
  return Array.from(text, letter => letter.charCodeAt(0) & 0x7f)
}

/** Everything but the PE headers; offsets count from the start of the file. */
export function kernelPieces(facts: KernelFacts): SparsePiece[] {
  const { hdr, geometry } = facts
  const startup32 = (hdr.setup_sects + 1) * 512
  const payload = startup32 + hdr.payload_offset
  const info = kernel_info.write({
    header: LTOP,
    size: 16,
    size_total: 16,
    setup_type_max: facts.setup_type_max,
  })
  const zeros = hdr.syssize * 16 - geometry._bss
  const compat = facts.pe.sections.find(([name]) => name === '.compat')
  return [
    put(SETUP_HEADER_AT - 2, [0xff, 0xff]),
    put(SETUP_HEADER_AT, setup_header.write({ ...COMMON_HDR, ...hdr })),
    ...(zeros > 0 ? [{ at: startup32 + geometry._bss, source: sparseSource(zeros, []) }] : []),
    put(0x200 + hdr.kernel_version, [...ascii(facts.version), 0]),
    put(payload, PAYLOAD_MAGIC[facts.compression]),
    put(payload + hdr.payload_length - 4, le32(facts.output_len)),
    put(startup32 + hdr.kernel_info_offset, info),
    ...(facts.pe.linuxMagic ? [put(0x38, LINUX_PE_MAGIC)] : []),
    ...(compat === undefined ? [] : [put(compat[3], [1, 8, 0x4c, 1, ...le32(facts.pe.compatEntry), 0])]),
    ...entryPieces(facts),
    ...codePieces(geometry).map(piece => ({ ...piece, at: startup32 + piece.at })),
  ]
}

/** The first instructions of efi_pe_entry and efi64_stub_entry. */
function entryPieces({ version, hdr, pe }: KernelFacts): SparsePiece[] {
  const handover = (hdr.setup_sects + 1) * 512 + 0x200 + hdr.handover_offset
  const isLate = Number(version.split('.')[0]) >= 7
  return [
    put(handover, hdr.handover_offset === 0x190 ? [0x48, 0x83, 0xe4, 0xf0, 0x48, 0x89, 0xd3, 0xe8] : [0xe9]),
    put(
      pe.optional.AddressOfEntryPoint,
      isLate
        ? [0x57, 0x48, 0x89, 0xcf, 0x56, 0x48, 0x89, 0xd6]
        : [0x48, 0xb8, 0xa1, 0x31, 0x1b, 0x5b, 0x62, 0x95, 0xd2, 0x11],
    ),
  ]
}

/**
 * Instructions of startup_32, startup_64 and .Lrelocated that have a link address as operand; offsets from
 * startup_32.
 */
function codePieces(of: KernelFacts['geometry']): SparsePiece[] {
  const source = 0x280
  return [
    put(0x100, [0x8d, 0xbb, ...le32(of.pgtable), 0x31, 0xc0, 0xb9, ...le32(0x1800), 0xf3, 0xab]),
    put(0x240, [
      0x8b,
      0x9e,
      ...le32(0x260),
      0x81,
      0xeb,
      ...le32(of._end),
      0x48,
      0x01,
      0xeb,
      0x48,
      0x8d,
      0xa3,
      ...le32(of.boot_stack_end),
    ]),
    put(source, [
      0x48,
      0x8d,
      0x35,
      ...le32(of._bss - 8 - (source + 7)),
      0x48,
      0x8d,
      0xbb,
      ...le32(of._bss - 8),
      0xb9,
      ...le32(of._bss),
      0xc1,
      0xe9,
      0x03,
    ]),
    put(source + 22, [0xfd, 0xf3, 0x48, 0xa5, 0xfc, 0x48, 0x8d, 0x83, ...le32(of.relocated), 0xff, 0xe0]),
    put(of.relocated, [
      0x31,
      0xc0,
      0x48,
      0x8d,
      0x3d,
      ...le32(of._bss - of.relocated - 9),
      0x48,
      0x8d,
      0x0d,
      ...le32(of._ebss - of.relocated - 16),
      0x48,
      0x29,
      0xf9,
      0x48,
      0xc1,
      0xe9,
      0x03,
      0xf3,
      0x48,
      0xab,
    ]),
  ]
}
