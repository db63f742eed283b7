import { describe, expect, test } from 'vitest'
import { bytesSource, type ByteSource } from '../../../src/bytes/source.ts'
import { check, type CheckInput } from '../../../src/check.ts'
import { parseCommandLine } from '../../../src/cli/parse.ts'
import type { Call } from '../../../src/cli/command.ts'
import { commands } from '../../../src/cli/commands.ts'
import { checkInput } from '../../../src/cli/input.ts'
import { settingOption } from '../../../src/cli/settings.ts'
import {
  SETTINGS,
  settings,
  settingsOf,
  withDefaults,
  type Setting,
  type SettingName,
  type Settings,
} from '../../../src/machine/settings.ts'
import type { StubModel } from '../../../src/machine/model.ts'
import { kernel, uki } from '../../../src/vitest/index.ts'

const image = uki({ kernel: kernel('5.10.223-cloud'), initrd: '64K' })

/** What `stubsim check uki.efi ARGS` gives to check(). Every other file holds its own name. */
function inputOf(args: readonly string[], scenario: object = {}): Promise<CheckInput> {
  const request = parseCommandLine(['check', 'uki.efi', ...args], commands)
  if (request.kind !== 'run') return expect.fail('no run')
  const call = {
    ...request.given,
    files: {
      source: (path: string): ByteSource =>
        path === 'uki.efi' ? image : bytesSource(new TextEncoder().encode(path)),
      text: () => JSON.stringify(scenario),
    },
    log: { debug: () => undefined },
  }
  return checkInput(call as unknown as Call)
}

/**
 * A value that is not the default, as an option, in a scenario at `dir/a.json`, and as check() is given it.
 */
function sample(
  name: SettingName,
  setting: Setting,
): { text: string | null; stored: unknown; given: string | number | boolean | object } {
  switch (setting.kind) {
    case 'flag':
      return { text: null, stored: true, given: true }
    case 'text':
      return { text: 'a b', stored: 'a b', given: 'a b' }
    case 'name':
      return name === 'stub'
        ? { text: '257.13', stored: '257.13', given: '257.13' }
        : { text: '5.10.223', stored: '5.10.223', given: '5.10.223' }
    case 'choice': {
      const last = (setting.choices.at(-1) ?? '').replace(/N$/, '7')
      return { text: last, stored: last, given: last }
    }
    case 'address':
      return { text: '16MiB', stored: '16MiB', given: 2 ** 24 }
    case 'words':
      return { text: 'a  b', stored: ['a', 'b'], given: ['a', 'b'] }
    case 'sizes':
      return { text: '4KiB,8KiB', stored: ['4KiB', 8192], given: [4096, 8192] }
    case 'files':
      return {
        text: 'dir/x,dir/y',
        stored: ['x', 'y'],
        given: [{ name: 'x', source: { size: 5 } }, { name: 'y' }],
      }
    case 'volume':
      return { text: '\\A=dir/x', stored: { '\\A': 'x' }, given: { '\\A': { size: 5 } } }
  }
}

/** Where check() is told. */
function given(input: CheckInput, name: SettingName): unknown {
  const where: object = SETTINGS[name].for === 'machine' ? input.machine : input
  return (where as Readonly<Record<string, unknown>>)[name === 'memmapAt' ? 'taken' : name]
}

/** What a stage is told. */
function seenBy(input: CheckInput): Settings {
  let seen: Settings | undefined
  const stub: StubModel = {
    id: 'x-asking',
    boot: machine => {
      seen = machine.settings
      return machine.refuse('x-1', 'EFI_ABORTED', 'that is all')
    },
  }
  check({ ...input, stub })
  return seen ?? expect.fail('the stub did not run')
}

const map = [{ type: 'EfiConventionalMemory', start: '1MiB', end: '512MiB' }]
const stored = { schema: 1, image: { file: 'x' }, machine: { map } }
const FILE = ['--scenario', 'dir/a.json']

describe.each(settings)('%s', (name, setting) => {
  const { text, stored: value, given: wanted } = sample(name, setting)
  const option = settingOption(name)
  const written = text === null ? [`--${option.name}`] : [`--${option.name}`, text]

  test('comes from its option and from a scenario, and the stages that ask for it see it', async () => {
    const [byOption, byFile] = [
      await inputOf([...FILE, ...written], stored),
      await inputOf(FILE, { ...stored, [name]: value }),
    ]
    for (const input of [byOption, byFile]) {
      if (typeof wanted === 'object') expect(given(input, name)).toMatchObject(wanted)
      else expect(given(input, name)).toBe(wanted)
      if (setting.for === 'stages' && setting.kind !== 'volume')
        expect(seenBy(input)).toHaveProperty(name, given(input, name))
    }
  })

  test('is what the table says when nobody says anything', async () => {
    const input = await inputOf(FILE, stored)
    expect(given(input, name)).toBeUndefined()
    if (setting.for === 'stages') expect(seenBy(input)[name as keyof Settings]).toEqual(setting.default)
  })
})

test('files of a volume are found under any spelling; options add files to the scenario', async () => {
  const input = await inputOf([...FILE, '--initrd-file', 'b=q,A=r'], {
    ...stored,
    files: { '/EFI\\a': 'x', A: 'y' },
  })
  expect(Object.keys(input.files ?? {})).toEqual(['/EFI\\a', 'A', 'b'])
  expect([...(seenBy(input).files?.keys() ?? [])]).toEqual(['efi/a', 'a', 'b'])
  expect(seenBy(input).files?.get('a')?.size).toBe(1)
  await expect(inputOf([...FILE, '--initrd-file', 'b='], stored)).rejects.toThrow(
    '--initrd-file: "b=" is not NAME=FILE',
  )
})

test('an option wins over the scenario, and what is no choice is refused', async () => {
  expect(await inputOf([...FILE, '--kaslr', 'all'], { ...stored, kaslr: 'off' })).toHaveProperty(
    'kaslr',
    'all',
  )
  for (const odd of ['on', 'seed:', 'seed:1234567890'])
    await expect(inputOf([...FILE, '--kaslr', odd], stored)).rejects.toThrow(
      `--kaslr: ${JSON.stringify(odd)} is not one of off, command-line, all, seed:N`,
    )
})

test('a caller may leave out any setting, or say undefined', () => {
  const all = settingsOf({})
  expect(all).toMatchObject({ kaslr: 'command-line', secureBoot: false, shim: false, la57: false })
  expect(settingsOf({ la57: undefined, kaslr: undefined, addons: undefined })).toEqual({
    ...all,
    addons: undefined,
  })
  expect(withDefaults({ shim: true })).toEqual({ ...all, shim: true })
})
