/**
 * Command lines and files as somebody who wants to break the program would make them: mutated images,
 * kernels, scenarios, firmware files and memory maps, and options with numbers at every edge. Deterministic:
 * a case is a number.
 */
import { STUB_FACTS } from '../../src/image/stub-facts.ts'
import { KERNEL_FACTS } from '../../src/image/x86/kernel-facts.ts'
import { buildKernel, buildUki } from '../../src/image/synthetic.ts'
import { bootLoaders } from '../../src/boot-loader/boot-loaders.ts'
import { FIRMWARES } from '../../src/firmware/firmwares.ts'
import { QUIRKS } from '../../src/firmware/quirks.ts'
import { commands } from '../../src/cli/commands.ts'
import type { ByteSource } from '../../src/bytes/source.ts'
import { fileOffset } from '../../src/bytes/units.ts'

/** A command line, and the files that it names as `@name`. */
export interface HostileCase {
  readonly args: readonly string[]
  readonly files: Readonly<Record<string, Uint8Array | string>>
}

/** Chance that is the same for the same number: mulberry32. */
export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = (seed * 0x9e3779b1) >>> 0
  }

  /** From 0 to below `end`. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * end)
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  /** True in one of `many` cases. */
  one(many: number): boolean {
    return this.below(many) === 0
  }
}

/** Numbers at which something ends. */
const EDGES = [
  0,
  2 ** 12,
  2 ** 16,
  2 ** 20,
  2 ** 31,
  2 ** 32,
  2 ** 40,
  2 ** 46,
  2 ** 47,
  2 ** 52,
  2 ** 53,
  2 ** 63,
  2 ** 64,
].flatMap(n => [n - 4096, n - 1, n, n + 1, n + 4096])

/** Those that are addresses. */
const ADDRESSES = EDGES.filter(n => n >= 0 && n <= 2 ** 52)
const NO_NUMBERS = ['NaN', '-1', '1.5', '1e400', '-0', '', ' ', 'Infinity', '0x', '1.0000001GiB', '9T']

const edge = (chance: Chance): number => chance.of(EDGES)
const pages = (chance: Chance): number => chance.below(chance.of([2 ** 4, 2 ** 16, 2 ** 20, 2 ** 30])) * 4096

/** A number, most often one that can be: an address at an edge, whole pages, some bytes. */
function number(chance: Chance): number {
  if (chance.one(40)) return edge(chance)
  return chance.of([() => chance.of(ADDRESSES), () => pages(chance), () => chance.below(9000)])()
}

/** The same as an option or a scenario may spell it. */
function spelt(chance: Chance): string {
  if (chance.one(40)) return chance.of(NO_NUMBERS)
  if (chance.one(4))
    return `${String(chance.below(5000))}${chance.of(['', 'K', 'M', 'G', 'MiB', 'GiB', ' bytes'])}`
  const value = number(chance)
  return value < 0 || chance.one(2) ? String(value) : `0x${BigInt(value).toString(16)}`
}

/** The same as a value of JSON. */
function numberLike(chance: Chance): unknown {
  if (chance.one(30)) return chance.of([null, -1.5, [], {}, true])
  return chance.one(4) ? spelt(chance) : number(chance)
}

/** One that most often fits 32 bits. */
function small(chance: Chance): unknown {
  return chance.one(8) ? numberLike(chance) : number(chance) % chance.of([2 ** 16, 2 ** 26, 2 ** 32])
}

/** Where something begins and ends, most often in this order. */
function span(chance: Chance): { readonly start: number; readonly end: number } {
  const [a, b] = chance.one(2) ? [pages(chance), pages(chance)] : [chance.of(ADDRESSES), chance.of(ADDRESSES)]
  const page = chance.one(8) ? 1 : 4096
  const [start, end] = [a - (a % page), b - (b % page)]
  return chance.one(8) ? { start, end } : { start: Math.min(start, end), end: Math.max(start, end) }
}

const bytesOf = (source: ByteSource, most: number): Uint8Array =>
  source.read(fileOffset(0), Math.min(source.size, most)).slice()

function kernelBytes(chance: Chance): Uint8Array {
  const facts = chance.of(Object.values(KERNEL_FACTS))
  return bytesOf(buildKernel(facts), chance.of([1024, 0x2000, 0x10000]))
}

function ukiBytes(chance: Chance): Uint8Array {
  const image = buildUki({
    stub: chance.of(Object.values(STUB_FACTS)),
    sections: [
      { name: '.osrel', VirtualAddress: 0x1000000, content: { text: 'ID=x\n' } },
      { name: '.cmdline', VirtualAddress: 0x1010000, content: { text: 'console=ttyS0 mem=512M' } },
      {
        name: '.linux',
        VirtualAddress: 0x2000000,
        content: buildKernel(chance.of(Object.values(KERNEL_FACTS))),
      },
      { name: '.initrd', VirtualAddress: 0x6000000, content: { initrd: 0x3000 } },
    ],
  })
  // What lies after is zero or absent: headers are what is mutated
  return bytesOf(image, chance.of([0x400, 0x40000, 0x80000]))
}

/** Header bytes are hit more often than others, with bytes, edges, cuts and repeats. */
function mutated(chance: Chance, bytes: Uint8Array, header: number): Uint8Array {
  let out = bytes.slice()
  for (let n = chance.of([0, 1, 1, 2, 4, 16]); n > 0 && out.length > 8; n--) {
    const at = chance.below(Math.min(out.length - 8, chance.one(8) ? out.length : header))
    const view = new DataView(out.buffer)
    chance.of([
      () => {
        out[at] = chance.of([0, 1, 0x7f, 0x80, 0xff, chance.below(256)])
      },
      () => {
        view.setUint32(at, Number(BigInt.asUintN(32, BigInt(edge(chance)))), true)
      },
      () => {
        view.setUint32(at & ~3, Number(BigInt.asUintN(32, BigInt(edge(chance)))), true)
      },
      () => {
        view.setBigUint64(at & ~7, BigInt.asUintN(64, BigInt(edge(chance))), true)
      },
      () => {
        out.fill(chance.of([0, 0xff]), at, at + chance.below(64))
      },
      () => {
        out = out.slice(0, chance.one(4) ? at : out.length)
      },
    ])()
  }
  return out
}

function textMutated(chance: Chance, text: string): string {
  let out = text
  for (let n = chance.of([0, 0, 1, 1, 2, 5]); n > 0; n--) {
    const at = chance.below(out.length + 1)
    const end = at + chance.below(chance.of([2, 8, 80]))
    out =
      out.slice(0, at) +
      chance.of([
        '',
        spelt(chance),
        '[',
        '{',
        '"',
        '\u001b[31m',
        '\u202e',
        '\0',
        ',',
        ':',
        out.slice(at, end).repeat(3),
      ]) +
      out.slice(end)
  }
  return out
}

const MAPS = [
  'Type       Start            End              # Pages          ' +
    'Attributes\nAvailable  0000000000000000-000000000009FFFF 00000000000000A0 ' +
    '000000000000000F\nAvailable  0000000000100000-000000001FFFFFFF 000000000001FF00 ' +
    '000000000000000F\n',
  'BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable\nBIOS-e820: [mem ' +
    '0x0000000000100000-0x000000001fffffff] usable\n',
  '00001000-0009ffff : System RAM\n00100000-1fffffff : System RAM\n  01000000-01ffffff : Kernel code\n',
  'efi: mem00: [Conventional Memory|   |  |  |  |  |  |  |  |   |WB|WT|WC|UC] ' +
    'range=[0x0000000000100000-0x000000001fffffff] (510MB)\n',
  '{"schema":1,"map":[{"type":7,"start":"0x100000","end":"0x20000000"},' +
    '{"type":7,"start":"0xffffffff00000","end":"0x10000000000000"}]}',
] as const

function mapText(chance: Chance): string {
  if (chance.one(2)) return textMutated(chance, chance.of(MAPS))
  const rows = Array.from({ length: 1 + chance.below(4) }, () => ({
    type: chance.of([7, 7, 7, 4, 0, 'EfiConventionalMemory', 14, 99, 0x70000000]),
    ...span(chance),
    ...(chance.one(4) ? { attribute: `0x${chance.below(2 ** 31).toString(16)}` } : {}),
  }))
  return JSON.stringify({
    schema: 1,
    map: rows.map(row => ({
      ...row,
      start: `0x${BigInt(row.start).toString(16)}`,
      end: `0x${BigInt(row.end).toString(16)}`,
    })),
  })
}

function contentOf(chance: Chance): unknown {
  return chance.of([
    () => ({ text: 'console=ttyS0 memmap=1G!4G mem=1' }),
    () => ({ kernel: chance.of(Object.keys(KERNEL_FACTS)) }),
    () => ({ initrd: small(chance) }),
    () => ({ zero: small(chance) }),
    () => ({ pattern: small(chance) }),
    () => ({
      size: small(chance),
      parts: [{ at: small(chance), content: { zero: small(chance) } }],
    }),
    () => ({ hex: '00'.repeat(chance.below(20)) }),
  ])()
}

/** Little-endian bytes of a number of `width` bytes. */
function hexOf(value: number, width: number): string {
  return BigInt.asUintN(8 * width, BigInt(value))
    .toString(16)
    .padStart(2 * width, '0')
    .replaceAll(/(..)(?=(?:..)*$)/g, '$1 ')
    .trim()
    .split(' ')
    .reverse()
    .join('')
}

/** Fields of the setup header, and of the PE headers in front of it, that the model reads. */
const KERNEL_FIELDS: readonly (readonly [at: number, width: number])[] = [
  [0x1f1, 1],
  [0x1f4, 4],
  [0x206, 2],
  [0x20e, 2],
  [0x211, 1],
  [0x214, 4],
  [0x218, 4],
  [0x21c, 4],
  [0x224, 2],
  [0x228, 4],
  [0x22c, 4],
  [0x230, 4],
  [0x234, 1],
  [0x235, 1],
  [0x236, 2],
  [0x238, 4],
  [0x248, 4],
  [0x24c, 4],
  [0x250, 8],
  [0x258, 8],
  [0x260, 4],
  [0x264, 4],
  [0x268, 4],
  [0x3c, 4],
  [0x90, 4],
  [0xb0, 4],
  [0xb8, 4],
  [0xbc, 4],
]

/** A whole kernel with some fields of its headers changed. */
function changedKernel(chance: Chance): unknown {
  const kernel = { kernel: chance.of(Object.keys(KERNEL_FACTS)) }
  if (chance.one(2)) return kernel
  const changes = Array.from({ length: 1 + chance.below(3) }, () => {
    const [at, width] = chance.of(KERNEL_FIELDS)
    return { at, content: { hex: hexOf(number(chance), width) } }
  })
  return { size: 12 * 2 ** 20, parts: [{ at: 0, content: kernel }, ...changes] }
}

const USUAL: Readonly<Record<string, unknown>> = {
  '.osrel': { text: 'ID=x' },
  '.cmdline': { text: 'console=ttyS0' },
  '.initrd': { initrd: 0x3000 },
}

function scenarioText(chance: Chance): string {
  const section = (name: string, at: number) => ({
    name,
    VirtualAddress: chance.one(8) ? small(chance) : at,
    content: chance.one(16) ? contentOf(chance) : (USUAL[name] ?? changedKernel(chance)),
    ...(chance.one(12) ? { VirtualSize: small(chance) } : {}),
    ...(chance.one(24) ? { SizeOfRawData: small(chance) } : {}),
    ...(chance.one(24) ? { PointerToRawData: small(chance) } : {}),
    ...(chance.one(24) ? { Characteristics: small(chance) } : {}),
  })
  const scenario = {
    schema: 1,
    image: {
      uki: {
        stub: chance.of(Object.keys(STUB_FACTS)),
        sections: [
          section('.osrel', 0x1000000),
          section('.cmdline', 0x1010000),
          section('.linux', 0x2000000),
          section('.initrd', 0x6000000),
        ],
        ...(chance.one(8) ? { size: numberLike(chance) } : {}),
        ...(chance.one(8)
          ? {
              optional: {
                [chance.of([
                  'ImageBase',
                  'SizeOfImage',
                  'SectionAlignment',
                  'FileAlignment',
                  'SizeOfHeaders',
                  'AddressOfEntryPoint',
                ])]: numberLike(chance),
              },
            }
          : {}),
        ...(chance.one(16)
          ? {
              coff: {
                [chance.of(['NumberOfSections', 'SizeOfOptionalHeader', 'PointerToSymbolTable'])]:
                  numberLike(chance),
              },
            }
          : {}),
      },
    },
    machine: chance.of([
      () => ({
        ram: chance.of(['512MiB', '512MiB', '128M', '768GiB', numberLike(chance)]),
        firmware: 'ovmf-2022.11-q35',
      }),
      () => ({
        map: [
          ...(chance.one(2) ? [] : [{ type: 'EfiConventionalMemory', ...span(chance) }]),
          ...(chance.one(4) ? [] : [{ type: 7, start: '1MiB', end: '1GiB' }]),
        ],
      }),
    ])(),
    ...(chance.one(8) ? { imageBase: chance.one(4) ? numberLike(chance) : pages(chance) } : {}),
    ...(chance.one(8)
      ? {
          [chance.of(['linuxBase', 'randomSeed', 'kaslr', 'la57', 'loadOptions', 'deep'])]:
            numberLike(chance),
        }
      : {}),
  }
  const text = JSON.stringify(scenario)
  return chance.one(10) ? textMutated(chance, text) : text
}

function firmwareText(chance: Chance): string {
  const optional = (many: number, fields: () => object): object => (chance.one(many) ? fields() : {})
  return JSON.stringify({
    schema: 1,
    name: 'f',
    ...(chance.one(2)
      ? { profile: 'ovmf-2022.11-q35-4M', ram: chance.one(8) ? numberLike(chance) : '512MiB' }
      : { map: [{ type: 'EfiConventionalMemory', ...span(chance) }] }),
    ...optional(4, () => ({
      bins: [{ type: 'EfiBootServicesData', base: numberLike(chance), pages: small(chance) }],
    })),
    ...optional(4, () => ({ defaultMax: numberLike(chance) })),
    ...optional(4, () => ({
      memoryTypeInformation: [{ type: 'EfiBootServicesData', pages: small(chance) }],
    })),
    ...optional(4, () => ({ firstMemory: span(chance) })),
    ...optional(6, () => ({
      hobs: {
        memoryTop: numberLike(chance),
        freeBottom: numberLike(chance),
        freeTop: numberLike(chance),
        hobStart: numberLike(chance),
        resources: [span(chance)],
        allocations: [],
      },
    })),
    ...optional(4, () => ({
      guard: {
        PcdHeapGuardPropertyMask: chance.below(256),
        PcdHeapGuardPageType: '0xffffffffffffffff',
        PcdHeapGuardPoolType: '0x1e',
      },
    })),
    ...optional(4, () => ({ untested: [span(chance)] })),
    ...optional(4, () => ({
      pool: {
        imageRecord: 'new-page',
        mapEntries: { hidden: chance.below(5000), capacity: chance.below(5000) },
      },
    })),
    ...optional(4, () => ({ addedOnExit: chance.below(5000) })),
    ...optional(4, () => ({ loader: chance.of(FIRMWARES).id })),
    ...optional(8, () => ({ quirks: [chance.of(QUIRKS).id] })),
  })
}

/** Options of `check`, its value by its kind. */
function someOptions(chance: Chance): string[] {
  const command = commands.find(({ name }) => name === 'check')
  const known = (command?.options ?? []).filter(
    ({ name }) =>
      ![
        'output',
        'help',
        'scenario',
        'ram',
        'firmware',
        'memmap',
        'esp',
        'observed',
        'stats',
        'verbose',
        'deep',
      ].includes(name),
  )
  return Array.from({ length: chance.of([0, 0, 1, 1, 2, 3]) }, () => chance.of(known)).flatMap(
    ({ name, value, kind, choices }) => {
      if (value === undefined) return [`--${name}`]
      if (kind !== undefined) return [`--${name}=${spelt(chance)}`]
      if (choices !== undefined) return [`--${name}=${chance.of(choices)}`]
      if (name === 'boot-loader') return []
      return [`--${name}=${chance.of([spelt(chance), 'a=b', 'x,y', ' ', '@map', '257.13', '6.12.107'])}`]
    },
  )
}

function someMachine(chance: Chance): readonly [string[], Record<string, string>] {
  const machines: (() => readonly [string[], Record<string, string>])[] = [
    () => [
      [
        '--ram',
        chance.one(8) ? spelt(chance) : chance.of(['512MiB', '96M', '700GiB']),
        '--firmware',
        'ovmf-2022.11-q35',
      ],
      {},
    ],
    () => [['--memmap', '@map'], { map: mapText(chance) }],
    () => [['--firmware', '@fw.json'], { 'fw.json': firmwareText(chance) }],
    () => [
      ['--ram', '512MiB', '--firmware', 'ovmf-2022.11-q35', '--image-loader', chance.of(FIRMWARES).id],
      {},
    ],
    () => [['--ram', '512MiB', '--firmware', 'ovmf-2022.11-q35', '--quirk', chance.of(QUIRKS).id], {}],
  ]
  return chance.of(machines)()
}

/** Case `seed`: the same for the same number. */
export function hostileCase(seed: number): HostileCase {
  const chance = new Chance(seed)
  const [machine, files] = someMachine(chance)
  const how = chance.of(['check', 'check', 'check', 'map', 'trace'])
  const format =
    chance.one(4) && how === 'check' ? [`--format=${chance.of(['json', 'sarif', 'junit', 'markdown'])}`] : []
  const scenario = (): HostileCase => ({
    args: [how, '--scenario', '@s.json', ...someOptions(chance), ...format],
    files: { 's.json': scenarioText(chance) },
  })
  const kinds: (() => HostileCase)[] = [
    () => ({
      args: [how, '@uki', ...machine, ...someOptions(chance), ...format],
      files: { ...files, uki: mutated(chance, ukiBytes(chance), 0x600) },
    }),
    () => ({
      args: [
        how,
        '@kernel',
        '--boot-loader',
        chance.of(Object.keys(bootLoaders)),
        ...(chance.one(2) ? ['--initrd', '@initrd'] : []),
        ...(chance.one(3) ? ['--cmdline', chance.of(['', 'x', 'mem=1M memmap=4G@0', 'a'.repeat(5000)])] : []),
        ...machine,
        ...someOptions(chance),
        ...format,
      ],
      files: {
        ...files,
        kernel: mutated(chance, kernelBytes(chance), 0x270),
        initrd: new Uint8Array(chance.of([0, 1, 4096])),
      },
    }),
    scenario,
    scenario,
    scenario,
    () => ({
      args: [chance.of(['inspect', 'image-loaders']), '@uki', ...(chance.one(3) ? ['--format=json'] : [])],
      files: { uki: mutated(chance, chance.one(2) ? ukiBytes(chance) : kernelBytes(chance), 0x600) },
    }),
    () => ({
      args: [
        chance.of([
          'check',
          'inspect',
          'image-loaders',
          'explain',
          'spec',
          'eras',
          'profiles',
          'x',
          '--help',
        ]),
        chance.of(['', '-', '/dev/zero', '/', '/dev/null', '\0', 'x'.repeat(5000), '@map']),
        ...someOptions(chance),
      ],
      files: { map: mapText(chance) },
    }),
  ]
  return chance.of(kinds)()
}
