import { describe, expect, test } from 'vitest'
import { UsageError } from '../../../src/bytes/errors.ts'
import type { Command } from '../../../src/cli/command.ts'
import { commands as program } from '../../../src/cli/commands.ts'
import { commandHelp, overviewHelp } from '../../../src/cli/help.ts'
import { parseCommandLine } from '../../../src/cli/parse.ts'

const boot: Command = {
  name: 'boot',
  operand: { name: 'FILE', required: { unless: 'scenario' }, help: 'the image' },
  summary: 'boot it',
  options: [
    { name: 'ram', value: 'SIZE', kind: 'size', help: 'RAM' },
    { name: 'image-base', value: 'ADDR', kind: 'address', help: 'base' },
    { name: 'kaslr', value: 'HOW', choices: ['off', 'on'], help: 'KASLR' },
    { name: 'scenario', value: 'FILE', help: 'scenario' },
    { name: 'output', short: 'o', value: 'FILE', help: 'out' },
    { name: 'strict', help: 'strict' },
    { name: 'help', short: 'h', help: 'help' },
  ],
  exits: [],
  examples: [],
  run: () => 0,
}
const list: Command = { ...boot, name: 'list', operand: null, options: [{ name: 'help', help: 'help' }] }
const page: Command = { ...list, name: 'page', operand: { name: 'RULE', required: 'never', help: 'a rule' } }
const commands = [boot, list, page]

test('a name of before is taken for the one of now, and no help has it', () => {
  const named: Command = {
    ...list,
    name: 'image-list',
    formerly: 'list',
    options: [
      { name: 'image-loader', formerly: 'loader', value: 'NAME', help: 'who loads' },
      ...list.options,
    ],
  }
  const request = parseCommandLine(['list', '--loader', 'shim-16'], [named])
  if (request.kind !== 'run') throw new Error(request.kind)
  expect([request.command.name, request.given.text('image-loader')]).toEqual(['image-list', 'shim-16'])
  expect(() => parseCommandLine(['list', '--loader=a', '--image-loader=b'], [named])).toThrow(
    '--image-loader is given twice',
  )
  expect(() => parseCommandLine(['image-list', '--loader'], [named])).toThrow('--loader needs a value: NAME')
  expect(parseCommandLine(['help', 'list'], [named])).toMatchObject({ kind: 'help', command: named })
  expect(commandHelp(named)).not.toMatch(/--loader|\bformerly\b|stubsim list/)
  expect(overviewHelp([named])).not.toMatch(/^ {2}list /m)
})

test('the program takes the names that its options and commands once had', () => {
  const before = [
    ['check', 'u', '--loader', 'patina', '--kernel-loader', 'grub/efi'],
    ['loaders', 'u', '--loader', 'patina'],
  ]
  const now = [
    ['check', 'u', '--image-loader', 'patina', '--boot-loader', 'grub/efi'],
    ['image-loaders', 'u', '--image-loader', 'patina'],
  ]
  const read = (argv: readonly string[]) => {
    const request = parseCommandLine(argv, program)
    return request.kind === 'run'
      ? [request.command.name, ...['image-loader', 'boot-loader'].map(name => request.given.text(name))]
      : []
  }
  expect(before.map(read)).toEqual(now.map(read))
  expect(now.map(read)).toEqual([
    ['check', 'patina', 'grub/efi'],
    ['image-loaders', 'patina', undefined],
  ])
})

describe('parseCommandLine', () => {
  test('gives values by name', () => {
    const request = parseCommandLine(
      [
        'boot',
        '--ram=512MiB',
        'uki.efi',
        '--image-base',
        '0x1000',
        '-o',
        'out',
        '--strict',
        '--kaslr',
        'off',
      ],
      commands,
    )
    if (request.kind !== 'run') throw new Error(request.kind)
    const { command, given } = request
    expect(command).toBe(boot)
    expect(given.operand).toBe('uki.efi')
    expect(given.quantity('ram')).toBe(512 * 2 ** 20)
    expect(given.quantity('image-base')).toBe(4096)
    expect(given.text('output')).toBe('out')
    expect(given.text('kaslr')).toBe('off')
    expect([given.has('strict'), given.has('scenario')]).toEqual([true, false])
    expect(given.text('scenario')).toBeUndefined()
    expect(given.quantity('scenario')).toBeUndefined()
  })

  test('a scenario makes the operand superfluous, -- ends the options', () => {
    expect(parseCommandLine(['boot', '--scenario', 's.yaml'], commands)).toMatchObject({
      kind: 'run',
      given: { operand: null },
    })
    expect(parseCommandLine(['boot', '--', '-odd.efi'], commands)).toMatchObject({
      kind: 'run',
      given: { operand: '-odd.efi' },
    })
    expect(parseCommandLine(['page'], commands)).toMatchObject({ kind: 'run', given: { operand: null } })
  })

  test('help and version', () => {
    expect(parseCommandLine([], commands)).toEqual({ kind: 'help', command: null, asked: false })
    expect(parseCommandLine(['--help'], commands)).toEqual({ kind: 'help', command: null, asked: true })
    expect(parseCommandLine(['-h'], commands)).toEqual({ kind: 'help', command: null, asked: true })
    expect(parseCommandLine(['boot', '-h'], commands)).toEqual({ kind: 'help', command: boot, asked: true })
    expect(parseCommandLine(['--version'], commands)).toEqual({ kind: 'version' })
  })

  test.each<[string[], string]>([
    [['boto'], 'unknown command "boto" (did you mean boot?); see stubsim --help'],
    [['quite-another'], 'unknown command "quite-another"; see stubsim --help'],
    [
      ['--ram', '1'],
      'the command comes first, then its options: stubsim COMMAND --ram …; see stubsim --help',
    ],
    [['boot', 'a', '--rma', '1'], 'unknown option --rma (did you mean --ram?); see stubsim boot --help'],
    [
      ['boot', 'a', '--image-bsae=1'],
      'unknown option --image-bsae (did you mean --image-base?); see stubsim boot --help',
    ],
    [['boot', 'a', '-x'], 'unknown option -x; see stubsim boot --help'],
    [['boot', 'a', '--ram', '1', '--ram=2'], '--ram is given twice'],
    [['boot', 'a', '--strict', '--strict'], '--strict is given twice'],
    [['boot', 'a', '--ram='], '--ram has an empty value; it needs SIZE'],
    [['boot', 'a', '--ram', ''], '--ram has an empty value; it needs SIZE'],
    [['boot', 'a', '--ram'], '--ram needs a value: SIZE'],
    [
      ['boot', 'a', '--ram', '--strict'],
      '--ram needs a value: SIZE, but --strict follows (write --ram=--strict if that is the value)',
    ],
    [['boot', 'a', '--ram', '-5'], '--ram: size "-5" is negative'],
    [
      ['boot', 'a', '--ram', '5 apples'],
      '--ram: size "5 apples" is not a number of bytes (write 4096, 0x1000, 16MiB or 1.5GiB)',
    ],
    [
      ['boot', 'a', '--image-base', 'top'],
      '--image-base: address "top" is not a number of bytes (write 4096, 0x1000, 16MiB or 1.5GiB)',
    ],
    [['boot', 'a', '--kaslr', 'of'], '--kaslr: "of" is not one of off, on (did you mean off?)'],
    [['boot', 'a', '--strict=yes'], '--strict takes no value'],
    [['boot', 'a', 'b'], 'boot takes one FILE, but "a" and "b" are given'],
    [['boot', ''], 'FILE is empty'],
    [['boot'], 'boot needs FILE: the image; see stubsim boot --help'],
    [['list', 'a'], 'list takes no operand, but "a" is given'],
  ])('%j is refused', (argv, message) => {
    expect(() => parseCommandLine(argv, commands)).toThrow(new UsageError(message))
  })
})
