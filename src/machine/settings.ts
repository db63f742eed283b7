/**
 * The settings of a boot, in one table, from which types, scenario files, their schema, options and reference
 * pages are derived.
 */
import type { ByteSource } from '../bytes/source.ts'
import { CONTENTS } from '../firmware/contents.ts'
import { volumePath } from './volume.ts'

/** When a memory map was taken. */
export const MAP_POINTS = ['before-load', 'stub-entry', 'kernel-entry', 'exit-boot-services'] as const
/**
 * off: as with `nokaslr`. command-line: decided by command line and kernel. all: the same, and every possible
 * slot is checked. seed:N: the random number is N, of 32 bits.
 */
export const KASLR_CHOICES = ['off', 'command-line', 'all', 'seed:N'] as const

/** An add-on: a PE file beside the image. */
export interface Addon {
  readonly name: string
  readonly source: ByteSource
}

/** Fields of every setting. */
interface AnySetting {
  /** Its reader: stages (`Machine.settings`), `check` before they run, or `buildMachine`. */
  readonly for: 'stages' | 'check' | 'machine'
  /** Help text of the option: a fragment, lower case, no full stop. */
  readonly help: string
  /** Description in a scenario file, in Markdown, if it differs from `help`. */
  readonly page?: string
  /** Related clauses, for the page. */
  readonly clauses?: string
  /** Default that stages see. Absent: undefined, which may become an assumption in the report. */
  readonly default?: string | boolean
  /** Text for the default on the page. Absent: `default`, or none. */
  readonly otherwise?: string
  /** Name of the option. Default: the setting's, `smbiosCmdline` as `smbios-cmdline`. */
  readonly option?: string
}

/**
 * One setting. `value` is the placeholder for its value in the help.
 *
 * | kind | in a program | in a scenario file | on the command line |
 * |---|---|---|---|
 * | flag | boolean | boolean | an option without value |
 * | text | string | string, perhaps empty | one text |
 * | name | string | string | one text |
 * | choice | one of `choices`; `seed:N` is `seed:` and a number | the same | the same |
 * | address | bytes | number or text | number or text |
 * | words | strings | list of strings | separated by blanks |
 * | sizes | bytes | list of numbers or texts | separated by commas |
 * | files | name and content | list of paths | paths, separated by commas |
 * | volume | content by name | paths by name | NAME=PATH, separated by commas |
 */
export type Setting = AnySetting &
  (
    | { readonly kind: 'flag' }
    | {
        readonly kind: 'text' | 'name' | 'address' | 'words' | 'sizes' | 'files' | 'volume'
        readonly value: string
      }
    | { readonly kind: 'choice'; readonly value: string; readonly choices: readonly string[] }
  )

/** In the order of help and pages. */
export const SETTINGS = {
  memmapAt: {
    kind: 'choice',
    choices: MAP_POINTS,
    value: 'WHEN',
    for: 'machine',
    help: 'when the map was taken; by default implied by its dialect',
    page: 'when the memory map was taken',
    otherwise: '`before-load`',
  },
  imageBase: {
    kind: 'address',
    value: 'ADDR',
    for: 'machine',
    help: 'load address of the image on the real machine, if known',
    otherwise: 'the allocator decides',
  },
  contents: {
    kind: 'choice',
    choices: CONTENTS,
    value: 'KIND',
    for: 'machine',
    help: 'content of unwritten memory, ovmf by default',
    page: 'content of unwritten memory',
    otherwise: '`ovmf`',
  },
  stub: {
    kind: 'name',
    value: 'VERSION',
    for: 'check',
    help:
      'version of the stub (247.3), an era (systemd-stub/S2), or a family (systemd-stub) ' +
      'to run each of its eras; identified from the file by default',
    page: 'version (`"247.3"`) or era (`systemd-stub/S2`) of the stub',
    otherwise: 'identified from the image',
  },
  kernel: {
    kind: 'name',
    value: 'VERSION',
    for: 'check',
    help:
      'version of the kernel (5.10.223, 5.7-rc1), an era (linux/E2), or linux to run each ' +
      'era; identified from the file by default',
    page: 'version (`5.10.223`, `5.7-rc1`) or era (`linux/E2`) of the kernel',
    otherwise: 'identified from the image',
  },
  kaslr: {
    kind: 'choice',
    choices: KASLR_CHOICES,
    value: 'HOW',
    for: 'stages',
    default: 'command-line',
    help:
      'off: as with nokaslr; seed:N: with this random number; all: check every possible ' +
      'slot; default: command-line',
    page:
      '`off`; `command-line`: decided by command line and kernel; `all`: the same, and ' +
      'every slot is checked; `seed:N`',
  },
  secureBoot: { kind: 'flag', for: 'stages', default: false, help: 'enforce Secure Boot' },
  shim: {
    kind: 'flag',
    for: 'stages',
    default: false,
    help:
      'shim started the image: under Secure Boot, stubs from 258 on then load the kernel ' +
      'through the firmware',
  },
  la57: {
    kind: 'flag',
    for: 'stages',
    default: false,
    help: 'the CPU supports five-level paging (LA57); firmware and loaders run with four levels',
  },
  loadOptions: {
    kind: 'text',
    value: 'TEXT',
    for: 'check',
    help: 'text that the firmware passes to the stub as LoadOptions; a leading @N selects a profile',
    page:
      'text that the firmware passes to the stub as LoadOptions; a leading `@N` and a ' +
      'space select a profile',
    clauses: 'ST-11',
  },
  /** Files on the volume of the image, by name, for `initrd=`. */
  files: {
    kind: 'volume',
    value: 'NAME=FILE',
    for: 'stages',
    option: 'initrd-file',
    help: 'files on the volume of the image that initrd= on the command line may name, separated by commas',
    page: 'files on the volume of the image, which `initrd=` on the command line may name: `{ NAME: PATH }`',
  },
  /** Sizes in bytes of the option ROMs of PCI devices, in the firmware's order. */
  pciRoms: {
    kind: 'sizes',
    value: 'SIZES',
    for: 'stages',
    help: 'sizes of the option ROMs of PCI devices, separated by commas; assumed: none',
    page: 'sizes of the option ROMs of PCI devices; the kernel copies each to a `setup_data` node',
    otherwise: 'none, as an assumption',
  },
  /** Arguments in the EFI shell, after the image's own name. */
  shell: {
    kind: 'words',
    value: 'TEXT',
    for: 'stages',
    option: 'shell-args',
    help: 'the EFI shell started the image, with these arguments after its name',
    page: 'list of words: the EFI shell started the image, with these arguments after its name',
    clauses: 'ST-93',
    otherwise: 'not started from the EFI shell',
  },
  smbiosCmdline: {
    kind: 'text',
    value: 'TEXT',
    for: 'stages',
    help: 'value of the SMBIOS string io.systemd.stub.kernel-cmdline-extra',
    page: 'value of the SMBIOS string `io.systemd.stub.kernel-cmdline-extra`',
    clauses: 'ST-94',
  },
  confidentialVm: {
    kind: 'flag',
    for: 'stages',
    help: 'the machine is a confidential VM',
    clauses: 'ST-16, ST-17, ST-94',
    otherwise: '`false`',
  },
  /** Add-ons on the ESP, in the order in which the stub finds them: for all images first, folders by name. */
  addons: {
    kind: 'files',
    value: 'FILES',
    for: 'stages',
    help: 'add-ons on the ESP, separated by commas, in the order in which the stub finds them',
    page: 'list of files: add-ons on the ESP, in the order in which the stub finds them',
    clauses: 'ST-95',
  },
  /** Takes seconds and the memory of the extracted kernel. */
  deep: {
    kind: 'flag',
    for: 'check',
    default: false,
    help: 'also decompress the kernel: checks its integrity, its entry point and its extraction margin',
    page: "the kernel's payload is decompressed, as `--deep` does",
  },
} as const satisfies Readonly<Record<string, Setting>>

type Table = typeof SETTINGS
export type SettingName = keyof Table
/** Names of the settings with these readers. */
export type NamesFor<Who extends Setting['for']> = {
  [K in SettingName]: Table[K]['for'] extends Who ? K : never
}[SettingName]

/** `seed:N` means any number after the colon. */
type Chosen<C> = C extends `${infer Prefix}:N` ? `${Prefix}:${number}` : C
interface KindValues {
  flag: boolean
  text: string
  name: string
  address: number
  words: readonly string[]
  sizes: readonly number[]
  files: readonly Addon[]
  volume: Readonly<Record<string, ByteSource>>
}
interface StoredKinds extends Omit<KindValues, 'files' | 'volume'> {
  files: readonly string[]
  volume: Readonly<Record<string, string>>
}
type ValueIn<Kinds, S> = S extends { readonly choices: readonly (infer C)[] }
  ? Chosen<C>
  : S extends { readonly kind: infer K extends keyof Kinds }
    ? Kinds[K]
    : never

/** All settings as a program passes them; absent or undefined ones have the table's defaults. */
export type GivenSettings = { readonly [K in SettingName]?: ValueIn<KindValues, Table[K]> | undefined }
/** All settings as parsed from a scenario file: files are paths. */
export type StoredSettings = { readonly [K in SettingName]?: ValueIn<StoredKinds, Table[K]> | undefined }
/** The settings of `check` besides its machine; its `stub` and `kernel` can also be eras and models. */
export type CheckSettings = Pick<GivenSettings, Exclude<NamesFor<'stages' | 'check'>, 'stub' | 'kernel'>>
export type KaslrChoice = NonNullable<GivenSettings['kaslr']>

/**
 * The settings that a stage may read. Without a default in the table, undefined means unspecified. `files`
 * are by `volumePath()` of their names.
 */
export type Settings = {
  readonly [K in NamesFor<'stages'>]:
    | (Table[K]['kind'] extends 'volume' ? ReadonlyMap<string, ByteSource> : NonNullable<GivenSettings[K]>)
    | (Table[K] extends { readonly default: unknown } ? never : undefined)
}

/** All settings by name, in the table's order. */
export const settings: readonly (readonly [SettingName, Setting])[] = Object.entries(SETTINGS) as [
  SettingName,
  Setting,
][]

const DEFAULTS = Object.fromEntries(
  settings.flatMap(([name, setting]) => (setting.for === 'stages' ? [[name, setting.default]] : [])),
)

/** What withDefaults has made: nothing is missing there. */
const complete = new WeakSet<object>()

/** The settings with the table's defaults for those that are absent or undefined. */
export function withDefaults(some: Partial<Settings>): Settings {
  if (complete.has(some)) return some as Settings
  const said = Object.entries(some).filter(([, value]) => value !== undefined)
  const all = { ...DEFAULTS, ...Object.fromEntries(said) } as unknown as Settings
  complete.add(all)
  return all
}

/** The settings that stages see, from the input of `check`. */
export function settingsOf({ files, ...given }: Pick<GivenSettings, NamesFor<'stages'>>): Settings {
  const kept = Object.entries(given).filter(([name]) => name in DEFAULTS)
  const volume =
    files === undefined
      ? {}
      : { files: new Map(Object.entries(files).map(([name, source]) => [volumePath(name), source])) }
  return withDefaults({ ...Object.fromEntries(kept), ...volume })
}

/** A number of 32 bits in decimal digits. */
const NUMBER =
  '(?:\\d{1,9}|[1-3]\\d{9}|4[01]\\d{8}|42[0-8]\\d{7}|429[0-3]\\d{6}|4294[0-8]\\d{5}|42949[0-5]\\d{4}|' +
  '429496[0-6]\\d{3}|4294967[01]\\d{2}|42949672[0-8]\\d|429496729[0-5])'

/** The form of a choice with a number, `seed:N`; null if the choices are fixed. */
export function choicePattern(choices: readonly string[]): RegExp | null {
  return choices.some(choice => choice.endsWith(':N'))
    ? new RegExp(`^(?:${choices.map(choice => choice.replace(/:N$/, `:${NUMBER}`)).join('|')})$`)
    : null
}
