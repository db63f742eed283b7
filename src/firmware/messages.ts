/** What the boot manager prints when a boot option fails (chapter PE). */
import type { EfiError } from './status.ts'

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
 * The line of BDS for a boot option that LoadImage (or StartImage) turned down, without the option's name and
 * device path (PE-21).
 */
export function bootManagerMessage(what: 'load' | 'start', status: EfiError): string {
  return `BdsDxe: failed to ${what} … : ${STATUS_TEXT[status]}`
}
