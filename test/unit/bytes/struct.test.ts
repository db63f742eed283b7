import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ModelBug } from '../../../src/bytes/errors.ts'
import { struct, type FieldKind } from '../../../src/bytes/struct.ts'

const FIELDS = {
  flag: [0, 'u8'],
  version: [2, 'u16'],
  init_size: [4, 'u32'],
  pref_address: [8, 'u64'],
  name: [16, [4]],
} as const
const HEADER = struct('header', 24, FIELDS)
const IN_MEMORY = struct('header', 24, FIELDS, 'memory')

test('what was written is read back, at any place, from files and from memory', () => {
  fc.assert(
    fc.property(
      fc.nat(0xff),
      fc.nat(0xffff),
      fc.nat(0xffffffff),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.nat(9),
      (flag, version, init_size, pref_address, name, at) => {
        const values = { flag, version, init_size, pref_address, name }
        const bytes = new Uint8Array(at + HEADER.size + 3)
        bytes.set(HEADER.write(values), at)
        expect(HEADER.read(bytes, at)).toEqual(values)
        expect(HEADER.read(bytes.subarray(at))).toEqual(values)
        expect(IN_MEMORY.write(values)).toEqual(HEADER.write(values))
        expect(IN_MEMORY.read(bytes, at)).toEqual(values)
        expect(IN_MEMORY.encode('pref_address', pref_address)).toEqual(
          HEADER.encode('pref_address', pref_address),
        )
      },
    ),
  )
})

test('bytes are little endian, at the offsets of the table, zero elsewhere', () => {
  expect([...HEADER.write({ version: 0x20f, init_size: 0x12345678 })]).toEqual([
    0,
    0,
    0x0f,
    2,
    0x78,
    0x56,
    0x34,
    0x12,
    ...Array.from({ length: 16 }, () => 0),
  ])
  expect([...HEADER.encode('pref_address', 0x1000000n)]).toEqual([0, 0, 0, 1, 0, 0, 0, 0])
  expect([...HEADER.encode('name', Uint8Array.of(1, 2, 3, 4))]).toEqual([1, 2, 3, 4])
  expect([...HEADER.encode('flag', 255)]).toEqual([255])
})

test('raw bytes that were read do not change with their source', () => {
  const bytes = HEADER.write({ name: Uint8Array.of(1, 2, 3, 4) })
  const read = HEADER.read(bytes)
  bytes.fill(9)
  expect([...(read?.name ?? [])]).toEqual([1, 2, 3, 4])
})

test('a structure that sticks out of the bytes is not read', () => {
  expect(HEADER.read(new Uint8Array(23))).toBeNull()
  expect(HEADER.read(new Uint8Array(24), 1)).toBeNull()
  expect(HEADER.read(new Uint8Array(24), -1)).toBeNull()
  expect(HEADER.read(new Uint8Array(24))).not.toBeNull()
})

test('a value that a field cannot hold is a mistake of ours', () => {
  for (const [field, values] of [
    ['flag', [-1, 256, 0.5, NaN]],
    ['version', [65536]],
    ['init_size', [2 ** 32, -1]],
  ] as const)
    for (const value of values) expect(() => HEADER.encode(field, value)).toThrow(ModelBug)
  for (const value of [-1n, 2n ** 64n])
    for (const place of [HEADER, IN_MEMORY])
      expect(() => place.encode('pref_address', value)).toThrow(`not a u64: ${String(value)}`)
  for (const length of [3, 5]) expect(() => HEADER.encode('name', new Uint8Array(length))).toThrow(ModelBug)
  // what a caller without types may do
  expect(() => HEADER.encode('pref_address', 1 as never)).toThrow(ModelBug)
  expect(() => HEADER.encode('init_size', 1n as never)).toThrow(ModelBug)
  expect(() => HEADER.encode('name', 'abcd' as never)).toThrow(ModelBug)
  expect(() => HEADER.encode('nothing' as never, 0 as never)).toThrow('header has no field nothing')
  expect(() => HEADER.write({ nothing: 0 } as never)).toThrow('header has no field nothing')
})

test('a slip in a layout table throws when the table is made', () => {
  const table =
    (size: number, ...fields: [string, number, FieldKind][]) =>
    () =>
      struct('bad', size, Object.fromEntries(fields.map(([name, at, kind]) => [name, [at, kind] as const])))
  expect(table(8, ['a', 0, 'u32'], ['b', 2, 'u16'])).toThrow('bad.b overlaps the field before it')
  expect(table(8, ['a', 4, 'u32'], ['b', 0, 'u16'])).toThrow('bad.b overlaps the field before it')
  expect(table(8, ['a', 6, 'u32'])).toThrow('bad.a ends past the structure')
  expect(table(8, ['a', 0, [9]])).toThrow('bad.a ends past the structure')
  expect(table(8, ['a', -1, 'u8'])).toThrow(ModelBug)
  expect(table(8, ['a', 0, 'u64'])).not.toThrow()
})
