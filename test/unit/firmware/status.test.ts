import { expect, test } from 'vitest'
import { STATUS_TEXT } from '../../../src/firmware/edk2/boot-manager.ts'
import { EFI_ERRORS, statusValue } from '../../../src/firmware/status.ts'

test('status values carry the error bit and the number of the specification', () => {
  expect(statusValue('EFI_SUCCESS')).toBe(0n)
  expect(statusValue('EFI_LOAD_ERROR')).toBe(0x8000000000000001n)
  expect(statusValue('EFI_OUT_OF_RESOURCES')).toBe(0x8000000000000009n)
  expect(statusValue('EFI_NOT_FOUND')).toBe(0x800000000000000en)
  expect(statusValue('EFI_SECURITY_VIOLATION')).toBe(0x800000000000001an)
})

test('every error has words of its own', () => {
  expect(new Set(Object.values(STATUS_TEXT)).size).toBe(Object.keys(EFI_ERRORS).length)
})
