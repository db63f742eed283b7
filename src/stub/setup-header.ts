/**
 * The stub's own view of struct setup_header and of boot_params (chapter ST). Source: systemd
 * src/boot/efi/linux_x86.c.
 */
import { struct, type Values } from '../bytes/struct.ts'

/** Offset of hdr in the kernel file and in boot_params. */
export const HDR = 0x1f1
/** The first bytes of a kernel file up to the end of handover_offset, offsets from the start of the file. */
export const SETUP_HEADER = struct('setup_header', 0x268, {
  setup_sects: [0x1f1, 'u8'],
  syssize: [0x1f4, 'u32'],
  boot_flag: [0x1fe, 'u16'],
  setup_size: [0x201, 'u8'],
  header: [0x202, 'u32'],
  version: [0x206, 'u16'],
  relocatable_kernel: [0x234, 'u8'],
  xloadflags: [0x236, 'u16'],
  cmdline_size: [0x238, 'u32'],
  handover_offset: [0x264, 'u32'],
})
export type SetupHeader = Values<typeof SETUP_HEADER.fields>

/** The fields that the stub fills in, offsets in boot_params. */
export const BOOT_PARAMS = {
  ext_ramdisk_image: 0xc0,
  ext_ramdisk_size: 0xc4,
  ext_cmd_line_ptr: 0xc8,
  secure_boot: 0x1ec,
  setup_sects: 0x1f1,
  type_of_loader: 0x210,
  code32_start: 0x214,
  ramdisk_image: 0x218,
  ramdisk_size: 0x21c,
  cmd_line_ptr: 0x228,
} as const

export const SECTOR = 512
export const BOOT_FLAG_MAGIC = 0xaa55
/** "HdrS" */
export const SETUP_MAGIC = 0x53726448
export const SETUP_VERSION_2_11 = 0x20b
export const SETUP_VERSION_2_12 = 0x20c
export const XLF_CAN_BE_LOADED_ABOVE_4G = 2
export const XLF_EFI_HANDOVER_64 = 8
/** Offset of `header` in struct setup_header: what setup_size counts from. */
export const HEADER_OFFSET = 0x11

/** Does the header carry both marks of a kernel? */
export function isKernel(header: SetupHeader): boolean {
  return header.boot_flag === BOOT_FLAG_MAGIC && header.header === SETUP_MAGIC
}

/** `setup_sects`, which means 4 when it is 0. */
export function setupSectors(header: SetupHeader): number {
  return header.setup_sects === 0 ? 4 : header.setup_sects
}

/** Does the kernel say that it may lie above 4 GiB? */
export function canLieAbove4G(header: SetupHeader): boolean {
  return header.version >= SETUP_VERSION_2_12 && (header.xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G) !== 0
}
