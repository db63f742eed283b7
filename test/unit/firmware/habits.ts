/**
 * What firmwares are known to do with pages, told once more for the slow model: nothing of it comes from the
 * source that is tested.
 */
export interface Habits {
  readonly search: 'bins-then-top' | 'top-down'
  readonly limit: 'inclusive' | 'exclusive'
  readonly refuses: 'edk2' | 'from-persistent'
  readonly free: 'pieces' | 'range' | 'taken-range' | 'one-descriptor'
  readonly addressMiss: 'EFI_NOT_FOUND' | 'EFI_OUT_OF_RESOURCES'
  readonly oddRequest: 'EFI_NOT_FOUND' | 'EFI_INVALID_PARAMETER'
  readonly limitMiss: 'EFI_NOT_FOUND' | 'EFI_OUT_OF_RESOURCES'
  readonly foreignBins: 'last' | 'never'
  readonly guardPage: 'anywhere' | 'inside'
  readonly freeInBin: 'whole' | 'split'
  readonly specialPurpose: 'taken' | 'skipped'
  readonly addressZero: 'granted' | 'refused'
}

const EDK2: Habits = {
  search: 'bins-then-top',
  limit: 'inclusive',
  refuses: 'edk2',
  free: 'pieces',
  addressMiss: 'EFI_NOT_FOUND',
  oddRequest: 'EFI_NOT_FOUND',
  limitMiss: 'EFI_OUT_OF_RESOURCES',
  foreignBins: 'last',
  guardPage: 'anywhere',
  freeInBin: 'whole',
  specialPurpose: 'taken',
  addressZero: 'granted',
}
const SINCE_2024_08: Habits = { ...EDK2, specialPurpose: 'skipped' }
const SINCE_2025_08: Habits = { ...SINCE_2024_08, addressZero: 'refused' }
const SINCE_2026_02: Habits = { ...SINCE_2025_08, freeInBin: 'split' }
const SINCE_2026_05: Habits = { ...SINCE_2026_02, guardPage: 'inside' }
const U_BOOT: Habits = {
  ...EDK2,
  search: 'top-down',
  limit: 'exclusive',
  refuses: 'from-persistent',
  free: 'range',
  addressMiss: 'EFI_OUT_OF_RESOURCES',
}

/** By the name of the allocator. */
export const HABITS: Readonly<Record<string, Habits>> = {
  'edk2-2020.11': EDK2,
  'edk2-2022.11': EDK2,
  'edk2-2023.02': EDK2,
  'edk2-2024.02': EDK2,
  'edk2-2024.08': SINCE_2024_08,
  'edk2-2024.11': SINCE_2024_08,
  'edk2-2025.02': SINCE_2024_08,
  'edk2-2025.08': SINCE_2025_08,
  'edk2-2026.02': SINCE_2026_02,
  'edk2-2026.05': SINCE_2026_05,
  'edk2-2026.08': SINCE_2026_05,
  'u-boot': U_BOOT,
  'u-boot-2025.01': { ...U_BOOT, free: 'taken-range', addressMiss: 'EFI_NOT_FOUND' },
  patina: {
    ...SINCE_2024_08,
    search: 'top-down',
    addressZero: 'refused',
    oddRequest: 'EFI_INVALID_PARAMETER',
    limitMiss: 'EFI_NOT_FOUND',
    foreignBins: 'never',
    freeInBin: 'split',
    free: 'one-descriptor',
  },
}
