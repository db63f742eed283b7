import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sha256 } from '../../../src/bytes/sha256.ts'
import { bytesSource } from '../../../src/bytes/source.ts'

const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')

test('the examples of FIPS 180-4', () => {
  const digest = (text: string): string => hexOf(sha256(bytesSource(new TextEncoder().encode(text))))
  expect(digest('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  expect(digest('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
})

test('any bytes, as the platform has them', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      bytes => hexOf(sha256(bytesSource(bytes))) === createHash('sha256').update(bytes).digest('hex'),
    ),
  )
  for (const length of [65535, 65536, 65537, 200000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 7) & 0xff)
    expect(hexOf(sha256(bytesSource(bytes)))).toBe(createHash('sha256').update(bytes).digest('hex'))
  }
})
