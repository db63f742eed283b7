/**
 * EFI_STATUS codes that the modelled services return, under the specification's names. Source: UEFI 2.10
 * appendix D.
 */

/** Error codes by name; the value is the code without the error bit. */
export const EFI_ERRORS = {
  EFI_LOAD_ERROR: 1,
  EFI_INVALID_PARAMETER: 2,
  EFI_UNSUPPORTED: 3,
  EFI_BUFFER_TOO_SMALL: 5,
  EFI_OUT_OF_RESOURCES: 9,
  EFI_VOLUME_CORRUPTED: 10,
  EFI_NOT_FOUND: 14,
  EFI_ALREADY_STARTED: 20,
  EFI_ABORTED: 21,
  EFI_INCOMPATIBLE_VERSION: 25,
  EFI_SECURITY_VIOLATION: 26,
} as const

export type EfiError = keyof typeof EFI_ERRORS
export type EfiStatus = 'EFI_SUCCESS' | EfiError

/** The 64-bit value of a status: the error bit is the highest one. */
export function statusValue(status: EfiStatus): bigint {
  return status === 'EFI_SUCCESS' ? 0n : (1n << 63n) | BigInt(EFI_ERRORS[status])
}
