/** A status as the stub prints it. */
import type { EfiError } from '../../firmware/status.ts'
import type { StubBehaviour } from '../behaviour.ts'

const WORDS: Readonly<Record<EfiError, string>> = {
  EFI_LOAD_ERROR: 'Load error',
  EFI_INVALID_PARAMETER: 'Invalid parameter',
  EFI_UNSUPPORTED: 'Unsupported',
  EFI_BUFFER_TOO_SMALL: 'Buffer too small',
  EFI_OUT_OF_RESOURCES: 'Out of resources',
  EFI_VOLUME_CORRUPTED: 'Volume corrupt',
  EFI_NOT_FOUND: 'Not found',
  EFI_ALREADY_STARTED: 'Already started',
  EFI_ABORTED: 'Aborted',
  EFI_INCOMPATIBLE_VERSION: 'Incompatible version',
  EFI_SECURITY_VIOLATION: 'Security violation',
}

/** `Load error`: the status as systemd's own %m prints it. */
export function statusText(status: EfiError): string {
  return WORDS[status]
}

/** `Load Error`: the status as gnu-efi's %r prints it, every word but "of" and "too" with a capital. */
export function statusTitle(status: EfiError): string {
  return WORDS[status].replace(/(?<= )(?!of )[a-z]/g, letter => letter.toUpperCase())
}

/** The status as a release prints it. */
export function statusIn({ status: how }: StubBehaviour['messages'], status: EfiError): string {
  return how === '%r' ? statusTitle(status) : statusText(status)
}
