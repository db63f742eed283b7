/** Images and machines of every kind, for runs of one stub; and what is compared of a run. */
import fc from 'fast-check'
import { rangeAt } from '../../src/bytes/range.ts'
import { phys } from '../../src/bytes/units.ts'
import { STUB_FACTS } from '../../src/image/stub-facts.ts'
import { buildKernel, buildUki, type AddedSection } from '../../src/image/synthetic.ts'
import type { Memory } from '../../src/memory/memory.ts'
import {
  INITRD_AT,
  KERNEL_AT,
  kernelFacts,
  sectionsOf,
  withoutInitrdSupport,
  type StubRun,
  type StubSetting,
} from './stub-run.ts'
import { GIB, le32 } from './bytes.ts'

const facts61 = kernelFacts('debian-6.1.170')
const kernels = [
  buildKernel(kernelFacts()),
  buildKernel(withoutInitrdSupport()),
  buildKernel(facts61),
  buildKernel(withoutInitrdSupport(facts61)),
  buildKernel(kernelFacts('debian-6.12.107')),
]
const text = (name: string, VirtualAddress: number, what: string): AddedSection => ({
  name,
  VirtualAddress,
  content: { text: what },
})
const LINES = [
  'console=ttyS0 nokaslr',
  'quiet',
  '',
  ' ',
  '\t a\tb\x7f ',
  'ü€𐍈x\n',
  'a\0b',
  '@1 x',
  'x'.repeat(3000),
]
const MORE: readonly AddedSection[] = [
  text('.ucode', 0x6000000, 'micro'),
  text('.pcrsig', 0x6100000, '{}'),
  text('.pcrpkey', 0x6200000, 'key'),
  text('.uname', 0x6300000, '6.1.0'),
  text('.dtb', 0x6400000, 'tree'),
  text('.dtbauto', 0x6500000, 'trees'),
  text('.sbat', 0x6600000, 'sbat,1'),
  text('.efifw', 0x6700000, 'fw'),
  text('.splash', 0x6780000, 'BM'),
  text('.linuxfoo', 0x6800000, 'no kernel'),
  text('.initrd2', 0x6900000, 'second'),
  text('.cmdline', 0x6a00000, 'another line'),
  { name: '.initrd', VirtualAddress: 0x6a80000, content: { text: '' } },
]
const PROFILES: readonly AddedSection[] = [
  text('.profile', 0x6b00000, 'ID=a'),
  text('.cmdline', 0x6c00000, 'of profile 0'),
  text('.profile', 0x6d00000, 'ID=b'),
  text('.cmdline', 0x6e00000, 'of profile 1'),
]
const addon = (name: string, ...sections: AddedSection[]) => ({
  name,
  source: buildUki({ stub: STUB_FACTS['254.26'], sections }),
})
const ADDONS = [
  addon('a', text('.cmdline', 0x20000, ' quiet ')),
  addon('b', text('.cmdline', 0x20000, 'x'), text('.dtb', 0x30000, 'dtb')),
  addon('i', text('.initrd', 0x20000, 'initrd'), text('.ucode', 0x30000, 'ucode')),
  addon('j', text('.ucode', 0x20000, 'ucode of j')),
  addon('k', text('.linux', 0x20000, 'MZ'), text('.cmdline', 0x30000, 'x')),
  addon('u', text('.uname', 0x20000, '6.6'), text('.cmdline', 0x30000, 'uname')),
  addon('d', text('.dtbauto', 0x20000, 'auto')),
]

/** Something done to memory before the stub runs. */
type Before = (memory: Memory, base: number) => void
const write =
  (object: string, from: number, at: number, ...bytes: number[]): Before =>
  (memory, base) =>
    void memory.patch(phys(base + from + at), Uint8Array.from(bytes), object, at)
const kernelAt = (at: number, ...bytes: number[]): Before => write('kernel', KERNEL_AT, at, ...bytes)
const headerAt = (at: number, ...bytes: number[]): Before => write('uki:headers', 0, at, ...bytes)
const on61 = facts61.pe
const OPTIONAL = on61.e_lfanew + 24
const section61 = (index: number, at: number): number => OPTIONAL + 160 + 40 * index + at
const BEFORES: readonly Before[] = [
  // the stub's own header
  ...[0x40, 0x80].flatMap(pe => [
    headerAt(pe + 6, 97),
    headerAt(pe + 6, 0xff, 0xff),
    headerAt(pe + 6, 0, 0),
    headerAt(pe + 4, 0x4c, 0x01),
    headerAt(pe + 4, 0x64, 0xaa),
    headerAt(pe + 24 + 108, 5),
    headerAt(pe + 24, 0, 0),
  ]),
  headerAt(0, 0, 0),
  (memory, base) => {
    memory.copy(phys(base + 4), rangeAt(base + 0x40, 0x600))
    memory.patch(phys(base + 0x3c), Uint8Array.of(4, 0, 0, 0), 'uki:headers', 0x3c)
  },
  // the kernel's setup header
  kernelAt(0x1f1, 0),
  kernelAt(0x1fe, 0, 0),
  kernelAt(0x201, 0x40),
  kernelAt(0x201, 0x7f),
  kernelAt(0x206, 0x0a, 0x02),
  kernelAt(0x206, 0x0b, 0x02),
  kernelAt(0x234, 0),
  kernelAt(0x236, 0x3d),
  kernelAt(0x236, 0x37),
  kernelAt(0x238, ...le32(7)),
  kernelAt(0x264, ...le32(0)),
  // the kernel's PE header
  kernelAt(0, 0, 0),
  kernelAt(on61.e_lfanew + 4, 0x64, 0xaa),
  kernelAt(OPTIONAL + 16, ...le32(0x7fffffff)),
  kernelAt(OPTIONAL + 24, ...le32(0x1000000)),
  kernelAt(OPTIONAL + 32, ...le32(0x10000)),
  kernelAt(OPTIONAL + 32, ...le32(0x10001)),
  kernelAt(OPTIONAL + 44, 0, 0),
  kernelAt(OPTIONAL + 108, 5),
  kernelAt(OPTIONAL + 112 + 40 + 4, 8),
  kernelAt(0x3c, ...le32(4)),
  kernelAt(0x3c, ...le32(0x7d0000)),
  ...[0, 2, 3].flatMap(index => [
    kernelAt(section61(index, 8), ...le32(0x100)),
    kernelAt(section61(index, 8), ...le32(0x100000)),
    kernelAt(section61(index, 8), ...le32(0xffffff00)),
    kernelAt(section61(index, 12), ...le32(0xffffff00)),
    kernelAt(section61(index, 16), ...le32(0)),
    kernelAt(section61(index, 16), ...le32(0x8000000)),
    kernelAt(section61(index, 20), ...le32(0x8000000)),
    kernelAt(section61(index, 20), ...le32(0xffffff00)),
    kernelAt(section61(index, 24), 8),
  ]),
]

const LABELS = [
  'stub:SecureBoot',
  'boot_params',
  'cmdline',
  'cmdline:utf-16',
  'initrd',
  'initrd:joined',
  'kernel',
  'load',
  'load-options',
  'stub:uname',
  'stub:extra.d',
  'stub:LoaderFirmwareInfo',
  'stub:initrds',
  'stub:initrd_loader',
  'stub:kernel_file_path',
  'cpio:.osrel',
]
const maybe = <T>(arbitrary: fc.Arbitrary<T>, freq = 2): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq })
const line = fc.constantFrom(...LINES)

const sections = fc
  .record({
    kernel: fc.constantFrom(...kernels),
    line: maybe(line, 4),
    linux: fc.constantFrom('as it is', 'as it is', 'as it is', 'as it is', 'absent', 'empty', 'short', 'low'),
    initrd: maybe(fc.constantFrom(0x12345, 0x1000, 3), 4),
    osrel: fc.boolean(),
    more: fc.subarray([...MORE], { maxLength: 5 }),
    profiles: fc.constantFrom(0, 0, 2, 4),
  })
  .map(({ kernel, line: cmdline, linux, initrd, osrel, more, profiles }) => [
    ...sectionsOf(
      {
        '.osrel': osrel ? text('.osrel', 0x40000, 'ID=oracle\nVERSION_ID=1\n') : null,
        '.cmdline': cmdline === undefined ? null : text('.cmdline', 0x50000, cmdline),
        ...(linux === 'absent' ? { '.linux': null } : {}),
        ...(linux === 'empty' ? { '.linux': text('.linux', KERNEL_AT, '') } : {}),
        ...(linux === 'short' ? { '.linux': text('.linux', KERNEL_AT, 'MZ') } : {}),
        ...(linux === 'low'
          ? {
              '.linux': {
                name: '.linux',
                VirtualAddress: 0x60000,
                content: kernel,
                Characteristics: 0x60000020,
              },
            }
          : {}),
        '.initrd':
          initrd === undefined ? null : { name: '.initrd', VirtualAddress: INITRD_AT, content: { initrd } },
      },
      kernel,
    ),
    ...more,
    ...PROFILES.slice(0, profiles),
  ])

/** Settings of runStub. */
export const settings: fc.Arbitrary<StubSetting> = fc
  .record({
    stub: fc.constantFrom('247.3', '252.39', '254.26', '257.13', '262.1'),
    sections,
    options: maybe(
      fc.constantFrom(...LINES, '\0x', '\x01', '@0', '@1', '@2 quiet', 'a\x07b', '@4294967296 x'),
    ),
    optionBytes: maybe(fc.constantFrom(0, 1, 7, 64), 3),
    secureBoot: fc.boolean(),
    shim: fc.boolean(),
    shell: maybe(fc.constantFrom([], ['one', 'two '], ['@1'], ['@1', 'mine'], ['@x'], ['\x01']), 3),
    smbiosCmdline: maybe(fc.constantFrom(' extra ', ' ', 'a\tb'), 3),
    confidentialVm: maybe(fc.boolean(), 3),
    addons: maybe(fc.subarray(ADDONS), 3),
    base: fc.constantFrom(0x10000000, 0x10000000, 5 * GIB, 4 * GIB - INITRD_AT, 4 * GIB - KERNEL_AT - 0x1000),
    free: fc.constantFrom(
      [0x1000, 0x8000000] as const,
      [0x1000, 2 * GIB] as const,
      [0x1000, 7 * GIB] as const,
    ),
    full: fc.subarray(LABELS, { maxLength: 1 }),
    fullBelow: fc.subarray(LABELS, { maxLength: 1 }),
    edit: maybe(fc.constantFrom({ SizeOfImage: INITRD_AT + 0x800 }, { DllCharacteristics: 0x160 }), 3),
    befores: fc.subarray([...BEFORES], { maxLength: 1 }),
    late: fc.boolean(),
  })
  .map(({ befores, late, options, optionBytes, edit, shell, addons, full, fullBelow, ...rest }) => ({
    ...rest,
    ...(options === undefined ? {} : { options }),
    ...(optionBytes === undefined ? {} : { optionBytes }),
    ...(edit === undefined ? {} : { edit }),
    ...(shell === undefined ? {} : { shell }),
    ...(addons === undefined ? {} : { addons }),
    ...(late ? {} : { full, fullBelow }),
    before: (memory: Memory, base: number) => {
      for (const before of befores) before(memory, base)
    },
  })) as fc.Arbitrary<StubSetting>

/** What is compared of a run: all that was recorded, asked for, noted and handed over. */
export function recordingOf({ handOff, outcome, recorder, notes, calls }: StubRun): unknown {
  const plain = (value: unknown): string =>
    JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? String(one) : one))
  return {
    handOff: plain(handOff),
    outcome,
    notes,
    calls,
    steps: recorder.steps.map(({ clause, what }) => `${clause} ${what}`),
    recording: plain({ events: recorder.events, steps: recorder.steps }),
  }
}
