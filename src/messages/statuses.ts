/** Statuses as firmware and stubs print them, and what they mean in a boot. Source: UEFI 2.10, appendix D. */

export interface StatusMeaning {
  readonly name: string
  /** All printed forms, in lower case. */
  readonly printed: readonly string[]
  readonly code: string
  readonly why: string
}

const STATUSES: readonly StatusMeaning[] = [
  {
    name: 'EFI_LOAD_ERROR',
    printed: ['load error'],
    code: '0x8000000000000001',
    why: 'The image cannot be loaded: its headers or sections are not what the loader asks for.',
  },
  {
    name: 'EFI_INVALID_PARAMETER',
    printed: ['invalid parameter'],
    code: '0x8000000000000002',
    why: 'A caller passed something that the service does not take.',
  },
  {
    name: 'EFI_UNSUPPORTED',
    printed: ['unsupported'],
    code: '0x8000000000000003',
    why: 'Not an image for this machine, or a service that is not there.',
  },
  {
    name: 'EFI_BUFFER_TOO_SMALL',
    printed: ['buffer too small'],
    code: '0x8000000000000005',
    why: 'The buffer that the caller brought is too short.',
  },
  {
    name: 'EFI_OUT_OF_RESOURCES',
    printed: ['out of resources'],
    code: '0x8000000000000009',
    why: 'No run of free memory is as long as what was asked for.',
  },
  {
    name: 'EFI_VOLUME_CORRUPTED',
    printed: ['volume corrupt', 'volume corrupted'],
    code: '0x800000000000000a',
    why: 'The file system on the ESP is damaged.',
  },
  {
    name: 'EFI_NOT_FOUND',
    printed: ['not found'],
    code: '0x800000000000000e',
    why: 'A file, a protocol, a section, or free memory at the wanted place is not there.',
  },
  {
    name: 'EFI_ALREADY_STARTED',
    printed: ['already started'],
    code: '0x8000000000000014',
    why: 'It was done before: the protocol is installed, or the image runs.',
  },
  {
    name: 'EFI_ABORTED',
    printed: ['aborted'],
    code: '0x8000000000000015',
    why: 'The program gave up by itself.',
  },
  {
    name: 'EFI_INCOMPATIBLE_VERSION',
    printed: ['incompatible version'],
    code: '0x8000000000000019',
    why: 'The image is for another version of what it asks for.',
  },
  {
    name: 'EFI_SECURITY_VIOLATION',
    printed: ['security violation'],
    code: '0x800000000000001a',
    why: 'Secure Boot: the image is not signed by a key in db, or is in dbx.',
  },
  {
    name: 'EFI_ACCESS_DENIED',
    printed: ['access denied'],
    code: '0x800000000000000f',
    why: 'Secure Boot: the policy of the firmware does not let the image run.',
  },
]

/** The status with this text, name or code; null for any other text. */
export function statusNamed(text: string): StatusMeaning | null {
  const wanted = text
    .trim()
    .replace(/[.!]+$/, '')
    .toLowerCase()
  return (
    STATUSES.find(
      ({ name, printed, code }) =>
        name.toLowerCase() === wanted || code === wanted || printed.includes(wanted),
    ) ?? null
  )
}
