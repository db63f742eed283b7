/** Options and operands that several commands share. */
import type { Command, Operand, Option } from './command.ts'
import { REPORT_FORMATS } from './formats.ts'
import { settingOption, settingOptions } from './settings.ts'

export const help: Option = { name: 'help', short: 'h', help: 'print this help' }
export const output: Option = {
  name: 'output',
  short: 'o',
  value: 'FILE',
  help: 'write the result to a file instead of stdout',
}
/** `check` has more of them. */
export const reportFormat: Option = {
  name: 'format',
  value: 'FORMAT',
  choices: REPORT_FORMATS,
  help: 'format of the report, text by default',
}
export const format: Option = {
  name: 'format',
  value: 'FORMAT',
  choices: ['text', 'json'],
  help: 'format of the result, text by default',
}
export const stats: Option = {
  name: 'stats',
  help: 'print the number of bytes read, and of all bytes, on stderr',
}
export const verbose: Option = { name: 'verbose', short: 'v', help: 'log progress on stderr' }

const color: Option = {
  name: 'color',
  value: 'WHEN',
  choices: ['auto', 'always', 'never'],
  help: 'colours on stdout, auto by default',
}

export const image: Operand = {
  name: 'FILE',
  required: { unless: 'scenario' },
  help:
    'the unified kernel image, or a text with its section table (objdump -h, and others) ' +
    'or its objcopy recipe; not needed with --scenario',
}

export const memmap: Option = {
  name: 'memmap',
  value: 'FILE',
  help:
    'memory map of the machine in any known form: EFI shell, GRUB, U-Boot, a kernel log, ' +
    '/proc/iomem, boot_params, JSON',
}
export const ram: Option = {
  name: 'ram',
  value: 'SIZE',
  kind: 'size',
  help: 'RAM of a machine with --firmware',
}
export const firmware: Option = {
  name: 'firmware',
  value: 'PROFILE',
  help:
    'recorded firmware profile of a machine with --ram, such as ovmf-2022.11-q35, or of ' +
    'a --memmap; or a firmware file that ends in .json',
}
const quirk: Option = {
  name: 'quirk',
  value: 'NAMES',
  help: 'quirks of the machine, separated by commas, such as no-low-memory; stubsim profiles lists them',
}

const imageLoader: Option = {
  name: 'image-loader',
  formerly: 'loader',
  value: 'NAME',
  help:
    'firmware whose allocator and image loader are used, such as u-boot-2022.01; EDK2 ' +
    '2022.11 by default, stubsim profiles lists them',
}

const memmapAt = settingOption('memmapAt')
const otherSettings = settingOptions('memmapAt')

/** The machine of a boot. */
const machine: readonly Option[] = [memmap, memmapAt, ram, firmware, imageLoader, quirk]

/** The same for several machines, one for every combination of the values. */
export const machines: readonly Option[] = [
  {
    ...memmap,
    several: 'repeated',
    help: `${memmap.help}; may be repeated, and be a folder of maps`,
  },
  memmapAt,
  { ...ram, several: 'commas', help: `${ram.help}; several separated by commas` },
  { ...firmware, several: 'commas', help: `${firmware.help}; several separated by commas` },
  { ...imageLoader, several: 'commas', help: `${imageLoader.help}; several separated by commas` },
  quirk,
]

/** Options for the input of a simulated boot, and for its output. */
export const boot = (shape: Option, on = machine): readonly Option[] => [
  ...on,
  ...otherSettings,
  {
    name: 'boot-loader',
    formerly: 'kernel-loader',
    value: 'NAME',
    help:
      'FILE is a kernel, started without a stub: grub/linuxefi, grub/efi, grub/relocator, ' +
      'vmm/direct or efi/start-image',
  },
  {
    name: 'initrd',
    value: 'FILE',
    help: 'with --boot-loader: the initrd; with --linux: the initrd named by the image',
  },
  { name: 'cmdline', value: 'TEXT', help: 'with --boot-loader: the command line' },
  {
    name: 'esp',
    value: 'FOLDER',
    help: 'folder with the contents of the ESP, where a thin image of lanzaboote finds its kernel and initrd',
  },
  { name: 'linux', value: 'FILE', help: 'the kernel named by a thin image, instead of --esp' },
  {
    name: 'scenario',
    value: 'FILE',
    help: 'image, machine and settings from a YAML or JSON file; options on the command line take precedence',
  },
  {
    name: 'observed',
    value: 'FILE',
    help:
      'log of a real boot of this image, or its /proc/iomem: every address in it is ' +
      'compared with the prediction',
  },
  { name: 'strict', help: 'exit with code 1 for a broken contract, too' },
  shape,
  output,
  color,
  stats,
  verbose,
  help,
]

export const bootExits: Command['exits'] = [
  [0, 'no damage: the kernel starts with everything intact'],
  [1, 'damage, or a stage returns an error; with --strict also for a broken contract'],
  [3, 'unknown: the boot leaves the model; the report states where'],
]

/** All commands, in the order of the help. */
