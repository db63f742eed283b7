import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { toJsonSchema } from '@valibot/to-json-schema'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { firmwareSchema, parseFirmwareFile } from '../../../src/boot/firmware-file.ts'
import { UsageError } from '../../../src/bytes/errors.ts'
import { PAGE } from '../../../src/bytes/units.ts'
import { MIB } from '../../support/bytes.ts'

const parse = (value: unknown) =>
  parseFirmwareFile(typeof value === 'string' ? value : JSON.stringify(value), 'board.json')
const map = [
  { type: 'EfiConventionalMemory', start: 0, end: '640KiB' },
  { type: 'EfiConventionalMemory', start: '1MiB', end: '512MiB' },
]

test('a firmware file says where memory is, who allocates, who loads and what is odd', () => {
  const file = parse({
    schema: 1,
    name: 'a board',
    source: 'its manual',
    map,
    loader: 'u-boot-2022.01',
    contents: 'poison',
    quirks: ['hole-16m'],
  })
  expect(file).toMatchObject({
    name: 'a board',
    source: 'its manual',
    profile: null,
    ram: null,
    quirks: ['hole-16m'],
    firmware: { id: 'u-boot-2022.01', title: 'a board', contents: 'poison', allocator: { id: 'u-boot' } },
  })
  expect(file.map).toEqual([
    { type: 'EfiConventionalMemory', start: 0, end: 0xa0000 },
    { type: 'EfiConventionalMemory', start: 0x100000, end: 0x20000000 },
  ])
  expect(
    parse({ schema: 1, name: 'other', profile: 'ovmf-2022.11-q35-4M', ram: '1GiB', allocator: 'patina' }),
  ).toMatchObject({
    profile: 'ovmf-2022.11-q35-4M',
    ram: 2 ** 30,
    firmware: { allocator: { id: 'patina' }, loader: { id: 'edk2-2022.11' } },
  })
})

test('bins that the firmware placed set the default range, unless that is given', () => {
  const bins = [
    { type: 'EfiRuntimeServicesData', base: '480MiB', pages: 256 },
    { type: 'EfiReservedMemoryType', base: '481MiB', pages: 128 },
  ]
  expect(parse({ schema: 1, name: 'b', map, bins }).firmware.build?.search).toEqual({
    bins: [
      { type: 6, base: 480 * MIB, max: 481 * MIB - 1 },
      { type: 0, base: 481 * MIB, max: 481 * MIB + 128 * PAGE - 1 },
    ],
    defaultMax: 480 * MIB - 1,
  })
  expect(
    parse({ schema: 1, name: 'b', map, bins, defaultMax: '256MiB' }).firmware.build?.search?.defaultMax,
  ).toBe(256 * MIB)
  expect(parse({ schema: 1, name: 'b', map }).firmware.build?.search).toBe(undefined)
})

test('guard pages, untested memory and the state of the pool belong to the build', () => {
  const guard = {
    PcdHeapGuardPropertyMask: 3,
    PcdHeapGuardPageType: '0x1e',
    PcdHeapGuardPoolType: '0x8000000000000000',
  }
  expect(
    parse({
      schema: 1,
      name: 'g',
      map,
      guard,
      untested: [{ start: '600MiB', end: '601MiB' }],
      pool: { imageRecord: 'new-page', mapEntries: { hidden: 7, capacity: 128 } },
    }).firmware.build,
  ).toEqual({
    guard: { PcdHeapGuardPropertyMask: 3, PcdHeapGuardPageType: 0x1en, PcdHeapGuardPoolType: 1n << 63n },
    untested: [{ start: 600 * MIB, end: 601 * MIB }],
    pool: { imageRecord: 'new-page', mapEntries: { hidden: 7, capacity: 128 } },
  })
  expect(() => parse({ schema: 1, name: 'g', map, guard, allocator: 'u-boot' })).toThrow(
    "guard pages are EDK2's: u-boot has none",
  )
  expect(() => parse({ schema: 1, name: 'g', map, untested: [{ start: 4096, end: 4096 }] })).toThrow(
    'the range starts at 0x1000',
  )
})

test("bins can be placed by EDK2's own procedure", () => {
  const memoryTypeInformation = [
    { type: 'EfiACPIMemoryNVS', pages: 16 },
    { type: 'EfiRuntimeServicesData', pages: 256 },
  ]
  const top = (more: object, loader = 'edk2-2025.02') =>
    parse({ schema: 1, name: 'b', map, loader, memoryTypeInformation, ...more }).firmware.build?.search
      ?.bins[0]?.max
  const firstMemory = { start: '1MiB', end: '512MiB' }
  const binRange = { start: '600MiB', end: '604MiB' }
  // A page stays free above the bins in the first memory (FW-41); a range of their own they fill (FW-42)
  const inFirst = 512 * MIB - PAGE - 1
  const inRange = 604 * MIB - 1
  expect([
    top({ firstMemory }),
    top({ firstMemory, binRange }),
    top({ firstMemory, binRange }, 'edk2-2022.11'),
  ]).toEqual([inFirst, inRange, inFirst])
  const hobs = {
    memoryTop: '400MiB',
    freeBottom: '300MiB',
    freeTop: '390MiB',
    hobStart: '299MiB',
    resources: [firstMemory, { ...binRange, bins: true }],
    allocations: [],
  }
  expect([top({ hobs }), top({ hobs }, 'edk2-2022.11')]).toEqual([inRange, inFirst])
  for (const more of [{}, { binRange: { start: 0, end: 4096 } }, { hobs: { ...hobs, resources: [] } }])
    expect(() => top(more)).toThrow('the place of the bins is missing')
  expect(() => top({ firstMemory, bins: [] })).toThrow('exclude each other')
})

test('what cannot be used names file, place and reason', () => {
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    ['{', /^board\.json: not JSON/],
    [{ schema: 1, name: 'x' }, /^board\.json: exactly one of map and profile/],
    [{ schema: 1, name: 'x', map, profile: 'ovmf-2022.11-q35-4M' }, /exactly one of map and profile/],
    [{ schema: 2, name: 'x', map }, /^board\.json: schema: is not 1/],
    [{ schema: 1, name: 'x', map, loader: 'lilo' }, /^board\.json: loader: is not one of edk2-2020\.11/],
    [
      { schema: 1, name: 'x', map, quirks: ['lilo'] },
      /^board\.json: quirks\[0\]: is not one of dirty-residue/,
    ],
    [{ schema: 1, name: 'x', map, colour: 1 }, /^board\.json: colour: is not a known field/],
  ]
  for (const [value, message] of wrong) {
    expect(() => parse(value)).toThrow(UsageError)
    expect(() => parse(value)).toThrow(message)
  }
})

describe('firmware.schema.json', () => {
  const file = fileURLToPath(new URL('../../../src/boot/firmware.schema.json', import.meta.url))
  const made = toJsonSchema(firmwareSchema, {
    typeMode: 'input',
    target: 'draft-2020-12',
    errorMode: 'ignore',
  })

  test('is the schema that the code enforces (update with vitest -u)', async () => {
    await expect(`${JSON.stringify({ ...made, title: 'stubsim firmware' }, null, 2)}\n`).toMatchFileSnapshot(
      file,
    )
  })

  test('is accepted by ajv and agrees with the code', () => {
    const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(
      JSON.parse(readFileSync(file, 'utf8')) as object,
    )
    expect([validate({ schema: 1, name: 'x', map, loader: 'patina' }), validate.errors]).toEqual([true, null])
    for (const odd of [
      7,
      {},
      { schema: 1, name: '', map },
      { schema: 1, name: 'x', map: [] },
      { schema: 1, name: 'x', map, allocator: 'lilo' },
    ]) {
      expect(validate(odd)).toBe(false)
      expect(() => parse(odd)).toThrow(UsageError)
    }
  })
})
