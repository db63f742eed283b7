/**
 * Hostile input: whatever is given ends in exit 0, 1, 2 or 3, with at most one line on stderr, and that only
 * for 2.
 */
import { spawnSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bootLoaders } from '../../src/boot-loader/boot-loaders.ts'
import { KERNEL_FACTS } from '../../src/image/x86/kernel-facts.ts'
import { buildKernel } from '../../src/image/synthetic.ts'
import { fileOffset } from '../../src/bytes/units.ts'
import { hostileCase } from '../support/hostile-inputs.ts'
import { depth } from '../support/depth.ts'
import { scratch, stubsim, type Finished } from '../support/program.ts'

const { folder, file } = scratch()
const MACHINE = ['--ram', '512MiB', '--firmware', 'ovmf-2022.11-q35']

/** What is wrong with how the program ended, or null. */
function wrong({ code, stderr }: Finished): string | null {
  if (code === null || ![0, 1, 2, 3].includes(code)) return `exit ${String(code)}: ${stderr}`
  if (code === 2) return /^stubsim: [^\n]+\n$/.test(stderr) ? null : `not one line: ${stderr}`
  return stderr === '' ? null : `exit ${String(code)}, and on stderr: ${stderr}`
}

const image = (sections: readonly object[], more: object = {}) => ({
  schema: 1,
  image: { uki: { stub: '257.13', sections, ...more } },
  machine: { ram: '512MiB', firmware: 'ovmf-2022.11-q35' },
})
const section = (fields: object) => ({
  name: '.x',
  VirtualAddress: 0x2000000,
  content: { zero: 1 },
  ...fields,
})

test('any command line over any files ends in a verdict or in one line', async () => {
  const ends: Record<string, number> = {}
  for (let seed = 0; seed < depth(150, 6000); seed++) {
    const { args, files } = hostileCase(seed)
    for (const [name, content] of Object.entries(files)) file(name, content)
    const finished = await stubsim(args.map(arg => arg.replace(/@(\w+(?:\.json)?)/, join(folder, '$1'))))
    expect([seed, wrong(finished)]).toEqual([seed, null])
    const { code } = finished
    ends[String(code)] = (ends[String(code)] ?? 0) + 1
  }
  // The cases are worth their time: every ending is among them
  expect(Object.keys(ends).sort()).toEqual(['0', '1', '2', '3'])
}, 600_000)

test('RAM at the top of physical memory: what would lie beyond it is unknown', async () => {
  const scenario = {
    ...image([
      section({ name: '.linux', content: { kernel: 'debian-5.10.223' } }),
      section({ name: '.initrd', VirtualAddress: 0x6000000, content: { initrd: 4096 } }),
    ]),
    machine: { map: [{ type: 'EfiConventionalMemory', start: 2 ** 52 - 2 ** 28, end: 2 ** 52 }] },
  }
  for (const stub of ['247.3', '252.39', '257.13', '262.1']) {
    scenario.image.uki.stub = stub
    const path = file('s.json', JSON.stringify(scenario))
    for (const at of [
      [],
      ['--image-loader', 'u-boot-2022.01'],
      ['--image-loader', 'patina'],
      ['--kaslr', 'all'],
    ]) {
      const finished = await stubsim(['check', '--scenario', path, ...at])
      expect([stub, at, wrong(finished), finished.code]).toEqual([stub, at, null, 3])
    }
  }
  // Cases that once ended as a bug
  for (const seed of [10339, 21827]) {
    const { args, files } = hostileCase(seed)
    for (const [name, content] of Object.entries(files)) file(name, content)
    expect(
      wrong(await stubsim(args.map(arg => arg.replace(/@(\w+(?:\.json)?)/, join(folder, '$1'))))),
    ).toBeNull()
  }
})

test.each(Object.keys(bootLoaders))('a kernel of headers alone, started by %s', async id => {
  for (const facts of Object.values(KERNEL_FACTS)) {
    const whole = buildKernel(facts)
    for (const size of [0x264, 1024, (facts.hdr.setup_sects + 1) * 512]) {
      const path = file('k', whole.read(fileOffset(0), size))
      const finished = await stubsim(['check', path, '--boot-loader', id, ...MACHINE])
      expect([facts.name, size, wrong(finished)]).toEqual([facts.name, size, null])
      expect([1, 2, 3]).toContain(finished.code)
    }
  }
})

test.each([
  [image([section({ content: { initrd: 0x10000000000000 } })]), /image\.uki: section \.x: .* 32 bits$/],
  [image([section({ VirtualAddress: 2 ** 32 })]), /image\.uki: section \.x: VirtualAddress: .* 32 bits$/],
  [image([section({ VirtualSize: 2 ** 40 })]), /VirtualSize: 1099511627776 does not fit its 32 bits$/],
  [
    image(Array(3).fill(section({ content: { zero: 3 * 2 ** 30 } })) as object[]),
    /section \.x: PointerToRawData: .* 32 bits$/,
  ],
  [image([section({ VirtualSize: 2 ** 53 })]), /is no number of bytes|not a whole number|52 bits/],
  [image([section({ VirtualSize: '99999999999999999999' })]), /52 bits/],
  [image([section({ VirtualSize: -1 })]), /VirtualSize: /],
  [image([section({ VirtualSize: 1.5 })]), /VirtualSize: /],
  [image([section({ VirtualSize: null })]), /VirtualSize: /],
  [image([], { optional: { ImageBase: '99999999999999999999' } }), /ImageBase: .* 64 bits$/],
  [image([], { optional: { SectionAlignment: 2 ** 32 } }), /SectionAlignment: .* 32 bits$/],
  [image([], { coff: { NumberOfSections: 65536 } }), /NumberOfSections: .* 16 bits$/],
  [{ ...image([]), imageBase: '0xffffffffff000' }, /leaves no room below 0x10000000000000/],
])('a scenario with a number that cannot be: case %#', async (scenario, why) => {
  const { code, stdout, stderr } = await stubsim([
    'check',
    '--scenario',
    file('s.json', JSON.stringify(scenario)),
  ])
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(/^stubsim: [^\n]+\n$/)
  expect(stderr.trimEnd()).toMatch(why)
})

test('alignments of zero align nothing', async () => {
  for (const field of ['FileAlignment', 'SectionAlignment']) {
    const scenario = image([section({})], { optional: { [field]: 0 } })
    const finished = await stubsim(['check', '--scenario', file('s.json', JSON.stringify(scenario))])
    expect([field, wrong(finished)]).toEqual([field, null])
  }
})

test('a firmware file with ranges that cannot be is refused by its path', async () => {
  const hobs = { memoryTop: '1GiB', hobStart: 0, resources: [], allocations: [] }
  const cases: readonly (readonly [object, string])[] = [
    [{ hobs: { ...hobs, freeBottom: 2, freeTop: 1 } }, 'hobs: has no free memory from freeBottom to freeTop'],
    [
      { firstMemory: { start: 2, end: 1 } },
      'firstMemory: the range starts at 0x2, which is not below its end 0x1',
    ],
    [
      { untested: [{ start: 1, end: 1 }] },
      'untested[0]: the range starts at 0x1, which is not below its end 0x1',
    ],
    [
      { bins: [{ type: 'EfiBootServicesData', base: '0xffffffffff000', pages: 2 }] },
      'bins[0]: ends beyond the 52 bits of a physical address',
    ],
    [
      { memoryTypeInformation: [{ type: 'EfiBootServicesData', pages: 2 ** 41 }] },
      'memoryTypeInformation[0].pages: is more than the 52 bits of a physical address',
    ],
  ]
  for (const [fields, why] of cases) {
    const firmware = { schema: 1, name: 'f', profile: 'ovmf-2022.11-q35-4M', ram: '512MiB', ...fields }
    const path = file('f.json', JSON.stringify(firmware))
    const { code, stderr } = await stubsim(['check', 'x', '--firmware', path])
    expect([code, stderr]).toEqual([2, `stubsim: ${path}: ${why}\n`])
  }
  const empty = { schema: 1, name: 'f', profile: 'ovmf-2022.11-q35-4M', ram: '512MiB', bins: [] }
  const finished = await stubsim([
    'check',
    '--scenario',
    file('s.json', JSON.stringify(image([]))),
    '--firmware',
    file('f.json', JSON.stringify(empty)),
  ])
  expect(wrong(finished)).toBeNull()
})

test('nested deeply, or cyclic, a stored text is one line', async () => {
  const deep = '['.repeat(5000) + ']'.repeat(5000)
  const scenario = file('good.json', JSON.stringify(image([])))
  const texts = { 'a.json': deep, 'b.json': `{"schema":1,"map":[${deep}]}`, 'c.json': `{"schema":${deep}}` }
  for (const [name, text] of Object.entries(texts)) {
    const path = file(name, text)
    for (const args of [
      ['--scenario', path],
      ['--scenario', scenario, '--firmware', path],
      ['--scenario', scenario, '--memmap', path],
    ]) {
      const { code, stderr } = await stubsim(['check', ...args])
      expect([args, code]).toEqual([args, 2])
      expect(stderr).toMatch(/^stubsim: [^\n]{1,300}\n$/)
    }
  }
  for (const text of [deep, '- '.repeat(5000), 'schema: 1\nimage: &x\n  file: *x\n']) {
    const { code, stderr } = await stubsim(['check', '--scenario', file('d.yaml', text)])
    expect([code, stderr]).toEqual([
      2,
      `stubsim: ${join(folder, 'd.yaml')}: it is nested more than 64 deep\n`,
    ])
  }
})

test('a named pipe that nobody writes to, devices and folders are one line each', async () => {
  const scenario = file('good.json', JSON.stringify(image([])))
  const pipe = join(folder, 'pipe')
  spawnSync('mkfifo', [pipe])
  for (const path of [pipe, '/dev/zero', '/dev/null', folder])
    for (const args of [
      ['inspect', path],
      ['image-loaders', path],
      ['check', path, ...MACHINE],
      ['check', '--scenario', path],
      ['check', '--scenario', scenario, '--memmap', path],
      ['check', '--scenario', scenario, '--observed', path],
      ['check', '--scenario', scenario, '--addons', path],
    ])
      if (path === folder && args[0] === 'check' && (args[1] === path || args.includes('--memmap'))) continue
      else if (path !== pipe || ['inspect', 'image-loaders'].includes(args[0] ?? '') || args[1] === path) {
        const finished = await stubsim(args)
        expect([args, wrong(finished), finished.code]).toEqual([args, null, 2])
      }
  const { code, stderr } = await stubsim(['check', '--scenario', scenario, '--memmap', pipe])
  expect([code, stderr]).toEqual([2, `stubsim: ${pipe}: the file is empty\n`])
})

test('whatever is read as a file: no bytes, one, noise, odd JSON, devices, paths to nowhere', async () => {
  const scenario = file('plain.json', JSON.stringify(image([])))
  const loop = join(folder, 'loop')
  symlinkSync(loop, loop)
  const paths = [
    file('empty', ''),
    file('one', 'M'),
    file('zeros', new Uint8Array(5000)),
    file(
      'noise',
      Uint8Array.from({ length: 4096 }, (_, i) => (i * i * 31) & 255),
    ),
    file('surrogate.json', '{"a":"\\ud800","b":"\\u0000"}'),
    file('proto.json', '{"__proto__":{"x":1},"schema":1,"constructor":{"prototype":{"y":2}}}'),
    file('numbers.json', '{"schema":1e999,"image":-1,"machine":{"ram":-0.5}}'),
    join(folder, 'missing'),
    join(folder, 'one', 'below-a-file'),
    `${folder}/${'long'.repeat(2000)}`,
    `${folder}/a\0b`,
    loop,
    '/dev/zero',
    '/dev/full',
    '/proc/self/mem',
  ]
  const of = (path: string): string[][] => [
    ['inspect', path],
    ['inspect', '--format', 'json', path],
    ['image-loaders', path],
    ...['check', 'map', 'trace'].map(command => [command, path, ...MACHINE]),
    ['check', '--scenario', path],
    ...['memmap', 'firmware', 'observed', 'addons', 'linux', 'esp', 'initrd'].map(option => [
      'check',
      '--scenario',
      scenario,
      `--${option}`,
      path,
    ]),
    ['check', '--scenario', scenario, '--initrd-file', `a=${path}`],
    ...['grub/efi', 'grub/linuxefi', 'vmm/direct'].map(loader => [
      'check',
      path,
      '--boot-loader',
      loader,
      ...MACHINE,
    ]),
  ]
  for (const path of paths)
    for (const args of of(path)) expect([args, wrong(await stubsim(args))]).toEqual([args, null])
  for (const path of [folder, join(folder, 'one', 'below-a-file'), loop, '/dev/full', `${folder}/a\0b`]) {
    const finished = await stubsim(['check', '--scenario', scenario, '--output', path])
    expect([path, wrong(finished), finished.code]).toEqual([path, null, 2])
  }
}, 120_000)
