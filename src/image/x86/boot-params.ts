/**
 * The zero page (`boot_params`) and the setup header of the Linux x86 boot protocol, 2.00 to 2.15. Source:
 * Documentation/arch/x86/boot.rst, asm/bootparam.h.
 */
import { struct, type Values } from '../../bytes/struct.ts'

/** Offset of `hdr` in boot_params and of the setup header in a bzImage: the same in both. */
export const SETUP_HEADER_AT = 0x1f1

/**
 * `struct setup_header`: offsets count from its own first byte, SETUP_HEADER_AT in the file and in
 * boot_params.
 */
export const setup_header = struct('setup_header', 123, {
  setup_sects: [0x00, 'u8'],
  root_flags: [0x01, 'u16'],
  syssize: [0x03, 'u32'],
  ram_size: [0x07, 'u16'],
  vid_mode: [0x09, 'u16'],
  root_dev: [0x0b, 'u16'],
  boot_flag: [0x0d, 'u16'],
  jump: [0x0f, 'u16'],
  header: [0x11, 'u32'],
  version: [0x15, 'u16'],
  realmode_swtch: [0x17, 'u32'],
  start_sys_seg: [0x1b, 'u16'],
  kernel_version: [0x1d, 'u16'],
  type_of_loader: [0x1f, 'u8'],
  loadflags: [0x20, 'u8'],
  setup_move_size: [0x21, 'u16'],
  code32_start: [0x23, 'u32'],
  ramdisk_image: [0x27, 'u32'],
  ramdisk_size: [0x2b, 'u32'],
  bootsect_kludge: [0x2f, 'u32'],
  heap_end_ptr: [0x33, 'u16'],
  ext_loader_ver: [0x35, 'u8'],
  ext_loader_type: [0x36, 'u8'],
  cmd_line_ptr: [0x37, 'u32'],
  initrd_addr_max: [0x3b, 'u32'],
  kernel_alignment: [0x3f, 'u32'],
  relocatable_kernel: [0x43, 'u8'],
  min_alignment: [0x44, 'u8'],
  xloadflags: [0x45, 'u16'],
  cmdline_size: [0x47, 'u32'],
  hardware_subarch: [0x4b, 'u32'],
  hardware_subarch_data: [0x4f, 'u64'],
  payload_offset: [0x57, 'u32'],
  payload_length: [0x5b, 'u32'],
  setup_data: [0x5f, 'u64'],
  pref_address: [0x67, 'u64'],
  init_size: [0x6f, 'u32'],
  handover_offset: [0x73, 'u32'],
  kernel_info_offset: [0x77, 'u32'],
})
export type SetupHeader = Values<typeof setup_header.fields>
export type SetupHeaderField = keyof SetupHeader

/** The protocols that introduced the EFI handover entry (handover_offset) and xloadflags. */
export const PROTOCOL_2_11 = 0x20b
export const PROTOCOL_2_12 = 0x20c

/**
 * Boot protocol that introduced a field (0x020b is 2.11); unlisted fields are in every header. `syssize` was
 * two bytes wide before 2.04.
 */
export const SETUP_HEADER_SINCE: Readonly<Partial<Record<SetupHeaderField, number>>> = {
  realmode_swtch: 0x200,
  start_sys_seg: 0x200,
  kernel_version: 0x200,
  type_of_loader: 0x200,
  loadflags: 0x200,
  setup_move_size: 0x200,
  code32_start: 0x200,
  ramdisk_image: 0x200,
  ramdisk_size: 0x200,
  bootsect_kludge: 0x200,
  heap_end_ptr: 0x201,
  ext_loader_ver: 0x202,
  ext_loader_type: 0x202,
  cmd_line_ptr: 0x202,
  initrd_addr_max: 0x203,
  kernel_alignment: 0x205,
  relocatable_kernel: 0x205,
  min_alignment: 0x20a,
  xloadflags: PROTOCOL_2_12,
  cmdline_size: 0x206,
  hardware_subarch: 0x207,
  hardware_subarch_data: 0x207,
  payload_offset: 0x208,
  payload_length: 0x208,
  setup_data: 0x209,
  pref_address: 0x20a,
  init_size: 0x20a,
  handover_offset: PROTOCOL_2_11,
  kernel_info_offset: 0x20f,
}

/** Bytes of a sector, the unit of setup_sects. */
export const SECTOR = 512

/** Value of `boot_flag`. */
export const BOOT_FLAG = 0xaa55
/** Value of `header`: "HdrS". */
export const HDRS = 0x53726448

export const LOADED_HIGH = 0x01
export const KASLR_FLAG = 0x02
export const QUIET_FLAG = 0x20
export const KEEP_SEGMENTS = 0x40
export const CAN_USE_HEAP = 0x80

export const XLF_KERNEL_64 = 0x01
export const XLF_CAN_BE_LOADED_ABOVE_4G = 0x02
export const XLF_EFI_HANDOVER_32 = 0x04
export const XLF_EFI_HANDOVER_64 = 0x08
export const XLF_EFI_KEXEC = 0x10
export const XLF_5LEVEL = 0x20
export const XLF_5LEVEL_ENABLED = 0x40
export const XLF_MEM_ENCRYPTION = 0x80

/**
 * `struct boot_params`, the zero page. Nested structures are raw bytes here and have their own tables below.
 */
export const boot_params = struct('boot_params', 4096, {
  screen_info: [0x000, [64]],
  apm_bios_info: [0x040, [20]],
  tboot_addr: [0x058, 'u64'],
  ist_info: [0x060, [16]],
  acpi_rsdp_addr: [0x070, 'u64'],
  hd0_info: [0x080, [16]],
  hd1_info: [0x090, [16]],
  sys_desc_table: [0x0a0, [16]],
  olpc_ofw_header: [0x0b0, [16]],
  ext_ramdisk_image: [0x0c0, 'u32'],
  ext_ramdisk_size: [0x0c4, 'u32'],
  ext_cmd_line_ptr: [0x0c8, 'u32'],
  cc_blob_address: [0x13c, 'u32'],
  edid_info: [0x140, [128]],
  efi_info: [0x1c0, [32]],
  alt_mem_k: [0x1e0, 'u32'],
  scratch: [0x1e4, 'u32'],
  e820_entries: [0x1e8, 'u8'],
  eddbuf_entries: [0x1e9, 'u8'],
  edd_mbr_sig_buf_entries: [0x1ea, 'u8'],
  kbd_status: [0x1eb, 'u8'],
  secure_boot: [0x1ec, 'u8'],
  sentinel: [0x1ef, 'u8'],
  hdr: [0x1f1, [123]],
  edd_mbr_sig_buffer: [0x290, [64]],
  e820_table: [0x2d0, [2560]],
  eddbuf: [0xd00, [492]],
})
export type BootParams = Values<typeof boot_params.fields>

/** `struct efi_info`, at 0x1c0 of boot_params. */
export const efi_info = struct('efi_info', 32, {
  efi_loader_signature: [0x00, 'u32'],
  efi_systab: [0x04, 'u32'],
  efi_memdesc_size: [0x08, 'u32'],
  efi_memdesc_version: [0x0c, 'u32'],
  efi_memmap: [0x10, 'u32'],
  efi_memmap_size: [0x14, 'u32'],
  efi_systab_hi: [0x18, 'u32'],
  efi_memmap_hi: [0x1c, 'u32'],
})

/** EFI32_LOADER_SIGNATURE: "EL32". */
export const EFI32_LOADER_SIGNATURE = 0x32334c45
/** EFI64_LOADER_SIGNATURE: "EL64". */
export const EFI64_LOADER_SIGNATURE = 0x34364c45

/** `struct boot_e820_entry`; boot_params has up to E820_MAX_ENTRIES_ZEROPAGE of them. */
export const boot_e820_entry = struct(
  'boot_e820_entry',
  20,
  {
    addr: [0, 'u64'],
    size: [8, 'u64'],
    type: [16, 'u32'],
  },
  'memory',
)
export const E820_MAX_ENTRIES_ZEROPAGE = 128

/** The fixed part of `struct setup_data`; `len` bytes of data follow. */
export const setup_data = struct(
  'setup_data',
  16,
  { next: [0, 'u64'], type: [8, 'u32'], len: [12, 'u32'] },
  'memory',
)

/** `kernel_info` of protocol 2.15. */
export const kernel_info = struct('kernel_info', 16, {
  header: [0, 'u32'],
  size: [4, 'u32'],
  size_total: [8, 'u32'],
  setup_type_max: [12, 'u32'],
})
/** Value of kernel_info's `header`: "LToP". */
export const LTOP = 0x506f544c

/**
 * End of the header, from the same start: the offset of `header` plus the operand of the short jump in
 * `jump`. systemd calls that byte `setup_size`.
 */
export function setupHeaderEnd({ jump }: { readonly jump: number }): number {
  return setupHeaderAt('header') + (jump >> 8)
}

/** The effective `setup_sects`: 0 means 4. */
export function setupSectors({ setup_sects }: { readonly setup_sects: number }): number {
  return setup_sects === 0 ? 4 : setup_sects
}

/** Offset of a setup-header field from the start of boot_params, which is also its offset in the file. */
export function setupHeaderAt(field: SetupHeaderField): number {
  return SETUP_HEADER_AT + setup_header.fields[field][0]
}
