/** Section tables as JSON, alone and in what people put around it. */
import { describe, expect, test } from 'vitest'
import { isListing, readListing } from '../../../src/image/objdump.ts'

const SECTIONS = [
  ['.text', 0x1000, 0x8000, 0x400],
  ['.osrel', 0x20000, 0x200, 0x9000],
  ['.linux', 0x2000000, 0xb00000, 0x9400],
] as const
const JSON_FORMS: Readonly<Record<string, unknown>> = {
  'rabin2 -Sj': {
    sections: SECTIONS.map(([name, vaddr, vsize, paddr]) => ({ name, size: vsize, vsize, paddr, vaddr })),
  },
  LIEF: {
    sections: SECTIONS.map(([name, at, size, offset]) => ({
      name,
      virtual_size: size,
      virtual_address: at,
      sizeof_raw_data: size,
      pointerto_raw_data: offset,
    })),
  },
  'a list, hexadecimal in strings': SECTIONS.map(([Name, at, size, offset]) => ({
    Name,
    VirtualSize: `0x${size.toString(16)}`,
    VirtualAddress: `0x${at.toString(16)}`,
    SizeOfRawData: size,
    PointerToRawData: offset,
  })),
}
const WEARS: Readonly<Record<string, (text: string) => string>> = {
  alone: text => text,
  'after its command': text => `$ tool uki.efi\n${text}\n$`,
  'in a fence': text => `Here it is:\n\`\`\`json\n${text}\n\`\`\`\nThanks`,
  quoted: text => text.replace(/^/gm, '> '),
}

describe.each(Object.entries(JSON_FORMS))('%s', (_, value) => {
  test.each(Object.entries(WEARS))('%s', (__, wear) => {
    for (const indent of [0, 2]) {
      const text = wear(JSON.stringify(value, null, indent))
      expect(isListing(new TextEncoder().encode(text))).toBe(true)
      const { listing } = readListing(text)
      expect(listing?.sections.map(({ name, VirtualAddress, size }) => [name, VirtualAddress, size])).toEqual(
        SECTIONS.map(([name, at, size]) => [name, at, size]),
      )
    }
  })
})

test.each(Object.entries(WEARS))('ukify inspect has no places, and says so: %s', (_, wear) => {
  const value = Object.fromEntries(SECTIONS.map(([name, , size]) => [name, { size, sha256: 'ab' }]))
  const { listing } = readListing(wear(JSON.stringify(value, null, 2)))
  expect(listing?.sections).toHaveLength(3)
  expect(listing?.missing.map(({ column }) => column)).toContain('VirtualAddress')
})

test.each([
  '[]',
  '{}',
  '{"sections":[{"name":"x"}]}',
  '['.repeat(6000),
  '{"a":'.repeat(6000),
  '{"name":".text"}',
])('no table: %#', text => {
  expect(readListing(text).listing).toBeNull()
})
