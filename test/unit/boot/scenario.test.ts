import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { toJsonSchema } from '@valibot/to-json-schema'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { descriptorsOf } from '../../../src/boot/map-entries.ts'
import { parseAddress, parseSize } from '../../../src/boot/quantity.ts'
import { ukiSource } from '../../../src/boot/recipe.ts'
import { parseScenario, scenarioSchema, validateScenario } from '../../../src/boot/scenario.ts'
import { UsageError } from '../../../src/bytes/errors.ts'
import { fileOffset } from '../../../src/bytes/units.ts'
import { parseBzImage } from '../../../src/image/x86/bzimage.ts'
import { parsePe } from '../../../src/image/pe.ts'
import { viewUki } from '../../../src/image/uki.ts'

const small = {
  schema: 1,
  image: { file: 'uki.efi' },
  machine: { ram: '512MiB', firmware: 'ovmf-2022.11-q35' },
}

const linux = { name: '.linux', VirtualAddress: '32MiB', content: { kernel: 'debian-5.10.223' } }
const uki = {
  stub: '247.3',
  sections: [linux, { name: '.cmdline', VirtualAddress: '0x30000', content: { text: 'quiet' } }],
  optional: { ImageBase: '0x14df90000' },
}

describe('sizes and addresses', () => {
  test.each([
    ['0', 0],
    ['4096', 4096],
    ['0x1000', 4096],
    ['0X1a6cd000', 0x1a6cd000],
    ['4KiB', 4096],
    ['512M', 512 * 2 ** 20],
    ['16 MiB', 2 ** 24],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['12 bytes', 12],
  ])('%s', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
    expect(parseAddress(text)).toBe(bytes)
  })

  test.each([
    ['-1', /negative/],
    ['-0x10', /negative/],
    ['', /not a number of bytes/],
    ['16MB', /not a number of bytes/],
    ['1e9', /not a number of bytes/],
    ['0x', /not a number of bytes/],
    ['1.3', /not a whole number/],
    ['0x1fffffffffffff', /52 bits/],
    ['99999999999G', /52 bits/],
    ['NaN', /not a number/],
  ])('refuses %j', (text, why) => {
    expect(() => parseSize(text)).toThrow(UsageError)
    expect(() => parseSize(text)).toThrow(why)
    expect(() => parseAddress(text)).toThrow(/^address/)
  })
})

describe('validateScenario', () => {
  test('sizes become numbers, the rest stays', () => {
    expect(validateScenario({ ...small, imageBase: '0x1a6cd000', kaslr: 'off' }, 's.json')).toEqual({
      schema: 1,
      image: { file: 'uki.efi' },
      machine: { ram: 512 * 2 ** 20, firmware: 'ovmf-2022.11-q35' },
      imageBase: 0x1a6cd000,
      kaslr: 'off',
    })
  })

  test('is stable: its own output is a scenario', () => {
    const scenario = validateScenario(
      { ...small, machine: { map: [{ type: 'EfiConventionalMemory', start: '0x0', end: '16MiB' }] } },
      's.json',
    )
    expect(parseScenario(JSON.stringify(scenario), 's.json')).toEqual(scenario)
  })

  test('takes the integers of YAML', () => {
    expect(
      validateScenario({ ...small, schema: 1n, machine: { ram: 536870912n, firmware: 'x' } }, 's.yaml')
        .machine,
    ).toEqual({ ram: 536870912, firmware: 'x' })
    expect(() => validateScenario({ ...small, imageBase: 2n ** 60n }, 's.yaml')).toThrow(
      's.yaml: imageBase: 1152921504606846976 is out of range',
    )
  })

  test.each<[string, unknown, string]>([
    ['no object', 7, 's: the document: '],
    ['null', null, 's: the document: '],
    ['a list', [], 's: schema: is missing'],
    [
      'another schema',
      { ...small, schema: 2 },
      's: schema: is not 1, the only schema that this release reads',
    ],
    ['unknown key', { ...small, ramm: 1 }, 's: ramm: is not a known field'],
    ['no machine', { schema: 1, image: { file: 'x' } }, 's: machine: is missing'],
    [
      'two machines',
      { ...small, machine: { ram: 1, firmware: 'x', memmap: 'y' } },
      's: machine: is not one of { memmap }, { map } and { ram, firmware }',
    ],
    [
      'half a machine',
      { ...small, machine: { ram: '512MiB' } },
      's: machine: is not one of { memmap }, { map } and { ram, firmware }',
    ],
    [
      'odd RAM',
      { ...small, machine: { ram: '512MB', firmware: 'x' } },
      's: machine.ram: "512MB" is not a number of bytes',
    ],
    ['negative RAM', { ...small, machine: { ram: -5, firmware: 'x' } }, 's: machine.ram: is negative'],
    [
      'too much RAM',
      { ...small, machine: { ram: '0x20000000000000', firmware: 'x' } },
      's: machine.ram: "0x20000000000000" is more than the 52 bits',
    ],
    ['odd moment', { ...small, memmapAt: 'later' }, 's: memmapAt: is not one of before-load, '],
    ['empty file name', { ...small, image: { file: '' } }, 's: image.file: is empty'],
    ['another image', { ...small, image: { path: 'x' } }, 's: image: is neither { file } nor { uki }'],
    [
      'unknown stub',
      { ...small, image: { uki: { stub: '1', sections: [] } } },
      's: image.uki.stub: is not one of 247.3, ',
    ],
    [
      'unknown kernel',
      { ...small, image: { uki: { ...uki, sections: [{ ...linux, content: { kernel: 'mine' } }] } } },
      's: image.uki.sections[0].content.kernel: is not one of debian-5.10.223, ',
    ],
    [
      'odd content',
      { ...small, image: { uki: { ...uki, sections: [{ ...linux, content: { random: 1 } }] } } },
      's: image.uki.sections[0].content: is not one of { kernel }, ',
    ],
    [
      'long section name',
      { ...small, image: { uki: { ...uki, sections: [{ ...linux, name: '.toolong0' }] } } },
      's: image.uki.sections[0].name: is longer than the 8 bytes',
    ],
    [
      'odd header field',
      { ...small, image: { uki: { ...uki, optional: { SizeOfHeap: 1 } } } },
      's: image.uki.optional.SizeOfHeap: is not a known field',
    ],
    ['empty map', { ...small, machine: { map: [] } }, 's: machine.map: is empty'],
    [
      'odd type',
      { ...small, machine: { map: [{ type: 'Fast', start: 0, end: 4096 }] } },
      's: machine.map[0].type: is neither',
    ],
    [
      'backwards',
      { ...small, machine: { map: [{ type: 7, start: 8192, end: 4096 }] } },
      's: machine.map[0]: ends at 0x1000, which is not above its start 0x2000',
    ],
    [
      'half pages',
      { ...small, machine: { map: [{ type: 7, start: 0, end: 4097 }] } },
      's: machine.map[0]: is not page-aligned at both ends',
    ],
  ])('refuses %s', (_, value, message) => {
    expect(() => validateScenario(value, 's')).toThrow(UsageError)
    expect(() => validateScenario(value, 's')).toThrow(message)
  })

  test('says where JSON ends', () => {
    expect(() => parseScenario('{ "schema": 1,', 'half.json')).toThrow(/^half\.json: not JSON: /)
  })
})

test('an image that is spelt out becomes a file', () => {
  const { image } = validateScenario({ ...small, image: { uki } }, 's')
  if (!('uki' in image)) throw new Error('no recipe')
  const { pe } = parsePe(ukiSource(image.uki))
  expect(pe?.optional.ImageBase).toBe(0x14df90000n)
  expect(pe?.sections.slice(-2).map(({ name, VirtualAddress }) => [name, VirtualAddress])).toEqual([
    ['.linux', 2 ** 25],
    ['.cmdline', 0x30000],
  ])
  const content = viewUki(pe ?? expect.fail('no PE')).sections.at(-2)?.content
  expect(parseBzImage(content ?? expect.fail('no kernel')).bzimage?.release).toBe('5.10.0-32-amd64')
  const parts = {
    uki: {
      stub: '257.13',
      coff: { TimeDateStamp: 7 },
      size: '2GiB',
      sections: [
        { ...linux, content: { size: 4096, parts: [{ at: 16, content: { text: 'hi' } }], seed: 3 } },
      ],
    },
  }
  const made = validateScenario({ ...small, image: parts }, 's').image
  if (!('uki' in made)) throw new Error('no recipe')
  const source = ukiSource(made.uki)
  expect(source.size).toBe(2 ** 31)
  const second = parsePe(source).pe ?? expect.fail('no PE')
  expect(second.coff.TimeDateStamp).toBe(7)
  expect([...(viewUki(second).sections.at(-1)?.content.read(fileOffset(16), 2) ?? [])]).toEqual([0x68, 0x69])
})

test('a map in place becomes descriptors', () => {
  expect(
    descriptorsOf([
      { type: 'EfiConventionalMemory', start: 0, end: 4096 },
      { type: 0x70000001, start: 4096, end: 8192, attribute: '0x8000000000000000' },
    ]),
  ).toEqual([
    { type: 7, range: { start: 0, end: 4096 }, attribute: 0xfn },
    { type: 0x70000001, range: { start: 4096, end: 8192 }, attribute: 1n << 63n },
  ])
  expect(() => descriptorsOf([{ type: 'Fast', start: 0, end: 4096 }])).toThrow(UsageError)
})

describe('scenario.schema.json', () => {
  const file = fileURLToPath(new URL('../../../src/boot/scenario.schema.json', import.meta.url))
  const made = toJsonSchema(scenarioSchema, {
    typeMode: 'input',
    target: 'draft-2020-12',
    errorMode: 'ignore',
  })

  test('is the schema that the code enforces (update with vitest -u)', async () => {
    await expect(`${JSON.stringify({ ...made, title: 'stubsim scenario' }, null, 2)}\n`).toMatchFileSnapshot(
      file,
    )
  })

  test('is accepted by ajv and agrees with the code', () => {
    const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(
      JSON.parse(readFileSync(file, 'utf8')) as object,
    )
    expect(validate(small)).toBe(true)
    expect([validate({ ...small, image: { uki } }), validate.errors]).toEqual([true, null])
    for (const odd of [
      7,
      {},
      { ...small, ramm: 1 },
      { ...small, machine: { ram: '512MB', firmware: 'x' } },
      { ...small, schema: 2 },
      { ...small, machine: { ram: 1 } },
    ]) {
      expect(validate(odd)).toBe(false)
      expect(() => validateScenario(odd, 's')).toThrow(UsageError)
    }
  })
})
