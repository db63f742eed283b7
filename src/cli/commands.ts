/**
 * The command table: parser, help and docs/reference/cli.md are made from it. The settings of a boot come
 * from src/machine/settings.ts. A command's code is loaded when it runs.
 */
import type { Command, Operand, Option } from './command.ts'
import { REPORT_FORMATS } from './formats.ts'
import { settingOption, settingOptions } from './settings.ts'

const help: Option = { name: 'help', short: 'h', help: 'print this help' }
const output: Option = {
  name: 'output',
  short: 'o',
  value: 'FILE',
  help: 'write the result to a file instead of stdout',
}
/** `check` has more of them. */
const reportFormat: Option = {
  name: 'format',
  value: 'FORMAT',
  choices: REPORT_FORMATS,
  help: 'format of the report, text by default',
}
const format: Option = {
  name: 'format',
  value: 'FORMAT',
  choices: ['text', 'json'],
  help: 'format of the result, text by default',
}
const stats: Option = { name: 'stats', help: 'print the number of bytes read, and of all bytes, on stderr' }
const verbose: Option = { name: 'verbose', short: 'v', help: 'log progress on stderr' }

const color: Option = {
  name: 'color',
  value: 'WHEN',
  choices: ['auto', 'always', 'never'],
  help: 'colours on stdout, auto by default',
}

const image: Operand = {
  name: 'FILE',
  required: { unless: 'scenario' },
  help:
    'the unified kernel image, or a text with its section table (objdump -h, and others) ' +
    'or its objcopy recipe; not needed with --scenario',
}

const memmap: Option = {
  name: 'memmap',
  value: 'FILE',
  help:
    'memory map of the machine in any known form: EFI shell, GRUB, U-Boot, a kernel log, ' +
    '/proc/iomem, boot_params, JSON',
}
const ram: Option = { name: 'ram', value: 'SIZE', kind: 'size', help: 'RAM of a machine with --firmware' }
const firmware: Option = {
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
const machines: readonly Option[] = [
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
const boot = (shape: Option, on = machine): readonly Option[] => [
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

const bootExits: Command['exits'] = [
  [0, 'no damage: the kernel starts with everything intact'],
  [1, 'damage, or a stage returns an error; with --strict also for a broken contract'],
  [3, 'unknown: the boot leaves the model; the report states where'],
]

/** All commands, in the order of the help. */
export const commands: readonly Command[] = [
  {
    name: 'check',
    operand: {
      ...image,
      several: true,
      help:
        'a unified kernel image, a text with its section table (objdump -h, and others) or ' +
        'its objcopy recipe, or a folder with images; several are checked one by one, on every ' +
        'machine; not needed with --scenario',
    },
    summary: 'simulate boots and report damage, broken contracts and advice',
    options: [
      {
        name: 'details',
        help: 'print evidence, facts and assumptions, too; of several boots every report',
      },
      { name: 'quiet', short: 'q', help: 'print nothing: the exit code alone answers' },
      ...boot(reportFormat, machines),
    ],
    notes: [
      'Without a machine, the usual ones are taken: 512 MiB, 2 GiB and 8 GiB of RAM, each ' +
        'with OVMF 2020.11, 2022.11 and 2025.02 on q35. Of several files or machines every file ' +
        'is booted on every machine, and the report is a table, the worst first. The exit code ' +
        'is that of the worst: 1 before 2 (a file that cannot be used), 3 and 0.',
    ],
    exits: bootExits,
    examples: [
      'stubsim check uki.efi',
      'stubsim check uki.efi --ram 512MiB --firmware ovmf-2022.11-q35',
      'stubsim check old.efi new.efi --ram 256MiB,512MiB --firmware ovmf-2022.11-q35,ovmf-2025.02-q35',
      'stubsim check /boot/efi/EFI/Linux --memmap maps/',
      'stubsim check uki.efi --memmap memmap.txt --kaslr off --format json',
      'stubsim check --scenario boot.yaml --strict',
      'stubsim check uki.efi --memmap memmap.txt --format sarif --output stubsim.sarif',
    ],
    run: async call => (await import('./check.ts')).check(call),
  },
  {
    name: 'map',
    operand: image,
    summary: 'print the owners of memory at four points of the boot',
    options: boot(format),
    exits: bootExits,
    examples: ['stubsim map uki.efi --ram 512MiB --firmware ovmf-2022.11-q35'],
    run: async call => (await import('./check.ts')).map(call),
  },
  {
    name: 'trace',
    operand: image,
    summary: 'print every step with its clause and its memory accesses',
    options: [{ name: 'all', help: 'list every range of an event instead of their number' }, ...boot(format)],
    exits: bootExits,
    examples: ['stubsim trace uki.efi --ram 512MiB --firmware ovmf-2022.11-q35'],
    run: async call => (await import('./check.ts')).trace(call),
  },
  {
    name: 'inspect',
    operand: {
      name: 'FILE',
      required: 'always',
      help: 'an image, a kernel, or a text: a section table, a memory map, a log',
    },
    summary: 'print what a file or a pasted text contains, and its problems',
    options: [format, output, stats, verbose, help],
    exits: [[0, 'the file could be read']],
    examples: ['stubsim inspect uki.efi', 'stubsim inspect vmlinuz --format json'],
    run: async call => (await import('./inspect.ts')).inspect(call),
  },
  {
    name: 'image-loaders',
    formerly: 'loaders',
    operand: { name: 'FILE', required: 'always', help: 'a UKI or another PE file' },
    summary: 'load a file like EDK2, shim, GRUB, U-Boot …, and compare',
    options: [
      memmap,
      ram,
      firmware,
      {
        name: 'image-loader',
        formerly: 'loader',
        value: 'NAMES',
        help: 'only these image loaders, separated by commas, such as edk2-2022.11,shim-16',
      },
      format,
      output,
      stats,
      verbose,
      help,
    ],
    exits: [
      [
        0,
        'all image loaders load the file, with no difference that matters to a running ' +
          'image; unusual loaders count only when named',
      ],
      [1, 'an image loader refuses the file, or loaded bytes differ outside discardable sections'],
    ],
    examples: [
      'stubsim image-loaders uki.efi',
      'stubsim image-loaders uki.efi --image-loader edk2-2022.11,u-boot-2022.01 --format json',
    ],
    run: async call => (await import('./image-loaders.ts')).imageLoaders(call),
  },
  {
    name: 'profiles',
    operand: null,
    summary: 'print firmware profiles, image loaders and quirks, with sources',
    options: [format, output, verbose, help],
    exits: [[0, 'the lists were printed']],
    examples: ['stubsim profiles', 'stubsim profiles --format json'],
    run: async call => (await import('./profiles.ts')).profiles(call),
  },
  {
    name: 'explain',
    operand: {
      name: 'TEXT',
      required: 'never',
      help:
        'a rule such as clobbered-object, a clause, or a line that firmware, stub, boot ' +
        'loader or kernel printed; without it, the list of rules',
    },
    summary: 'print what a rule or a printed message means and what to do',
    options: [format, output, verbose, help],
    exits: [[0, 'it was explained']],
    examples: [
      'stubsim explain',
      'stubsim explain clobbered-object',
      'stubsim explain "Error registering initrd: Already started"',
    ],
    run: async call => (await import('./explain.ts')).explain(call),
  },
  {
    name: 'spec',
    operand: {
      name: 'CLAUSE',
      required: 'never',
      help:
        'a clause such as PE-7, a chapter such as PE, or a word such as init_size; without ' +
        'it, all chapters with their titles',
    },
    summary: 'print clauses of the law, with sources, our code and tests',
    options: [
      { name: 'grep', value: 'WORDS', help: 'list the clauses that say these words' },
      {
        name: 'for',
        value: 'RELEASE',
        help:
          'list the clauses that hold for a release, such as linux@6.1.90, systemd@257.13 or ' +
          'lanzaboote@0.4.2',
      },
      format,
      output,
      verbose,
      help,
    ],
    exits: [[0, 'the law was printed']],
    examples: [
      'stubsim spec',
      'stubsim spec PE',
      'stubsim spec PE-7',
      'stubsim spec init_size',
      'stubsim spec --for linux@6.1.90 --grep init_size',
    ],
    run: async call => (await import('./spec.ts')).spec(call),
  },
  {
    name: 'eras',
    operand: {
      name: 'NAME',
      required: 'never',
      help: 'a product, a release or an era; with --diff the second one',
    },
    summary: 'print the history of changes in stubs and kernels',
    options: [
      {
        name: 'diff',
        value: 'A',
        help: 'print the changes from this release or era (of a stub or a kernel) to NAME',
      },
      format,
      output,
      verbose,
      help,
    ],
    exits: [[0, 'the history was printed']],
    examples: [
      'stubsim eras',
      'stubsim eras systemd-stub',
      'stubsim eras 257.13 --format json',
      'stubsim eras --diff 257.13 262.1',
      'stubsim eras --diff linux/E1 linux/E2',
    ],
    run: async call => (await import('./eras.ts')).eras(call),
  },
]
