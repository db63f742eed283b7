/**
 * EDK2's boot manager: its checks before LoadImage, and its message for a failed boot option (chapter PE).
 */
import { printed } from '../../messages/texts.ts'
import { hex } from '../../bytes/range.ts'
import { readExactly, type ByteSource } from '../../bytes/source.ts'
import { PE32_MAGIC, PE32_PLUS_MAGIC } from '../../image/pe.ts'
import { EFI_APPLICATION } from '../image-loaders/checked-image.ts'
import type { BootManager } from '../image-loaders/image-loader.ts'
import type { LoadRefusal } from '../image-loaders/ports.ts'
import type { EfiError } from '../status.ts'
import { DOS_HEADER, MZ, NT_HEADERS, refuse, u16, u32 } from './image-checks.ts'

const PE_SIGNATURE = 0x4550

/**
 * EFI_STATUS as the firmware's %r prints it. Source: edk2@stable202211 MdePkg/Library/BasePrintLib
 * mStatusString.
 */
export const STATUS_TEXT: Readonly<Record<EfiError, string>> = {
  EFI_LOAD_ERROR: 'Load Error',
  EFI_INVALID_PARAMETER: 'Invalid Parameter',
  EFI_UNSUPPORTED: 'Unsupported',
  EFI_BUFFER_TOO_SMALL: 'Buffer Too Small',
  EFI_OUT_OF_RESOURCES: 'Out of Resources',
  EFI_VOLUME_CORRUPTED: 'Volume Corrupt',
  EFI_NOT_FOUND: 'Not Found',
  EFI_ALREADY_STARTED: 'Already started',
  EFI_ABORTED: 'Aborted',
  EFI_INCOMPATIBLE_VERSION: 'Incompatible Version',
  EFI_SECURITY_VIOLATION: 'Security Violation',
}

/**
 * The message of BDS for a boot option that LoadImage (or StartImage) refused, without the option's name and
 * device path (PE-21).
 */
export function bootManagerMessage(what: 'load' | 'start', status: EfiError): string {
  return printed('edk2/boot-option', { what, option: '…', status: STATUS_TEXT[status] })
}

/**
 * The checks of BDS before it calls LoadImage for a boot option; if they fail, the option counts as absent
 * (PE-2).
 */
export function checkBootOption(source: ByteSource): LoadRefusal | null {
  const absent = (why: string) =>
    refuse('PE-2', `BDS does not take the file for an application: ${why}`, 'EFI_NOT_FOUND')
  const dos = readExactly(source, 0, DOS_HEADER)
  if (dos === null || u16(dos, 0) !== MZ) return absent('no DOS header')
  const at = u32(dos, 60)
  const nt = readExactly(source, at, NT_HEADERS)
  if (nt === null) return absent(`the file ends at ${hex(source.size)}, inside the PE headers at ${hex(at)}`)
  if (u32(nt, 0) !== PE_SIGNATURE) return absent(`no PE signature at ${hex(at)}`)
  const magic = u16(nt, 24)
  if (magic !== PE32_MAGIC && magic !== PE32_PLUS_MAGIC) return absent(`optional header magic ${hex(magic)}`)
  const subsystem = u16(nt, 24 + 68)
  return subsystem === EFI_APPLICATION
    ? null
    : absent(`Subsystem ${String(subsystem)} is not 10 (EFI application)`)
}

/** BDS, which starts boot options. */
export const BDS: BootManager = {
  check: checkBootOption,
  message: status => bootManagerMessage('load', status),
}
