import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commands } from '../../src/cli/commands.ts'
import { MAIN, scratch, startStubsim, stubsim, type Finished } from '../support/program.ts'
import { TOP } from '../support/files.ts'

const { file, folder } = scratch()
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
  '<6>BIOS-e820: [mem 0x0000000000000000-0x000000000009ffff] usable\n<6>BIOS-e820: ' +
  '[mem 0x0000000000100000-0x000000001fffffff] usable\n'

/** The program with something on its stdin. */
const fed = (input: string, ...args: string[]): Finished => startStubsim(args, { input })

describe('the executable is the program', () => {
  const scenarioOf = (name: string): string => join(TOP, 'samples', name, 'scenario.json')
  test.each([
    [0, ['--version']],
    [0, ['spec', 'ZO-12']],
    [0, ['check', '--scenario', stored, '--format', 'json', '--stats', '-v']],
    [1, ['check', '--scenario', scenarioOf('2020-04-bss-not-zeroed'), '--color', 'always']],
    [2, []],
    [2, ['check', stored]],
    [3, ['check', '--scenario', stored, '--kernel', '3.2']],
  ])('exit %i: %j', async (code, args) => {
    const called = await stubsim(args)
    expect(called.code).toBe(code)
    expect(startStubsim(args)).toEqual(called)
  })

  test('finds a file and writes one from where it stands', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [MAIN, 'check', '--scenario', basename(stored), '-o', 'result.txt'],
      { cwd: folder, encoding: 'utf8' },
    )
    expect([status, stdout, stderr]).toEqual([0, '', ''])
    expect(readFileSync(join(folder, 'result.txt'), 'utf8')).toMatch(/^clean: /)
  })

  test('says so when stdout is full', () => {
    const full = openSync('/dev/full', 'w')
    const { status, stderr } = spawnSync(process.execPath, [MAIN, '--help'], {
      encoding: 'utf8',
      stdio: ['ignore', full, 'pipe'],
    })
    closeSync(full)
    expect(status).not.toBe(0)
    expect(stderr).toMatch(/^stubsim: standard output cannot be written: .*\n$/)
  })
})

describe('a small text from a pipe', () => {
  test('is the same as from a file', async () => {
    const direct = await stubsim([
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
      'stubsim: -: stdin is for small texts; an image needs random access, so use a ' +
        'regular file or block device\n',
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

test('every format has the exit code of the text, and a text of its own', async () => {
  const began: Readonly<Record<string, RegExp>> = {
    text: /^clean: /,
    json: /^\{\n {2}"schema": 1,/,
    markdown: /^## clean/,
    sarif: /^\{\n {2}"\$schema"/,
    junit: /^<\?xml /,
  }
  for (const [format, start] of Object.entries(began)) {
    const { code, stdout, stderr } = await stubsim(['check', '--scenario', stored, '--format', format])
    expect([format, code, stderr]).toEqual([format, 0, ''])
    expect(stdout).toMatch(start)
  }
})

test('help COMMAND is COMMAND --help', async () => {
  expect(await stubsim(['help', 'check'])).toEqual(await stubsim(['check', '--help']))
  expect(await stubsim(['help'])).toEqual(await stubsim(['--help']))
  expect(await stubsim(['help', 'chekc'])).toEqual({
    code: 2,
    stdout: '',
    stderr: 'stubsim: unknown command "chekc" (did you mean check?); see stubsim --help\n',
  })
})

test('all help fits a terminal of 80 columns', async () => {
  const pages: string[] = []
  for (const args of ['--help', ...commands.map(({ name }) => `help ${name}`)])
    pages.push((await stubsim(args.split(' '))).stdout)
  expect(pages.length).toBeGreaterThan(9)
  const wide = pages
    .flatMap(page => page.split('\n'))
    .filter(line => line.length > 80 && !line.startsWith('  stubsim '))
  expect(wide).toEqual([])
})
