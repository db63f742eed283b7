/** The settings (src/machine/settings.ts) as options, and their values from options and a scenario. */
import { parseSize } from '../boot/quantity.ts'
import { UsageError } from '../bytes/errors.ts'
import {
  choicePattern,
  SETTINGS,
  settings,
  type Addon,
  type GivenSettings,
  type NamesFor,
  type Setting,
  type SettingName,
  type StoredSettings,
} from '../machine/settings.ts'
import type { Call, Option } from './command.ts'

const nameOf = (name: string, { option }: Setting): string =>
  option ?? name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)

function optionOf(name: string, setting: Setting): Option {
  const option = { name: nameOf(name, setting), help: setting.help }
  if (setting.kind === 'flag') return option
  const { value } = setting
  if (setting.kind === 'address') return { ...option, value, kind: setting.kind }
  return setting.kind === 'choice' && choicePattern(setting.choices) === null
    ? { ...option, value, choices: setting.choices }
    : { ...option, value }
}

/** The option of one setting. */
export function settingOption(name: SettingName): Option {
  return optionOf(name, SETTINGS[name])
}

/** The options of all settings but these, in the table's order. */
export function settingOptions(...without: readonly SettingName[]): Option[] {
  return settings
    .filter(([name]) => !without.includes(name))
    .map(([name, setting]) => optionOf(name, setting))
}

/** A parsed scenario, and how its paths are resolved. */
export interface Stored {
  readonly settings: StoredSettings
  readonly beside: (path: string) => string
}

function chosen(option: string, choices: readonly string[], text: string): string {
  if (choicePattern(choices)?.test(text) === false)
    throw new UsageError(`--${option}: ${JSON.stringify(text)} is not one of ${choices.join(', ')}`)
  return text
}

const filesAt = (call: Call, paths: readonly string[] | undefined): readonly Addon[] | undefined =>
  paths?.map(path => ({ name: path.replace(/^.*\//s, ''), source: call.files.source(path) }))

/** NAME=FILE, separated by commas. */
function pairsOf(option: string, text: string): (readonly [name: string, path: string])[] {
  return text.split(',').map(pair => {
    const [name = '', path = ''] = pair.split(/=(.*)/s, 2)
    if (name === '' || path === '')
      throw new UsageError(`--${option}: ${JSON.stringify(pair)} is not NAME=FILE`)
    return [name, path]
  })
}

/** Files of the volume: the option's take precedence over the scenario's. */
function volumeOf(
  call: Call,
  option: string,
  paths: Readonly<Record<string, string>>,
  { beside }: Stored,
): GivenSettings['files'] {
  const text = call.text(option)
  const given = text === undefined ? [] : pairsOf(option, text)
  const stored = Object.entries(paths).map(([name, path]) => [name, beside(path)] as const)
  const all = [...stored, ...given]
  return all.length === 0
    ? undefined
    : Object.fromEntries(all.map(([name, path]) => [name, call.files.source(path)]))
}

function readSetting(call: Call, name: SettingName, setting: Setting, stored: Stored): unknown {
  const option = nameOf(name, setting)
  const text = call.text(option)
  const before = stored.settings[name]
  switch (setting.kind) {
    case 'flag':
      return call.has(option) ? true : before
    case 'text':
    case 'name':
      return text ?? before
    case 'choice':
      return text === undefined ? before : chosen(option, setting.choices, text)
    case 'address':
      return call.quantity(option) ?? before
    case 'words':
      return text?.split(' ').filter(word => word !== '') ?? before
    case 'sizes':
      return text?.split(',').map(parseSize) ?? before
    case 'files':
      return filesAt(call, text?.split(',') ?? (before as readonly string[] | undefined)?.map(stored.beside))
    case 'volume':
      return volumeOf(call, option, (before ?? {}) as Readonly<Record<string, string>>, stored)
  }
}

/**
 * The values of these settings from options and scenario; an option takes precedence, except that files of a
 * volume are merged. Opens the named files. Throws UsageError for an invalid value.
 */
export function readSettings<Who extends Setting['for']>(
  call: Call,
  stored: Stored,
  ...who: readonly Who[]
): Pick<GivenSettings, NamesFor<Who>> {
  const wanted = settings.filter(([, setting]) => who.some(one => one === setting.for))
  const read = wanted.map(([name, setting]) => [name, readSetting(call, name, setting, stored)] as const)
  return Object.fromEntries(read) as Pick<GivenSettings, NamesFor<Who>>
}
