import { mkdirSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { STUB_FACTS } from '../../src/image/stub-facts.ts'
import { buildKernel, buildPe, buildStub, buildUki } from '../../src/image/synthetic.ts'
import { scratch, stubsim, type Finished } from '../support/program.ts'
import { bytesOf } from '../support/bytes.ts'
import { factsOf } from '../support/facts.ts'

const { folder, file } = scratch()
const machine = ['--ram', '512MiB', '--firmware', 'ovmf-2022.11-q35']

const linux = factsOf('debian-5.10.223-cloud')
const sections = [
  { name: '.cmdline', VirtualAddress: 0x30000, content: { text: 'console=ttyS0 nokaslr' } },
  { name: '.linux', VirtualAddress: 0x2000000, content: buildKernel(linux) },
  { name: '.initrd', VirtualAddress: 0x6000000, content: { initrd: 0x10000 } },
]
const good = file('good.efi', bytesOf(buildUki({ stub: STUB_FACTS['247.3'], sections })))

/** A kernel that clears its bss, started in place, with the initrd right after its file. */
const clobbering = file(
  'clobbering.json',
  JSON.stringify({
    schema: 1,
    image: {
      uki: {
        stub: '247.3',
        sections: [
          { name: '.cmdline', VirtualAddress: 0x30000, content: { text: 'console=ttyS0 nokaslr' } },
          { name: '.linux', VirtualAddress: 0x40000, content: { kernel: 'debian-6.12.107-cloud' } },
          { name: '.initrd', VirtualAddress: 0x40000 + 0xb2b000, content: { initrd: '4MiB' } },
        ],
      },
    },
    machine: { ram: '512MiB', firmware: 'ovmf-2022.11-q35' },
  }),
)

function oneLine({ code, stdout, stderr }: Finished): string {
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(/^stubsim: [^\n]+\n$/)
  expect(stderr).not.toMatch(/\bat .*\(?(file:|node:|\/.*\.(js|ts):\d)/)
  return stderr
}

describe('check', () => {
  test('a boot that arrives whole: exit 0, the report on stdout, nothing on stderr', async () => {
    const { code, stdout, stderr } = await stubsim(['check', good, ...machine])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('systemd-stub/S2')
    expect(stdout).toContain('linux/E2')
    expect(stdout).toMatch(/^clean: .*\n/)
  })

  test('deep: true in a scenario decompresses the kernel, and refuses what is not a stream', async () => {
    const scenario = (deep: boolean): string =>
      file(
        `deep-${String(deep)}.json`,
        JSON.stringify({
          schema: 1,
          image: { file: good },
          machine: { ram: '512MiB', firmware: 'ovmf-2022.11-q35' },
          deep,
        }),
      )
    expect((await stubsim(['check', '--scenario', scenario(false)])).code).toBe(0)
    const { code, stdout } = await stubsim(['check', '--scenario', scenario(true)])
    expect(code).toBe(1)
    expect(stdout).toMatch(/\n {9}it prints: .+\n {20}-- System halted\n/)
    expect(stdout).not.toContain('\\x0a')
  })

  test('--format json is the report as data; -v and --stats go to stderr; few bytes are read', async () => {
    const { code, stdout, stderr } = await stubsim([
      'check',
      good,
      ...machine,
      '--format',
      'json',
      '-v',
      '--stats',
    ])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 1,
      verdict: 'clean',
      image: { name: good },
      facts: { outcome: 'arrived', initrdDamage: [] },
    })
    expect(stderr).toMatch(/^stubsim: debug: image file=/m)
    const [, read, of] = /^read (\d+) bytes of (\d+)$/m.exec(stderr) ?? []
    expect(Number(of)).toBeGreaterThan(2 ** 22)
    expect(Number(read)).toBeLessThan(2 ** 20)
  })

  test('damage: exit 1, from a scenario, with colours when wanted', async () => {
    const { code, stdout } = await stubsim(['check', '--scenario', clobbering, '--color', 'always'])
    expect(code).toBe(1)
    expect(stdout).toContain('\u001b[1;31m')
    expect(stdout).toContain('clobbered-object: initrd')
    const onTerminal = async (env: Readonly<Record<string, string>>): Promise<string> =>
      (await stubsim(['check', '--scenario', clobbering], { columns: 100, env })).stdout
    expect(await onTerminal({})).toContain('\u001b[1;31m')
    expect(await onTerminal({ NO_COLOR: '1' })).not.toContain('\u001b')
  })

  test('a kernel file with a boot loader, an initrd and a command line', async () => {
    const kernel = file('vmlinuz', bytesOf(buildKernel(linux)))
    const initrd = file('initrd.gz', Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0))
    const { code, stdout, stderr } = await stubsim([
      'check',
      kernel,
      ...machine,
      '--boot-loader',
      'grub/efi',
      '--initrd',
      initrd,
      '--cmdline',
      'nokaslr quiet',
    ])
    expect([code, stderr]).toEqual([3, ''])
    expect(stdout).toContain('grub/efi')
    expect(stdout).toContain('FW-59')
    expect(await stubsim(['check', kernel, ...machine, '--boot-loader', 'lilo'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('unknown boot loader lilo') as string,
    })
    expect(await stubsim(['check', good, ...machine, '--initrd', initrd])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--boot-loader') as string,
    })
  })

  test('outside the tables: exit 3', async () => {
    const { code, stdout, stderr } = await stubsim(['check', good, ...machine, '--kernel', '3.2'])
    expect([code, stderr]).toEqual([3, ''])
    expect(stdout).toMatch(/^unknown: .*\n/)
  })

  test('a memory map instead of a profile, and when it was taken', async () => {
    const memmap = file(
      'map.txt',
      'Type Start End # Pages Attributes\nAvailable 0000000000000000-000000000009FFFF ' +
        '00000000000000A0 000000000000000F\nAvailable 0000000000100000-000000001FFFFFFF ' +
        '000000000001FF00 000000000000000F\n',
    )
    const { code, stdout } = await stubsim([
      'check',
      good,
      '--memmap',
      memmap,
      '--memmap-at',
      'exit-boot-services',
      '--format',
      'json',
    ])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      machine: { what: `memory map ${memmap} (uefi-shell, lines 2-3), taken at exit-boot-services` },
    })
  })
})

describe('map and trace', () => {
  test('map shows the moments and ends with the verdict', async () => {
    const { code, stdout } = await stubsim(['map', good, ...machine])
    expect(code).toBe(0)
    for (const part of [
      'before the image is loaded',
      'at the entry of the stub',
      'at the hand-off to the kernel',
      'when the extracted kernel starts',
    ])
      expect(stdout).toContain(part)
    expect(stdout).toMatch(/\nverdict {2}clean.*\n$/)
    const json = JSON.parse((await stubsim(['map', good, ...machine, '--format', 'json'])).stdout) as {
      moments: { moment: string }[]
    }
    expect(json.moments.map(({ moment }) => moment)).toEqual([
      'before-load',
      'stub-entry',
      'hand-off',
      'arrival',
    ])
  })

  test('trace shows steps with clauses and events', async () => {
    const { code, stdout } = await stubsim(['trace', good, ...machine])
    expect(code).toBe(0)
    for (const clause of ['PE-', 'ST-', 'EP-', 'ZO-'])
      expect(stdout).toMatch(new RegExp(`^ *${clause}\\d+  `, 'm'))
    const json = JSON.parse((await stubsim(['trace', good, ...machine, '--format', 'json'])).stdout) as {
      steps: { clause: string }[]
      events: object[]
    }
    expect(json.steps.length).toBeGreaterThan(20)
    expect(json.events.length).toBeGreaterThan(20)
  })

  test('trace tells an event with many ranges in a line, and with --all names each of them', async () => {
    const counted = /^ *#\d+ freed (\d+) ranges of 0x\S+ as firmware:boot$/m
    const short = (await stubsim(['trace', good, ...machine])).stdout
    const [, count] = counted.exec(short) ?? []
    const long = (await stubsim(['trace', good, ...machine, '--all'])).stdout
    const [, below = ''] = long.split(counted).slice(1)
    expect(Number(count)).toBeGreaterThan(10)
    expect(/^(?:\n +0x[0-9a-f]+-0x[0-9a-f]+)+/.exec(below)?.[0].trim().split('\n')).toHaveLength(
      Number(count),
    )
  })
})

describe('a machine must be said, whole and once', () => {
  test.each<[string[], RegExp]>([
    [['--ram', '512MiB'], /--ram needs --firmware PROFILE: one of .*ovmf-2022\.11-q35/],
    [['--firmware', 'ovmf'], /--firmware needs --ram SIZE/],
    [['--memmap', good, '--ram', '1G'], /--memmap describes a whole machine/],
    [[...machine, '--memmap-at', 'stub-entry'], /--memmap-at needs --memmap/],
    [['--ram', '512MiB', '--firmware', 'seabios'], /unknown firmware profile 'seabios'; known are /],
    [['--ram', '1', '--firmware', 'ovmf'], /RAM of 1 bytes/],
    [[...machine, '--image-base', '0x1234'], /the image base 0x1234 is not a multiple of 0x1000/],
    [[...machine, '--stub', 'mine'], /--stub mine: neither a version nor an era such as systemd-stub\/S/],
    [['--memmap', good], /good\.efi: /],
  ])('%j', async (options, message) => {
    expect(oneLine(await stubsim(['check', good, ...options]))).toMatch(message)
  })
})

test('without a machine, map and trace say what is missing', async () => {
  for (const command of ['map', 'trace'])
    expect(oneLine(await stubsim([command, good]))).toMatch(
      /no machine: give --memmap FILE .*, or --ram SIZE --firmware PROFILE .*ovmf-2022\.11-q35/,
    )
})

describe('input that cannot be used: one line, exit 2', () => {
  const truncated = file(
    'truncated.efi',
    bytesOf(buildUki({ stub: STUB_FACTS['247.3'], sections })).subarray(0, 0x100),
  )
  const outside = file(
    'outside.efi',
    bytesOf(buildPe({ e_lfanew: 0x80, optional: {}, sections: [], size: 0x200 })).with(0x3d, 0x99),
  )
  const crowded = file(
    'crowded.efi',
    bytesOf(buildPe({ optional: {}, coff: { NumberOfSections: 65535 }, sections: [], size: 0x1000 })),
  )
  mkdirSync(join(folder, 'directory'))
  const inputs: [string, string, RegExp][] = [
    ['empty', file('empty.efi', ''), /at 0x0: the file is empty/],
    ['one byte', file('one.efi', 'M'), /a text without a section table/],
    ['text', file('text.efi', 'hello, world\n'.repeat(100)), /a text without a section table/],
    ['missing', join(folder, 'missing.efi'), /no such file/],
    ['truncated', truncated, /at 0x[0-9a-f]+: .*(ends|fit)/],
    ['e_lfanew past the end', outside, /at 0x3c: e_lfanew 0x9980/],
    ['65535 sections', crowded, /at 0x[0-9a-f]+: 65535 section headers do not fit/],
  ]
  test.each(inputs)('%s', async (_, path, message) => {
    for (const result of [await stubsim(['check', path, ...machine]), await stubsim(['inspect', path])]) {
      const line = oneLine(result)
      expect(line).toContain(`stubsim: ${path}: `)
      expect(line).toMatch(message)
    }
  })

  test('a folder: without an image nothing is checked, and inspect takes none', async () => {
    const empty = join(folder, 'directory')
    expect(oneLine(await stubsim(['check', empty, ...machine]))).toBe(
      `stubsim: ${empty}: there is no PE file in this folder\n`,
    )
    expect(oneLine(await stubsim(['inspect', empty]))).toBe(`stubsim: ${empty}: is a directory\n`)
  })

  test.each([
    ['not YAML', 'a: [1', /: not YAML: /],
    ['two documents', 'a: 1\n---\nb: 2\n', /: not YAML: /],
    ['no scenario', 'schema: 1\n', /: image: is missing/],
    [
      'too many aliases',
      `a: &a [1,1]\n${Array.from(
        { length: 20 },
        (_, i) =>
          `b${String(i)}: &b${String(i)} [${Array<string>(9)
            .fill(i === 0 ? '*a' : `*b${String(i - 1)}`)
            .join(',')}]`,
      ).join('\n')}\n`,
      /: not YAML: /,
    ],
  ])('a scenario that is %s', async (name, text, message) => {
    expect(oneLine(await stubsim(['check', '--scenario', file(`${name}.yaml`, text)]))).toMatch(message)
  })
})

describe('inspect', () => {
  test('a 2 GiB image costs no more than a small one', async () => {
    const huge = file('huge.efi', bytesOf(buildUki({ stub: STUB_FACTS['247.3'], sections })))
    truncateSync(huge, 2 ** 31)
    const { code, stdout, stderr } = await stubsim(['inspect', huge, '--stats'])
    expect(code).toBe(0)
    expect(stdout).toContain('2.0 GiB (2147483648 bytes)')
    expect(Number(/^read (\d+) bytes of 2147483648$/m.exec(stderr)?.[1])).toBeLessThan(2 ** 20)
  })

  test('eras prints both tables', async () => {
    const { code, stdout } = await stubsim(['eras'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ +systemd-stub\/S2 /m)
    expect(stdout).toMatch(/^ +linux\/E5 /m)
  })
})

describe('docs/reference/scenario.md', () => {
  const page = readFileSync(
    fileURLToPath(new URL('../../docs/reference/scenario.md', import.meta.url)),
    'utf8',
  )
  const blocks = [...page.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(found => found[1] ?? '')
  file('uki.efi', readFileSync(good))

  test('has examples', () => {
    expect(blocks).toHaveLength(3)
  })
  test.each(blocks.map((block, i) => [i, block] as const))('example %i runs', async (i, block) => {
    const { code, stdout, stderr } = await stubsim([
      'check',
      '--scenario',
      file(`example-${String(i)}.yaml`, block),
    ])
    expect(stderr).toBe('')
    expect([0, 1]).toContain(code)
    expect(stdout).toMatch(/^(clean|damage): .*\n/)
  })
})

describe('what people have instead', () => {
  const listing = file(
    'listing.txt',
    `good.efi:     file format pei-x86-64

Idx Name          Size      VMA               LMA               File off  Algn
  0 .text         00007aa0  0000000000004000  0000000000004000  00000400  2**4
                  CONTENTS, ALLOC, LOAD, READONLY, CODE
  1 .cmdline      00000020  0000000000030000  0000000000030000  0000bc00  2**4
                  CONTENTS, ALLOC, LOAD, READONLY, DATA
  2 .linux        00900000  0000000002000000  0000000002000000  0000be00  2**4
                  CONTENTS, ALLOC, LOAD, READONLY, DATA
`,
  )

  test('a recipe of objcopy before it is run: its files, sizes, or a line that asks for them', async () => {
    const kernel = bytesOf(buildKernel(factsOf('debian-5.10.223-cloud')))
    file('recipe-vmlinuz', kernel)
    file('recipe-line', 'console=ttyS0 nokaslr')
    file('recipe-initrd', `070701${'x'.repeat(4000)}`)
    const recipe = (stub: string, initrd: string): string =>
      `objcopy \\
  --add-section .cmdline=recipe-line --change-section-vma .cmdline=0x30000 \\
  --add-section .linux="recipe-vmlinuz" --change-section-vma .linux=0x2000000 \\
  --add-section .initrd=${initrd} --change-section-vma .initrd=0x6000000 \\
  ${stub} linux.efi
`
    file('recipe-stub', bytesOf(buildStub(STUB_FACTS['247.3'])))
    const whole = await stubsim([
      'check',
      file('recipe.sh', recipe('recipe-stub', 'recipe-initrd')),
      ...machine,
    ])
    expect([whole.code, whole.stderr]).toEqual([0, ''])
    expect(whole.stdout).toContain('recipe.sh (objcopy)')
    const lost = file('lost.sh', recipe('no-stub', 'no-initrd'))
    expect(oneLine(await stubsim(['check', lost, ...machine]))).toMatch(/the stub no-stub is not there/)
    expect(oneLine(await stubsim(['check', lost, ...machine, '--stub', '247.3']))).toMatch(
      /wanted: the size of no-initrd; add the lines of ls -l below the recipe/,
    )
    const sized = file('sized.sh', `${recipe('no-stub', 'no-initrd')}4000 no-initrd\n`)
    const { code } = await stubsim(['check', sized, ...machine, '--stub', '247.3'])
    expect(code).toBe(3)
  })

  test('a section listing in the place of the file: exit 3, with what was assumed', async () => {
    const { code, stdout, stderr } = await stubsim([
      'check',
      listing,
      '--details',
      ...machine,
      '--stub',
      '247.3',
      '--kernel',
      '5.10',
    ])
    expect([code, stderr]).toEqual([3, ''])
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('listing.txt (section listing of good.efi)')
    expect(stdout).toMatch(/HZ-19 +ImageBase is 0x0/)
    expect(
      oneLine(await stubsim(['check', file('bare.txt', 'Idx Name          Size      VMA\n'), ...machine])),
    ).toMatch(/no section of an objdump listing/)
  })

  test('--observed: facts predicted and observed, in text and JSON; a contradiction is exit 3', async () => {
    const log = file(
      'log.txt',
      '[    0.000000] Command line: console=ttyS0 nokaslr\noutput: 0x0000000000200000\n',
    )
    const { code, stdout, stderr } = await stubsim(['check', good, ...machine, '--observed', log])
    expect([code, stderr]).toEqual([3, ''])
    const prose = stdout.replaceAll(/\s+/g, ' ')
    expect(prose).toMatch(
      /commandLine predicted console=ttyS0 nokaslr; observed console=ttyS0 nokaslr \(line 1\); agrees/,
    )
    expect(prose).toMatch(/output predicted 0x[0-9a-f]+; observed 0x200000 \(line 2\); DISAGREES/)
    expect(
      JSON.parse((await stubsim(['check', good, ...machine, '--observed', log, '--format', 'json'])).stdout),
    ).toMatchObject({
      verdict: 'unknown',
      observed: [
        { name: 'commandLine', agrees: true },
        { name: 'output', agrees: false, observed: '0x200000', line: 2 },
      ],
    })
    expect(
      oneLine(await stubsim(['check', good, ...machine, '--observed', file('poem.txt', 'roses are red\n')])),
    ).toMatch(/no line of a kernel/)
  })

  test('one log is the machine and the observation at once; what is odd about it is shown', async () => {
    const dmesg = readFileSync(new URL('../fixtures/memmaps/linux-6.12-dmesg.txt', import.meta.url), 'utf8')
    const serial =
      `input_data: 0x00000000035c02c8\r\nkernel_total_size: ` +
      `0x0000000002000000\r\n${dmesg.replaceAll('\n', '\r\n')}[    9.000000] Linux ` +
      `version 6.12.107 (again)\r\nkernel_total_size: 0x0000000003000000\r\n`
    const log = file('serial.txt', serial)
    const { code, stdout, stderr } = await stubsim([
      'check',
      '--details',
      good,
      '--memmap',
      log,
      '--observed',
      log,
      '--kernel',
      '5.10',
    ])
    expect([code, stderr]).toEqual([3, ''])
    const prose = stdout.replaceAll(/\s+/g, ' ')
    expect(prose).toMatch(
      /serial\.txt \(linux, lines \d+-\d+; not used: e820 from line \d+\), taken at exit-boot-services/,
    )
    expect(prose).toMatch(
      /kernel_total_size predicted at most 0x[0-9a-f]+; observed 0x2000000 \(line 2\); agrees/,
    )
    expect(prose).toMatch(/input_data predicted [^;]*; observed 0x35c02c8 \(line 1\)/)
    expect(prose).toMatch(/FW-27 +all LoaderCode and LoaderData of the map \(taken at exit-boot-services\)/)
    expect(prose).toMatch(/serial\.txt.*kernel_total_size repeats with another value: another boot begins/)
  })

  test('inspect takes the listing, too', async () => {
    const { code, stdout } = await stubsim(['inspect', listing])
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /listing\.txt \(section listing of good\.efi\)[^]*assumed, since a listing does not show it/,
    )
  })

  test('an e820 list in a log: exit 3, upper and lower bounds are said', async () => {
    const log = file(
      'e820.txt',
      '[    0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000000009ffff] usable\n[ ' +
        '   0.000000] BIOS-e820: [mem 0x0000000000100000-0x000000001fffffff] usable\n',
    )
    const { code, stdout } = await stubsim(['check', good, '--memmap', log])
    expect(code).toBe(3)
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('top-down allocations are upper bounds')
    expect(
      oneLine(
        await stubsim(['check', good, '--memmap', file('zero.txt', '00000000-00000000 : System RAM\n')]),
      ),
    ).toMatch(/CAP_SYS_ADMIN/)
  })
})

test('options or a scenario give what a stub takes from the shell, SMBIOS and add-ons', async () => {
  const uki = {
    stub: '257.13',
    sections: [
      { name: '.cmdline', VirtualAddress: 0x30000, content: { text: 'console=ttyS0 nokaslr' } },
      { name: '.linux', VirtualAddress: 0x2000000, content: { kernel: 'debian-6.12.107-cloud' } },
      { name: '.initrd', VirtualAddress: 0x6000000, content: { initrd: '64KiB' } },
    ],
  }
  const addon = file(
    'a.addon.efi',
    bytesOf(
      buildUki({
        stub: STUB_FACTS['254.26'],
        sections: [{ name: '.cmdline', VirtualAddress: 0x20000, content: { text: 'quiet' } }],
      }),
    ),
  )
  const plain = file(
    'plain.json',
    JSON.stringify({ schema: 1, image: { uki }, machine: { ram: '512MiB', firmware: 'ovmf-2022.11-q35' } }),
  )
  const said = file(
    'said.json',
    JSON.stringify({
      schema: 1,
      image: { uki },
      machine: { ram: '512MiB', firmware: 'ovmf-2022.11-q35' },
      shell: ['one', 'two'],
      smbiosCmdline: 'three',
      addons: ['a.addon.efi'],
    }),
  )
  const lineOf = async (...args: string[]): Promise<string | undefined> => {
    const { stdout } = await stubsim(['check', '--format', 'json', '--scenario', ...args])
    return (JSON.parse(stdout) as { facts: { commandLine?: string } }).facts.commandLine
  }
  expect(await lineOf(plain, '--shell-args', 'one two', '--smbios-cmdline', 'three', '--addons', addon)).toBe(
    'one two quiet three',
  )
  expect(await lineOf(said)).toBe('one two quiet three')
  expect(await lineOf(said, '--confidential-vm')).toBe('one two quiet')
  expect(await lineOf(plain, '--load-options', '@0 mine')).toBe('mine')
})
