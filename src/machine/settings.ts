/**
 * The settings of a boot, in one table: types, scenario files, their schema, options and reference pages follow
 * from it.
 */
import type { ByteSource } from '../bytes/source.ts'
import { CONTENTS } from '../firmware/contents.ts'
import { volumePath } from './volume.ts'

/** When a memory map was taken. */
export const MAP_MOMENTS = ['before-load', 'stub-entry', 'kernel-entry', 'exit-boot-services'] as const
/**
 * off: as if `nokaslr` were given. command-line: as the command line and the kernel decide. all: the same,
 * and every slot that could be chosen is looked at. seed:N: the random number is N, of at most nine digits.
 */
export const KASLR_CHOICES = ['off', 'command-line', 'all', 'seed:N'] as const

/** An add-on: a PE file beside the image. */
export interface Addon {
  readonly name: string
  readonly source: ByteSource
}

/** What every setting says of itself. */
interface AnySetting {
  /** Who asks for it: stages (`Machine.settings`), `check` before they run, or `buildMachine`. */
  readonly for: 'stages' | 'check' | 'machine'
  /** What it means, for the command line: a fragment, lower case, no full stop. */
  readonly help: string
  /** What it means in a scenario file, in Markdown, where that is more than `help` says, or other syntax. */
  readonly page?: string
  /** Clauses that say more, for the page. */
  readonly clauses?: string
  /** What stages see when nobody says anything. Default: undefined, which the report may call an assumption. */
  readonly default?: string | boolean
  /** For the page: what is taken when nobody says anything. Default: `default`, or none. */
  readonly otherwise?: string
  /** Name of the option. Default: the setting's, `smbiosCmdline` as `smbios-cmdline`. */
  readonly option?: string
}

/**
 * One setting. `value` is what stands for its value in the help.
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
    choices: MAP_MOMENTS,
    value: 'WHEN',
    for: 'machine',
    help: 'when the map was taken; by default its form says so',
    page: 'when the memory map was taken',
    otherwise: '`before-load`',
  },
  imageBase: {
    kind: 'address',
    value: 'ADDR',
    for: 'machine',
    help: 'where the firmware put the image, when that is known',
    otherwise: 'the allocator decides',
  },
  contents: {
    kind: 'choice',
    choices: CONTENTS,
    value: 'KIND',
    for: 'machine',
    help: 'what memory holds that nobody wrote, ovmf by default',
    page: 'what memory holds that nobody wrote',
    otherwise: '`ovmf`',
  },
  stub: {
    kind: 'name',
    value: 'VERSION',
    for: 'check',
    help: 'version of the stub (247.3), an era (systemd-stub/S2) or a family (systemd-stub), of which every row is run; identified from the file by default',
    page: 'version (`"247.3"`) or era (`systemd-stub/S2`) of the stub',
    otherwise: 'identified from the image',
  },
  kernel: {
    kind: 'name',
    value: 'VERSION',
    for: 'check',
    help: 'version of the kernel (5.10.223, 5.7-rc1), an era (linux/E2) or linux for every row; identified from the file by default',
    page: 'version (`5.10.223`, `5.7-rc1`) or era (`linux/E2`) of the kernel',
    otherwise: 'identified from the image',
  },
  kaslr: {
    kind: 'choice',
    choices: KASLR_CHOICES,
    value: 'HOW',
    for: 'stages',
    default: 'command-line',
    help: 'off: as nokaslr does; seed:N: with this random number; all: look at every slot that could be chosen; command-line is the default',
    page: '`off`; `command-line`: as the command line and the kernel decide; `all`: the same, and every slot is looked at; `seed:N`',
  },
  secureBoot: { kind: 'flag', for: 'stages', default: false, help: 'enforce Secure Boot' },
  shim: {
    kind: 'flag',
    for: 'stages',
    default: false,
    help: 'shim started the image: under Secure Boot stubs from 258 on then have the firmware load the kernel',
  },
  la57: {
    kind: 'flag',
    for: 'stages',
    default: false,
    help: 'the CPU can have five levels of page tables; firmware and loaders run with four',
  },
  loadOptions: {
    kind: 'text',
    value: 'TEXT',
    for: 'check',
    help: 'what the firmware passes to the stub as LoadOptions; @N first chooses a profile',
    page: 'what the firmware passes to the stub; `@N` and a space in front choose a profile',
    clauses: 'ST-11',
  },
  /** Files on the volume that the image was loaded from, by name: what `initrd=` may name. */
  files: {
    kind: 'volume',
    value: 'NAME=FILE',
    for: 'stages',
    option: 'initrd-file',
    help: 'files on the volume of the image that initrd= on the command line may name, separated by commas',
    page: 'files on the volume of the image, which `initrd=` on the command line may name: `{ NAME: PATH }`',
  },
  /** Sizes in bytes of the option ROMs that the firmware shows on PCI devices, in its order. */
  pciRoms: {
    kind: 'sizes',
    value: 'SIZES',
    for: 'stages',
    help: 'sizes of the option ROMs that the firmware shows on PCI devices, separated by commas; none is taken for granted',
    page: 'sizes of the option ROMs that the firmware shows on PCI devices; the kernel keeps each in `setup_data`',
    otherwise: 'none, as an assumption',
  },
  /** What follows the image's own name on the command line of the EFI shell that started it. */
  shell: {
    kind: 'words',
    value: 'TEXT',
    for: 'stages',
    option: 'shell-args',
    help: 'the EFI shell started the image, with these arguments behind its name',
    page: 'list of words: the EFI shell started the image, with these words behind its name',
    clauses: 'ST-93',
    otherwise: 'no shell',
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
    help: 'decompress the kernel, too: is it whole, where is it entered, does it extract without overtaking itself',
    page: "the kernel's payload is decompressed, as `--deep` does",
  },
} as const satisfies Readonly<Record<string, Setting>>

type Table = typeof SETTINGS
export type SettingName = keyof Table
/** Names of the settings that these ask for. */
export type NamesFor<Who extends Setting['for']> = {
  [K in SettingName]: Table[K]['for'] extends Who ? K : never
}[SettingName]

/** `seed:N` means any number behind the colon. */
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

/** Every setting as a program gives it; what is absent or undefined is taken as the table says. */
export type GivenSettings = { readonly [K in SettingName]?: ValueIn<KindValues, Table[K]> | undefined }
/** Every setting as a scenario file has it, read: files are paths. */
export type StoredSettings = { readonly [K in SettingName]?: ValueIn<StoredKinds, Table[K]> | undefined }
/** The settings that `check` takes beside its machine; its `stub` and `kernel` can be rows and models, too. */
export type CheckSettings = Pick<GivenSettings, Exclude<NamesFor<'stages' | 'check'>, 'stub' | 'kernel'>>
export type KaslrChoice = NonNullable<GivenSettings['kaslr']>

/**
 * The settings that a stage may ask for. Where the table has no default, undefined means that nobody said
 * anything. `files` are by `volumePath()` of their names.
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

/** The settings with the table's defaults for those that are absent or undefined. */
export function withDefaults(some: Partial<Settings>): Settings {
  const said = Object.entries(some).filter(([, value]) => value !== undefined)
  return { ...DEFAULTS, ...Object.fromEntries(said) } as unknown as Settings
}

/** What stages see of what `check` is given. */
export function settingsOf({ files, ...given }: Pick<GivenSettings, NamesFor<'stages'>>): Settings {
  const kept = Object.entries(given).filter(([name]) => name in DEFAULTS)
  const volume =
    files === undefined
      ? {}
      : { files: new Map(Object.entries(files).map(([name, source]) => [volumePath(name), source])) }
  return withDefaults({ ...Object.fromEntries(kept), ...volume })
}

/** The form of a choice where it holds a number, `seed:N`; null where the choices are all there is. */
export function choicePattern(choices: readonly string[]): RegExp | null {
  return choices.some(choice => choice.endsWith(':N'))
    ? new RegExp(`^(?:${choices.map(choice => choice.replace(/:N$/, ':\\d{1,9}')).join('|')})$`)
    : null
}
