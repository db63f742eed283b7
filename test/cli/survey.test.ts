import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { BOOTS_MAX } from '../../src/cli/survey.ts'
import { USUAL } from '../../src/cli/machine.ts'
import { profileMap, profileNamed } from '../../src/firmware/profiles.ts'
import { STUB_FACTS } from '../../src/image/stub-facts.ts'
import { buildKernel, buildUki } from '../../src/image/synthetic.ts'
import { reportSchema } from '../../src/report/index.ts'
import { bytesOf } from '../support/bytes.ts'
import { factsOf } from '../support/facts.ts'
import { scratch, stubsim } from '../support/program.ts'
import { shellMap } from '../support/shell-map.ts'

const { folder, file } = scratch()
const MIB = 2 ** 20

const uki = (linuxAt: number, initrdAt: number): Uint8Array =>
  bytesOf(
    buildUki({
      stub: STUB_FACTS['247.3'],
      sections: [
        { name: '.cmdline', VirtualAddress: 0x30000, content: { text: 'console=ttyS0 nokaslr' } },
        { name: '.linux', VirtualAddress: linuxAt, content: buildKernel(factsOf('debian-6.12.107-cloud')) },
        { name: '.initrd', VirtualAddress: initrdAt, content: { initrd: 0x400000 } },
      ],
    }),
  )
const good = file('good.efi', uki(0x2000000, 0x6000000))
/** The initrd right after the kernel file, which clears its bss there. */
const bad = file('bad.efi', uki(0x40000, 0x40000 + 0xb2b000))
const foreign = file('notes.txt', 'nothing to boot\n')

const images = join(folder, 'images')
mkdirSync(images)
writeFileSync(join(images, 'b.efi'), uki(0x2000000, 0x6000000))
writeFileSync(join(images, 'a.efi'), uki(0x40000, 0x40000 + 0xb2b000))
writeFileSync(join(images, 'readme.txt'), 'not an image\n')
mkdirSync(join(images, 'empty'))

const maps = join(folder, 'maps')
mkdirSync(maps)
const shell = (ram: number): string => shellMap(profileMap(profileNamed('ovmf-2022.11-q35'), ram * MIB))
writeFileSync(join(maps, 'small.txt'), shell(256))
writeFileSync(join(maps, 'large.txt'), shell(512))

const two = ['--ram', '256MiB,512MiB', '--firmware', 'ovmf-2022.11-q35']

const lines = (text: string): string[] => text.split('\n')
const rowsIn = (text: string): string[] =>
  lines(text).filter(line => /^(damage|refused|unreadable|unknown|clean) {2}/.test(line))

describe('several images or machines', () => {
  test('every file on every machine, the worst first; rows that share a reason stand together', async () => {
    const { code, stdout, stderr } = await stubsim(['check', good, bad, ...two])
    expect([code, stderr]).toEqual([1, ''])
    expect(stdout).toMatch(
      /^damage: the initrd is overwritten by the kernel's EFI stub before the extracted\nkernel reads it \(/,
    )
    expect(stdout).toContain('\nboots    2 damage, 2 clean; 2 files on 2 machines\n')
    expect(rowsIn(stdout)).toEqual([
      'damage   bad.efi   256MiB ovmf-2022.11-q35',
      'damage   bad.efi   512MiB ovmf-2022.11-q35',
      'clean    good.efi  256MiB ovmf-2022.11-q35',
      'clean    good.efi  512MiB ovmf-2022.11-q35',
    ])
    expect(stdout).toMatch(/\n {9}the kernel starts with its initrd and its command line intact/)
    expect(Math.max(...lines(stdout).map(line => line.length))).toBeLessThanOrEqual(80)
  })

  test('machines are the cross product of sizes, firmwares and image loaders', async () => {
    const { code, stdout } = await stubsim([
      'check',
      good,
      '--ram=256MiB',
      '--ram=512MiB',
      '--firmware=ovmf-2022.11-q35,ovmf-2022.11-pc',
      '--image-loader=edk2-2022.11,edk2-2025.02',
    ])
    expect(code).toBe(0)
    expect(rowsIn(stdout)).toHaveLength(8)
    expect(stdout).toContain('512MiB ovmf-2022.11-pc edk2-2025.02')
  })

  test('maps may be repeated, and a folder is all maps in it; one that is none is a row', async () => {
    const { code, stdout } = await stubsim(['check', good, '--memmap', maps])
    expect(code).toBe(0)
    expect(rowsIn(stdout).map(row => row.replace(/^.*maps\//, ''))).toEqual(['large.txt', 'small.txt'])
    const mixed = await stubsim(['check', good, '--memmap', foreign, '--memmap', join(maps, 'small.txt')])
    expect(mixed.code).toBe(2)
    expect(rowsIn(mixed.stdout).map(row => row.split(' ')[0])).toEqual(['unreadable', 'clean'])
    expect(mixed.stderr).toBe(`stubsim: cannot be used: ${foreign}\n`)
    expect((await stubsim(['check', good, '--memmap', join(images, 'empty')])).stderr).toMatch(
      /there is no file in this folder\n$/,
    )
  })

  test('a folder is the PE files in it, by name; what is none is left out, and named', async () => {
    const { code, stdout } = await stubsim(['check', images, '--ram=512MiB', '--firmware=ovmf-2022.11-q35'])
    expect(code).toBe(1)
    expect(rowsIn(stdout).map(row => row.split(/ +/)[1])).toEqual(['a.efi', 'b.efi'])
    expect(stdout).toContain('\nleft out 1 file that is not PE: readme.txt\n')
  })

  test('a file that cannot be used is one row, and does not stop the others', async () => {
    const missing = join(folder, 'missing.efi')
    const { code, stdout, stderr } = await stubsim(['check', missing, good, foreign, ...two])
    expect(code).toBe(2)
    expect(stderr).toBe(`stubsim: cannot be used: ${missing}, ${foreign}\n`)
    expect(rowsIn(stdout)).toEqual([
      'unreadable  missing.efi  every machine',
      'unreadable  notes.txt    every machine',
      'clean       good.efi     256MiB ovmf-2022.11-q35',
      'clean       good.efi     512MiB ovmf-2022.11-q35',
    ])
    expect((await stubsim(['check', missing, bad, ...two])).code).toBe(1)
  })

  test('--quiet prints nothing, --details every report, --strict counts breaches', async () => {
    expect(await stubsim(['check', good, bad, ...two, '-q'])).toEqual({ code: 1, stdout: '', stderr: '' })
    const { stdout } = await stubsim(['check', good, bad, ...two, '--details'])
    expect(lines(stdout).filter(line => line.startsWith('== '))).toHaveLength(4)
    expect(stdout).toContain('\nassumed\n')
    const last = file('last.efi', uki(0x2000000, 0x100000))
    const plain = await stubsim(['check', last, ...two, '-q'])
    const strict = await stubsim(['check', last, ...two, '-q', '--strict'])
    expect([plain.code, strict.code]).toEqual([3, 1])
  })

  test('what belongs to one boot is refused, and so are too many boots', async () => {
    expect((await stubsim(['check', good, bad, ...two, '--observed', foreign])).stderr).toMatch(
      /--observed is the log of one boot/,
    )
    const sizes = Array.from({ length: 600 }, (_, i) => `${String(256 + i)}MiB`).join(',')
    const many = await stubsim(['check', good, bad, '--ram', sizes, '--firmware', 'ovmf'])
    expect([many.code, many.stderr]).toEqual([
      2,
      `stubsim: 1200 boots (every file on every machine) are more than ${String(BOOTS_MAX)} in one call\n`,
    ])
    expect((await stubsim(['check', good, '--ram', '256MiB,,512MiB'])).stderr).toBe(
      'stubsim: --ram: a value between commas is empty\n',
    )
  })

  test('one that is named twice is booted once', async () => {
    const { stdout } = await stubsim(['check', good, good, '--ram=512MiB, 512MiB', '--firmware=ovmf , ovmf'])
    expect(stdout).toMatch(/^clean: .*\n\nimage {4}/)
  })

  test('every header is read once, whatever the number of machines', async () => {
    const read = async (ram: string): Promise<number> => {
      const { stderr } = await stubsim(['check', good, '--firmware=ovmf', `--ram=${ram}`, '--stats'])
      return Number(/^read (\d+) bytes/.exec(stderr)?.[1])
    }
    const one = await read('512MiB')
    expect(await read('300MiB,400MiB,500MiB,600MiB,700MiB,800MiB')).toBeLessThan(3 * one)
  })
})

describe('no machine is named', () => {
  test('the usual ones are taken, and the first lines say so', async () => {
    const { code, stdout, stderr } = await stubsim(['check', good])
    expect([code, stderr]).toEqual([0, ''])
    expect(lines(stdout)[0]).toBe('clean: the kernel starts with its initrd and its command line intact')
    expect(lines(stdout)[2]).toMatch(/^machines none was named, so the 9 usual ones: /)
    expect(rowsIn(stdout)).toHaveLength(USUAL.ram.length * USUAL.firmware.length)
    expect(lines(stdout).length).toBeLessThanOrEqual(18)
  })

  test('of one file that is not clean the report of the worst boot follows', async () => {
    const { code, stdout } = await stubsim(['check', bad])
    expect(code).toBe(1)
    expect(lines(stdout).filter(line => line.startsWith('== '))).toHaveLength(1)
    expect(stdout).toContain('\ndamage  clobbered-object: initrd')
  })

  test('an image loader or a quirk names none', async () => {
    const { stdout } = await stubsim(['check', good, '--image-loader', 'edk2-2025.02'])
    expect(rowsIn(stdout)).toHaveLength(9)
    expect(rowsIn(stdout)[0]).toMatch(/512MiB ovmf-2020\.11-q35-4M edk2-2025\.02$/)
  })

  test('a file that cannot be used is one line, as on one machine', async () => {
    expect(await stubsim(['check', foreign])).toMatchObject({ code: 2, stdout: '' })
  })
})

describe('formats', () => {
  const mixed = ['check', bad, foreign, good, ...two]

  test('JSON is the summary and every report, by the schema; of one boot it is the report', async () => {
    const validate = new Ajv2020({ strict: true, allErrors: true }).compile(reportSchema)
    const { code, stdout } = await stubsim([...mixed, '--format', 'json'])
    expect(code).toBe(1)
    const json = JSON.parse(stdout) as {
      summary: { verdict: string; counts: object; rows: { verdict: string; report: number | null }[] }
      reports: { verdict: string }[]
    }
    expect([validate(json), validate.errors]).toEqual([true, null])
    expect(json.summary).toMatchObject({
      verdict: 'damage',
      counts: { damage: 2, refused: 0, unreadable: 1, unknown: 0, clean: 2 },
      usualMachines: false,
      machines: ['256MiB ovmf-2022.11-q35', '512MiB ovmf-2022.11-q35'],
    })
    for (const { verdict, report } of json.summary.rows)
      expect(report === null ? 'unreadable' : json.reports[report]?.verdict).toBe(verdict)
    const one: unknown = JSON.parse(
      (await stubsim(['check', good, '--ram=512MiB', '--firmware=ovmf', '--format=json'])).stdout,
    )
    expect([validate(one), one]).toEqual([
      true,
      expect.objectContaining({ image: expect.anything() as unknown }),
    ])
  })

  test('SARIF is one run; a result names its file, and the machines on which it was found', async () => {
    const { stdout } = await stubsim([...mixed, '--format', 'sarif'])
    const { runs } = JSON.parse(stdout) as {
      runs: {
        artifacts: object[]
        results: {
          ruleId: string
          ruleIndex: number
          locations: { physicalLocation: { artifactLocation: { uri: string } } }[]
          properties: { machines?: string[] }
        }[]
      }[]
    }
    expect(runs).toHaveLength(1)
    const [run] = runs
    expect(run?.artifacts).toHaveLength(3)
    const uriOf = (ruleId: string): string | undefined =>
      run?.results.find(result => result.ruleId === ruleId)?.locations[0]?.physicalLocation.artifactLocation
        .uri
    expect(uriOf('clobbered-object')).toMatch(/bad\.efi$/)
    expect(uriOf('unreadable')).toMatch(/notes\.txt$/)
    const lost = run?.results.filter(({ ruleId }) => ruleId === 'clobbered-object')
    expect(lost?.map(({ properties }) => properties.machines)).toEqual([
      ['256MiB ovmf-2022.11-q35', '512MiB ovmf-2022.11-q35'],
    ])
  })

  test('JUnit has a suite for each row, Markdown a table and the reports that are not clean', async () => {
    const junit = (await stubsim([...mixed, '--format', 'junit'])).stdout
    expect(junit).toContain('<testsuites name="stubsim" tests="5" failures="2" errors="1">')
    expect(junit.match(/<testsuite /g)).toHaveLength(5)
    const markdown = (await stubsim([...mixed, '--format', 'markdown'])).stdout
    expect(markdown).toMatch(/^## damage: /)
    expect(markdown.match(/^\| (damage|unreadable|clean) \| /gm)).toHaveLength(5)
    expect(markdown.match(/^<summary>.*bad\.efi on /gm)).toHaveLength(2)
  })
})
