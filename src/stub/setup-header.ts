/**
 * What the stub reads from a kernel's setup header (chapter ST). Source: systemd src/boot/efi/linux_x86.c.
 */
import {
  BOOT_FLAG,
  HDRS,
  PROTOCOL_2_12,
  type setup_header,
  setupHeaderAt,
  XLF_CAN_BE_LOADED_ABOVE_4G,
} from '../image/x86/boot-params.ts'
import type { GuestValues } from '../memory/guest-struct.ts'

/** The fields of a header, read from memory at one time. */
export type SetupHeader = GuestValues<typeof setup_header.fields>

/** Where struct SetupHeader of systemd ends, from the start of the file: past handover_offset. */
export const KNOWN_HEADER_END = setupHeaderAt('handover_offset') + 4

/** Does the header have both signatures of a kernel (0xAA55 and HdrS)? */
export function isKernel(header: SetupHeader): boolean {
  return header.boot_flag === BOOT_FLAG && header.header === HDRS
}

/** Does the kernel declare that it can be loaded above 4 GiB? */
export function canLieAbove4G(header: SetupHeader): boolean {
  return header.version >= PROTOCOL_2_12 && (header.xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G) !== 0
}
