import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { MAIN, scratch, stubsim } from '../support/program.ts'

const { file } = scratch()
const scenario = JSON.stringify({
  schema: 1,
  image: {
    uki: {
      stub: '257.13',
      sections: [
        { name: '.cmdline', VirtualAddress: 0x30000, content: { text: 'console=ttyS0 nokaslr' } },
        { name: '.linux', VirtualAddress: 0x40000, content: { kernel: 'debian-6.12.107-cloud' } },
        { name: '.initrd', VirtualAddress: 0x4000000, content: { initrd: '4MiB' } },
      ],
    },
  },
  machine: { ram: '512MiB', firmware: 'ovmf-2022.11-q35' },
})
const stored = file('boot.json', scenario)
const map =
  '<6>BIOS-e820: [mem 0x0000000000000000-0x000000000009ffff] usable\n<6>BIOS-e820: [mem 0x0000000000100000-0x000000001fffffff] usable\n'

/** The program with something on its stdin. */
function fed(
  input: string,
  ...args: string[]
): { readonly code: number | null; readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', input })
  return { code: status, stdout, stderr }
}

describe('a small text from a pipe', () => {
  test('is the same as from a file', () => {
    const direct = stubsim([
      'check',
      '--scenario',
      stored,
      '--memmap',
      file('map.txt', map),
      '--format',
      'json',
    ])
    const piped = fed(map, 'check', '--scenario', stored, '--memmap', '-', '--format', 'json')
    expect([direct.code, piped.code, piped.stderr]).toEqual([3, 3, ''])
    expect(piped.stdout.replace('memory map -', 'memory map map.txt')).toBe(
      direct.stdout.replace(/memory map \S+map\.txt/, 'memory map map.txt'),
    )
  })

  test('may be what a shell makes of <(command)', () => {
    const { status, stderr } = spawnSync(
      'bash',
      [
        '-c',
        `"$0" "$1" check --scenario "$2" --memmap <(printf '%s' "$3")`,
        process.execPath,
        MAIN,
        stored,
        map,
      ],
      { encoding: 'utf8' },
    )
    expect([status, stderr]).toEqual([3, ''])
  })

  test('is refused when it is empty or an image', () => {
    expect(fed('', 'check', '--scenario', stored, '--memmap', '-')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'stubsim: -: the file is empty\n',
    })
    expect(fed('MZ', 'check', '-', '--ram', '512M', '--firmware', 'ovmf').stderr).toBe(
      'stubsim: -: stdin is for small texts; an image is read at many places, so a regular file or block device is needed\n',
    )
  })
})

test('a reader that has seen enough closes the pipe, and nobody complains', () => {
  const { stdout, stderr } = spawnSync(
    'bash',
    ['-c', `"$0" "$1" trace --scenario "$2" | head -1`, process.execPath, MAIN, stored],
    { encoding: 'utf8' },
  )
  expect(stdout.split('\n')).toHaveLength(2)
  expect(stderr).toBe('')
})

test('every format has the exit code of the text, and a text of its own', () => {
  const began: Readonly<Record<string, RegExp>> = {
    text: /^\S+boot\.json/,
    json: /^\{\n {2}"schema": 1,/,
    markdown: /^## clean/,
    sarif: /^\{\n {2}"\$schema"/,
    junit: /^<\?xml /,
  }
  for (const [format, start] of Object.entries(began)) {
    const { code, stdout, stderr } = stubsim(['check', '--scenario', stored, '--format', format])
    expect([format, code, stderr]).toEqual([format, 0, ''])
    expect(stdout).toMatch(start)
  }
})

test('help COMMAND is COMMAND --help', () => {
  expect(stubsim(['help', 'check'])).toEqual(stubsim(['check', '--help']))
  expect(stubsim(['help'])).toEqual(stubsim(['--help']))
  expect(stubsim(['help', 'chekc'])).toEqual({
    code: 2,
    stdout: '',
    stderr: 'stubsim: unknown command "chekc" (did you mean check?); see stubsim --help\n',
  })
})

test('all help fits a terminal of 80 columns', () => {
  const pages = [
    '--help',
    ...['check', 'map', 'trace', 'inspect', 'loaders', 'profiles', 'explain', 'spec', 'eras'].map(
      name => `help ${name}`,
    ),
  ].map(args => stubsim(args.split(' ')).stdout)
  const wide = pages
    .flatMap(page => page.split('\n'))
    .filter(line => line.length > 80 && !line.startsWith('  stubsim '))
  expect(wide).toEqual([])
})
